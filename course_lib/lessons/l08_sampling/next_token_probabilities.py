"""The exercise `next_token_probabilities` of notebook 08."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.writing import choose
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter


def filtered(logits: Tensor, k: int | None, p: float | None) -> Tensor:
    """Apply top-k, then top-p, each unless it is None."""
    logits = logits if k is None else top_k_filter(logits, k)
    return logits if p is None else top_p_filter(logits, p)


FOUR = torch.tensor([0.1, 0.4, 0.2, 0.3]).log()

next_token_probabilities = Exercise(
    reference=choose.next_token_probabilities,
    notebook=8,
    order=60,
    minutes=10,
    difficulty=2,
    on_map="choose",
    returns=(Result("probabilities", "..., V"),),
    example=case(FOUR, 0.9, 2, 0.5),
    another=case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 1.2, 3, 0.7),
    cases=(
        case(fixed_tensor(6), 2.0, None, 0.7, having=("no k",)),
        case(fixed_tensor(6, seed=1), 0.7, 3, None, having=("no p",)),
        case(fixed_tensor(3, 5), 1.5, None, None, having=("a batch", "neither k nor p")),
        case(fixed_tensor(3, 5, seed=2), 2.0, 4, 0.8, having=("a batch",)),
        case(fixed_tensor(2, 3, 5, seed=4), 0.5, 3, 0.9, having=("two axes before the last",)),
        case(fixed_tensor(2, 5, seed=1), 0, 3, 0.9, having=("temperature 0",)),
        case(fixed_tensor(6, dtype=torch.float64), 1.7, 4, 0.6, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Three functions of yours in a row: each takes logits and gives logits. Only at the end does a softmax "
            "make probabilities of them."
        ),
        "In the order of GPT-2's code: first warm or cold, then the k, and the p of what the k left.",
        (
            "Where k or p is None, its filter is left out: `is not None`, since a number may be 0. What was dropped is "
            "minus infinity, and the softmax shares everything among the others."
        ),
    ),
)


@next_token_probabilities.mistake(
    "Your top-p comes before top-k, or looks at the whole distribution. Here p is a part of what top-k leaves: k "
    "first, then p."
)
def p_before_k(logits, temperature, k, p):
    return filtered(filtered(apply_temperature(logits, temperature), None, p), k, None).softmax(-1)


@next_token_probabilities.mistake(
    "Your temperature comes last, so that top-p looks at another distribution than the one you draw from. It comes "
    "first."
)
def temperature_last(logits, temperature, k, p):
    return apply_temperature(filtered(logits, k, p), temperature).softmax(-1)


@next_token_probabilities.mistake(
    "What you kept does not add up to 1: the softmax came before the filters, or the dropped ones were set to 0 after "
    "it. Filter logits, and end in the softmax."
)
def do_not_add_up(logits, temperature, k, p):
    logits = apply_temperature(logits, temperature)
    return logits.softmax(-1) * (filtered(logits, k, p) > -torch.inf)


@next_token_probabilities.mistake(
    "Your softmax runs along the batch. Each text chooses among the V tokens: the last axis."
)
def along_the_batch(logits, temperature, k, p):
    logits = filtered(apply_temperature(logits, temperature), k, p)
    return logits.masked_fill(logits == -torch.inf, -1e9).softmax(0)


@next_token_probabilities.mistake(
    "You divide probabilities by the temperature. It divides logits, before any softmax.",
    seen="https://github.com/EricGuo5513/momask-codes/issues/28",
)
def probabilities_cooled(logits, temperature, k, p):
    return filtered(apply_temperature(logits.softmax(-1), temperature), k, p).softmax(-1)


@next_token_probabilities.mistake(
    "The temperature does nothing in yours: `apply_temperature` gives new logits, and the filters should get those."
)
def temperature_forgotten(logits, temperature, k, p):
    return filtered(logits, k, p).softmax(-1)


@next_token_probabilities.mistake(
    "Your k does nothing: `top_k_filter` gives new logits, and what comes next should get those."
)
def k_forgotten(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), None, p).softmax(-1)


@next_token_probabilities.mistake(
    "Your p does nothing: `top_p_filter` gives new logits, and the softmax should get those."
)
def p_forgotten(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, None).softmax(-1)


@next_token_probabilities.mistake(
    "Where there is a k, your p is ignored: `elif`, or two filters of the same old logits? Each takes what the one "
    "before left."
)
def one_filter_only(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, None if k else p).softmax(-1)


@next_token_probabilities.mistake(
    "You return logits. Probabilities are wanted, that add up to 1: a softmax at the end."
)
def still_logits(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, p)


@next_token_probabilities.mistake(
    "You took two softmaxes, so that what was dropped has a chance again, exp(0). One, at the very end."
)
def softmaxed_twice(logits, temperature, k, p):
    return choose.next_token_probabilities(logits, temperature, k, p).softmax(-1)


@next_token_probabilities.right_for_whole_course
def in_one_line(x, t, k, p):
    return top_p_filter(top_k_filter(apply_temperature(x, t), k or x.size(-1)), 1 if p is None else p).softmax(-1)


@next_token_probabilities.right
def probabilities_step_by_step(logits, temperature, k, p):
    steps = [(apply_temperature, temperature), (top_k_filter, k), (top_p_filter, p)]
    for step, setting in steps:
        logits = logits if setting is None else step(logits, setting)
    return F.softmax(logits, -1)


@next_token_probabilities.right
def probabilities_renormalised(logits, temperature, k, p):
    probabilities = apply_temperature(logits, temperature).softmax(-1)
    for keep in (lambda x: top_k_filter(x, k or x.size(-1)), lambda x: top_p_filter(x, 1.0 if p is None else p)):
        probabilities = probabilities * keep(probabilities.log()).isfinite()
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    return probabilities
