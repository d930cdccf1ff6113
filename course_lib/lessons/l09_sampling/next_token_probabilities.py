"""The exercise `next_token_probabilities` of notebook 09."""

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
    notebook=9,
    order=60,
    minutes=5,
    difficulty=2,
    on_map="choose",
    returns=(Result("probabilities", "..., V"),),
    example=case(FOUR, 0.9, 2, 0.5),
    another=case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 1.2, 3, 0.7),
    cases=(
        case(fixed_tensor(6), 2.0, None, 0.7, having=("no k",)),
        case(fixed_tensor(6, seed=1), 0.7, 3, None, having=("no p",)),
        case(fixed_tensor(3, 5), 1.5, None, None, having=("a batch", "neither k nor p", "no k", "no p")),
        case(fixed_tensor(3, 5, seed=2), 2.0, 4, 0.8, having=("a batch",)),
        case(fixed_tensor(2, 3, 5, seed=4), 0.5, 3, 0.9, having=("two axes before the last", "a batch")),
        case(fixed_tensor(2, 5, seed=1), 0, 3, 0.9, having=("temperature 0", "a batch")),
        case(fixed_tensor(2, 6, seed=2) * 300, 0.5, 4, 0.9, having=("huge numbers", "a batch")),
        case(
            fixed_tensor(60, seed=3), 2.0, None, None, having=("a vocabulary of 60", "neither k nor p", "no k", "no p")
        ),
        case(fixed_tensor(60, seed=4), 4.0, None, 0.97, having=("a vocabulary of 60", "no k")),
        case(fixed_tensor(6, dtype=torch.float64), 1.7, 4, 0.6, having=("float64 numbers",)),
    ),
    hints=(
        (
            "You have written three functions that take logits and return logits. What has to happen at the end, so "
            "that probabilities come out?"
        ),
        (
            "Each function works on what the one before returned. If k or p is None, its filter is left out, so each "
            "of the two needs an `if` of its own."
        ),
        "`logits = apply_temperature(logits, temperature)` is the first step. Test the next two with `is not None`.",
    ),
)


@next_token_probabilities.mistake(
    "In your code, top-p comes before top-k, or looks at the whole distribution. Apply top-k first, and top-p to what "
    "it leaves."
)
def p_before_k(logits, temperature, k, p):
    return filtered(filtered(apply_temperature(logits, temperature), None, p), k, None).softmax(-1)


@next_token_probabilities.mistake(
    "Your filters work without the temperature, as if that came last, so top-p looks at another distribution than the "
    "one that you draw from. Apply the temperature first."
)
def temperature_last(logits, temperature, k, p):
    return apply_temperature(filtered(logits, k, p), temperature).softmax(-1)


@next_token_probabilities.mistake(
    "Your result is that of the reverse order, with top-p first, then top-k, then the temperature. Apply the "
    "temperature first, then top-k, then top-p, each to what the one before returned."
)
def reverse_order(logits, temperature, k, p):
    return apply_temperature(filtered(filtered(logits, None, p), k, None), temperature).softmax(-1)


@next_token_probabilities.mistake(
    "Your probabilities do not add up to 1, as if the softmax came before the filters, or dropped tokens were set to "
    "0 after it. Filter the logits, and take the softmax at the end."
)
def do_not_add_up(logits, temperature, k, p):
    logits = apply_temperature(logits, temperature)
    return logits.softmax(-1) * (filtered(logits, k, p) > -torch.inf)


@next_token_probabilities.mistake(
    "In a batch your probabilities are those of a softmax over the texts. Each text chooses among the V tokens: use "
    "the last axis."
)
def along_the_batch(logits, temperature, k, p):
    logits = filtered(apply_temperature(logits, temperature), k, p)
    return logits.masked_fill(logits == -torch.inf, -1e9).softmax(0)


@next_token_probabilities.mistake(
    "Your result is that of probabilities divided by the temperature. Divide the logits, before any softmax.",
    seen="https://github.com/EricGuo5513/momask-codes/issues/28",
)
def probabilities_cooled(logits, temperature, k, p):
    return filtered(apply_temperature(logits.softmax(-1), temperature), k, p).softmax(-1)


@next_token_probabilities.mistake(
    "The temperature has no effect in your code. `apply_temperature` returns new logits: pass those on to the filters."
)
def temperature_forgotten(logits, temperature, k, p):
    return filtered(logits, k, p).softmax(-1)


