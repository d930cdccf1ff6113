"""The exercise `packed_labels` of notebook 11."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import packing
from course_lib.learning.losses import IGNORE, inputs_and_labels

packed_labels = Exercise(
    reference=packing.packed_labels,
    notebook=11,
    order=30,
    minutes=4,
    difficulty=1,
    on_map="loss",
    returns=(Result("inputs", "B, T"), Result("labels", "B, T")),
    example=case(torch.tensor([[5, 6, 2, 8, 9, 4]]), 2),
    another=case(torch.tensor([[7, 2, 4, 6, 2, 9]]), 2),
    cases=(
        case(
            torch.tensor([[5, 2, 6, 7], [4, 4, 4, 2], [2, 9, 2, 5]]),
            2,
            having=("a batch", "an end token at the beginning of a row"),
        ),
        case(torch.tensor([[5, 2, 2, 6, 2]]), 2, having=("two end tokens one after the other",)),
        case(
            torch.tensor([[5, 6, 0, 8], [0, 7, 2, 4]]),
            0,
            having=("a batch", "another end token", "an end token at the beginning of a row"),
        ),
        case(torch.tensor([[5, 0, 2, 0, 4, 0]]), 2, having=("ordinary tokens of id 0",)),
        case(torch.tensor([[2, 9, 2, 5]]), 2, having=("an end token at the beginning of a row",)),
        case(torch.tensor([[5, 6, 7]]), 2, having=("a single text that does not end",)),
        case(
            torch.tensor([[2, 5], [5, 2]]),
            2,
            having=("rows of two tokens", "a batch", "an end token at the beginning of a row"),
        ),
    ),
    hints=(
        "Write down the example, and under each token the next one. Which label belongs to another text?",
        (
            "Split as in notebook 06: all but the last, and all but the first. Then look at the inputs: where the "
            "model reads an end token, the label belongs to another text."
        ),
        "`labels.masked_fill(…, -100)` makes new labels. Its condition is a comparison of the inputs with `end`.",
    ),
)


@packed_labels.mistake(
    "Your labels let the last token of a text predict the first of the next, a jump that cannot be foreseen. Where the "
    "input is the end token, the label should be −100.",
    seen="https://github.com/pytorch/torchtitan/pull/4075",
)
def jump_is_learned(ids, end):
    return inputs_and_labels(ids)


@packed_labels.mistake(
    "Your labels leave out the end token, as if it were padding, so that the model never learns to stop. Leave out the "
    "label *after* the end token: look for it in the inputs, not in the labels.",
    seen="https://github.com/huggingface/transformers/issues/23530",
)
def end_is_not_learned(ids, end):
    inputs, labels = inputs_and_labels(ids)
    return inputs, labels.masked_fill(labels == end, IGNORE)


@packed_labels.mistake(
    "Your labels leave out the end token and the token after it. The end has to be learned, or the model never stops; "
    "only the jump to the next text is left out."
)
def both_left_out(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return inputs, labels.masked_fill(labels == end, IGNORE)


@packed_labels.mistake(
    "Your labels leave out tokens of id 0, as if they were padding. Packed rows have none: 0 is a token like any other."
)
def id_0_left_out(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return inputs, labels.masked_fill(labels == 0, IGNORE)


@packed_labels.mistake(
    "Your labels are 0 where they should be left out, so the model would learn to predict token 0 there. The label "
    "that does not count is −100."
)
def zero_for_ignore(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return inputs, labels.masked_fill(labels == IGNORE, 0)


@packed_labels.mistake(
    "Your labels are −1 where they should be left out, as some programs have it. Here the label that does not count is "
    "−100, as in `F.cross_entropy`."
)
def minus_one_for_ignore(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return inputs, labels.masked_fill(labels == IGNORE, -1)


@packed_labels.mistake(
    "Your inputs are changed as well. The model has to read the end token: only labels are set to −100."
)
def inputs_changed(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return inputs.masked_fill(inputs == end, IGNORE), labels


@packed_labels.mistake(
    "Your labels are not shifted: each token should predict itself. Inputs are all tokens but the last, labels all but "
    "the first."
)
def not_shifted(ids, end):
    inputs = ids[:, :-1]
    return inputs, inputs.masked_fill(inputs == end, IGNORE)


@packed_labels.mistake("Your inputs and labels are swapped. Return the inputs first.")
def swapped(ids, end):
    inputs, labels = packing.packed_labels(ids, end)
    return labels, inputs


@packed_labels.mistake(
    "Your labels leave out one position too late: the second token of each following text, and not the first. The "
    "condition belongs to the input at the same position."
)
def one_too_late(ids, end):
    inputs, labels = inputs_and_labels(ids)
    late = torch.zeros_like(inputs, dtype=torch.bool)
    late[:, 1:] = inputs[:, :-1] == end
    return inputs, labels.masked_fill(late, IGNORE)


@packed_labels.mistake(
    "Where a row begins with the end token, the first label still counts: it should be −100. Compare all the inputs "
    "with `end`, from the first on."
)
def first_input_forgotten(ids, end):
    inputs, labels = inputs_and_labels(ids)
    jump = inputs == end
    jump[:, 0] = False
    return inputs, labels.masked_fill(jump, IGNORE)


@packed_labels.mistake(
    "Your labels count only at the jump, and are left out everywhere else, as with an inverted condition. A label is "
    "left out where the input is the end token."
)
def inverted(ids, end):
    inputs, labels = inputs_and_labels(ids)
    return inputs, labels.masked_fill(inputs != end, IGNORE)


@packed_labels.mistake(
    "Your labels are left out after token 2, whatever `end` is. The end token's id is passed in as `end`: compare "
    "with that."
)
def always_two(ids, end):
    return packing.packed_labels(ids, 2)


@packed_labels.mistake(
    "Your numbers are right, but your code changes the caller's `ids`. A slice is a view of them: do not write into "
    "it. Use `masked_fill`, or a `clone()`."
)
def in_place(ids, end):
    inputs, labels = ids[:, :-1].clone(), ids[:, 1:]
    labels[inputs == end] = IGNORE
    return inputs, labels


@packed_labels.mistake(
    "Your code also writes −100 into the inputs and the caller's `ids`, in place of each token after an end token. "
    "Slices are views of `ids`: do not write into them. Use `masked_fill`, or a `clone()`."
)
def in_place_through_two_views(ids, end):
    inputs, labels = ids[:, :-1], ids[:, 1:]
    labels[inputs == end] = IGNORE
    return inputs, labels


@packed_labels.mistake(
    "Your code also writes −100 into the inputs, in place of each token after an end token, as when inputs and labels "
    "are views of one copy. Make a copy of the labels alone: `ids[:, 1:].clone()`."
)
def in_place_through_two_views_of_a_copy(ids, end):
    return in_place_through_two_views(ids.clone(), end)


@packed_labels.right_for_whole_course
def by_where(ids, end):
    inputs, labels = ids[:, :-1], ids[:, 1:]
    return inputs, torch.where(inputs == end, torch.full_like(labels, -100), labels)


@packed_labels.right
def on_a_clone(ids, end):
    labels = ids[:, 1:].clone()
    labels[ids[:, :-1] == end] = -100
    return ids[:, :-1], labels
