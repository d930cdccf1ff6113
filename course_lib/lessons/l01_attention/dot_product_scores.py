"""The exercise `dot_product_scores` of notebook 01."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

dot_product_scores = Exercise(
    reference=attention.dot_product_scores,
    notebook=1,
    order=20,
    minutes=5,
    difficulty=1,
    returns=(Result("scores", "T, S"),),
    example=case(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 3.0], [2.0, 0.0], [0.0, 1.0]])),
    another=case(fixed_tensor(2, 2), fixed_tensor(3, 2, seed=1)),
    cases=(
        case(fixed_tensor(2, 3), fixed_tensor(4, 3, seed=1), having=("sizes that all differ",)),
        case(fixed_tensor(3, 3), fixed_tensor(3, 3, seed=1), having=("sizes that are all the same",)),
        case(fixed_tensor(2, 3), fixed_tensor(3, 3, seed=1), having=("as many keys as features",)),
        case(fixed_tensor(3, 2), fixed_tensor(3, 2, seed=1), having=("as many keys as queries",)),
        case(fixed_tensor(1, 4), fixed_tensor(1, 4, seed=1), having=("one query and one key",)),
        case(fixed_tensor(4, 2).T, fixed_tensor(4, 3, seed=1).T, having=("tensors that are views of others",)),
        case(
            fixed_tensor(2, 3, dtype=torch.float64),
            fixed_tensor(4, 3, seed=1, dtype=torch.float64),
            having=("float64 numbers",),
        ),
    ),
    hints=(
        (
            "For one query and one key: multiply feature by feature, and sum. Now for every pair: rows ask, columns "
            "are read."
        ),
        (
            "A matrix product does all pairs at once: its entry [i, j] is the row i of the first, dotted with the "
            "column j of the second."
        ),
        "The keys lie in rows, and the second factor of `@` needs them in columns: that is what transposing does.",
    ),
)


@dot_product_scores.mistake("Your rows are keys and your columns are queries: here each row belongs to a query.")
def keys_ask(query, key):
    return key @ query.T


@dot_product_scores.mistake(
    "You multiplied by the keys as they are, which fits only where there are as many keys as features. Which shape "
    "must the second matrix have, so that (T, d_k) times it gives (T, S)?"
)
def not_transposed(query, key):
    return query @ key


@dot_product_scores.mistake(
    "You reshaped the keys, which keeps the order of the numbers and so cuts across keys. Turn the table instead: its "
    "rows become columns.",
    seen="https://github.com/rish-16/tokenlearner-pytorch/issues/1",
)
def reshaped(query, key):
    return query @ key.reshape(key.size(1), key.size(0))


@dot_product_scores.mistake(
    "You scored each query against one key only, the one at its own position. Every query meets every key."
)
def pairs_only(query, key):
    return (query * key).sum(-1)


@dot_product_scores.mistake(
    "You divided by the vectors' lengths, which gives cosines. The dot product keeps the lengths: a long key can score "
    "high."
)
def cosines(query, key):
    return torch.nn.functional.normalize(query, dim=-1) @ torch.nn.functional.normalize(key, dim=-1).T


@dot_product_scores.mistake(
    "You divided by √d_k. That is right, and comes later in this notebook: here the plain dot product is wanted."
)
def scaled_scores(query, key):
    return query @ key.T / math.sqrt(query.size(-1))


@dot_product_scores.mistake(
    "You went one step too far: these are weights already. The scores before the softmax are wanted."
)
def weights_already(query, key):
    return torch.softmax(query @ key.T, -1)


@dot_product_scores.right_for_whole_course
def by_einsum(q, k):
    return torch.einsum("td,sd->ts", q, k)


dot_product_scores.right(lambda q, k: (q[:, None, :] * k[None, :, :]).sum(-1))
dot_product_scores.right(F.linear)


@dot_product_scores.right
def scores_in_loops(queries, keys):
    table = torch.zeros(len(queries), len(keys))
    for i in range(len(queries)):
        for j in range(len(keys)):
            table[i, j] = torch.dot(queries[i], keys[j])
    return table
