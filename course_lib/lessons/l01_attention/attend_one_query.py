"""The exercise `attend_one_query` of notebook 01."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

attend_one_query = Exercise(
    reference=attention.attend_one_query,
    notebook=1,
    order=10,
    minutes=10,
    difficulty=2,
    returns=(Result("the output", "d_v,"),),
    example=case(torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]), fixed_tensor(3, 2)),
    another=case(fixed_tensor(2, seed=1), fixed_tensor(3, 2, seed=2), fixed_tensor(3, 2, seed=3)),
    cases=(
        case(
            fixed_tensor(4),
            fixed_tensor(3, 4, seed=1),
            fixed_tensor(3, 2, seed=2),
            having=("values of another width than keys",),
        ),
        case(
            fixed_tensor(3),
            fixed_tensor(3, 3, seed=1),
            fixed_tensor(3, 3, seed=2),
            having=("as many keys as features",),
        ),
        case(
            fixed_tensor(3),
            fixed_tensor(5, 3, seed=1),
            fixed_tensor(5, 1, seed=2),
            having=("values of one number each",),
        ),
        case(fixed_tensor(3), fixed_tensor(1, 3, seed=1), fixed_tensor(1, 4, seed=2), having=("a single key",)),
        case(fixed_tensor(2) * 1000, fixed_tensor(4, 2, seed=1), fixed_tensor(4, 3, seed=2), having=("huge scores",)),
        case(
            *(fixed_tensor(*shape, dtype=torch.float64) for shape in ((2,), (3, 2), (3, 4))),
            having=("float64 numbers",),
        ),
    ),
    hints=(
        "Three steps: a score for each key, a weight for each score, and one mixture of the values.",
        "`key @ query` has one number for each key. Your softmax turns these into weights.",
        (
            "A mixture is each value times its weight, summed over the keys. A vector of weights `@` the matrix of "
            "values does all of it."
        ),
    ),
)


@attend_one_query.mistake(
    "You mixed the values with the raw scores. Turn the scores into weights first: positive numbers that add up to 1."
)
def raw_scores(query, key, value):
    return (key @ query) @ value


@attend_one_query.mistake(
    "You returned only the value whose key matches best, as a dictionary does. This look-up is soft: every value gets "
    "a share, the better its key matches the larger."
)
def best_match_only(query, key, value):
    return value[(key @ query).argmax()]


@attend_one_query.mistake("You averaged the values. The query plays no part in that: whose key matches it best?")
def plain_average(query, key, value):
    return value.mean(0)


@attend_one_query.mistake(
    "Your softmax runs along an axis with one number in it, so that every weight is 1 and the values are simply added. "
    "Along which axis do the keys lie?",
    seen="https://github.com/tsunrise/everybody-compose/issues/53",
)
def softmax_of_single_numbers(query, key, value):
    return (torch.softmax((key @ query).unsqueeze(1), 1) * value).sum(0)


@attend_one_query.mistake("You mixed the keys. The keys say how much of each to take; what is taken is the values.")
def mixes_keys(query, key, value):
    return torch.softmax(key @ query, 0) @ key


@attend_one_query.mistake(
    "You averaged the weighted values. The weights add up to 1 already, so the weighted values are summed."
)
def mean_of_weighted_values(query, key, value):
    return (torch.softmax(key @ query, 0).unsqueeze(1) * value).mean(0)


@attend_one_query.mistake(
    "You divided the scores by √d_k. That is right, and comes later in this notebook: here the plain dot product is "
    "wanted, so that you can see what goes wrong without the scale."
)
def scaled_already(query, key, value):
    return torch.softmax(key @ query / math.sqrt(query.size(0)), 0) @ value


@attend_one_query.right_for_whole_course
def one_query_by_einsum(query, key, value):
    return torch.einsum("s,sv->v", F.softmax(torch.einsum("d,sd->s", query, key), 0), value)


@attend_one_query.right
def one_query_in_loops(q, ks, vs):
    scores = [sum(a * b for a, b in zip(q, k, strict=True)) for k in ks]
    weights = torch.softmax(torch.stack(scores), dim=0)
    mixture = torch.zeros(vs.shape[1], dtype=vs.dtype)
    for weight, v in zip(weights, vs, strict=True):
        mixture = mixture + weight * v
    return mixture


@attend_one_query.right
def one_query_as_a_row(query, key, value):
    return (torch.softmax(query.unsqueeze(0) @ key.T, dim=1) @ value).squeeze(0)
