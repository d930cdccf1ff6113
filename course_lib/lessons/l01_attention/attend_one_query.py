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
            having=("values of one number each", "values of another width than keys"),
        ),
        case(
            fixed_tensor(3),
            fixed_tensor(1, 3, seed=1),
            fixed_tensor(1, 4, seed=2),
            having=("a single key", "values of another width than keys"),
        ),
        case(
            fixed_tensor(2) * 1000,
            fixed_tensor(4, 2, seed=1),
            fixed_tensor(4, 3, seed=2),
            having=("huge scores", "values of another width than keys"),
        ),
        case(
            *(fixed_tensor(*shape, dtype=torch.float64) for shape in ((2,), (3, 2), (3, 4))),
            having=("float64 numbers", "values of another width than keys"),
        ),
    ),
    hints=(
        "Follow the picture of the lookup: compare the query with each key, turn the results into shares, and mix.",
        (
            "The matrix product `key @ query` gives one score for each key, (S,). A softmax along that axis makes "
            "weights of them; you may use `torch.softmax`, or your own with `from course_lib.yours import softmax`."
        ),
        (
            "A mixture is the sum over the keys of weight times value. A vector of weights (S,) `@` a matrix of values "
            "(S, d_v) computes exactly that sum."
        ),
    ),
)


@attend_one_query.mistake(
    "Your output is a mixture of the values with the raw scores as weights. Turn the scores into weights with a "
    "softmax first: positive numbers that add up to 1."
)
def raw_scores(query, key, value):
    return (key @ query) @ value


@attend_one_query.mistake(
    "Your code divides the scores by their sum, so weights may be negative. Use a softmax, which takes the exponential "
    "of each score first."
)
def scores_divided_by_their_sum(query, key, value):
    scores = key @ query
    return scores / scores.sum() @ value


@attend_one_query.mistake(
    "Your weights are positive, but they do not add up to 1. Divide the exponentials of the scores by their sum, or "
    "use a softmax."
)
def not_divided_by_their_sum(query, key, value):
    return (key @ query).exp() @ value


@attend_one_query.mistake(
    "Your function is right for small scores, but `exp` of a huge score overflows, and the output becomes NaN. Use a "
    "softmax that subtracts the largest score first, such as yours from notebook 00."
)
def overflowing(query, key, value):
    exponentials = (key @ query).exp()
    return exponentials / exponentials.sum() @ value


@attend_one_query.mistake(
    "Your code gives each score a weight of its own by a sigmoid, without looking at the other scores. The weights of "
    "all keys share a total of 1: use a softmax."
)
def independent_weights(query, key, value):
    return torch.sigmoid(key @ query) @ value


@attend_one_query.mistake(
    "Your scores sum over the keys, as `query @ key` does, which fits only if there are as many keys as features. "
    "Write `key @ query`: then each key gets its dot product with the query."
)
def query_first(query, key, value):
    return torch.softmax(query @ key, 0) @ value


@attend_one_query.mistake(
    "Your code returns only the value whose key matches best, as a dictionary does. Attention is a soft lookup: every "
    "value gets a share, larger the better its key matches."
)
def best_match_only(query, key, value):
    return value[(key @ query).argmax()]


@attend_one_query.mistake(
    "Your output is the plain average of the values, and the query has no influence on it. Weight each value by how "
    "well its key matches the query."
)
def plain_average(query, key, value):
    return value.mean(0)


@attend_one_query.mistake(
    "Every weight is 1 in your code, so the values are just added up. Weights add up to 1: if your softmax runs along "
    "an axis of length 1, run it along the axis of the keys.",
    seen="https://github.com/tsunrise/everybody-compose/issues/53",
)
def softmax_of_single_numbers(query, key, value):
    return (torch.softmax((key @ query).unsqueeze(1), 1) * value).sum(0)


@attend_one_query.mistake(
    "Your code mixes the keys. The keys only decide the weights: what is mixed with these weights is `value`."
)
def mixes_keys(query, key, value):
    return torch.softmax(key @ query, 0) @ key


@attend_one_query.mistake(
    "Your code compares the query with the values. It is the keys that are compared with the query: the scores are "
    "`key @ query`."
)
def scores_from_values(query, key, value):
    return torch.softmax(value @ query, 0) @ value


@attend_one_query.mistake(
    "Your code uses keys and values the wrong way round: it scores the values and mixes the keys. Score `key` against "
    "the query, and mix `value`."
)
def keys_and_values_swapped(query, key, value):
    return torch.softmax(value @ query, 0) @ key


@attend_one_query.mistake(
    "Your softmax is that of the keys, before they are compared with the query. Compute the scores first, and take "
    "the softmax of the scores."
)
def softmax_of_keys(query, key, value):
    return torch.softmax(key, 0) @ query @ value


@attend_one_query.mistake(
    "Your softmax is that of the query, before it is compared with the keys. Compute the scores first, and take the "
    "softmax of the scores."
)
def softmax_of_query(query, key, value):
    return key @ torch.softmax(query, 0) @ value


