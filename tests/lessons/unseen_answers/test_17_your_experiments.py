"""Unseen answers to the exercises of notebook 17_your_experiments."""

import torch

from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("alibi_bias", says=("There are two mistakes.", "first slope is 1", "has a sign"))
def signed_and_from_0(heads, T):
    at, slopes = torch.arange(T), 2.0 ** (-8 * torch.arange(heads) / heads)
    return -slopes[:, None, None] * (at[:, None] - at)


@wrong("alibi_bias", says="rounded to whole numbers, as `//` does", never=" or ")
def whole_exponents(heads, T):
    slopes = torch.tensor([2.0 ** (-8 * (h + 1) // heads) for h in range(heads)])
    at = torch.arange(T)
    return -slopes[:, None, None] * (at[:, None] - at).abs()


@wrong("bootstrap_interval", says="0.025th and the 0.975th percentile", never="lower end is too small")
def percentiles_of_shares(values, picks):
    means = values[picks].mean(dim=-1).double()
    return tuple(means.quantile(share / 100).item() for share in (0.025, 0.975))


@wrong("bootstrap_interval", says="Your code averages over the draws", never="taken over")
def mean_over_the_draws(values, picks):
    means = values[picks].mean(dim=0)
    return tuple(torch.quantile(means, torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist())


@wrong("alibi_bias", says="Your bias is 0 for all keys after the query. Count their distance too", never="to the right")
def distance_0_after_the_query(heads, T):
    slopes, at = 2 ** (-8 * torch.arange(1, heads + 1) / heads), torch.arange(T)
    return -slopes[:, None, None] * (at[:, None] - at).clamp(min=0)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
