"""The exercise `attention_weights` of notebook 01."""

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
        case(fixed_tensor(3, 3, seed=2), having=("as many keys as queries",)),
        case(fixed_tensor(1, 4, seed=3), having=("a single query",)),
        case(fixed_tensor(4, 1, seed=4), having=("a single key",)),
        case(fixed_tensor(3, 2, seed=6).T, having=("a tensor that is a view of another",)),
        case(torch.tensor([[1000.0, 0.0, -1000.0], [2000.0, 2000.0, 1999.0]]), having=("huge scores",)),
        case(fixed_tensor(2, 3, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Look at one row alone: it is one query, and its numbers should become shares of 1.",
        "You have written a function that makes shares of 1 along one axis. Which axis are the keys?",
        "Softmax along the last axis of the scores: rows are queries, so along a row you meet the keys.",
    ),
)


@attention_weights.mistake(
    "You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all keys "
    "add up to 1.",
    seen="https://github.com/nerdai/llms-from-scratch-rs/issues/30",
)
def over_queries(scores):
    return torch.softmax(scores, 0)


@attention_weights.mistake(
    "You normalised over the whole matrix: all its weights together sum to 1, and the queries compete with each other. "
    "Each row has a 1 of its own to share out.",
    seen="https://github.com/facebookresearch/detr/issues/247",
)
def over_everything(scores):
    return torch.softmax(scores.flatten(), 0).reshape(scores.shape)


@attention_weights.mistake(
    "You divided the scores by their sum, so that negative scores give negative weights: `exp` comes first."
)
def divided_by_their_sum(scores):
    return scores / scores.sum(-1, keepdim=True)


@attention_weights.mistake("Your weights are positive, but your rows do not sum to 1: divide each row by its sum.")
def only_positive(scores):
    return scores.exp()


@attention_weights.mistake(
    "Right for small scores, but `exp` of a huge one overflows, and the row becomes NaN. Your softmax from notebook 00 "
    "knows what to do."
)
def overflowing(scores):
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


@attention_weights.mistake(
    "You gave the best key everything. Attention is a soft look-up: the other keys get their shares too."
)
def winner_takes_all(scores):
    return torch.nn.functional.one_hot(scores.argmax(-1), scores.size(-1)).to(scores.dtype)


@attention_weights.mistake(
    "You gave each key a share for itself, between 0 and 1, without looking at the others. The keys of a query share a "
    "total of 1."
)
def independent_shares(scores):
    return torch.sigmoid(scores)


@attention_weights.right_for_whole_course
def weights_row_by_row(scores):
    return torch.stack([torch.softmax(row, dim=0) for row in scores])


attention_weights.right(lambda scores: torch.softmax(scores, dim=1))
attention_weights.right(nn.Softmax(dim=-1))
attention_weights.right(partial(F.softmax, dim=1))
