"""The exercise `apply_temperature` of notebook 09."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import call_directly, compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.minus_infinity import numbers_for_minus_infinity, written
from course_lib.writing import choose


def explain_what_is_finite_at_zero(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that at temperature 0 other tokens than the likeliest have finite logits, and of which kind; or "".

    Only of logits that are a division's or all the same, and the likeliest of which is the right one.
    """
    logits = fixed_tensor(2, 5)
    cold, best = call_directly(answer)(logits, 0), logits.argmax(-1, keepdim=True)
    if not isinstance(cold, Tensor) or cold.shape != logits.shape or not bool(cold.isfinite().all()):
        return ""
    if not cold.argmax(-1, keepdim=True).equal(best):
        return ""
    others = numbers_for_minus_infinity(cold, choose.apply_temperature(logits, 0))
    if others and min(others) == max(others):
        return (
            f"At temperature 0, your code sets all but the likeliest token to {written(others[0])}, and a logit may be "
            "as low as that. Set them to minus infinity."
        )
    below = (logits - logits.gather(-1, best)) / (cold - cold.gather(-1, best))  # 0 / 0 for the likeliest
    divisors = below[below.isfinite()]
    if not 0 < float(divisors.mean()) < 0.1 or not torch.allclose(divisors, divisors.mean(), rtol=1e-3, atol=0):
        return ""
    return (
        "At temperature 0, your code sets nothing to minus infinity, as if it divided by a very small temperature. "
        "Treat 0 as a case of its own."
    )


apply_temperature = Exercise(
    reference=choose.apply_temperature,
    notebook=9,
    order=30,
    minutes=5,
    difficulty=1,
    adapt=compare_as_distribution,
    explain=explain_what_is_finite_at_zero,
    further_check=explain_what_is_finite_at_zero,
    returns=(Result("the probabilities after a softmax", "..., V"),),
    example=case(fixed_tensor(5), 0.5),
    another=case(fixed_tensor(5, seed=1), 2.0),
    cases=(
        case(fixed_tensor(2, 5), 0.7, having=("a batch",)),
        case(fixed_tensor(5), 1.0, having=("temperature 1",)),
        case(fixed_tensor(5), 0, having=("temperature 0",)),
        case(fixed_tensor(3, 4, seed=2), 0.0, having=("temperature 0", "a batch")),
        case(fixed_tensor(2, 3, 4) - 5, 1.5, having=("two axes before the last", "a batch")),
        case(fixed_tensor(5) * 100, 10.0, having=("huge numbers",)),
        case(
            fixed_tensor(2, 4, seed=3) - 500,
            0,
            having=("temperature 0", "logits that are all far below 0", "huge numbers", "a batch"),
        ),
        case(fixed_tensor(3, 3, seed=6), 0, having=("temperature 0", "as many rows as tokens", "a batch")),
        case(torch.tensor([-1.0, 0.0, -2.0]), 0, having=("temperature 0", "a largest logit of 0")),
        case(torch.tensor([0.5, 1.0, 1.000001]), 0, having=("temperature 0", "logits that are nearly equal")),
        case(torch.tensor([1e-3, 1.0000002e-3, -1e-3]), 0, having=("temperature 0", "logits that are nearly equal")),
        case(torch.tensor([1e30, 2e30, -1e30]), 0, having=("temperature 0", "huge numbers")),
        case(torch.tensor([0.5, -torch.inf, 1.0, -torch.inf]), 0.5, having=("logits of minus infinity",)),
        case(fixed_tensor(5, dtype=torch.float64), 0.8, having=("float64 numbers",)),
    ),
    hints=(
        (
            "If two logits differ by 2, the softmax makes one token e² times as likely as the other. What should their "
            "difference be at temperature 0.5?"
        ),
        (
            "One division is enough for every temperature but 0, which needs an `if`. Every row has its own likeliest "
            "token, so look for the largest logit over the last axis, and keep that axis."
        ),
        (
            "At 0, `logits.max(dim=-1, keepdim=True).values` is the largest logit of each row, in a column. "
            "`masked_fill` can set to minus infinity what is smaller."
        ),
    ),
)


@apply_temperature.mistake(
    "Your logits are multiplied by the temperature. Divide by it: a temperature above 1 brings the logits closer "
    "together."
)
def multiplied(logits, temperature):
    return logits * temperature if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "Your logits are divided by the square of the temperature, as if they were divided twice. Divide once.",
    seen="https://github.com/RL-Align/RL-Kernel/issues/81",
)
def twice(logits, temperature):
    return choose.apply_temperature(choose.apply_temperature(logits, temperature), temperature)


