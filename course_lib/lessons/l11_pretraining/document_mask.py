"""The exercise `document_mask` of notebook 11."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import packing

document_mask = Exercise(
    reference=packing.document_mask,
    notebook=11,
    order=20,
    minutes=8,
    difficulty=2,
    returns=(Result("the mask", "B, 1, T, T"),),
    example=case(torch.tensor([[5, 6, 2, 8, 5, 2]]), 2),
    another=case(torch.tensor([[7, 2, 4, 4, 2, 9]]), 2),
    cases=(
        case(torch.tensor([[5, 2, 6, 7], [4, 4, 4, 2], [8, 9, 2, 5]]), 2, having=("a batch",)),
        case(torch.tensor([[2, 5, 2, 2, 6]]), 2, having=("two end tokens one after the other",)),
        case(torch.tensor([[5, 6, 0, 8], [0, 7, 2, 4]]), 0, having=("a batch", "another end token")),
        case(torch.tensor([[5, 0, 2, 0, 4, 2]]), 2, having=("ordinary tokens of id 0",)),
        case(torch.tensor([[5, 6, 7]]), 2, having=("a single text that does not end",)),
        case(
            torch.tensor([[5, 9, 2], [9, 2, 2], [2, 4, 9]]),
            9,
            having=("as many rows as tokens in a row", "another end token", "a batch"),
        ),
        case(torch.tensor([[2], [5]]), 2, having=("rows of a single token", "a batch")),
    ),
    hints=(
        (
            "Number the texts of the example: 0 for the tokens of the first, 1 for those of the second. Which pairs of "
            "tokens may see each other, in terms of these numbers?"
        ),
        (
            "A token's text is the number of end tokens *before* it. `(ids == end).cumsum(-1)` counts the end token "
            "itself as well, and an end token still belongs to the text that it ends."
        ),
        (
            "With numbers `text` (B, T), `text[:, :, None]` and `text[:, None, :]` can be compared, which gives "
            "(B, T, T). The heads' axis is still missing."
        ),
    ),
)


def numbers_of_texts(ids, end):
    """For each token, how many texts have ended before it: (B, T)."""
    ends = (ids == end).long()
    return ends.cumsum(-1) - ends


@document_mask.mistake(
    "In your mask, an end token belongs to the next text, so no text can see its end, and the next one begins with a "
    "foreign token. For each token, count the end tokens before it, not including itself."
)
def end_belongs_to_the_next(ids, end):
    text = (ids == end).cumsum(-1)
    return (text[:, :, None] == text[:, None])[:, None]


@document_mask.mistake(
    "In your mask, the first token of a row belongs to the text that is counted last, as after `roll`, which brings "
    "the last number round to the front. No text has ended before the first token: its number is 0."
)
def last_number_brought_to_the_front(ids, end):
    text = (ids == end).cumsum(-1).roll(1, -1)
    return (text[:, :, None] == text[:, None])[:, None]


@document_mask.mistake(
    "Your mask lets a token read all earlier texts too. Only tokens with the same number of their text may see each "
    "other: if you compare these numbers, do so with `==`.",
    seen="https://github.com/huggingface/nanoVLM/pull/204",
)
def reads_earlier_texts(ids, end):
    text = numbers_of_texts(ids, end)
    return (text[:, :, None] >= text[:, None])[:, None]


@document_mask.mistake(
    "Your mask hides tokens of id 0, as if they were padding. Packed rows have none: 0 is a token like any other."
)
def id_0_hidden(ids, end):
    return packing.document_mask(ids, end) & (ids != 0)[:, None, None]


@document_mask.mistake(
    "Your mask also hides the future. That is the causal mask's task, and a model that fills gaps needs both sides: "
    "here only other texts are hidden."
)
def causal_too(ids, end):
    return packing.document_mask(ids, end).tril()


@document_mask.mistake(
    "Your mask has two mistakes. It hides the future, which is the causal mask's task; and an end token belongs to the "
    "next text in it: for each token, count the end tokens before it, not including itself."
)
def causal_too_and_end_belongs_to_the_next(ids, end):
    return end_belongs_to_the_next(ids, end).tril()


@document_mask.mistake(
    "Your mask has two mistakes. A token may read all earlier texts too: only tokens with the same number of their "
    "text may see each other. And an end token belongs to the next text in it: for each token, count the end tokens "
    "before it, not including itself."
)
def reads_earlier_texts_and_end_belongs_to_the_next(ids, end):
    text = (ids == end).cumsum(-1)
    return (text[:, :, None] >= text[:, None])[:, None]


@document_mask.mistake(
    "Your mask hides nothing, as if no text ended. A text ends at each token that is `end`: only tokens of the same "
    "text may see each other."
)
def nothing_hidden(ids, end):
    return torch.ones(len(ids), 1, ids.size(1), ids.size(1), dtype=torch.bool)


@document_mask.mistake(
    "Your mask hides the future, and nothing else. That is the causal mask's task: here other texts are hidden, "
    "earlier and later ones. A text ends at each token that is `end`."
)
def causal_only(ids, end):
    return nothing_hidden(ids, end).tril()


@document_mask.mistake(
    "Your mask distinguishes only two texts: one up to the first end token, and one after it. Each end token ends a "
    "text: count those before each token."
)
def two_texts_at_most(ids, end):
    later = numbers_of_texts(ids, end) > 0
    return (later[:, :, None] == later[:, None])[:, None]


@document_mask.mistake(
    "Your mask is True between different texts, and False within one. In this course True marks what may be attended "
    "to, so it should be the other way round."
)
def inverted(ids, end):
    return ~packing.document_mask(ids, end)


@document_mask.mistake(
    "The axis of the heads is missing in your mask: scores are (B, H, T, T), so the mask should be "
    "(B, 1, T, T). Insert an axis of length 1 after the batch."
)
def without_heads(ids, end):
    return packing.document_mask(ids, end)[:, 0]


@document_mask.mistake(
    "Your axis of length 1 comes before the batch, (1, B, T, T), so that scores (B, H, T, T) would take texts for "
    "heads. It belongs after the batch: (B, 1, T, T)."
)
def heads_in_front(ids, end):
    return packing.document_mask(ids, end).transpose(0, 1)


@document_mask.mistake(
    "In your mask, an end token is cut off from its text. It belongs to the text that it ends: the model has to see "
    "that text to know that it is over."
)
def ends_hidden(ids, end):
    seen = ids != end
    itself = torch.eye(ids.size(1), dtype=torch.bool)
    return packing.document_mask(ids, end) & (seen[:, None, :, None] & seen[:, None, None] | itself)


@document_mask.mistake(
    "In your mask, equal tokens see each other, whatever texts they belong to. Compare the numbers of their texts."
)
def of_equal_ids(ids, end):
    return (ids[:, :, None] == ids[:, None])[:, None]


@document_mask.mistake(
    "Your mask is that of end tokens counted down the batch. Each row is counted by itself, along its tokens: "
    "`cumsum(-1)`."
)
def counted_down_the_batch(ids, end):
    ends = (ids == end).long()
    text = ends.cumsum(0) - ends
    return (text[:, :, None] == text[:, None])[:, None]


@document_mask.mistake(
    "Your mask holds numbers. The course's masks are Boolean: return True and False, as a comparison gives them."
)
def ones_and_zeros(ids, end):
    return packing.document_mask(ids, end).float()


@document_mask.mistake("In your mask, a text always ends at token 2, but the end token's id is passed in as `end`.")
def always_two(ids, end):
    return packing.document_mask(ids, 2)


@document_mask.mistake(
    "Your mask says which tokens are not end tokens, as a padding mask does. It should say which pairs of tokens "
    "belong to the same text."
)
def like_a_padding_mask(ids, end):
    return (ids != end)[:, None, None].expand(-1, 1, ids.size(1), -1)


@document_mask.mistake(
    "In your mask, no token reads an end token. The end of a text belongs to the text like its other tokens, and may "
    "be read."
)
def ends_not_read(ids, end):
    return packing.document_mask(ids, end) & (ids != end)[:, None, None, :]


@document_mask.mistake(
    "In your mask, no token reads an end token, and an end token reads the next text in place of its own. The end of a "
    "text belongs to the text like its other tokens."
)
def ends_apart(ids, end):
    texts = (ids == end).cumsum(-1)
    return (texts[:, None, :, None] == texts[:, None, None, :]) & (ids != end)[:, None, None, :]


@document_mask.mistake(
    "In your mask, the tokens after the last end token of a row see nothing, not even themselves. They belong to a "
    "text whose end is not in the row: let them see each other."
)
def unfinished_text_left_out(ids, end):
    ended = (ids == end).flip(-1).cumsum(-1).flip(-1) > 0
    return packing.document_mask(ids, end) & ended[:, None, None]


@document_mask.right_for_whole_course
def by_shifted_ends(ids, end):
    before = torch.zeros_like(ids)
    before[:, 1:] = (ids[:, :-1] == end).cumsum(1)
    return before[:, None, :, None] == before[:, None, None, :]


@document_mask.right
def in_loops(ids, end):
    B, T = ids.shape
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool)
    for b in range(B):
        for i in range(T):
            for j in range(T):
                first, last = min(i, j), max(i, j)
                mask[b, 0, i, j] = not (ids[b, first:last] == end).any()
    return mask
