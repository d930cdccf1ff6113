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
            torch.softmax(fixed_tensor(3, 3), -1),
            fixed_tensor(3, 3, seed=1),
            having=("sizes that are all the same", "as many keys as queries"),
        ),
        case(
            torch.softmax(fixed_tensor(3, 3, seed=1), -1),
            fixed_tensor(3, 2, seed=2),
            having=("as many keys as queries",),
        ),
        case(torch.ones(2, 1), fixed_tensor(1, 3), having=("a single key", "sizes that all differ")),
        case(torch.softmax(fixed_tensor(1, 5), -1), fixed_tensor(5, 1, seed=1), having=("a single query",)),
        case(
            torch.softmax(fixed_tensor(3, 2).T, -1),
            fixed_tensor(2, 3, seed=1).T,
            having=("tensors that are views of others",),
        ),
        case(SHARES.double(), fixed_tensor(3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Do it for one query on paper: each value times its weight, then all of them added up. The result is as "
            "wide as a value."
        ),
        ("Look for the axis that disappears in the sum: it is the keys. From (T, S) and (S, d_v) comes (T, d_v)."),
        (
            "A matrix product sums over the last axis of its first matrix and the first axis of its second. Here both "
            "are S, in the right order."
        ),
    ),
)


@mix_values.mistake(
    "Each of your outputs is mixed with a column of the weights, the shares of one key among the queries. An output "
    "belongs to a query, and its shares are a row: multiply by `weights`, not by `weights.T`."
)
def weights_transposed(weights, value):
    return weights.T @ value


@mix_values.mistake(
    "Your code sums over the features, as `value @ weights` does, and not over the keys. The weights come first: (T, "
    "S) times (S, d_v) gives (T, d_v)."
)
def values_first(weights, value):
    return value @ weights


@mix_values.mistake(
    "Your weights are multiplied by the features of each value, as in `weights @ value.T`, which fits only if values "
    "are as wide as there are keys. Do not transpose: the keys are the first axis of `value` already."
)
def values_transposed(weights, value):
    return weights @ value.T


@mix_values.mistake(
    "Your code takes only the value with the largest weight. Every value goes into the mixture with its share."
)
def heaviest_value(weights, value):
    return value[weights.argmax(-1)]


@mix_values.mistake(
    "Your code averages the values without the weights, so every query gets the same output. Multiply each value by "
    "its weight before you add up."
)
def equal_weights(weights, value):
    return value.mean(0).expand(weights.size(0), -1)


@mix_values.mistake(
    "Your output is divided by the number of keys. The weights add up to 1 already, so the weighted sum is the average."
)
def averaged(weights, value):
    return weights @ value / weights.size(-1)


@mix_values.mistake(
    "Your code multiplies each value by its weight, but does not add up. Sum over the keys, axis 1, so that (T, d_v) "
    "remains."
)
def not_summed(weights, value):
    return weights.unsqueeze(-1) * value


@mix_values.mistake(
    "Your code sums over the queries, so there is one row for each key. Sum over the keys: one row for each query "
    "remains."
)
def summed_over_queries(weights, value):
    return (weights.unsqueeze(-1) * value).sum(0)


@mix_values.mistake(
    "Your code sums over the features, so there is one number for each pair of query and key. Sum over the keys, axis "
    "1: an output is as wide as a value."
)
def summed_over_features(weights, value):
    return (weights.unsqueeze(-1) * value).sum(-1)


@mix_values.mistake(
    "Your code multiplies number by number, as `*` does, which fits only by chance. Use the matrix product `@`, which "
    "also sums over the keys."
)
def elementwise(weights, value):
    return weights * value


@mix_values.mistake(
    "Every query gets the plain sum of the values in your code. Multiply each value by its own weight before you add "
    "up."
)
def summed_separately(weights, value):
    return weights.sum(-1, keepdim=True) * value.sum(0)


@mix_values.mistake(
    "Your output of each query is the last weighted value alone. If a loop assigns to the row in each round, let it "
    "add to the row instead: `+=`."
)
def loop_keeps_the_last(weights, value):
    return weights[:, -1:] * value[-1]


@mix_values.mistake("Your code returns the output of the first query only. Return one row for each query.")
def first_query_only(weights, value):
    return weights[0] @ value


@mix_values.mistake(
    "Your code applies another softmax to `weights`, which makes them more equal. They are weights already: use them "
    "as they are."
)
def softmax_again(weights, value):
    return torch.softmax(weights, -1) @ value


@mix_values.mistake(
    "Your numbers are right, but they fill the rows in the order of the transposed output, (d_v, T), as when that is "
    "reshaped to (T, d_v). A reshape moves no number: transpose instead."
)
def reshaped_back(weights, value):
    return (weights @ value).T.reshape(len(weights), -1)


@mix_values.right_for_whole_course
def by_broadcasting(w, v):
    return (w.unsqueeze(-1) * v).sum(dim=1)


mix_values.right(torch.matmul)
mix_values.right(lambda w, v: torch.einsum("ts,sd->td", w, v))


@mix_values.right
def mixture_in_loops(weights, value):
    return torch.stack([sum(w * v for w, v in zip(row, value, strict=True)) for row in weights])


mix_values.right(lambda w, v: (v.T @ w.T).T)


@mix_values.right
def mixture_in_two_loops(weights, value):
    output = torch.zeros(len(weights), value.size(1), dtype=value.dtype)
    for i in range(len(weights)):
        for j in range(len(value)):
            output[i] += weights[i, j] * value[j]
    return output
