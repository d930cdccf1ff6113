"""The exercise `hide_tokens` of notebook 11."""

import torch

from course_lib.exercises.cases import Case, Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import masking
from course_lib.learning.losses import IGNORE

SPECIAL = torch.tensor([0, 1, 2, 3])
MASK = 3


def chances(*shape: int, seed: int) -> torch.Tensor:
    """Numbers from 0 to below 1 that look random: (2, …). A third of the first ones are below 0.15."""
    numbers = (fixed_tensor(2, *shape, seed=seed) + 2) / 4.01
    numbers[0] = torch.where(numbers[0] < 1 / 3, numbers[0] * 0.44, numbers[0])
    return numbers


def ids_without_specials(*shape: int, seed: int) -> torch.Tensor:
    """Ids from 4 to 19 that look random."""
    return ((fixed_tensor(*shape, seed=seed) + 2) * 100).long() % 16 + 4


def fixed(*shape: int, seed: int, share: float | None = None, having: tuple[str, ...] = ()) -> Case:
    """A case without special tokens."""
    ids = ids_without_specials(*shape, seed=seed)
    arguments = (ids, SPECIAL, MASK, chances(*shape, seed=seed + 20), ids_without_specials(*shape, seed=seed + 40))
    return case(*arguments, *(() if share is None else (share,)), having=having)


def with_specials(special: torch.Tensor, mask: int, seed: int, having: tuple[str, ...]) -> Case:
    """A case in which every third token is special, and all tokens are chosen by chance."""
    ids = ids_without_specials(2, 12, seed=seed)
    ids[:, ::3] = special[torch.arange(4) % len(special)]
    numbers = chances(2, 12, seed=seed + 20)
    numbers[0] = numbers[0] * 0.14
    return case(ids, special, mask, numbers, ids_without_specials(2, 12, seed=seed + 40), having=having)


def with_zeros(seed: int, having: tuple[str, ...]) -> Case:
    """A case in which 0 is an ordinary id, and most tokens are chosen."""
    ids = ids_without_specials(2, 12, seed=seed)
    ids[:, ::2] = 0
    numbers = chances(2, 12, seed=seed + 20)
    numbers[0] = numbers[0] * 0.14
    return case(ids, SPECIAL[1:], MASK, numbers, ids_without_specials(2, 12, seed=seed + 40), having=having)


# The first row of numbers chooses all but the second and the last token; the second says mask, -, mask, random, keep.
SHOWN = torch.tensor([[[0.05, 0.6, 0.1, 0.01, 0.14, 0.3]], [[0.2, 0.1, 0.79, 0.85, 0.95, 0.85]]])
OTHER = torch.tensor([[[0.9, 0.12, 0.02, 0.4, 0.11, 0.03]], [[0.82, 0.5, 0.93, 0.3, 0.88, 0.1]]])

hide_tokens = Exercise(
    reference=masking.hide_tokens,
    notebook=11,
    order=40,
    minutes=10,
    difficulty=2,
    returns=(Result("inputs", "B, T"), Result("labels", "B, T")),
    example=case(torch.tensor([[7, 5, 9, 8, 6, 4]]), SPECIAL, MASK, SHOWN, torch.tensor([[10, 11, 12, 13, 14, 15]])),
    another=case(torch.tensor([[4, 6, 8, 5, 9, 7]]), SPECIAL, MASK, OTHER, torch.tensor([[15, 12, 10, 14, 13, 11]])),
    cases=(
        with_zeros(seed=6, having=("an ordinary token of id 0", "a batch")),
        fixed(4, 30, seed=1, having=("a batch",)),
        fixed(3, 30, seed=2, share=0.5, having=("a share of 0.5", "a batch")),
        fixed(2, 20, seed=3, share=0.0, having=("a share of 0", "a batch")),
        with_specials(SPECIAL, MASK, seed=4, having=("special tokens", "a batch")),
        with_specials(torch.tensor([19, 7, 0]), 19, seed=5, having=("special tokens", "other special ids", "a batch")),
    ),
    hints=(
        (
            "Go through the example with a pencil. Which tokens are chosen? Which of them become [mask], which are "
            "replaced, and which stay? Where is there a label?"
        ),
        (
            "Make three Boolean tensors (B, T): `chosen`, `masked` and `replaced`. The last two are parts of the "
            "first. `torch.isin(ids, special)` finds the special tokens."
        ),
        (
            "`ids.masked_fill(masked, mask)` hides, `torch.where(replaced, substitutes, …)` replaces, and labels are "
            "`ids.masked_fill(…, -100)`. Is the condition there `chosen`, or its opposite?"
        ),
    ),
)


def chosen_by(ids, special, chances, share):
    return (chances[0] < share) & ~torch.isin(ids, special)


