"""Unseen answers to the exercises of notebook 00_start_here."""

import torch

from course_lib.transformer.attention import softmax
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("softmax", says="as if the sum had lost its axis", never="maximum is subtracted")
def exp_of_a_difference(x, dim):
    return (x - torch.logsumexp(x, dim)).exp()


@wrong("softmax", says="wrong by a factor, `exp` of the maximum")
def maximum_put_back(x, dim):
    return softmax(x, dim) * x.amax(dim, keepdim=True).exp()


@wrong("softmax", says="the smallest number gets the largest share", never="because your code")
def of_reciprocals(x, dim):
    exponentials = 1 / (x - x.amin(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@wrong("softmax", says="Each of your rows adds up to the number of its elements", never="divides by the mean")
def times_the_count(x, dim):
    return softmax(x, dim) * x.size(dim)


@wrong("softmax", says="0 in place of NaN hides that", never="does not depend on")
def overflow_hidden(x, dim):
    return torch.nan_to_num(x.exp() / x.exp().sum(dim, keepdim=True))


@wrong("softmax", says="as if the index of the largest number were subtracted", never="`exp(1000)`")
def second_of_the_pair(x, dim):
    _, largest = x.max(dim, keepdim=True)
    exponentials = (x - largest).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@wrong("softmax", says="In the call below, it adds up to 0.9993.", never="first")
def a_little_below_1(x, dim):
    exponentials = (x - x.amax(dim, keepdim=True)).exp()
    return exponentials / (exponentials.sum(dim, keepdim=True) + 1e-3)


@wrong("softmax", says="Where your result is wrong, the shares are", never="in your result")
def to_base_2(x, dim):
    powers = 2 ** (x - x.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


@wrong("softmax", says="subtracts the maximum along the last axis, whatever `dim` says")
def maximum_along_the_last_axis(x, dim):
    shifted = x - x.amax(dim=-1, keepdim=True)
    powers = shifted.exp()
    return powers / powers.sum(dim=dim, keepdim=True)


@wrong("softmax", says=("`exp(1000)` overflows", "In float64"))
def exponentials_in_float64(x, dim):
    powers = torch.exp(x.double())
    shares = powers / powers.sum(dim=dim, keepdim=True)
    return shares.to(x.dtype)


@wrong("softmax", says=("where all are very negative", "the largest absolute value"), never="look for a step")
def largest_absolute_value_subtracted(x, dim):
    largest = x.abs().amax(dim=dim, keepdim=True)
    powers = torch.exp(x - largest)
    return powers / powers.sum(dim=dim, keepdim=True)


@wrong("softmax", says=("what it subtracts can be far below the maximum", "Subtract the maximum"), never="NaN (not")
def mean_subtracted(x, dim):
    powers = torch.exp(x - x.mean(dim=dim, keepdim=True))
    return powers / powers.sum(dim=dim, keepdim=True)


@wrong("softmax", says="what it subtracts can be far below the maximum", never="as if the mean")
def middle_subtracted(x, dim):
    powers = torch.exp(x - (x.amax(dim, keepdim=True) + x.amin(dim, keepdim=True)) / 2)
    return powers / powers.sum(dim=dim, keepdim=True)


@wrong("softmax", says="In a row whose numbers are all much smaller than the largest number of the table")
def largest_of_the_table_subtracted(x, dim):
    powers = torch.exp(x - x.max())
    return powers / powers.sum(dim=dim, keepdim=True)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
