"""Unseen answers to the exercises of notebook 01_attention."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import dot_product_scores
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("attend_one_query", says="Every weight is 1", never="Your softmax runs along")
def plain_sum(query, key, value):
    return value.sum(0)


@wrong("attend_one_query", says="Your output is divided by the number of keys", never="averages")
def divided_by_the_number_of_keys(query, key, value):
    return torch.softmax(key @ query, 0) @ value / len(key)


@wrong("attend_one_query", says="Your output is the last weighted value alone", never="Your loop")
def last_one(query, key, value):
    return torch.softmax(key @ query, 0)[-1] * value[-1]


@wrong("attend_one_query", says="Your scores are divided by √d_k")
def with_the_scale_of_torch(query, key, value):
    return F.scaled_dot_product_attention(query[None], key, value)[0]


@wrong("dot_product_scores", says="Let each row belong to a query", never="Put the queries first")
def turned_at_the_end(query, key):
    return (query @ key.T).T


@wrong("dot_product_scores", says="Your scores are divided by d_k", never="takes the mean")
def divided_by_d_k(query, key):
    return query @ key.T / query.size(1)


@wrong("dot_product_scores", says="The last row of your table is all zeros", never="Your loop")
def without_the_last_query(query, key):
    return F.pad(dot_product_scores(query[:-1], key), (0, 0, 0, 1))


@wrong("attention_weights", says="subtracts each row's minimum")
def above_the_minimum(scores):
    above = scores - scores.min(1, keepdim=True).values
    return F.normalize(above, p=1, dim=1)


@wrong("mix_values", says="the plain sum of the values", never="adds up the weights")
def sum_of_values(weights, value):
    return value.sum(0).expand(len(weights), -1)


@wrong("entropy_of_weights", says="Your entropy is in bits", never="takes the logarithm")
def in_bits(weights):
    return torch.special.entr(weights).sum(-1) / 0.6931471805599453


@wrong("entropy_of_weights", says="Note that a mask as index")
def flattened_by_a_mask(weights):
    positive = weights[weights > 0]
    return -(positive * positive.log()).sum(dim=-1)


@wrong("entropy_of_weights", says="right in all but the one with weights close to 0")
def kept_away_from_0_too_far(weights):
    return -(weights * weights.clamp_min(1e-3).log()).sum(-1)


@wrong(
    "scaled_dot_product_attention",
    says="divided by a sum to which the hidden keys still contribute",
    never="softmax, so",
)
def exponentials_masked(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    kept = exponentials if mask is None else exponentials * mask
    weights = kept / exponentials.sum(-1, keepdim=True)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="Your hidden scores are only 1 lower", never="adds the mask")
def hidden_scores_lowered_by_1(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    weights = torch.softmax(scores if mask is None else torch.where(mask, scores, scores - 1), -1)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="With a mask all your weights are NaN", never="multiplies the mask")
def nan_with_a_mask(query, key, value, mask=None):
    weights = torch.softmax(query @ key.mT / query.size(-1) ** 0.5, -1) * (1 if mask is None else torch.nan)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="Your scores are divided by d_k and by 2", never="comes last")
def divided_by_twice_the_width(query, key, value, mask=None):
    return find("scaled_dot_product_attention").reference(query / (2 * query.size(-1) ** 0.5), key, value, mask)


@wrong("additive_attention", says="the keys' part is multiplied by `v_a` without a tanh", never="The tanh is missing")
def tanh_of_the_query_only(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh(query @ W_a.T).unsqueeze(-2) @ v_a + (key @ U_a.T @ v_a).unsqueeze(-2)
    weights = torch.softmax(scores if mask is None else scores.masked_fill(~mask, -torch.inf), -1)
    return weights @ value, weights


@wrong(
    "attention_weights",
    says=("over the whole matrix", "`scores.size(-2)` times what it should be"),
    never="add up to 1",
)
def over_the_whole_matrix_times_the_rows(scores):
    return torch.softmax(scores.flatten(), 0).reshape(scores.shape) * len(scores)


@wrong("additive_attention", says="Where the mask hides nothing, all queries get the same weights")
def tanh_of_each_part(query, key, value, W_a, U_a, v_a, mask=None):
    scores = (query @ W_a.T).tanh() @ v_a.unsqueeze(-1) + ((key @ U_a.T).tanh() @ v_a.unsqueeze(-1)).mT
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="half of d_k", never="is right in")
def scale_to_the_power_of_1_halved(query, key, value, mask=None):
    scores = query @ key.mT / (query.shape[-1] ** 1 / 2)
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ value, weights


@wrong("additive_attention", says="the tanh of the query's part times the tanh of the key's", never="should be")
def dot_product_of_tanhs(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh(query @ W_a.T) @ (v_a * torch.tanh(key @ U_a.T)).mT / len(v_a) ** 0.5
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ value, weights


@wrong("attend_one_query", says="Your scores are divided by √S")
def with_the_root_of_the_number_of_keys(query, key, value):
    return torch.softmax(key @ query / len(key) ** 0.5, 0) @ value


@wrong("attend_one_query", says="adds everything up to a single number", never="the example")
def added_up_to_one_number(query, key, value):
    return (torch.softmax(key @ query, 0)[:, None] * value).sum()


@wrong("attention_weights", says="subtracts the maximum of each column")
def below_the_maximum_of_the_column(scores):
    exponentials = (scores - scores.amax(dim=0, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim=1, keepdim=True)


@wrong("mix_values", says="Where your output is wrong, every number is", never="in your output")
def divided_by_the_number_of_queries(weights, value):
    return weights @ value / len(weights)


@wrong("entropy_of_weights", says="Your result is log(S) minus the entropy")
def below_that_of_equal_weights(weights):
    return math.log(weights.size(-1)) - torch.special.entr(weights).sum(-1)


@wrong("entropy_of_weights", says="leaves out weights below about 0.1,")
def of_large_weights_only(weights):
    return torch.tensor([-sum(w * math.log(w) for w in row if w > 0.1) for row in weights.tolist()])


@wrong("additive_attention", says="multiplies by `v_a` inside the tanh")
def factors_inside_the_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    parts = (query @ W_a.mT)[..., :, None, :] + (key @ U_a.mT)[..., None, :, :]
    scores = torch.tanh(parts * v_a).sum(-1)
    weights = torch.softmax(scores if mask is None else scores.masked_fill(~mask, -math.inf), -1)
    return weights @ value, weights


@wrong("dot_product_scores", says="Your keys are reshaped to (d_k, S)", never="reading order")
def keys_reshaped(query, key):
    S, d_k = key.shape
    return query @ key.reshape(d_k, S)


@wrong("attention_weights", says="as `F.normalize` does by default", never="would make your")
def normalised_to_length_1(scores):
    shifted = scores - scores.amax(dim=-1, keepdim=True)
    return F.normalize(shifted.exp(), dim=-1)


@wrong(
    "attention_weights",
    says="the rows do not add up to 1. Divided by their sums along the last axis, they would be right.",
    never="would make your",
)
def divided_by_cubes(scores):
    return F.normalize(scores.softmax(-1), p=3, dim=-1)


@wrong("mix_values", says="reshaped to (T, d_v)", never="at other positions")
def reshaped_instead_of_transposed(weights, value):
    mixed = value.T @ weights.T
    return mixed.reshape(weights.size(0), value.size(1))


@wrong("additive_attention", says="before the tanh, which turns it into −1")
def infinity_before_the_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    hidden = (query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)
    if mask is not None:
        hidden = hidden.masked_fill(~mask.unsqueeze(-1), float("-inf"))
    scores = torch.tanh(hidden) @ v_a
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


@wrong("attend_one_query", says="one number for each key", never="adds each weighted value up")
def features_summed_first(query, key, value):
    return torch.softmax(key @ query, 0) * value.sum(1)


@wrong("attend_one_query", says="with the raw scores as weights", never="Your code mixes")
def keys_times_values(query, key, value):
    return query @ (key.T @ value)


@wrong("attend_one_query", says="Your output is divided by the number of keys", never="mean")
def weights_divided(query, key, value):
    return (torch.softmax(key @ query, 0) / len(key)) @ value


@wrong("entropy_of_weights", says="Your result is the sum of a · (1 − a)", never="Your code sums")
def one_minus_the_squares(weights):
    return 1 - weights.square().sum(-1)


@wrong("attend_one_query", says="Your scores are the distances of the keys from the query")
def minus_the_distance(query, key, value):
    scores = -(key - query).norm(dim=-1)
    weights = torch.softmax(scores, dim=0)
    return weights @ value


@wrong("attention_weights", says="which take turns from one element to the next")
def sums_repeated_and_reshaped(scores):
    T, S = scores.shape
    powers = torch.exp(scores - scores.max())
    totals = powers.sum(dim=1).repeat(S).reshape(T, S)
    return powers / totals


@wrong("entropy_of_weights", says="changes the term of every positive weight")
def logarithm_of_one_more(weights):
    return -(weights * torch.log1p(weights)).sum(dim=-1)


@wrong("mix_values", says="Your code applies another softmax to `weights`")
def another_softmax(weights, value):
    shares = torch.softmax(weights, dim=-1)
    return shares @ value


@wrong("additive_attention", says="takes the tanh of the finished score, which squeezes it")
def tanh_of_the_score(query, key, value, W_a, U_a, v_a, mask=None):
    q = (query @ W_a.T).unsqueeze(-2)
    k = (key @ U_a.T).unsqueeze(-3)
    scores = torch.tanh((q + k) @ v_a)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@wrong("attention_weights", says="as if the sum had lost its axis", never="because the sum")
def difference_with_logsumexp(scores):
    return (scores - scores.exp().sum(-1).log()).exp()


@wrong("additive_attention", says="All keys that the mask does not hide get the same weight", never="All keys get")
def average_of_what_may_be_seen(query, key, value, W_a, U_a, v_a, mask=None):
    seen = torch.ones(*query.shape[:-1], key.size(-2), dtype=query.dtype)
    if mask is not None:
        seen = seen * mask
    weights = seen / seen.sum(-1, keepdim=True)
    return weights @ value, weights


@wrong("additive_attention", says="If you call `masked_fill`", never="and keep what")
def never_masked(query, key, value, W_a, U_a, v_a, mask=None):
    hidden = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3))
    weights = (hidden @ v_a).softmax(-1)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="the hidden keys get all the weight in your code")
def hidden_scores_raised(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        scores = torch.where(mask, scores, 1e9)
    weights = scores.softmax(-1)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", says="the score of a hidden key is 0 or nearly 0")
def hidden_scores_multiplied_by_0(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = (scores if mask is None else scores * mask).softmax(-1)
    return weights @ value, weights


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_logarithms_of_weights_kept_a_little_above_0_pass():
    assert find("entropy_of_weights").check(lambda weights: -(weights * weights.clamp_min(1e-12).log()).sum(-1)).passed