@hide_tokens.mistake(
    "Your code hides special tokens too, such as the end of a text. There is nothing to guess about them: leave them "
    "out with `torch.isin(ids, special)`.",
    seen="https://github.com/huggingface/transformers/issues/1395",
)
def specials_hidden(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, torch.tensor([-1]), mask, chances, substitutes, share)


@hide_tokens.mistake(
    "Special tokens have no label in your code, but in your inputs they are still hidden or replaced. They are never "
    "chosen: leave them out of both."
)
def specials_hidden_without_a_label(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = specials_hidden(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(torch.isin(ids, special), IGNORE)


@hide_tokens.mistake(
    "Your labels are the ids everywhere, so the model would also be trained to repeat what it can read. Only chosen "
    "tokens have a label; elsewhere it is −100.",
    seen="https://github.com/huggingface/transformers/issues/144",
)
def labels_everywhere(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, mask, chances, substitutes, share)[0], ids.clone()


@hide_tokens.mistake(
    "Your labels leave out chosen tokens of id 0, as if 0 meant that nothing was chosen. Keep in a mask of True and "
    "False which tokens were: unless 0 is among the special ids, it is a token like any other."
)
def labels_0_left_out(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(labels == 0, IGNORE)


@hide_tokens.mistake(
    "Your code never chooses tokens of id 0. Only the ids in `special` are left out: unless 0 is among them, it is a "
    "token like any other."
)
def id_0_never_chosen(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, torch.cat((special, special.new_zeros(1))), mask, chances, substitutes, share)


@hide_tokens.mistake(
    "Your labels leave out the chosen tokens that were replaced or kept. All chosen tokens have a label: otherwise the "
    "model could trust every token that is not [mask]."
)
def labels_of_masked_only(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(inputs != mask, IGNORE)


@hide_tokens.mistake(
    "Your labels leave out the chosen tokens that stay as they are. The model has to predict these too: otherwise it "
    "could trust every token that it reads.",
    seen="https://github.com/czlwang/BrainBERT/issues/3",
)
def labels_of_changed_only(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(inputs == ids, IGNORE)


@hide_tokens.mistake(
    "Your labels leave out the chosen tokens whose number in `chances[1]` is 0.9 or more. They stay as they are, but "
    "the model has to predict them too: otherwise it could trust every token that it reads."
)
def labels_below_nine_tenths(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(chances[1] >= 0.9, IGNORE)


@hide_tokens.mistake(
    "Your code masks all chosen tokens. Only 80 % become [mask]: where `chances[1]` is at least 0.8 and below 0.9, a "
    "token is replaced, and above that it stays."
)
def all_masked(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chosen_by(ids, special, chances, share)
    return ids.masked_fill(chosen, mask), ids.masked_fill(~chosen, IGNORE)


@hide_tokens.mistake(
    "Your code replaces all chosen tokens that it does not mask. Half of them, those for which `chances[1]` is 0.9 or "
    "more, stay as they are."
)
def none_kept(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, mask, chances.clamp(max=0.89), substitutes, share)


@hide_tokens.mistake(
    "You have swapped the two cases above 0.8. Where `chances[1]` is at least 0.8 and below 0.9, a chosen token is "
    "replaced; where it is 0.9 or more, the token stays."
)
def tenths_exchanged(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chosen_by(ids, special, chances, share)
    inputs = ids.masked_fill(chosen & (chances[1] < 0.8), mask)
    return torch.where(chosen & (chances[1] >= 0.9), substitutes, inputs), ids.masked_fill(~chosen, IGNORE)


@hide_tokens.mistake(
    "Where `chances[1]` is below 0.8, your inputs have the substitutes in place of [mask]. A chosen token becomes the "
    "substitute only where it is at least 0.8 and below 0.9; `< 0.9` alone also holds for the masked ones."
)
def masked_ones_replaced(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chosen_by(ids, special, chances, share)
    return torch.where(chosen & (chances[1] < 0.9), substitutes, ids), ids.masked_fill(~chosen, IGNORE)


@hide_tokens.mistake(
    "Your code replaces no token. Where `chances[1]` is at least 0.8 and below 0.9, a chosen token becomes the "
    "substitute at its position."
)
def none_replaced(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, mask, chances, ids, share)


@hide_tokens.mistake(
    "Your code replaces tokens that were not chosen, as a condition on `chances[1]` alone does. Only chosen "
    "tokens may change."
)
def replaced_everywhere(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chosen_by(ids, special, chances, share)
    inputs = ids.masked_fill(chosen & (chances[1] < 0.8), mask)
    inputs = torch.where((chances[1] >= 0.8) & (chances[1] < 0.9), substitutes, inputs)
    return inputs, ids.masked_fill(~chosen, IGNORE)


@hide_tokens.mistake(
    "Your labels are what the model reads, so the model would be taught to guess [mask]. A label is the original "
    "token, from before anything was hidden."
)
def labels_from_the_inputs(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, inputs.masked_fill(labels == IGNORE, IGNORE)


@hide_tokens.mistake(
    "Your labels are 0 where nothing has to be guessed, but 0 is a token. The label that does not count is −100.",
    seen="https://github.com/mosaicml/examples/issues/457",
)
def zero_for_ignore(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(labels == IGNORE, 0)


@hide_tokens.mistake(
    "Your labels are −1 where nothing has to be guessed, as some programs have it. Here the label that does not count "
    "is −100, as in `F.cross_entropy`."
)
def minus_one_for_ignore(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, labels.masked_fill(labels == IGNORE, -1)


@hide_tokens.mistake(
    "Your labels are −100 at the chosen tokens and the ids elsewhere. It is the other way round: invert the condition."
)
def labels_inverted(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    return inputs, ids.masked_fill(labels != IGNORE, IGNORE)


@hide_tokens.mistake(
    "Your code writes 103 for [mask], its id in BERT's vocabulary. Another tokenizer has another: use `mask`.",
    seen="https://github.com/deepset-ai/FARM/issues/800",
)
def mask_of_bert(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, 103, chances, substitutes, share)


@hide_tokens.mistake(
    "Your code always chooses 15 %, whatever `share` is. A token is chosen where its first number is below `share`."
)
def always_fifteen_percent(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, mask, chances, substitutes, 0.15)


@hide_tokens.mistake(
    "Your code chooses the tokens whose first number is `share` or more. Choose those where it is below `share`."
)
def the_others_chosen(ids, special, mask, chances, substitutes, share=0.15):
    flipped = torch.stack(((chances[0] < share).float(), chances[1]))
    return masking.hide_tokens(ids, special, mask, flipped, substitutes, 0.5)


@hide_tokens.mistake(
    "Your result is that of the two rows of `chances` the other way round. The first row chooses tokens, the second "
    "says what happens to them."
)
def rows_swapped(ids, special, mask, chances, substitutes, share=0.15):
    return masking.hide_tokens(ids, special, mask, chances.flip(0), substitutes, share)


@hide_tokens.mistake(
    "Your code changes the caller's `ids`, and takes the labels from what the model reads, so the model would be "
    "taught to guess [mask]. Hide the tokens in a copy, `ids.clone()`, and take the labels from `ids`."
)
def without_a_copy(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    ids.copy_(inputs)
    return ids, inputs.masked_fill(labels == IGNORE, IGNORE)


@hide_tokens.mistake(
    "Your numbers are right, but your code changes the caller's `ids`. Use `masked_fill` and `torch.where`, which make "
    "new tensors."
)
def in_place(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = masking.hide_tokens(ids, special, mask, chances, substitutes, share)
    ids.copy_(inputs)
    return ids, labels


@hide_tokens.mistake(
    "The second numbers have no effect in your code: the first ones also decide what happens to a chosen token. The "
    "first number only chooses: let the second, `chances[1]`, decide whether a chosen token becomes [mask], is "
    "replaced or stays."
)
def first_numbers_only(ids, special, mask, chances, substitutes, share=0.15):
    chosen = chosen_by(ids, special, chances, share)
    inputs = torch.where(chosen & (chances[0] < 0.9 * share), substitutes, ids)
    return inputs.masked_fill(chosen & (chances[0] < 0.8 * share), mask), ids.masked_fill(~chosen, IGNORE)


@hide_tokens.right_for_whole_course
def step_by_step(ids, special, mask, chances, substitutes, share=0.15):
    first, second = chances
    inputs, labels = ids.clone(), torch.full_like(ids, -100)
    chosen = (first < share) & ~torch.isin(ids, special)
    labels[chosen] = ids[chosen]
    inputs[chosen & (second < 0.8)] = mask
    replaced = chosen & (second >= 0.8) & (second < 0.9)
    inputs[replaced] = substitutes[replaced]
    return inputs, labels


@hide_tokens.right
def in_loops(ids, special, mask, chances, substitutes, share=0.15):
    inputs, labels = ids.clone(), torch.full_like(ids, -100)
    for b, t in torch.cartesian_prod(torch.arange(ids.size(0)), torch.arange(ids.size(1))).tolist():
        if chances[0, b, t] < share and ids[b, t].item() not in special.tolist():
            labels[b, t] = ids[b, t]
            if chances[1, b, t] < 0.8:
                inputs[b, t] = mask
            elif chances[1, b, t] < 0.9:
                inputs[b, t] = substitutes[b, t]
    return inputs, labels
