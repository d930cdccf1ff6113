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
        case(
            fixed_tensor(3, 3),
            fixed_tensor(3, 3, seed=1),
            having=("sizes that are all the same", "as many keys as features", "as many keys as queries"),
        ),
        case(fixed_tensor(2, 3), fixed_tensor(3, 3, seed=1), having=("as many keys as features",)),
        case(fixed_tensor(3, 2), fixed_tensor(3, 2, seed=1), having=("as many keys as queries",)),
        case(
            fixed_tensor(1, 4), fixed_tensor(1, 4, seed=1), having=("one query and one key", "as many keys as queries")
        ),
        case(
            fixed_tensor(4, 2).T,
            fixed_tensor(4, 3, seed=1).T,
            having=("tensors that are views of others", "sizes that all differ"),
        ),
        case(
            fixed_tensor(2, 3, dtype=torch.float64),
            fixed_tensor(4, 3, seed=1, dtype=torch.float64),
            having=("float64 numbers", "sizes that all differ"),
        ),
    ),
    hints=(
        (
            "Start with one query and one key: multiply feature by feature, and add up. The table needs this number "
            "for every pair: queries are its rows, keys its columns."
        ),
        (
            "One matrix product computes all pairs: its entry [i, j] is row i of the first matrix, dotted with column "
            "j of the second."
        ),
        (
            "The keys are rows, but the second matrix of a product needs them as columns. Transposing, `.T`, turns "
            "rows into columns: (S, d_k) becomes (d_k, S)."
        ),
    ),
)


@dot_product_scores.mistake(
    "Your table is transposed: its rows are keys and its columns queries. Let each row belong to a query, as in `query "
    "@ key.T`."
)
def keys_ask(query, key):
    return key @ query.T


@dot_product_scores.mistake(
    "Your result is that of `query @ key`, with the keys as they are, which fits only if there are as many keys as "
    "features. Transpose them: (T, d_k) times (d_k, S) gives (T, S)."
)
def not_transposed(query, key):
    return query @ key


@dot_product_scores.mistake(
    "Your result is that of `key @ query`, which was right for one query. With T queries in rows, the queries come "
    "first, and the keys have to be transposed: (T, d_k) times (d_k, S) gives (T, S)."
)
def as_for_one_query(query, key):
    return key @ query


@dot_product_scores.mistake(
    "Your code sums over the rows of both, as `query.T @ key` does, and not over the features. Transpose the keys "
    "instead of the queries: `query @ key.T`."
)
def queries_transposed(query, key):
    return query.T @ key


@dot_product_scores.mistake(
    "Your keys are reshaped to (d_k, S): their numbers fill the new table row by row, so its columns are no longer "
    "keys. Transpose instead, `key.T`: then each row becomes a column.",
    seen="https://github.com/rish-16/tokenlearner-pytorch/issues/1",
)
def reshaped(query, key):
    return query @ key.reshape(key.size(1), key.size(0))


@dot_product_scores.mistake(
    "Your code scores each query against one key only, the one in the same row. Score every query against every key: a "
    "matrix product `@` does, `*` does not."
)
def pairs_only(query, key):
    return (query * key).sum(-1)


@dot_product_scores.mistake(
    "Your code multiplies number by number, as `*` does. A score is a dot product, which also adds up over the "
    "features: use the matrix product `@`, with the keys transposed."
)
def elementwise(query, key):
    return query * key


@dot_product_scores.mistake(
    "Your code multiplies every query with every key, feature by feature, but does not add up. Sum over the features, "
    "the last axis."
)
def products_not_summed(query, key):
    return query[:, None] * key[None]


@dot_product_scores.mistake(
    "Your code multiplies queries with keys, but adds up over the keys. Sum over the features, the last axis, so that "
    "(T, S) remains."
)
def summed_over_keys(query, key):
    return (query[:, None] * key[None]).sum(1)


@dot_product_scores.mistake(
    "Your scores are divided by d_k, as a mean over the features is. A dot product is the sum over the features."
)
def mean_of_products(query, key):
    return query @ key.T / query.size(-1)


@dot_product_scores.mistake("Your code scores the queries against each other. Score them against `key`.")
def queries_with_queries(query, key):
    return query @ query.T


@dot_product_scores.mistake(
    "Your scores are cosines: dot products divided by the lengths of the vectors. Use the plain dot product: a long "
    "key may score high."
)
def cosines(query, key):
    return F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).T


@dot_product_scores.mistake(
    "Your scores are distances between queries and keys, so a key that matches gets a small number. A score is the dot "
    "product of query and key."
)
def distances(query, key):
    return torch.cdist(query, key)


@dot_product_scores.mistake(
    "Your scores are negative distances between queries and keys. A score is the dot product of query and key."
)
def negative_distances(query, key):
    return -torch.cdist(query, key)


@dot_product_scores.mistake(
    "Your code sets negative scores to 0. Keep them: a negative dot product says that query and key point in opposite "
    "directions."
)
def negative_scores_lost(query, key):
    return torch.relu(query @ key.T)


@dot_product_scores.mistake(
    "Your scores are divided by √d_k. That comes later in this notebook: here return the plain dot products."
)
def scaled_scores(query, key):
    return query @ key.T / math.sqrt(query.size(-1))


@dot_product_scores.mistake(
    "Your code goes one step too far: it returns weights. Return the scores, as they are before the softmax."
)
def weights_already(query, key):
    return torch.softmax(query @ key.T, -1)


@dot_product_scores.mistake(
    "The last row of your table is all zeros. If a loop fills it, let it run over all T queries and all S keys: "
    "`range(len(query) - 1)` ends one row early."
)
def last_query_left_out(query, key):
    scores = query @ key.T
    scores[-1] = 0
    return scores


@dot_product_scores.mistake(
    "Your table has scores for the first T keys only, and 0 for each key after them. If two loops fill it, the inner "
    "one runs over all S keys: `range(len(key))`."
)
def as_many_keys_as_queries(query, key):
    scores = torch.zeros(len(query), len(key), dtype=query.dtype)
    for i in range(len(query)):
        for j in range(len(query)):
            scores[i, j] = query[i] @ key[j]
    return scores


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


dot_product_scores.right(lambda q, k: torch.tensordot(q, k, dims=([1], [1])))
dot_product_scores.right(lambda q, k: (k @ q.T).T)
dot_product_scores.right(lambda q, k: torch.tensor([[float(a @ b) for b in k] for a in q]))
