"""The exercise `mix_values` of notebook 01."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

SHARES = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])

mix_values = Exercise(
    reference=attention.mix_values,
    notebook=1,
    order=40,
    minutes=5,
    difficulty=1,
    returns=(Result("output", "T, d_v"),),
    example=case(SHARES, torch.tensor([[4.0, 0.0], [0.0, 8.0], [2.0, 2.0]])),
    another=case(SHARES.flip(0), fixed_tensor(3, 2)),
    cases=(
        case(torch.softmax(fixed_tensor(2, 3), -1), fixed_tensor(3, 4, seed=1), having=("sizes that all differ",)),
        case(
            torch.softmax(fixed_tensor(3, 3), -1), fixed_tensor(3, 3, seed=1), having=("sizes that are all the same",)
        ),
        case(
            torch.softmax(fixed_tensor(3, 3, seed=1), -1),
            fixed_tensor(3, 2, seed=2),
            having=("as many keys as queries",),
        ),
        case(torch.ones(2, 1), fixed_tensor(1, 3), having=("a single key",)),
        case(torch.softmax(fixed_tensor(1, 5), -1), fixed_tensor(5, 1, seed=1), having=("a single query",)),
        case(
            torch.softmax(fixed_tensor(3, 2).T, -1),
            fixed_tensor(2, 3, seed=1).T,
            having=("tensors that are views of others",),
        ),
        case(SHARES.double(), fixed_tensor(3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "For one query: each value times its weight, then all summed. What comes out is as wide as a value.",
        "Which axis disappears in the sum? The keys: (T, S) and (S, d_v) become (T, d_v).",
        "A matrix product sums over the inner axis. Check the two shapes: the inner axis of both is S, the keys.",
    ),
)


@mix_values.mistake(
    "You turned the weights, so that each output mixes by a column: the shares of one key among the queries. An output "
    "belongs to a query, and its shares are a row."
)
def weights_transposed(weights, value):
    return weights.T @ value


@mix_values.mistake("You took only the value with the largest weight. All values go in, each with its share.")
def heaviest_value(weights, value):
    return value[weights.argmax(-1)]


@mix_values.mistake("You averaged the values and left the weights out: now every query gets the same.")
def equal_weights(weights, value):
    return value.mean(0).expand(weights.size(0), -1)


@mix_values.mistake(
    "You divided by the number of keys as well. The weights add up to 1 already, so the weighted sum is the average."
)
def averaged(weights, value):
    return weights @ value / weights.size(-1)


@mix_values.mistake(
    "You summed over the queries, so that you have one row for each key. Sum over the keys: one row for each query."
)
def summed_over_queries(weights, value):
    return (weights.unsqueeze(-1) * value).sum(0)


@mix_values.mistake("You took the softmax of what are weights already: that flattens them. They sum to 1 as they come.")
def softmax_again(weights, value):
    return torch.softmax(weights, -1) @ value


@mix_values.right_for_whole_course
def by_broadcasting(w, v):
    return (w.unsqueeze(-1) * v).sum(dim=1)


mix_values.right(torch.matmul)
mix_values.right(lambda w, v: torch.einsum("ts,sd->td", w, v))


@mix_values.right
def mixture_in_loops(weights, value):
    return torch.stack([sum(w * v for w, v in zip(row, value, strict=True)) for row in weights])
