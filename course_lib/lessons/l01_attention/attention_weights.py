"""The exercise `attention_weights` of notebook 01."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

attention_weights = Exercise(
    reference=attention.attention_weights,
    notebook=1,
    order=30,
    minutes=5,
    difficulty=1,
    returns=(Result("weights", "T, S"),),
    example=case(torch.tensor([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]])),
    another=case(fixed_tensor(2, 3)),
    cases=(
        case(fixed_tensor(4, 2, seed=1), having=("more queries than keys",)),
        case(fixed_tensor(4, 3, seed=5), having=("more queries than keys",)),
        case(fixed_tensor(3, 3, seed=2), having=("as many keys as queries",)),
        case(fixed_tensor(1, 4, seed=3), having=("a single query",)),
        case(fixed_tensor(4, 1, seed=4), having=("a single key", "more queries than keys")),
        case(fixed_tensor(3, 2, seed=6).T, having=("a tensor that is a view of another",)),
        case(
            torch.tensor([[1000.0, 0.0, -1000.0], [2000.0, 2000.0, 1999.0]]),
            having=("huge scores", "rows of very different sizes"),
        ),
        case(
            torch.tensor([[0.0, 1.0], [500.0, 502.0]]),
            having=("huge scores", "rows of very different sizes", "as many keys as queries"),
        ),
        case(fixed_tensor(2, 3, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Look at one row alone: it belongs to one query, and its S numbers should become shares of 1.",
        "You wrote a function in notebook 00 that makes shares of 1 along one axis. Decide which axis holds the keys.",
        (
            "A row of the scores has one number for each key, and rows run along the last axis: the softmax gets "
            "`dim=-1`. Use `torch.softmax`, or your own with `from course_lib.yours import softmax`."
        ),
    ),
)


@attention_weights.mistake(
    "You normalised over the queries: your columns add up to 1, and your rows do not. Take the softmax along the last "
    "axis, so that each query's weights add up to 1.",
    seen="https://github.com/nerdai/llms-from-scratch-rs/issues/30",
)
def over_queries(scores):
    return torch.softmax(scores, 0)


@attention_weights.mistake(
    "You normalised over the whole matrix, so the queries compete for weight. Normalise each row on its own, along the "
    "last axis.",
    seen="https://github.com/facebookresearch/detr/issues/247",
)
def over_everything(scores):
    return torch.softmax(scores.flatten(), 0).reshape(scores.shape)


@attention_weights.mistake(
    "Each row has its own maximum subtracted, but one sum divides them all. Divide each row by its own sum: `sum(-1, "
    "keepdim=True)`."
)
def one_sum_for_all_rows(scores):
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum()


@attention_weights.mistake(
    "Each row is divided by the sums of other rows, as if the sum had lost its axis. Keep that axis with `sum(-1, "
    "keepdim=True)`.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept(scores):
    return scores.exp() / scores.exp().sum(-1)


@attention_weights.mistake(
    "Each row has its own maximum subtracted, but is divided by the sums of other rows, as if the sum had lost its "
    "axis. Keep that axis there too: `sum(-1, keepdim=True)`.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept_after_shift(scores):
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1)


def divided_in_turns(exponentials):
    """Divide by the sums of the rows, t0, t1, t2, t0 and so on, in reading order."""
    T, S = exponentials.shape
    return exponentials / exponentials.sum(-1).repeat(S).reshape(T, S)


@attention_weights.mistake(
    "Each row is divided by the sums of several rows, which take turns from one element to the next, as after "
    "`sums.repeat(S).reshape(T, S)`. Keep the axis of the sum with `sum(-1, keepdim=True)`, so that each row is "
    "divided by its own."
)
def sums_take_turns(scores):
    return divided_in_turns((scores - scores.max()).exp())


@attention_weights.mistake(
    "Each row has its own maximum subtracted, but is divided by the sums of several rows, which take turns from one "
    "element to the next, as after `sums.repeat(S).reshape(T, S)`. Keep the axis of the sum with `sum(-1, "
    "keepdim=True)`, so that each row is divided by its own."
)
def sums_take_turns_after_shift(scores):
    return divided_in_turns((scores - scores.amax(-1, keepdim=True)).exp())


@attention_weights.mistake(
    "Your code divides the scores by their sum, so weights may be negative. Take the exponential of each score first, "
    "as softmax does."
)
def divided_by_their_sum(scores):
    return scores / scores.sum(-1, keepdim=True)


@attention_weights.mistake(
    "Your code subtracts each row's minimum and divides by the sum, so the key with the lowest score gets no weight. "
    "Take the exponential of each score, as softmax does."
)
def distance_from_the_minimum(scores):
    shifted = scores - scores.amin(-1, keepdim=True)
    return shifted / shifted.sum(-1, keepdim=True)


@attention_weights.mistake(
    "Your weights are in the right proportion, but your rows do not add up to 1. Divide each row by its sum."
)
def only_positive(scores):
    return scores.exp()


@attention_weights.mistake(
    "Your function is right for small scores, but `exp` of a huge score overflows to infinity, which ends in NaN. "
    "Subtract each row's maximum first, as your softmax from notebook 00 does."
)
def overflowing(scores):
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


@attention_weights.mistake(
    "In a row whose scores are all much smaller than the largest score of the table, every `exp` in your code is 0, "
    "and 0 / 0 is NaN. Subtract each row's own maximum."
)
def one_maximum_for_all(scores):
    exponentials = (scores - scores.max()).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@attention_weights.mistake(
    "Your code subtracts the maximum of each column, so the scores of one row lose different numbers, which changes "
    "their shares. Subtract the maximum of each row: `scores.amax(-1, keepdim=True)`."
)
def maximum_of_columns(scores):
    exponentials = (scores - scores.amax(0)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@attention_weights.mistake(
    "Your code gives the best key everything. Attention is a soft lookup: the other keys get their shares too."
)
def winner_takes_all(scores):
    return F.one_hot(scores.argmax(-1), scores.size(-1)).to(scores.dtype)


@attention_weights.mistake(
    "Your code gives each key a weight of its own, between 0 and 1, without looking at the others: that is the "
    "sigmoid. The keys of a query share a total of 1, so use a softmax."
)
def independent_shares(scores):
    return torch.sigmoid(scores)


@attention_weights.mistake(
    "Your weights are those of a softmax taken twice, which makes them more equal. Take it once: its result adds up to "
    "1 already."
)
def softmax_twice(scores):
    return torch.softmax(torch.softmax(scores, -1), -1)


@attention_weights.mistake(
    "Your weights are those of the negative scores, so the key that matches worst gets the largest weight. Take the "
    "softmax of the scores themselves."
)
def worst_match_first(scores):
    return torch.softmax(-scores, -1)


@attention_weights.mistake(
    "Your code returns the logarithms of the weights, which are negative. Return the weights themselves."
)
def logarithms(scores):
    return torch.log_softmax(scores, -1)


@attention_weights.mistake(
    "Your weights are those of scores divided by √S. A scale comes later in this notebook: here take the softmax of "
    "the scores as they are."
)
def scaled_by_the_keys(scores):
    return torch.softmax(scores / math.sqrt(scores.size(-1)), -1)


@attention_weights.mistake(
    "Your code returns the weights of the first query only. Return one row of weights for each query."
)
def first_query_only(scores):
    return torch.softmax(scores[0], 0)


@attention_weights.mistake(
    "Your weights are sigmoids, divided by the sum of their row. Softmax takes the exponential of each score."
)
def of_sigmoids(scores):
    squashed = scores.sigmoid()
    return squashed / squashed.sum(-1, keepdim=True)


@attention_weights.mistake(
    "Your rows do not add up to 1: their squares do. The exponentials of a row are divided by its Euclidean length, as "
    "`F.normalize` does by default. Divide them by their sum."
)
def of_length_1(scores):
    return F.normalize(torch.softmax(scores, -1), dim=-1)


@attention_weights.right_for_whole_course
def weights_row_by_row(scores):
    return torch.stack([torch.softmax(row, dim=0) for row in scores])


attention_weights.right(lambda scores: torch.softmax(scores, dim=1))
attention_weights.right(nn.Softmax(dim=-1))
attention_weights.right(partial(F.softmax, dim=1))
attention_weights.right(lambda scores: torch.softmax(scores.T, dim=0).T)
attention_weights.right(lambda scores: (scores - scores.logsumexp(1, keepdim=True)).exp())


@attention_weights.right
def weights_in_steps(scores):
    exponentials = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    return exponentials / exponentials.sum(1)[:, None]