@apply_temperature.mistake(
    "Your code divides probabilities by the temperature. Divide the logits, without a softmax.",
    seen="https://github.com/EricGuo5513/momask-codes/issues/28",
)
def of_probabilities(logits, temperature):
    return logits.softmax(-1) / temperature if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "Your code returns probabilities, but it should return logits. The filters and the softmax come later."
)
def after_the_softmax(logits, temperature):
    return choose.apply_temperature(logits, temperature).softmax(-1)


@apply_temperature.mistake(
    "At temperature 0, a softmax of your logits gives NaN. A division by zero, a token at plus infinity or no token "
    "left would do that. Only the likeliest token should be left: set all others to minus infinity.",
    seen="https://github.com/google-deepmind/gemma/issues/562",
)
def by_zero(logits, temperature):
    return logits / temperature


@apply_temperature.mistake(
    "At temperature 0 your code drops even the likeliest token where its logit is 0, as if 0 meant that a token is "
    "left out. Find out from a mask of True and False which one stays."
)
def zero_dropped(logits, temperature):
    warm = choose.apply_temperature(logits, temperature)
    return warm if temperature else warm.masked_fill(warm == 0, -torch.inf)


@apply_temperature.mistake(
    "At temperature 0, your distribution is that of the logits as they came in. Only the likeliest token should be "
    "left: set all others to minus infinity."
)
def off_at_zero(logits, temperature):
    return logits / temperature if temperature else logits


@apply_temperature.mistake(
    "Your code changes the caller's logits, as `/=` does, so the next draw would divide them again. Make new ones: "
    "`logits / temperature`.",
    seen="https://github.com/Adibvafa/CodonTransformer/issues/20",
)
def in_place(logits, temperature):
    if not temperature:
        return choose.apply_temperature(logits, 0)
    logits /= temperature
    return logits


@apply_temperature.mistake(
    "Your code raises logits to a power. Probabilities would be raised to the power of 1 / temperature, but logits are "
    "divided by the temperature."
)
def raised_to_a_power(logits, temperature):
    return logits ** (1 / temperature) if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "At temperature 0, your code compares with one maximum for the whole batch. Each row has its own likeliest token: "
    "take the maximum over the last axis."
)
def one_maximum(logits, temperature):
    return (
        choose.apply_temperature(logits, temperature)
        if temperature
        else logits.masked_fill(logits < logits.max(), -1e9)
    )


@apply_temperature.mistake(
    "At temperature 0, the other tokens keep a chance in your result, as with logits of 0. That is a logit like any "
    "other: set them to minus infinity."
)
def zeros_at_zero(logits, temperature):
    if temperature:
        return logits / temperature
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True), 0.0)


@apply_temperature.mistake(
    "At temperature 0, the other tokens are the likeliest in your result where all logits are far below 0, as with "
    "−100 in place of minus infinity. Set them to minus infinity."
)
def minus_100_at_zero(logits, temperature):
    if temperature:
        return logits / temperature
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True), -100.0)


@apply_temperature.mistake(
    "At temperature 0, your logits differ by 1, as ones and zeros do, so the other tokens keep a chance. Return "
    "logits, not probabilities: minus infinity, not 0, for all tokens but the likeliest."
)
def one_hot_at_zero(logits, temperature):
    if temperature:
        return logits / temperature
    return F.one_hot(logits.argmax(-1), logits.size(-1)).to(logits.dtype)


@apply_temperature.mistake(
    "At temperature 0, your logits differ by 1 at most, as ones and zeros do, and only the largest of the whole batch "
    "stands out. Return logits, with minus infinity, not 0, for the others, and take the maximum over the last axis."
)
def ones_and_zeros_by_one_maximum(logits, temperature):
    return logits / temperature if temperature else (logits == logits.max()).to(logits.dtype)


@apply_temperature.mistake(
    "At temperature 0, the likeliest tokens of all rows are left in every row of your result, equally likely, as after "
    "an assignment to `[..., logits.argmax(-1)]`. Each row should keep only its own: use `scatter(-1, "
    "logits.argmax(-1, keepdim=True), ...)`, or compare with the row's maximum."
)
def columns_of_all_rows(logits, temperature):
    if temperature:
        return logits / temperature
    cold = torch.full_like(logits, -torch.inf)
    cold[..., logits.argmax(-1)] = 0.0
    return cold