@attend_one_query.mistake(
    "Your output is divided by the number of keys. The weights add up to 1 already, so the sum of the weighted values "
    "needs no division."
)
def mean_of_weighted_values(query, key, value):
    return (torch.softmax(key @ query, 0).unsqueeze(1) * value).mean(0)


@attend_one_query.mistake(
    "Your code multiplies each value by its weight, but returns them one below the other. Add them up over the keys: "
    "`.sum(0)`."
)
def weighted_values_not_summed(query, key, value):
    return torch.softmax(key @ query, 0).unsqueeze(1) * value


@attend_one_query.mistake(
    "Your result has one number for each key: the sum of the features of its value, times its weight. Sum over the "
    "keys, axis 0, so that the output is as wide as a value."
)
def summed_over_features(query, key, value):
    return (torch.softmax(key @ query, 0).unsqueeze(1) * value).sum(1)


@attend_one_query.mistake(
    "Your code multiplies `weights * value` number by number, which fits only if a value is as wide as there are keys. "
    "The sum over the keys of weight times value is a matrix product: `weights @ value`."
)
def weights_times_value(query, key, value):
    return torch.softmax(key @ query, 0) * value


@attend_one_query.mistake(
    "Your code multiplies `weights * value` number by number, so a weight multiplies a feature and not a value, and "
    "then adds up. The sum over the keys of weight times value is a matrix product: `weights @ value`."
)
def weights_times_value_summed_over_keys(query, key, value):
    return (torch.softmax(key @ query, 0) * value).sum(0)


@attend_one_query.mistake(
    "Your code adds everything up to a single number. Each value has d_v numbers, and so has their mixture. Sum over "
    "the keys only, which `weights @ value` does."
)
def summed_over_everything(query, key, value):
    return (torch.softmax(key @ query, 0).unsqueeze(1) * value).sum()


@attend_one_query.mistake(
    "Your code multiplies `weights * value` number by number and adds everything up to a single number. The mixture "
    "has d_v numbers: `weights @ value`."
)
def weights_times_value_summed(query, key, value):
    return (torch.softmax(key @ query, 0) * value).sum()


@attend_one_query.mistake("Your code returns the weights. One step is missing: mix the values with them.")
def weights_only(query, key, value):
    return torch.softmax(key @ query, 0)


@attend_one_query.mistake(
    "Your code returns the scores. Two steps are missing: turn the scores into weights, and mix the values with them."
)
def scores_only(query, key, value):
    return key @ query


@attend_one_query.mistake(
    "Your code compares by distance: a key that lies near the query gets a large weight. In this lesson a score is the "
    "dot product of query and key."
)
def scores_by_distance(query, key, value):
    return torch.softmax(-((key - query) ** 2).sum(1), 0) @ value


@attend_one_query.mistake(
    "Your scores are the distances of the keys from the query, with a minus, so a key that lies near the query gets a "
    "large weight. In this lesson a score is the dot product of query and key."
)
def scores_by_distance_itself(query, key, value):
    return torch.softmax(-(key - query).norm(dim=1), 0) @ value


@attend_one_query.mistake(
    "Your scores are cosines: dot products divided by the lengths of the vectors. Use the plain dot product: a long "
    "key may score high."
)
def scores_by_cosine(query, key, value):
    return torch.softmax(F.cosine_similarity(key, query.unsqueeze(0), dim=1), 0) @ value


@attend_one_query.mistake(
    "Your scores are divided by √d_k. That comes later in this notebook: here use the plain dot product, so that you "
    "can see what goes wrong without the scale."
)
def scaled_already(query, key, value):
    return torch.softmax(key @ query / math.sqrt(query.size(0)), 0) @ value


@attend_one_query.mistake(
    "Your scores are divided by √S, where S is the number of keys. Here use the plain dot product of query and key."
)
def scaled_by_the_number_of_keys(query, key, value):
    return torch.softmax(key @ query / math.sqrt(len(key)), 0) @ value


@attend_one_query.mistake(
    "Your output is the last weighted value alone. If a loop assigns to the result in each round, let it add to the "
    "result instead."
)
def loop_keeps_the_last(query, key, value):
    weights = torch.softmax(key @ query, 0)
    return weights[-1] * value[-1]


@attend_one_query.mistake(
    "Your code takes a softmax of the products of single features, before they are added up. Add up the products of "
    "each key first, which gives its score, and take the softmax of the scores."
)
def softmax_before_the_sum(query, key, value):
    return (key * query).softmax(0).sum(-1) @ value


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


attend_one_query.right(lambda q, k, v: torch.mv(v.T, torch.softmax(torch.mv(k, q), 0)))


@attend_one_query.right
def one_query_by_broadcasting(query, key, value):
    scores = (key * query).sum(1)
    weights = (scores - scores.max()).exp()
    return (weights[:, None] * value).sum(0) / weights.sum()


@attend_one_query.right
def one_query_by_torch(query, key, value):
    return F.scaled_dot_product_attention(query[None], key, value, scale=1.0)[0]
