"""The exercise `bootstrap_interval` of notebook 17."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import confidence


def draws(count: int, n: int, seed: int = 0) -> torch.Tensor:
    """Which of n values each of some draws has: (count, n)."""
    return torch.randint(n, (count, n), generator=torch.Generator().manual_seed(seed))


bootstrap_interval = Exercise(
    reference=confidence.bootstrap_interval,
    notebook=17,
    order=10,
    minutes=8,
    difficulty=1,
    returns=(Result("the lower end"), Result("the upper end")),
    example=case(torch.tensor([-0.2, 0.1, -0.4]), draws(100, 3)),
    another=case(torch.tensor([0.5, 0.1, 0.9]), draws(100, 3, seed=1)),
    cases=(
        case(fixed_tensor(5), draws(1000, 5), having=("many draws",)),
        case(fixed_tensor(4, seed=2), draws(4, 4), having=("as many draws as values",)),
        case(torch.tensor([3.0]), draws(10, 1), having=("a single value",)),
        case(torch.tensor([2.0, 2.0, 2.0]), draws(20, 3), having=("values that are all the same",)),
        case(fixed_tensor(6, seed=3) * 1000, draws(200, 6), having=("huge numbers",)),
        case(fixed_tensor(5, dtype=torch.float64), draws(50, 5), having=("float64 numbers",)),
    ),
    hints=(
        "`values[picks]` draws for you: what is its shape, and along which axis is one draw?",
        "Take the mean of each draw, along the last axis. What is left are as many means as there are draws.",
        "2.5 % of the means should be below the lower end, and 2.5 % above the upper one: see `torch.quantile`.",
    ),
)


def ends(means, lowest=0.025, highest=0.975):
    """Two quantiles."""
    return means.quantile(lowest).item(), means.quantile(highest).item()


@bootstrap_interval.mistake(
    "Your percentiles are those of the drawn values. Take the mean of each draw first, then the percentiles of these "
    "means."
)
def of_the_values(values, picks):
    return ends(values[picks].flatten())


@bootstrap_interval.mistake(
    "Your code averages over the draws. Average over the values of each draw, along the last axis, so that there is "
    "one mean for each draw."
)
def over_the_draws(values, picks):
    return ends(values[picks].mean(dim=0))


@bootstrap_interval.mistake(
    "Your ends are the 5th and the 95th percentile, between which are 90 % of the means. For 95 %, leave out 2.5 % at "
    "each end: 0.025 and 0.975."
)
def of_90_percent(values, picks):
    return ends(values[picks].mean(dim=-1), 0.05, 0.95)


@bootstrap_interval.mistake(
    "Your ends are the 0.025th and the 0.975th percentile, both close to the smallest mean. They should be the 2.5th "
    "and the 97.5th: 0.025 and 0.975 for `quantile`, but 2.5 and 97.5 for NumPy's `percentile`."
)
def shares_for_per_cent(values, picks):
    return ends(values[picks].mean(dim=-1), 0.00025, 0.00975)


@bootstrap_interval.mistake(
    "Your interval runs from the smallest to the largest mean. It gets wider the more often you draw: leave out 2.5 % "
    "at each end."
)
def from_the_smallest_to_the_largest(values, picks):
    return ends(values[picks].mean(dim=-1), 0.0, 1.0)


@bootstrap_interval.mistake(
    "Your means are those of the picks themselves. The picks are indices: draw `values[picks]`."
)
def of_the_picks(values, picks):
    return ends(picks.to(values.dtype).mean(dim=-1))


@bootstrap_interval.mistake("Your interval is that of the medians of the draws. Take the mean of each draw.")
def of_medians(values, picks):
    return ends(values[picks].median(dim=-1).values)


@bootstrap_interval.mistake(
    "Your ends are two of the means themselves. A percentile mostly lies between two means: `quantile` finds the place "
    "in between."
)
def nearest_means(values, picks):
    means = values[picks].mean(dim=-1).sort().values
    return means[int(0.025 * len(means))].item(), means[int(0.975 * len(means))].item()


@bootstrap_interval.mistake(
    "Each of your ends is the mean that is nearest to the percentile. A percentile mostly lies between two means: "
    "`quantile` finds the place in between."
)
def rounded_to_a_mean(values, picks):
    means = values[picks].mean(dim=-1)
    return tuple(means.quantile(share, interpolation="nearest").item() for share in (0.025, 0.975))


@bootstrap_interval.mistake("Both ends are right, but in the wrong order: return the lower one first.")
def upper_end_first(values, picks):
    low, high = confidence.bootstrap_interval(values, picks)
    return high, low


@bootstrap_interval.mistake(
    "Your ends are 1.96 standard deviations from the mean, as if the means followed a normal distribution. Read the "
    "interval off the means themselves, with `quantile`."
)
def normal_approximation(values, picks):
    means = values[picks].mean(dim=-1)
    half = 1.96 * means.std()
    return (means.mean() - half).item(), (means.mean() + half).item()


@bootstrap_interval.right_for_whole_course
def by_sorting(values, picks):
    means = torch.stack([values[row].mean() for row in picks]).sort().values
    at = torch.tensor([0.025, 0.975], dtype=torch.float64) * (len(means) - 1)
    below, above = at.floor().long(), at.ceil().long()
    low, high = torch.lerp(means[below].double(), means[above].double(), at - below)
    return low.item(), high.item()


@bootstrap_interval.right
def by_percentiles(values, picks):
    means = values[picks].sum(-1) / picks.shape[1]
    return torch.quantile(means, 0.025), torch.quantile(means, 0.975)
