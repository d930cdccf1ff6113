"""The exercise `inputs_and_labels` of notebook 06."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses

inputs_and_labels = Exercise(
    reference=losses.inputs_and_labels,
    notebook=6,
    order=30,
    minutes=5,
    difficulty=1,
    on_map="loss",
    returns=(
        Result("inputs", "B, T"),
        Result("labels", "B, T"),
    ),
    example=case(torch.tensor([[5, 6, 7, 8]])),
    another=case(torch.tensor([[9, 4, 4, 3]])),
    cases=(
        case(torch.arange(12).reshape(3, 4), having=("a batch",)),
        case(torch.arange(16).reshape(4, 4), having=("as many texts as tokens", "a batch")),
        case(torch.tensor([[2, 9]]), having=("a single token to predict",)),
    ),
    hints=(
        (
            "Write down a text of four tokens, and under each token the one that should be predicted there. Which "
            "token has nothing under it, and which is never predicted?"
        ),
        (
            "No token follows the last one, so the last token is not an input. No token precedes the first one, so the "
            "first token is not a label."
        ),
        "A slice along axis 1 leaves a token out. `ids[:, :-1]` is one of the two.",
    ),
)


@inputs_and_labels.mistake(
    "Your labels are the same as your inputs, so the model would learn to repeat the token that it has just read. The "
    "labels should be one step ahead: all tokens but the first.",
    seen="https://github.com/pytorch/tutorials/issues/719",
)
def the_same_twice(ids):
    return ids[:, :-1], ids[:, :-1]


@inputs_and_labels.mistake(
    "Your inputs and labels are swapped: the model would read a token and predict the one before it. Return the inputs "
    "first: all tokens but the last."
)
def swapped(ids):
    return ids[:, 1:], ids[:, :-1]


@inputs_and_labels.mistake(
    "Your labels are two steps ahead, the token after the next. They should be one step ahead.",
    seen="https://github.com/huggingface/transformers/issues/32944",
)
def two_ahead(ids):
    return ids[:, :-2], ids[:, 2:]


@inputs_and_labels.mistake(
    "Your inputs still contain the last token, which nothing follows. Leave it out, so that inputs and labels have the "
    "same length."
)
def not_cut(ids):
    return ids, ids[:, 1:]


@inputs_and_labels.mistake(
    "Your code shifts along the batch, so each text would have to predict the next text. Shift along the tokens, axis "
    "1."
)
def along_the_batch(ids):
    return ids[:-1], ids[1:]


@inputs_and_labels.mistake(
    "The last of your labels is the first token of the text, as after `roll`. Cut off the two ends instead: both "
    "results are one token shorter."
)
def rolled(ids):
    return ids, ids.roll(-1, 1)


@inputs_and_labels.mistake(
    "Your labels still contain the first token, which nothing precedes. The labels are all tokens but the first."
)
def labels_not_cut(ids):
    return ids[:, :-1], ids


@inputs_and_labels.mistake(
    "Your code returns `ids` twice, without a shift. The inputs are all tokens but the last, and the labels are all "
    "but the first."
)
def not_shifted(ids):
    return ids, ids


@inputs_and_labels.mistake(
    "Your inputs are the same as your labels, without the first token. The inputs are all tokens but the last."
)
def the_later_ones_twice(ids):
    return ids[:, 1:], ids[:, 1:]


@inputs_and_labels.mistake(
    "Your labels are the last token only. Every position predicts the token after it: all tokens but the first."
)
def last_token_only(ids):
    return ids[:, :-1], ids[:, -1:]


@inputs_and_labels.mistake(
    "Your code puts a filler in front of the inputs, and every token among the labels. Nothing is added here: the "
    "inputs are all tokens but the last, and the labels are all but the first."
)
def filled_in_front(ids):
    return torch.cat((torch.zeros_like(ids[:, :1]), ids[:, :-1]), dim=1), ids


@inputs_and_labels.mistake(
    "Your code fills up the labels with −100 at the end. Nothing is filled up here: leave out the last token of the "
    "inputs instead."
)
def filled_up(ids):
    return ids, torch.cat((ids[:, 1:], torch.full_like(ids[:, :1], -100)), dim=1)


@inputs_and_labels.mistake(
    "The last of your labels is −100, but the last input has an answer too: `ids` has one token more than the inputs. "
    "The labels are all tokens but the first."
)
def last_label_ignored(ids):
    return ids[:, :-1], torch.cat((ids[:, 1:-1], torch.full_like(ids[:, :1], -100)), dim=1)


@inputs_and_labels.mistake(
    "Your code splits each text in two halves. Inputs and labels should overlap: each label is the token after its "
    "input."
)
def two_halves(ids):
    middle = ids.size(1) // 2
    return ids[:, :middle], ids[:, middle:]


@inputs_and_labels.mistake(
    "Your code adds 1 to the ids. The labels are not the next ids in the vocabulary, but the next tokens in the text: "
    "all but the first."
)
def next_ids(ids):
    return ids[:, :-1], ids[:, :-1] + 1


@inputs_and_labels.mistake("Your code splits only the first text of the batch. Keep all rows: slice along axis 1.")
def first_text_only(ids):
    return ids[:1, :-1], ids[:1, 1:]


@inputs_and_labels.mistake(
    "Your labels are the last token of each text only. Every input has a next token that is predicted: the labels are "
    "all tokens but the first, (B, T)."
)
def last_token_of_each_text(ids):
    return ids[:, :-1], ids[:, -1]


@inputs_and_labels.mistake(
    "The last of your labels is the first token of the text, as if the inputs had been rolled. After the last input "
    "comes the last token of the text: the labels are all tokens but the first."
)
def inputs_rolled(ids):
    return ids[:, :-1], ids[:, :-1].roll(-1, 1)


@inputs_and_labels.mistake(
    "Your labels are the tokens before the inputs, as if they had been rolled the other way. The labels should be one "
    "step ahead: all tokens but the first."
)
def inputs_rolled_the_other_way(ids):
    return ids[:, :-1], ids[:, :-1].roll(1, 1)


@inputs_and_labels.mistake(
    "Your labels are the previous tokens, as after `roll` by 1, and the first label is the last token of the text. The "
    "labels should be one step ahead: all tokens but the first."
)
def rolled_the_other_way(ids):
    return ids[:, :-1], ids.roll(1, 1)[:, :-1]


@inputs_and_labels.mistake(
    "Your labels are the previous tokens, as after `roll` by 1, and neither end is cut off. The labels should be one "
    "step ahead, all tokens but the first, and the inputs are all but the last."
)
def all_rolled_the_other_way(ids):
    return ids, ids.roll(1, 1)


@inputs_and_labels.right_for_whole_course
def by_narrow(ids):
    return ids.narrow(1, 0, ids.size(1) - 1), ids.narrow(1, 1, ids.size(1) - 1)


inputs_and_labels.right(lambda ids: (ids[..., :-1], ids[..., 1:]))
inputs_and_labels.right(lambda ids: [ids[:, : len(ids[0]) - 1], torch.stack([row[1:] for row in ids])])
