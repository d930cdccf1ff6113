"""The exercise `parameter_groups` of notebook 12."""

from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import heads
from course_lib.lessons.l12_fine_tuning.inputs import small_model

RATE_OF_THE_OPTIMIZER = 0.625  # for groups that have none of their own


def with_rates(answer: Any) -> Any:
    """Read the groups as an optimizer does; return the rate of each parameter, and the names of those in groups."""

    def function(head: nn.Module, body: nn.Module, head_rate: float, body_rate: float) -> Any:
        groups = answer(head, body, head_rate, body_rate)
        if groups is None:
            return None
        if isinstance(groups, dict):
            raise TypeError("an optimizer takes its groups in a list, but your code returns a dictionary.")
        names = names_of_parameters(head, body)
        rates = dict.fromkeys(names, 0.0)
        grouped: set[Tensor] = set()
        for group in groups:
            parameters = set(members(group))
            if parameters & grouped:
                raise TypeError("an optimizer refuses a parameter that is in two groups: put each into one of them.")
            grouped |= parameters
            for parameter in parameters:
                rates[parameter] = group.get("lr", RATE_OF_THE_OPTIMIZER)
        if not grouped:
            raise TypeError("an optimizer refuses groups in which there is no parameter.")
        in_groups = [name for parameter, name in names.items() if parameter in grouped]
        return torch.tensor(list(rates.values()), dtype=torch.float32), in_groups

    return function


def names_of_parameters(head: nn.Module, body: nn.Module) -> dict[nn.Parameter, str]:
    """The name of each parameter, with the part that it is in."""
    return {
        parameter: f"{part}.{name}"
        for part, module in (("head", head), ("body", body))
        for name, parameter in module.named_parameters()
    }


def members(group: Any) -> list[nn.Parameter]:
    """The parameters of a group. An optimizer would do for that too, but torch takes seconds to load its first one.

    Raises TypeError for what an optimizer refuses.
    """
    if not isinstance(group, dict) or "params" not in group:
        raise TypeError('a group should be a dictionary with the keys "params" and "lr".')
    parameters = group["params"]
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for each in parameters:
        if not isinstance(each, Tensor):
            raise TypeError(
                f'"params" should hold parameters, but there is something of the type {type(each).__name__}.'
            )
    return parameters


def parts(layers: int, frozen: tuple[str, ...] = ()) -> tuple[nn.Module, nn.Module]:
    """A head and a body, of which some parts are frozen beside the last layer."""
    model: Any = small_model(layers)
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    return nn.Sequential(model["head"], model["head_norm"]), model["encoder"]


