"""The exercise `average_weights` of notebook 15."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import averaging


def checkpoint(seed: int, **shapes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Weights by name."""
    return {name: fixed_tensor(*shape, seed=seed + len(name)) for name, shape in shapes.items()}


def checkpoints(count: int, seed: int = 0, **shapes: tuple[int, ...]) -> list[dict[str, torch.Tensor]]:
    """Several checkpoints of one model."""
    return [checkpoint(seed + 10 * i, **shapes) for i in range(count)]


average_weights = Exercise(
    reference=averaging.average_weights,
    notebook=15,
    order=70,
    minutes=6,
    difficulty=1,
    returns=(Result("the mean weights"),),
    example=case(checkpoints(2, W=(2, 2), b=(2,))),
    another=case(checkpoints(2, 5, W=(2, 2), b=(2,))),
    cases=(
        case(checkpoints(3, 1, W=(2, 3), U=(3, 2), b=(2,)), having=("three checkpoints",)),
        case(checkpoints(1, 2, W=(2, 3), b=(2,)), having=("a single checkpoint",)),
        case(checkpoints(5, 3, table=(4, 2)), having=("five checkpoints", "a single weight")),
        case(
            [{**each, "gain": torch.tensor(float(i))} for i, each in enumerate(checkpoints(3, 4, W=(2, 2)))],
            having=("three checkpoints", "a weight without axes"),
        ),
        case(
            [
                dict(sorted(each.items(), reverse=i > 0))
                for i, each in enumerate(checkpoints(3, 6, W=(2, 2), gate=(2, 2)))
            ],
            having=("three checkpoints", "names in another order"),
        ),
    ),
    hints=(
        "Each weight is averaged with itself at other moments, never with another weight. What does one name need?",
        "Go through the names of one checkpoint. Which tensors have that name in the checkpoints?",
        "`torch.stack([each[name] for each in checkpoints])` puts them side by side; take the mean over axis 0.",
    ),
)


@average_weights.mistake("Your weights are the sum over the checkpoints. Divide it by their number.")
def not_divided(checkpoints):
    return {name: sum(each[name] for each in checkpoints) for name in checkpoints[0]}


@average_weights.mistake(
    "Your weights are the sum divided by 2, however many checkpoints there are. Divide by `len(checkpoints)`."
)
def always_by_two(checkpoints):
    return {name: sum(each[name] for each in checkpoints) / 2 for name in checkpoints[0]}


@average_weights.mistake(
    "Where the names of a checkpoint are in another order, your result mixes different weights, as if they were taken "
    "by their places. Take them by name: `each[name]`."
)
def by_places(checkpoints):
    weights = zip(*(each.values() for each in checkpoints), strict=True)
    return dict(zip(checkpoints[0], (torch.stack(some).mean(dim=0) for some in weights), strict=True))


@average_weights.mistake(
    "Your weights are those of the last checkpoint alone. Average them with those of the earlier ones."
)
def last_one(checkpoints):
    return {name: weight.clone() for name, weight in checkpoints[-1].items()}


@average_weights.mistake(
    "Your weights are those of the first checkpoint alone. Average them with those of the later ones."
)
def first_one(checkpoints):
    return {name: weight.clone() for name, weight in checkpoints[0].items()}


@average_weights.mistake(
    "Your result has a single number for each weight, the mean of all its numbers. Average over the checkpoints only: "
    "`dim=0` of the stacked tensors."
)
def over_everything(checkpoints):
    return {name: torch.stack([each[name] for each in checkpoints]).mean() for name in checkpoints[0]}


@average_weights.mistake(
    "In your mean, each checkpoint counts as much as all those before it together. Add all up first, and divide once."
)
def two_by_two(checkpoints):
    mean = dict(checkpoints[0])
    for each in checkpoints[1:]:
        mean = {name: (mean[name] + each[name]) / 2 for name in mean}
    return mean


@average_weights.mistake(
    "Your weights are the mean of the first and the last checkpoint. Those between them count just as much."
)
def ends_only(checkpoints):
    return {name: (checkpoints[0][name] + checkpoints[-1][name]) / 2 for name in checkpoints[0]}


@average_weights.mistake(
    "The first checkpoint counts twice in your sum. If the sum begins with it, add only the others."
)
def first_one_twice(checkpoints):
    every = [checkpoints[0], *checkpoints]
    return {name: sum(each[name] for each in every) / len(checkpoints) for name in checkpoints[0]}


@average_weights.mistake(
    "Your means are over the rows of a weight too, so its first axis is lost. Average over the checkpoints only: "
    "`torch.stack` gives them an axis of their own, while `torch.cat` joins tensors along an axis that they have."
)
def rows_too(checkpoints):
    return {name: torch.cat([each[name] for each in checkpoints]).mean(dim=0) for name in checkpoints[0]}


@average_weights.mistake("Your weights are medians. A mean takes every checkpoint into account.")
def median(checkpoints):
    return {name: torch.stack([each[name] for each in checkpoints]).median(dim=0).values for name in checkpoints[0]}


@average_weights.mistake(
    "Your code changes the first checkpoint, which ends up as the mean. Start from a new dictionary with new tensors: "
    "`+=` works in place."
)
def in_place(checkpoints):
    mean = dict(checkpoints[0])
    for each in checkpoints[1:]:
        for name in mean:
            mean[name] += each[name]
    for name in mean:
        mean[name] /= len(checkpoints)
    return mean


@average_weights.right_for_whole_course
def by_sums(checkpoints):
    averaged = {}
    for name in checkpoints[0]:
        total = torch.zeros_like(checkpoints[0][name])
        for each in checkpoints:
            total = total + each[name]
        averaged[name] = total / len(checkpoints)
    return averaged


@average_weights.right
def running_mean(checkpoints):
    mean = {name: weight.clone() for name, weight in checkpoints[0].items()}
    for i, each in enumerate(checkpoints[1:], start=2):
        for name, weight in each.items():
            mean[name] = mean[name] + (weight - mean[name]) / i
    return mean
