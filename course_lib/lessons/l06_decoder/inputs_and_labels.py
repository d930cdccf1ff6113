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
        case(torch.arange(16).reshape(4, 4), having=("as many texts as tokens",)),
        case(torch.tensor([[2, 9]]), having=("a single token to predict",)),
    ),
    hints=(
        (
            "Write a sentence of four tokens down, and under each token the one that should be predicted there. Which "
            "token has nothing under it, and which is never predicted?"
        ),
        (
            "After the last token nothing is known, so it is no input. Before the first nothing is read, so it is no "
            "label."
        ),
        "Both are slices along axis 1: all but the last, and all but the first.",
    ),
)


@inputs_and_labels.mistake(
    "Your labels are your inputs: the model learns to repeat the token that it has just read. Labels are one step "
    "ahead.",
    seen="https://github.com/pytorch/tutorials/issues/719",
)
def the_same_twice(ids):
    return ids[:, :-1], ids[:, :-1]


@inputs_and_labels.mistake(
    "Yours are swapped: the model would read what comes and say what was. Inputs first, without the last token."
)
def swapped(ids):
    return ids[:, 1:], ids[:, :-1]


@inputs_and_labels.mistake(
    "Your labels are two steps ahead: the token after next. One step.",
    seen="https://github.com/huggingface/transformers/issues/32944",
)
def two_ahead(ids):
    return ids[:, :-2], ids[:, 2:]


@inputs_and_labels.mistake(
    "Your inputs still hold the last token, after which nothing is known: they are one longer than the labels."
)
def not_cut(ids):
    return ids, ids[:, 1:]


@inputs_and_labels.mistake(
    "You shifted along the batch, so that each text has to predict the next text. Shift along the tokens, axis 1."
)
def along_the_batch(ids):
    return ids[:-1], ids[1:]


@inputs_and_labels.mistake(
    "You rolled the labels, so that the last token is asked to predict the first. Cut the ends off instead."
)
def rolled(ids):
    return ids, ids.roll(-1, 1)


@inputs_and_labels.right_for_whole_course
def by_narrow(ids):
    return ids.narrow(1, 0, ids.size(1) - 1), ids.narrow(1, 1, ids.size(1) - 1)


inputs_and_labels.right(lambda ids: (ids[..., :-1], ids[..., 1:]))
inputs_and_labels.right(lambda ids: [ids[:, : len(ids[0]) - 1], torch.stack([row[1:] for row in ids])])