@apply_temperature.mistake(
    "At temperature 0, every row of your result keeps the logits of the likeliest tokens of all rows, as after an "
    "assignment to `[..., logits.argmax(-1)]`. Each row should keep only its own: compare with the row's maximum, "
    "`logits.amax(-1, keepdim=True)`."
)
def columns_of_all_rows_kept(logits, temperature):
    if temperature:
        return logits / temperature
    cold = torch.full_like(logits, -torch.inf)
    best = logits.argmax(-1)
    cold[..., best] = logits[..., best]
    return cold


@apply_temperature.mistake(
    "At temperature 0, your code returns ids. Return logits, with minus infinity for all tokens but the likeliest."
)
def ids_at_zero(logits, temperature):
    return logits / temperature if temperature else logits.argmax(-1)


@apply_temperature.mistake(
    "At temperature 0, your code keeps the least likely token. Keep the one with the largest logit."
)
def least_likely_at_zero(logits, temperature):
    return logits / temperature if temperature else -choose.apply_temperature(-logits, 0).abs()


@apply_temperature.mistake(
    "At temperature 0, your result keeps the largest logit of each column, as with a maximum over the rows. Each row "
    "has its own likeliest token: take the maximum over the last axis."
)
def maximum_of_the_columns(logits, temperature):
    if temperature:
        return logits / temperature
    return logits.masked_fill(logits < logits.amax(0, keepdim=True), -1e9)


@apply_temperature.mistake(
    "At temperature 0, your result leaves out the token with the largest logit, and keeps the others. It should be the "
    "other way round."
)
def likeliest_removed(logits, temperature):
    if temperature:
        return logits / temperature
    return logits.masked_fill(logits == logits.amax(-1, keepdim=True), -torch.inf)


@apply_temperature.mistake(
    "At temperature 0, other tokens keep a chance in your result, as at a temperature such as 0.1. Set all but the "
    "likeliest to minus infinity."
)
def nearly_zero(logits, temperature):
    return logits / max(temperature, 0.1)


def with_a_tiny_temperature(tiny: float) -> Callable[[Tensor, float], Tensor]:
    """Divide by a tiny number at temperature 0."""

    def divided_by_a_tiny_number(logits: Tensor, temperature: float) -> Tensor:
        return logits / max(temperature, tiny)

    return divided_by_a_tiny_number


for tiny in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12):
    apply_temperature.mistake(
        f"At temperature 0, your result is that of a division by a tiny number, such as {tiny:g}. Then logits that are "
        "nearly equal may share the probability, and huge ones may become infinite. Set all but the likeliest to "
        "minus infinity."
    )(with_a_tiny_temperature(tiny))


@apply_temperature.mistake(
    "The temperature does not change your distribution. Divide the logits by it: adding a number to all of them makes "
    "no difference."
)
def ignored(logits, temperature):
    return logits if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake("Your logits are rounded down, as `//` does. Divide by `/`.")
def rounded_down(logits, temperature):
    return logits // temperature if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.right_for_whole_course
def by_scatter(logits, t):
    if t == 0:
        return torch.full_like(logits, -1e9).scatter(-1, logits.argmax(-1, keepdim=True), 0.0)
    return F.log_softmax(logits, dim=-1) / t


@apply_temperature.right
def temperature_of_log_probabilities(logits, temperature):
    if temperature == 0:
        return torch.where(logits == logits.amax(-1, keepdim=True), logits, float("-inf"))
    return F.log_softmax(logits, dim=-1) / temperature


@apply_temperature.right
def temperature_with_a_large_number(logits, t):
    if t:
        return logits * (1 / t)
    cold = torch.full_like(logits, -1e9)
    return cold.scatter(-1, logits.argmax(-1, keepdim=True), 0.0)


@apply_temperature.right
def temperature_of_differences(logits, t):
    below = logits - logits.max(-1, keepdim=True)[0]
    return below / t if t > 0 else below.masked_fill(below < 0, -torch.inf)


@apply_temperature.right
def temperature_of_a_power_of_probabilities(logits, temperature):
    if temperature == 0:
        return torch.where(F.one_hot(logits.argmax(-1), logits.size(-1)).bool(), 0.0, -torch.inf)
    return logits.log_softmax(-1).mul(1 / temperature)
