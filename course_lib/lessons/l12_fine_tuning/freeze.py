"""The exercise `freeze` of notebook 12."""

from typing import Any

from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import heads
from course_lib.lessons.l12_fine_tuning.inputs import small_model


def with_what_learns(answer: Any) -> Any:
    """Return what an answer returns, and which parameters of the model learn after the call."""

    def function(model: nn.Module, learn: list[str]) -> tuple[Any, Any]:
        learning = answer(model, learn)
        return [name for name, each in model.named_parameters() if each.requires_grad], learning

    return function


freeze = Exercise(
    reference=heads.freeze,
    notebook=12,
    order=30,
    minutes=7,
    difficulty=2,
    adapt=with_what_learns,
    returns=(Result("the list of parameters that learn"), Result("the count of numbers that learn")),
    example=case(small_model(2), ["head"]),
    another=case(small_model(2), ["encoder.table"]),
    cases=(
        case(
            small_model(2),
            ["head", "encoder.layers.1"],
            having=("a layer that should learn and was frozen before", "two parts that learn"),
        ),
        case(
            small_model(2),
            ["norm", "head_norm"],
            having=("two parts that learn", 'in which `learn` holds "head_norm"', 'in which `learn` holds "norm"'),
        ),
        case(small_model(2), ["head_norm"], having=('in which `learn` holds "head_norm"',)),
        case(small_model(2), ["norm"], having=('in which `learn` holds "norm"',)),
        case(small_model(12), ["encoder.layers.1"], having=("more than ten layers",)),
        case(
            small_model(3),
            ["encoder"],
            having=("the whole encoder to train", "a layer that should learn and was frozen before"),
        ),
        case(small_model(3), ["encoder.norm"], having=("a norm of the encoder as the only part that learns",)),
        case(small_model(2), ["head.bias"], having=("in which `learn` names a parameter itself, not a module",)),
        case(small_model(2), [], having=("nothing that learns",)),
    ),
    hints=(
        '`model.named_parameters()` gives pairs such as ("head.weight", parameter). Which names belong to "head"?',
        'A name belongs to a part if it is the part, or begins with the part and a dot: `name.startswith(part + ".")`.',
        "Set `parameter.requires_grad` to True or False for every parameter, and add up `parameter.numel()`.",
    ),
)


def belongs(name, learn):
    """Whether a parameter belongs to a part."""
    return any(name == part or name.startswith(part + ".") for part in learn)


def set_each(model, decide):
    """Set for each parameter whether it learns, and count the numbers."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = bool(decide(name))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@freeze.mistake(
    "Your code freezes the parts that should learn, and the others learn. `learn` names those that are not frozen."
)
def inverted(model, learn):
    return set_each(model, lambda name: not belongs(name, learn))


@freeze.mistake(
    "Your code freezes what is not named, but never sets `requires_grad` to True, so a named part that was frozen "
    "before stays frozen."
)
def never_true(model, learn):
    for name, parameter in model.named_parameters():
        if not belongs(name, learn):
            parameter.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@freeze.mistake("Your code never sets `requires_grad` to True, so a named part that was frozen before stays frozen.")
def never_true_but_counted(model, learn):
    for name, parameter in model.named_parameters():
        if not belongs(name, learn):
            parameter.requires_grad = False
    return sum(p.numel() for name, p in model.named_parameters() if belongs(name, learn))


@freeze.mistake(
    "In your code, only the last part of `learn` learns, as if each part froze the ones before it. Check for each "
    "parameter whether it belongs to any of the parts."
)
def last_part_only(model, learn):
    for part in learn:
        set_each(model, lambda name, part=part: belongs(name, [part]))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@freeze.mistake(
    "In your code, only the last part of `learn` learns. Check for each parameter whether it belongs to any of the "
    "parts."
)
def last_part_or_none(model, learn):
    return set_each(model, lambda name: belongs(name, learn[-1:]))


@freeze.mistake(
    "In your code, the named parts learn, but the others are not frozen. Set `requires_grad` for every parameter.",
    seen="https://github.com/ultralytics/yolov5/issues/1213",
)
def never_false(model, learn):
    for name, parameter in model.named_parameters():
        if belongs(name, learn):
            parameter.requires_grad = True
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@freeze.mistake(
    "Your code freezes everything, including what should learn.",
)
def everything(model, learn):
    return set_each(model, lambda name: False)


@freeze.mistake(
    "After your code every parameter learns. Freeze those that `learn` does not name: which line is the last to set "
    "`requires_grad`?",
    seen="https://github.com/ultralytics/yolov5/issues/1213",
)
def undone(model, learn):
    return set_each(model, lambda name: True)


@freeze.mistake(
    "Your code changes for no parameter whether it learns. Set `requires_grad` of each *parameter*, since it has no "
    "effect as an attribute of a module, or call `module.requires_grad_(False)` with the underscore."
)
def of_the_module(model, learn):
    model.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@freeze.mistake(
    'In your code, a common beginning is enough: "head" also matches "head_norm", and "layers.1" also '
    '"layers.10". A name belongs to a part if it is the part, or begins with the part and a dot.'
)
def beginnings(model, learn):
    return set_each(model, lambda name: name.startswith(tuple(learn)))


@freeze.mistake(
    "In your code, a part also matches in the middle of a name. The name has to begin with it, and a dot has to follow."
)
def anywhere(model, learn):
    return set_each(model, lambda name: any(part in name for part in learn))


FIRST_PART_ONLY = (
    'In your code, a part such as "encoder.layers.1" or "head.bias" matches nothing, as if only the text before the '
    "first dot counted. A name belongs to a part if it is the part, or begins with the part and a dot."
)


@freeze.mistake(FIRST_PART_ONLY)
def first_piece_of_the_name(model, learn):
    return set_each(model, lambda name: name.split(".")[0] in learn)


@freeze.mistake(FIRST_PART_ONLY + " And set `requires_grad` to True where a named part was frozen before.")
def first_piece_of_the_name_and_never_true(model, learn):
    for name, parameter in model.named_parameters():
        parameter.requires_grad = parameter.requires_grad and name.split(".")[0] in learn
    return sum(p.numel() for name, p in model.named_parameters() if name.split(".")[0] in learn)


@freeze.mistake(
    "Your code counts tensors. Add up the numbers in them, `parameter.numel()`.",
    seen="https://github.com/amdegroot/ssd.pytorch/issues/109",
)
def counts_tensors(model, learn):
    heads.freeze(model, learn)
    return sum(p.requires_grad for p in model.parameters())


@freeze.mistake("Your code counts the numbers that are frozen. Count those that learn.")
def counts_frozen(model, learn):
    heads.freeze(model, learn)
    return sum(p.numel() for p in model.parameters() if not p.requires_grad)


@freeze.mistake("Your code counts all numbers of the model. Count only those that learn.")
def counts_all(model, learn):
    heads.freeze(model, learn)
    return sum(p.numel() for p in model.parameters())


@freeze.right_for_whole_course
def by_modules(model, learn):
    model.requires_grad_(False)
    for name, parameter in model.named_parameters():
        for part in learn:
            if (name + ".").startswith(part + "."):
                parameter.requires_grad_(True)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@freeze.right
def by_pieces_of_names(model, learn):
    count = 0
    for name, parameter in model.named_parameters():
        pieces = name.split(".")
        beginnings = {".".join(pieces[:n]) for n in range(1, len(pieces) + 1)}
        parameter.requires_grad = bool(beginnings & set(learn))
        count += parameter.numel() * parameter.requires_grad
    return count