@next_token_probabilities.mistake(
    "The k has no effect in your code. `top_k_filter` returns new logits: pass those on to the next step."
)
def k_forgotten(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), None, p).softmax(-1)


@next_token_probabilities.mistake(
    "The p has no effect in your code. `top_p_filter` returns new logits: pass those on to the softmax."
)
def p_forgotten(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, None).softmax(-1)


@next_token_probabilities.mistake(
    "If there is a k, p has no effect in your code. Both filters should work, one after the other: is one of them in "
    "an `elif`, or does top-p get probabilities in place of the logits that top-k leaves?"
)
def one_filter_only(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, None if k else p).softmax(-1)


@next_token_probabilities.mistake(
    "Your code returns logits, but it should return probabilities that add up to 1. End with a softmax."
)
def still_logits(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, p)


@next_token_probabilities.mistake(
    "Your result is that of two softmaxes, so dropped tokens get a chance again, since exp(0) = 1. Take one, at the "
    "very end."
)
def softmaxed_twice(logits, temperature, k, p):
    return choose.next_token_probabilities(logits, temperature, k, p).softmax(-1)


@next_token_probabilities.mistake(
    "Your result is that of a temperature applied twice, before and after the filters. Once, at the beginning, is "
    "right."
)
def temperature_twice(logits, temperature, k, p):
    logits = filtered(apply_temperature(logits, temperature), k, p)
    return apply_temperature(logits, temperature).softmax(-1)


@next_token_probabilities.mistake("Neither filter has an effect in your code. Pass on what each of them returns.")
def filters_forgotten(logits, temperature, k, p):
    return apply_temperature(logits, temperature).softmax(-1)


@next_token_probabilities.mistake(
    "Your code applies a filter only if k and p are both given. Each of them may be None by itself: use two separate "
    "`if`s."
)
def both_or_none(logits, temperature, k, p):
    if k is None or p is None:
        k = p = None
    return filtered(apply_temperature(logits, temperature), k, p).softmax(-1)


@next_token_probabilities.mistake(
    "Your code leaves the temperature out at 0, as `if temperature:` does. At 0 only the likeliest token is left: call "
    "`apply_temperature` with every temperature."
)
def zero_taken_for_none(logits, temperature, k, p):
    return filtered(logits if not temperature else apply_temperature(logits, temperature), k, p).softmax(-1)


@next_token_probabilities.mistake(
    "If k is None, your code keeps the 50 likeliest tokens, as some programs do by default. Here None means no filter: "
    "all V tokens stay."
)
def fifty_by_default(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k or min(50, logits.size(-1)), p).softmax(-1)


@next_token_probabilities.mistake("Your code returns log-probabilities. Use `softmax` instead of `log_softmax`.")
def logarithms(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature), k, p).log_softmax(-1)


@next_token_probabilities.mistake(
    "Your result is that of filters on probabilities, so dropped tokens come out as minus infinity. Filter the "
    "logits, and take the softmax at the end."
)
def probabilities_filtered(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature).softmax(-1), k, p)


@next_token_probabilities.mistake(
    "Your result is that of a softmax before the filters and another one after them. Filter the logits, and take one "
    "softmax, at the end."
)
def softmax_before_and_after(logits, temperature, k, p):
    return filtered(apply_temperature(logits, temperature).softmax(-1), k, p).softmax(-1)


@next_token_probabilities.mistake(
    "Your result is that of a softmax between the two filters, and another one after them. Pass the logits that top-k "
    "leaves on to top-p, and take one softmax, at the end."
)
def softmax_between_the_filters(logits, temperature, k, p):
    probabilities = filtered(apply_temperature(logits, temperature), k, None).softmax(-1)
    return probabilities if p is None else filtered(probabilities, None, p).softmax(-1)


@next_token_probabilities.mistake(
    "For huge logits your result is NaN, as when their exponentials overflow. Use `softmax`, which subtracts the "
    "largest logit first."
)
def overflowing(logits, temperature, k, p):
    exponentials = filtered(apply_temperature(logits, temperature), k, p).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@next_token_probabilities.mistake(
    "Only the last of your steps has an effect, as if each of them began with the logits that came in. Pass on what "
    "each step returns to the next: `logits = …`."
)
def only_the_last_step(logits, temperature, k, p):
    if k is None and p is None:
        logits = apply_temperature(logits, temperature)
    return filtered(logits, k if p is None else None, p).softmax(-1)


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