def explain_one_parameter(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Name the first parameter that is in no group, has another rate, or is frozen and in a group all the same."""
    head, body, head_rate, body_rate = arguments
    rates, in_groups = with_rates(answer)(*arguments)
    call = f"For `parameter_groups(head, body, {head_rate:g}, {body_rate:g})`"
    for (parameter, full_name), rate in zip(names_of_parameters(head, body).items(), rates.tolist(), strict=True):
        part, _, name = full_name.partition(".")
        which = f"the parameter `{name}` of the {part}"
        if not parameter.requires_grad and full_name in in_groups:
            return f"{call}, {which} is in a group, at the rate {rate:g}, but it is frozen. Leave it out of all groups."
        if not parameter.requires_grad:
            continue
        right_rate = head_rate if part == "head" else body_rate
        if full_name not in in_groups:
            return f"{call}, {which} should learn at rate {right_rate:g}, but is in no group."
        if rate != right_rate:
            return f"{call}, {which} should learn at rate {right_rate:g}, not {rate:g}."
    return ""


parameter_groups = Exercise(
    reference=heads.parameter_groups,
    notebook=12,
    order=40,
    minutes=6,
    difficulty=1,
    adapt=with_rates,
    explain=explain_one_parameter,
    returns=(
        Result("the learning rates (0 for a parameter in no group)"),
        Result("the list of parameters in groups"),
    ),
    example=case(*parts(2), 0.5, 0.125),
    another=case(*parts(2), 0.25, 0.5),
    cases=(
        case(*parts(3), 1.0, 0.0625, having=("three layers, the last of them frozen",)),
        case(*parts(2, ("encoder",)), 0.5, 0.125, having=("a body that is all frozen",)),
        case(*parts(2, ("head_norm",)), 0.5, 0.125, having=("a head of which a part is frozen",)),
    ),
    hints=(
        "An optimizer takes a list of dictionaries. Each has the parameters of a group, and what is special about it.",
        '`{"params": [...], "lr": rate}` is one group. You need one for the head and one for the body.',
        "`[p for p in body.parameters() if p.requires_grad]` leaves out what is frozen.",
    ),
)


def group(parameters, rate):
    """One group."""
    return {"params": list(parameters), "lr": rate}


def learning(part):
    """The parameters of a part that learn."""
    return [each for each in part.parameters() if each.requires_grad]


@parameter_groups.mistake(
    "In your groups, the head and the body have the same rate, that of the body. With it, the new head hardly learns.",
    seen="https://github.com/ThilinaRajapakse/simpletransformers/issues/234",
)
def one_rate_of_the_body(head, body, head_rate, body_rate):
    return [group([*learning(head), *learning(body)], body_rate)]


@parameter_groups.mistake(
    "In your groups, the head and the body have the same rate, that of the head. Steps of that size can destroy what "
    "the body has learned."
)
def one_rate_of_the_head(head, body, head_rate, body_rate):
    return [group([*learning(head), *learning(body)], head_rate)]


@parameter_groups.mistake(
    "Your two rates are exchanged: the new head should get `head_rate`, and the trained body `body_rate`."
)
def exchanged(head, body, head_rate, body_rate):
    return [group(learning(head), body_rate), group(learning(body), head_rate)]


@parameter_groups.mistake(
    "Your groups hold what is frozen as well. Leave out parameters whose `requires_grad` is False: an "
    "optimizer may change them all the same.",
    seen="https://github.com/facebookresearch/fairseq/issues/4702",
)
def frozen_too(head, body, head_rate, body_rate):
    return [group(head.parameters(), head_rate), group(body.parameters(), body_rate)]


@parameter_groups.mistake(
    "Your groups leave out what is frozen in the body, but not in the head. Check `requires_grad` for each parameter "
    "of both."
)
def frozen_in_the_head(head, body, head_rate, body_rate):
    return [group(head.parameters(), head_rate), group(learning(body), body_rate)]


@parameter_groups.mistake(
    "Your groups leave out what is frozen in the head, but not in the body. Check `requires_grad` for each parameter "
    "of both."
)
def frozen_in_the_body(head, body, head_rate, body_rate):
    return [group(learning(head), head_rate), group(body.parameters(), body_rate)]


@parameter_groups.mistake(
    "Your code puts what is frozen into a group at rate 0. Leave it out: a frozen parameter belongs in no group."
)
def frozen_at_rate_0(head, body, head_rate, body_rate):
    frozen = [each for part in (head, body) for each in part.parameters() if not each.requires_grad]
    return [group(learning(head), head_rate), group(learning(body), body_rate), group(frozen, 0.0)]


@parameter_groups.mistake(
    "Your groups hold matrices only. The biases, and the gains of the norms, are in no group and never learn. Leave "
    "out only what is frozen."
)
def matrices_only(head, body, head_rate, body_rate):
    of_head, of_body = ([each for each in learning(part) if each.dim() > 1] for part in (head, body))
    return [group(of_head, head_rate), group(of_body, body_rate)]


@parameter_groups.mistake("The biases are in no group of yours, so they never learn. Leave out only what is frozen.")
def without_biases(head, body, head_rate, body_rate):
    of_head, of_body = (
        [each for name, each in part.named_parameters() if each.requires_grad and not name.endswith("bias")]
        for part in (head, body)
    )
    return [group(of_head, head_rate), group(of_body, body_rate)]


@parameter_groups.mistake(
    "No parameter of the body is in a group of yours, so the body never changes. Give it a group at `body_rate`."
)
def head_only(head, body, head_rate, body_rate):
    return [group(learning(head), head_rate)]


@parameter_groups.mistake(
    "In your groups, no parameter of the body has a rate above 0, so the body never changes. Its rate is `body_rate`."
)
def body_at_rate_0(head, body, head_rate, body_rate):
    return [group(learning(head), head_rate), group(learning(body), 0.0)]


@parameter_groups.mistake(
    "No parameter of the head is in a group of yours, so it never learns. Give it a group at `head_rate`."
)
def body_only(head, body, head_rate, body_rate):
    return [group(learning(body), body_rate)]


@parameter_groups.mistake(
    "In your groups, no parameter of the head has a rate above 0, so it never learns. Its rate is `head_rate`."
)
def head_at_rate_0(head, body, head_rate, body_rate):
    return [group(learning(head), 0.0), group(learning(body), body_rate)]


@parameter_groups.mistake(
    "Your groups are empty, so nothing would learn. Leave out only what is frozen, with `requires_grad` False. The "
    "gradient cannot tell you that: before the first backward pass, `grad` is None everywhere."
)
def nothing_in_the_groups(head, body, head_rate, body_rate):
    return [group([], head_rate), group([], body_rate)]


@parameter_groups.mistake(
    "In your groups, all rates are 0, so nothing would learn. Give the head `head_rate`, and the body `body_rate`."
)
def rates_of_zero(head, body, head_rate, body_rate):
    return [group(learning(head), 0.0), group(learning(body), 0.0)]


@parameter_groups.mistake(
    'Your groups have no rate that the optimizer knows. Its name in a group is "lr".',
)
def other_name(head, body, head_rate, body_rate):
    return [{"params": learning(head), "rate": head_rate}, {"params": learning(body), "rate": body_rate}]


@parameter_groups.mistake(
    "In your groups, the body's rate is the product of the two rates. `body_rate` is the body's own rate.",
)
def product(head, body, head_rate, body_rate):
    return [group(learning(head), head_rate), group(learning(body), head_rate * body_rate)]


@parameter_groups.right_for_whole_course
def two_groups(head, body, head_rate, body_rate):
    of_head = [p for p in head.parameters() if p.requires_grad]
    of_body = [p for p in body.parameters() if p.requires_grad]
    return [{"params": of_head, "lr": head_rate}] + ([{"params": of_body, "lr": body_rate}] if of_body else [])


@parameter_groups.right
def one_group_each(head, body, head_rate, body_rate):
    pairs = [(p, head_rate) for p in head.parameters()] + [(p, body_rate) for p in body.parameters()]
    return [{"params": [p], "lr": rate} for p, rate in pairs if p.requires_grad]
