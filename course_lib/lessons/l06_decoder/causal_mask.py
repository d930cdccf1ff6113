"""The exercise `causal_mask` of notebook 06."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

causal_mask = Exercise(
    reference=attention.causal_mask,
    notebook=6,
    order=10,
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    returns=(Result("the mask", "T, T"),),
    example=case(3),
    another=case(2),
    cases=(
        case(4, having=("other sizes",)),
        case(7, having=("many tokens", "other sizes")),
        case(1, having=("a single token", "other sizes")),
        case(300, having=("many tokens", "other sizes")),
    ),
    hints=(
        "Write the mask for three tokens on paper. Which columns may row 0 read, and which may row 1?",
        (
            "Where the column's number is larger than the row's, the mask is False. So True fills the lower triangle, "
            "with the diagonal. Comparing two `torch.arange` gives it, and so does a square of ones that is cut to a "
            "triangle."
        ),
        "`tensor.tril()` sets everything above the diagonal to 0 or False. The square is `torch.ones` with a `dtype`.",
    ),
)


@causal_mask.mistake(
    "Your mask is inverted: it is True for the future and False for the past. It should be True on the diagonal and "
    "below it."
)
def only_the_future(T):
    return ~attention.causal_mask(T)


@causal_mask.mistake(
    "Your mask is True above the diagonal, where the future is. Rows ask and columns are read, so the past is below "
    "the diagonal."
)
def upper_half(T):
    return attention.causal_mask(T).T


@causal_mask.mistake(
    "Your mask has ones above the diagonal, where the future is, and it holds floating-point numbers. Rows ask and "
    "columns are read, so the past is below the diagonal; and the course's masks are Boolean: `dtype=torch.bool`."
)
def upper_half_of_numbers(T):
    return torch.ones(T, T).triu()


@causal_mask.mistake(
    "Your diagonal is False, so that no token can read itself, and the first token can read nothing. The diagonal "
    "should be True."
)
def blind_to_itself(T):
    return torch.ones(T, T, dtype=torch.bool).tril(-1)


@causal_mask.mistake(
    "Your mask is off by one: each token also reads the next one, which it should predict. Everything above the "
    "diagonal should be False."
)
def one_step_ahead(T):
    return torch.ones(T, T, dtype=torch.bool).tril(1)


@causal_mask.mistake(
    "Your mask holds numbers that are added to scores. In this course a mask holds True and False: True where a token "
    "may attend."
)
def to_be_added(T):
    return torch.zeros(T, T).masked_fill(~attention.causal_mask(T), -torch.inf)


@causal_mask.mistake("Your mask holds floating-point numbers. The course's masks are Boolean: `dtype=torch.bool`.")
def ones_and_zeros(T):
    return torch.ones(T, T).tril()


@causal_mask.mistake("Your mask holds whole numbers. The course's masks are Boolean: `dtype=torch.bool`.")
def whole_numbers(T):
    return attention.causal_mask(T).long()


@causal_mask.mistake(
    "Your mask hides nothing: every token reads the future too. Everything above the diagonal should be False. If you "
    "fill a list of lists, make each row new: `[[False] * T] * T` is T times the same row."
)
def all_open(T):
    return torch.ones(T, T, dtype=torch.bool)


@causal_mask.mistake(
    "In your mask, each token reads only itself. It should read all earlier tokens too: True below the diagonal as "
    "well."
)
def itself_only(T):
    return torch.eye(T, dtype=torch.bool)


@causal_mask.mistake(
    "In your mask, each token reads itself and the one before it, but no earlier ones. Everything below the diagonal "
    "should be True."
)
def one_step_back(T):
    return attention.causal_mask(T).triu(-1)


@causal_mask.mistake(
    "Your triangle is mirrored: the first row is open to all tokens, and the last row only to the first. Row i should "
    "be True up to column i."
)
def mirrored(T):
    return attention.causal_mask(T).flip(0)


@causal_mask.mistake(
    "Your mask has an additional axis in front. Return a square (T, T); it broadcasts over batch and heads by itself."
)
def for_a_batch(T):
    return attention.causal_mask(T)[None]


@causal_mask.mistake(
    "Your mask has two additional axes in front. Return a square (T, T); it broadcasts over batch and heads by itself."
)
def for_a_batch_and_heads(T):
    return attention.causal_mask(T)[None, None]


@causal_mask.mistake("Your mask is one row and one column too small: T tokens need a square (T, T).")
def one_too_small(T):
    return attention.causal_mask(T - 1)


@causal_mask.mistake(
    "Your diagonal is False in all rows but the first, so only the first token can read itself. The whole diagonal "
    "should be True."
)
def only_the_first_reads_itself(T):
    mask = torch.ones(T, T, dtype=torch.bool).tril(-1)
    mask[0, 0] = True
    return mask


@causal_mask.right_for_whole_course
def by_comparison(T):
    return torch.arange(T)[:, None] >= torch.arange(T)


causal_mask.right(lambda T: torch.tril(torch.ones(T, T)) == 1)
causal_mask.right(lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1))


@causal_mask.right
def mask_in_loops(T):
    return torch.tensor([[j <= i for j in range(T)] for i in range(T)])


@causal_mask.right
def mask_row_by_row(T):
    return torch.stack([torch.arange(T) <= row for row in range(T)])
