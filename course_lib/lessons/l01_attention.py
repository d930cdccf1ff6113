"""The exercises of notebook 01: attention, from one query by hand to all queries at once, and additive attention."""

import math

import torch
from torch import Tensor

from course_lib.exercises.cases import Case, case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.transformer.attention import (
    additive_attention,
    attend_one_query,
    attention_weights,
    dot_product_scores,
    entropy_of_weights,
    mix_values,
    scaled_dot_product_attention,
)

Mask = Tensor | None
Pair = tuple[Tensor, Tensor]


# One query by hand.


def _raw_scores(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """You mixed the values with the raw scores. Turn the scores into weights first: positive numbers that add up to
    1.
    """
    return (key @ query) @ value


def _best_match_only(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """You returned only the value whose key matches best, as a dictionary does. This look-up is soft: every value
    gets a share, the better its key matches the larger.
    """
    return value[(key @ query).argmax()]


def _plain_average(_query: Tensor, _key: Tensor, value: Tensor) -> Tensor:
    """You averaged the values. The query plays no part in that: whose key matches it best?"""
    return value.mean(0)


def _softmax_of_single_numbers(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Your softmax runs along an axis with one number in it, so that every weight is 1 and the values are simply
    added. Along which axis do the keys lie?

    Seen in https://github.com/tsunrise/everybody-compose/issues/53.
    """
    return (torch.softmax((key @ query).unsqueeze(1), 1) * value).sum(0)


def _mixes_keys(query: Tensor, key: Tensor, _value: Tensor) -> Tensor:
    """You mixed the keys. The keys say how much of each to take; what is taken is the values."""
    return torch.softmax(key @ query, 0) @ key


def _mean_of_weighted_values(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """You averaged the weighted values. The weights add up to 1 already, so the weighted values are summed."""
    return (torch.softmax(key @ query, 0).unsqueeze(1) * value).mean(0)


def _scaled_already(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """You divided the scores by √d_k. That is right, and comes later in this notebook: here the plain dot product
    is wanted, so that you can see what goes wrong without the scale.
    """
    return torch.softmax(key @ query / math.sqrt(query.size(0)), 0) @ value


ATTEND_ONE_QUERY = Exercise(
    name="attend_one_query",
    notebook=1,
    reference=attend_one_query,
    returns=("the output (d_v,)",),
    minutes=10,
    difficulty=2,
    cases=(
        case(torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]), numbers(3, 2)),
        case(numbers(2, seed=1), numbers(3, 2, seed=2), numbers(3, 2, seed=3)),
        case(numbers(4), numbers(3, 4, seed=1), numbers(3, 2, seed=2), having="values of another width than keys"),
        case(numbers(3), numbers(3, 3, seed=1), numbers(3, 3, seed=2), having="as many keys as features"),
        case(numbers(3), numbers(5, 3, seed=1), numbers(5, 1, seed=2), having="values of one number each"),
        case(numbers(3), numbers(1, 3, seed=1), numbers(1, 4, seed=2), having="a single key"),
        case(numbers(2) * 1000, numbers(4, 2, seed=1), numbers(4, 3, seed=2), having="huge scores"),
        case(*(numbers(*shape, dtype=torch.float64) for shape in ((2,), (3, 2), (3, 4))), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _raw_scores,
        _best_match_only,
        _plain_average,
        _softmax_of_single_numbers,
        _mixes_keys,
        _mean_of_weighted_values,
        _scaled_already,
    ),
    hints=paragraphs("""
        Three steps: a score for each key, a weight for each score, and one mixture of the values.

        `key @ query` has one number for each key. Your softmax turns these into weights.

        A mixture is each value times its weight, summed over the keys. A vector of weights `@` the matrix of
        values does all of it.
    """),
)


# All queries at once: scores, weights, mixture.


def _keys_ask(query: Tensor, key: Tensor) -> Tensor:
    """Your rows are keys and your columns are queries: here each row belongs to a query."""
    return key @ query.T


def _not_transposed(query: Tensor, key: Tensor) -> Tensor:
    """You multiplied by the keys as they are, which fits only where there are as many keys as features. Which shape
    must the second matrix have, so that (T, d_k) times it gives (T, S)?
    """
    return query @ key


def _reshaped(query: Tensor, key: Tensor) -> Tensor:
    """You reshaped the keys, which keeps the order of the numbers and so cuts across keys. Turn the table instead:
    its rows become columns.

    Seen in https://github.com/rish-16/tokenlearner-pytorch/issues/1.
    """
    return query @ key.reshape(key.size(1), key.size(0))


def _pairs_only(query: Tensor, key: Tensor) -> Tensor:
    """You scored each query against one key only, the one at its own place. Every query meets every key."""
    return (query * key).sum(-1)


def _cosines(query: Tensor, key: Tensor) -> Tensor:
    """You divided by the vectors' lengths, which gives cosines. The dot product keeps the lengths: a long key can
    score high.
    """
    return torch.nn.functional.normalize(query, dim=-1) @ torch.nn.functional.normalize(key, dim=-1).T


def _scaled_scores(query: Tensor, key: Tensor) -> Tensor:
    """You divided by √d_k. That is right, and comes later in this notebook: here the plain dot product is wanted."""
    return query @ key.T / math.sqrt(query.size(-1))


def _weights_already(query: Tensor, key: Tensor) -> Tensor:
    """You went one step too far: these are weights already. The scores before the softmax are wanted."""
    return torch.softmax(query @ key.T, -1)


DOT_PRODUCT_SCORES = Exercise(
    name="dot_product_scores",
    notebook=1,
    reference=dot_product_scores,
    returns=("scores (T, S)",),
    minutes=5,
    difficulty=1,
    cases=(
        case(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 3.0], [2.0, 0.0], [0.0, 1.0]])),
        case(numbers(2, 2), numbers(3, 2, seed=1)),
        case(numbers(2, 3), numbers(4, 3, seed=1), having="sizes that all differ"),
        case(numbers(3, 3), numbers(3, 3, seed=1), having="sizes that are all the same"),
        case(numbers(2, 3), numbers(3, 3, seed=1), having="as many keys as features"),
        case(numbers(3, 2), numbers(3, 2, seed=1), having="as many keys as queries"),
        case(numbers(1, 4), numbers(1, 4, seed=1), having="one query and one key"),
        case(numbers(4, 2).T, numbers(4, 3, seed=1).T, having="tensors that are views of others"),
        case(numbers(2, 3, dtype=torch.float64), numbers(4, 3, seed=1, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _keys_ask,
        _not_transposed,
        _reshaped,
        _pairs_only,
        _cosines,
        _scaled_scores,
        _weights_already,
    ),
    hints=paragraphs("""
        For one query and one key: multiply feature by feature, and sum. Now for every pair: rows ask, columns
        are read.

        A matrix product does all pairs at once: its entry [i, j] is the row i of the first, dotted with the
        column j of the second.

        The keys lie in rows, and the second factor of `@` needs them in columns: that is what transposing does.
    """),
)


def _over_queries(scores: Tensor) -> Tensor:
    """You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all
    keys add up to 1.

    Seen in https://github.com/nerdai/llms-from-scratch-rs/issues/30.
    """
    return torch.softmax(scores, 0)


def _over_everything(scores: Tensor) -> Tensor:
    """You normalised over the whole matrix: all its weights together sum to 1, and the queries compete with each
    other. Each row has a 1 of its own to share out.

    Seen in https://github.com/facebookresearch/detr/issues/247.
    """
    return torch.softmax(scores.flatten(), 0).reshape(scores.shape)


def _divided_by_their_sum(scores: Tensor) -> Tensor:
    """You divided the scores by their sum, so that negative scores give negative weights: `exp` comes first."""
    return scores / scores.sum(-1, keepdim=True)


def _only_positive(scores: Tensor) -> Tensor:
    """Your weights are positive, but your rows do not sum to 1: divide each row by its sum."""
    return scores.exp()


def _overflowing(scores: Tensor) -> Tensor:
    """Right for small scores, but `exp` of a huge one overflows, and the row becomes NaN. Your softmax from
    notebook 00 knows what to do.
    """
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def _winner_takes_all(scores: Tensor) -> Tensor:
    """You gave the best key everything. Attention is a soft look-up: the other keys get their shares too."""
    return torch.nn.functional.one_hot(scores.argmax(-1), scores.size(-1)).to(scores.dtype)


def _independent_shares(scores: Tensor) -> Tensor:
    """You gave each key a share for itself, between 0 and 1, without looking at the others. The keys of a query
    share a total of 1.
    """
    return torch.sigmoid(scores)


ATTENTION_WEIGHTS = Exercise(
    name="attention_weights",
    notebook=1,
    reference=attention_weights,
    returns=("weights (T, S)",),
    minutes=5,
    difficulty=1,
    cases=(
        case(torch.tensor([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]])),
        case(numbers(2, 3)),
        case(numbers(4, 2, seed=1), having="more queries than keys"),
        case(numbers(3, 3, seed=2), having="as many keys as queries"),
        case(numbers(1, 4, seed=3), having="a single query"),
        case(numbers(4, 1, seed=4), having="a single key"),
        case(numbers(3, 2, seed=6).T, having="a tensor that is a view of another"),
        case(torch.tensor([[1000.0, 0.0, -1000.0], [2000.0, 2000.0, 1999.0]]), having="huge scores"),
        case(numbers(2, 3, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _over_queries,
        _over_everything,
        _divided_by_their_sum,
        _only_positive,
        _overflowing,
        _winner_takes_all,
        _independent_shares,
    ),
    hints=paragraphs("""
        Look at one row alone: it is one query, and its numbers should become shares of 1.

        You have written a function that makes shares of 1 along one axis. Which axis are the keys?

        Softmax along the last axis of the scores: rows are queries, so along a row you meet the keys.
    """),
)


def _weights_turned(weights: Tensor, value: Tensor) -> Tensor:
    """You turned the weights, so that each output mixes by a column: the shares of one key among the queries. An
    output belongs to a query, and its shares are a row.
    """
    return weights.T @ value


def _heaviest_value(weights: Tensor, value: Tensor) -> Tensor:
    """You took only the value with the largest weight. All values go in, each with its share."""
    return value[weights.argmax(-1)]


def _equal_weights(weights: Tensor, value: Tensor) -> Tensor:
    """You averaged the values and left the weights out: now every query gets the same."""
    return value.mean(0).expand(weights.size(0), -1)


def _averaged(weights: Tensor, value: Tensor) -> Tensor:
    """You divided by the number of keys as well. The weights add up to 1 already, so the weighted sum is the
    average.
    """
    return weights @ value / weights.size(-1)


def _summed_over_queries(weights: Tensor, value: Tensor) -> Tensor:
    """You summed over the queries, so that you have one row for each key. Sum over the keys: one row for each
    query.
    """
    return (weights.unsqueeze(-1) * value).sum(0)


def _softmax_again(weights: Tensor, value: Tensor) -> Tensor:
    """You took the softmax of what are weights already: that flattens them. They sum to 1 as they come."""
    return torch.softmax(weights, -1) @ value


_SHARES = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])

MIX_VALUES = Exercise(
    name="mix_values",
    notebook=1,
    reference=mix_values,
    returns=("output (T, d_v)",),
    minutes=5,
    difficulty=1,
    cases=(
        case(_SHARES, torch.tensor([[4.0, 0.0], [0.0, 8.0], [2.0, 2.0]])),
        case(_SHARES.flip(0), numbers(3, 2)),
        case(torch.softmax(numbers(2, 3), -1), numbers(3, 4, seed=1), having="sizes that all differ"),
        case(torch.softmax(numbers(3, 3), -1), numbers(3, 3, seed=1), having="sizes that are all the same"),
        case(torch.softmax(numbers(3, 3, seed=1), -1), numbers(3, 2, seed=2), having="as many keys as queries"),
        case(torch.ones(2, 1), numbers(1, 3), having="a single key"),
        case(torch.softmax(numbers(1, 5), -1), numbers(5, 1, seed=1), having="a single query"),
        case(torch.softmax(numbers(3, 2).T, -1), numbers(2, 3, seed=1).T, having="tensors that are views of others"),
        case(_SHARES.double(), numbers(3, 2, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _weights_turned,
        _heaviest_value,
        _equal_weights,
        _averaged,
        _summed_over_queries,
        _softmax_again,
    ),
    hints=paragraphs("""
        For one query: each value times its weight, then all summed. What comes out is as wide as a value.

        Which axis disappears in the sum? The keys: (T, S) and (S, d_v) become (T, d_v).

        A matrix product sums over the inner axis. Check the two shapes: the inner axis of both is S, the keys.
    """),
)


# Scaled, with a mask: the function that every Transformer in this course runs on.


def _masked(scores: Tensor, mask: Mask) -> Tensor:
    return scores if mask is None else scores.masked_fill(~mask, -math.inf)


def _attend(scores: Tensor, value: Tensor, mask: Mask) -> Pair:
    weights = torch.softmax(_masked(scores, mask), -1)
    return weights @ value, weights


def _not_scaled(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """The scale is missing: the scores are divided by √d_k before the softmax, or they grow with the width of the
    vectors and the softmax hardens.
    """
    return _attend(query @ key.mT, value, mask)


def _divided_by_d_k(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You divided by d_k, not by its square root: the wider the vectors, the closer your weights come to uniform.

    Seen in https://github.com/thegregyang/NTK4A/issues/3.
    """
    return _attend(query @ key.mT / query.size(-1), value, mask)


def _scaled_by_the_keys(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You scaled by √S, the number of keys. It is √d_k, how many numbers a dot product sums: the last axis."""
    return _attend(query @ key.mT / math.sqrt(key.size(-2)), value, mask)


def _multiplied_by_root(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You multiplied by √d_k. The scores are divided by it."""
    return _attend(query @ key.mT * math.sqrt(key.size(-1)), value, mask)


def _scaled_after_softmax(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You divided by √d_k after the softmax, so that your rows no longer sum to 1. The scale belongs inside: it is
    the scores that are divided.
    """
    output, weights = _not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights / math.sqrt(query.size(-1))


def _output_scaled(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You divided the output by √d_k, which only makes it shorter. The scale belongs inside the softmax: it is the
    scores that are divided.
    """
    output, weights = _not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights


def _softmax_over_queries(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all
    keys add up to 1.

    Seen in https://github.com/stevezheng23/reading_comprehension_tf/issues/30.
    """
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = torch.softmax(_masked(scores, mask), -2)
    return weights @ value, weights


def _no_maximum(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """Right for small numbers, but `exp` of a huge score overflows, and gives NaN. Use your softmax from notebook
    00, which subtracts each row's maximum.
    """
    scores = query @ key.mT / math.sqrt(query.size(-1))
    exponentials = _masked(scores, mask).exp()
    weights = exponentials / exponentials.sum(-1, keepdim=True)
    return weights @ value, weights


def _mask_upside_down(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """Your mask is upside down: `True` means "may attend", so the scores to hide are where it is `False`.

    Seen in https://github.com/hkproj/pytorch-transformer/issues/19.
    """
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return _attend(scores, value, None if mask is None else ~mask)


def _mask_after_softmax(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You masked the weights after the softmax, so that those which are left no longer sum to 1. Hide the scores
    instead, before the softmax: a score of minus infinity gets no weight.

    Seen in https://github.com/lucidrains/memory-compressed-attention/issues/2.
    """
    _, weights = scaled_dot_product_attention(query, key, value)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


def _mask_forgotten(query: Tensor, key: Tensor, value: Tensor, _mask: Mask = None) -> Pair:
    """Right without a mask, but you leave the mask out: where it is `False`, the weight is 0."""
    return scaled_dot_product_attention(query, key, value)


def _hidden_scores_are_zero(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You set hidden scores to 0 or nearly so, which is an ordinary score: they still get weight. What must a score
    be, so that `exp` of it is 0?

    Seen in https://github.com/awslabs/gluonts/issues/1401.
    """
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return _attend(scores if mask is None else scores.masked_fill(~mask, 1e-9), value, None)


def _scores_for_weights(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """The output is right, but the second thing you return is the scores: return the weights."""
    output, _ = scaled_dot_product_attention(query, key, value, mask)
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return output, _masked(scores, mask)


def _other_order(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> Pair:
    """You return weights, output. The order is output, weights."""
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    return weights, output


_ALLOWED = torch.tensor([[True, True, False], [False, True, True]])
_PADDING = (torch.arange(5) < torch.tensor([[3], [5]]))[:, None, None]  # (B, 1, 1, S)


def _query_key_value(*before: int, T: int, S: int, d_k: int, d_v: int, seed: int = 0) -> tuple[Tensor, ...]:
    shapes = ((*before, T, d_k), (*before, S, d_k), (*before, S, d_v))
    return tuple(numbers(*shape, seed=seed + i) for i, shape in enumerate(shapes))


def _attention_cases() -> tuple[Case, ...]:
    plain = _query_key_value(T=2, S=3, d_k=4, d_v=2)
    square = _query_key_value(T=3, S=3, d_k=3, d_v=3, seed=4)
    heads = _query_key_value(2, 3, T=4, S=5, d_k=2, d_v=6, seed=5)
    narrow = _query_key_value(T=3, S=3, d_k=1, d_v=2, seed=6)
    narrow_heads = _query_key_value(2, 3, T=4, S=5, d_k=1, d_v=2, seed=8)
    return (
        case(torch.eye(2, 4), torch.eye(3, 4) * 2, torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 4.0]])),
        case(*plain),
        case(*square, having="sizes that are all the same"),
        case(*_query_key_value(T=2, S=4, d_k=1, d_v=3), having="one feature"),
        case(*_query_key_value(T=1, S=1, d_k=3, d_v=2), having="one query and one key"),
        case(*(tensor.unsqueeze(0) for tensor in plain), having="a batch, a batch of 1"),
        case(*heads, having="a batch, a batch with heads"),
        case(plain[0] * 1000, *plain[1:], having="huge numbers"),
        case(*plain, _ALLOWED, having="a mask"),
        case(*square, torch.eye(3).bool(), having="a mask, a mask that leaves one key"),
        case(*heads, torch.ones(2, 1, 4, 5).tril().bool(), having="a mask, a batch, a mask that heads share"),
        case(*heads, _PADDING, having="a mask, a batch, a mask for padding"),
        # The scale is 1 here, so that mistakes with the mask show alone.
        case(*_query_key_value(T=2, S=3, d_k=1, d_v=2, seed=7), _ALLOWED, having="a mask, one feature"),
        case(*narrow, torch.eye(3).bool(), having="a mask, one feature, a mask that leaves one key"),
        case(*narrow_heads, torch.ones(2, 1, 4, 5).tril().bool(), having="a mask, a batch, one feature"),
        case(*narrow_heads, _PADDING, having="a mask, a batch, one feature"),
        case(*(tensor.mT.contiguous().mT for tensor in plain), having="tensors that are views of others"),
        case(*(tensor.double() for tensor in plain), having="float64 numbers"),
        case(*(tensor.double() for tensor in plain), _ALLOWED, having="a mask, float64 numbers"),
    )


SCALED_DOT_PRODUCT_ATTENTION = Exercise(
    name="scaled_dot_product_attention",
    notebook=1,
    reference=scaled_dot_product_attention,
    trained=True,
    on_map="encoder_attention",
    returns=("output (..., T, d_v)", "weights (..., T, S)"),
    minutes=15,
    difficulty=2,
    cases=_attention_cases(),
    mistakes=mistakes(
        _not_scaled,
        _divided_by_d_k,
        _scaled_by_the_keys,
        _multiplied_by_root,
        _scaled_after_softmax,
        _output_scaled,
        _softmax_over_queries,
        _no_maximum,
        _mask_upside_down,
        _mask_after_softmax,
        _mask_forgotten,
        _hidden_scores_are_zero,
        _scores_for_weights,
        _other_order,
    ),
    hints=paragraphs("""
        You have all the pieces: scores of every query against every key, divided by √d_k, weights, and a
        mixture.

        To work for batches and heads too, turn only the last two axes of the keys: `key.transpose(-2, -1)`. d_k
        is `query.size(-1)`.

        For the mask, before the softmax: `scores.masked_fill(..., -math.inf)` fills where its first argument is
        `True`, and you want to fill where the mask is `False`: `~mask`.
    """),
)


# Additive attention, as it was in 2014.


def _no_bend(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """The tanh is missing. Without a bend between the two matrices and `v_a`, the query's part is the same for
    every key, and the softmax cancels it: all queries get the same weights.

    Seen in https://github.com/AuCson/PyTorch-Batch-Attention-Seq2seq/issues/3.
    """
    return _attend(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


def _bend_outside(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """Your tanh comes after `v_a`: it bends the finished score, and holds it between -1 and 1. It belongs inside,
    around the sum, before `v_a`.
    """
    return _attend(torch.tanh(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a), value, mask)


def _bent_apart(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """All queries get the same weights. Either the queries are left out of your scores, or each part has a tanh of
    its own: then a query's part is the same for every key, and the softmax cancels it. One tanh, around the sum.
    """
    return _attend((torch.tanh(query @ W_a.T).unsqueeze(-2) + torch.tanh(key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


def _product(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """You multiplied the query's and the key's part. This attention is called additive: they are summed."""
    return _attend(torch.tanh((query @ W_a.T).unsqueeze(-2) * (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


def _keys_unseen(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, _U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """Your scores come from the queries alone, so that all keys weigh the same. Where do the keys enter?

    Seen in https://github.com/pytorch/tutorials/issues/87.
    """
    scores = (torch.tanh(query @ W_a.T) @ v_a).unsqueeze(-1).expand(*query.shape[:-1], key.size(-2))
    return _attend(scores, value, mask)


def _matrices_swapped(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """Your matrices are swapped: `W_a` is for the queries, `U_a` for the keys."""
    return _attend(torch.tanh((query @ U_a.T).unsqueeze(-2) + (key @ W_a.T).unsqueeze(-3)) @ v_a, value, mask)


def _matrices_turned(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """You multiplied by the matrices as they are: `W_a` is (d_a, d_query), and a row of queries (T, d_query) needs
    it turned.
    """
    return _attend(torch.tanh((query @ W_a).unsqueeze(-2) + (key @ U_a).unsqueeze(-3)) @ v_a, value, mask)


def _additive_over_queries(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all
    keys add up to 1.

    Seen in https://github.com/stevezheng23/reading_comprehension_tf/issues/30.
    """
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    weights = torch.softmax(_masked(scores, mask), -2)
    return weights @ value, weights


def _additive_raw(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """You mixed the values with the raw scores: the softmax over the keys is missing."""
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    return _masked(scores, mask) @ value, _masked(scores, mask)


def _new_axes_in_front(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """Right for one sentence. With a batch, axes that are counted from the front, as in `[:, None]`, land among the
    sentences: count from the back, where the tokens are.
    """
    return _attend(torch.tanh((query @ W_a.T)[:, None] + (key @ U_a.T)[None]) @ v_a, value, mask)


def _additive_mask_forgotten(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, _mask: Mask = None
) -> Pair:
    """Right without a mask, but you leave the mask out: where it is `False`, the weight is 0."""
    return additive_attention(query, key, value, W_a, U_a, v_a)


def _additive_mask_upside_down(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """Your mask is upside down: `True` means "may attend", so the scores to hide are where it is `False`.

    Seen in https://github.com/hkproj/pytorch-transformer/issues/19.
    """
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    return _attend(scores, value, None if mask is None else ~mask)


def _additive_mask_after_softmax(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Mask = None
) -> Pair:
    """You masked the weights after the softmax, so that those which are left no longer sum to 1. Hide the scores
    instead, before the softmax.

    Seen in https://github.com/lucidrains/memory-compressed-attention/issues/2.
    """
    _, weights = additive_attention(query, key, value, W_a, U_a, v_a)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


def _network(T: int, S: int, d_query: int, d_key: int, d_a: int, d_v: int, seed: int = 0) -> tuple[Tensor, ...]:
    shapes = ((T, d_query), (S, d_key), (S, d_v), (d_a, d_query), (d_a, d_key), (d_a,))
    return tuple(numbers(*shape, seed=seed + i) for i, shape in enumerate(shapes))


_SOME_PADDING = (torch.arange(5) < torch.tensor([[3], [4]]))[:, None]  # (B, 1, S)


def _batch(B: int, T: int, S: int, seed: int = 0) -> tuple[Tensor, ...]:
    words = (numbers(B, length, 3, seed=seed + i) for i, length in enumerate((T, S, S)))
    return *words, *_network(T, S, d_query=3, d_key=3, d_a=4, d_v=3, seed=seed)[3:]


ADDITIVE_ATTENTION = Exercise(
    name="additive_attention",
    notebook=1,
    reference=additive_attention,
    returns=("output (..., T, d_v)", "weights (..., T, S)"),
    minutes=20,
    difficulty=3,
    cases=(
        case(*_network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1)),
        case(*_network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1, seed=6)),
        case(*_network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1), having="sizes that all differ"),
        case(*_network(T=3, S=3, d_query=3, d_key=3, d_a=3, d_v=3), having="sizes that are all the same"),
        case(*_network(T=1, S=4, d_query=2, d_key=3, d_a=5, d_v=2), having="a single query"),
        case(*_network(T=3, S=1, d_query=2, d_key=3, d_a=5, d_v=2), having="a single key"),
        case(*_network(T=3, S=4, d_query=2, d_key=3, d_a=1, d_v=2), having="a network of width 1"),
        case(*_network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1), _ALLOWED, having="a mask"),
        case(*_batch(2, T=4, S=5), having="a batch"),
        case(*_batch(2, T=3, S=3), having="a batch, as many keys as queries"),
        case(*_batch(3, T=3, S=3), having="a batch, sizes that are all the same"),
        case(*_batch(2, T=4, S=5), _SOME_PADDING, having="a batch, a mask, a mask for padding"),
        case(*(tensor.double() for tensor in _network(T=2, S=3, d_query=2, d_key=2, d_a=4, d_v=2)), having="float64"),
    ),
    mistakes=mistakes(
        _no_bend,
        _bend_outside,
        _bent_apart,
        _product,
        _keys_unseen,
        _matrices_swapped,
        _matrices_turned,
        _additive_over_queries,
        _additive_raw,
        _new_axes_in_front,
        _additive_mask_forgotten,
        _additive_mask_upside_down,
        _additive_mask_after_softmax,
    ),
    hints=paragraphs("""
        Begin with one query and one key, both vectors: two matrix products, a sum, a tanh, and a dot product
        with `v_a`.

        All pairs at once need an axis for the queries and one for the keys: (..., T, 1, d_a) plus
        (..., 1, S, d_a) is (..., T, S, d_a).

        `(query @ W_a.T).unsqueeze(-2)` is (..., T, 1, d_a), and the keys' part gets its new axis one place
        further to the front. Sum, tanh, then `@ v_a` leaves (..., T, S). The mask and the rest you have written
        before.
    """),
)


# How spread out the weights are.


def _zero_times_infinity(weights: Tensor) -> Tensor:
    """Right for positive weights, but a weight of 0 gives 0 times the logarithm of 0, which is NaN. A key without
    weight adds nothing: `torch.xlogy` knows that, or keep the logarithm away from 0.
    """
    return -(weights * weights.log()).sum(-1)


def _sign_forgotten(weights: Tensor) -> Tensor:
    """The sign is the other way round: logarithms of shares are negative, an entropy is not."""
    return torch.xlogy(weights, weights).sum(-1)


def _in_bits(weights: Tensor) -> Tensor:
    """You measured in bits, with log2. Here it is nats: the natural logarithm, `log`."""
    return -torch.xlogy(weights, weights).sum(-1) / math.log(2)


def _normalised(weights: Tensor) -> Tensor:
    """You divided by log(S), so that equal weights give 1. Here it is the entropy itself, from 0 to log(S)."""
    return -torch.xlogy(weights, weights).sum(-1) / math.log(max(weights.size(-1), 2))


def _entropy_over_queries(weights: Tensor) -> Tensor:
    """You summed over the queries, so that you have a number for each key. Each query has its own entropy."""
    return -torch.xlogy(weights, weights).sum(0)


def _mean_over_keys(weights: Tensor) -> Tensor:
    """You took the mean over the keys: the entropy is the sum."""
    return -torch.xlogy(weights, weights).mean(-1)


def _total(weights: Tensor) -> Tensor:
    """You summed over everything, queries too. Each query has its own entropy."""
    return -torch.xlogy(weights, weights).sum()


def _not_weighted(weights: Tensor) -> Tensor:
    """You summed the logarithms alone. Each is weighted: -log of a weight is how surprising that key is, and the
    weight says how often it comes.
    """
    return -torch.where(weights > 0, weights, 1.0).log().sum(-1)


ENTROPY_OF_WEIGHTS = Exercise(
    name="entropy_of_weights",
    notebook=1,
    reference=entropy_of_weights,
    returns=("the entropy (T,)",),
    minutes=10,
    difficulty=2,
    cases=(
        case(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])),
        case(torch.tensor([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])),
        case(torch.softmax(numbers(2, 4), -1), having="more keys than queries"),
        case(torch.softmax(numbers(4, 3), -1), having="more queries than keys"),
        case(torch.softmax(numbers(3, 3), -1), having="as many keys as queries"),
        case(torch.softmax(numbers(1, 5), -1), having="a single query"),
        case(torch.ones(3, 1), having="a single key"),
        case(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), having="weights of exactly 0"),
        case(torch.softmax(numbers(2, 3, dtype=torch.float64), -1), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _zero_times_infinity,
        _sign_forgotten,
        _in_bits,
        _normalised,
        _entropy_over_queries,
        _mean_over_keys,
        _total,
        _not_weighted,
    ),
    hints=paragraphs("""
        The entropy of shares w is minus the sum of w times log w. Which axis does the sum run along?

        `weights.log()` is minus infinity where a weight is 0, and 0 times that is NaN. What should such a key
        add?

        `torch.xlogy(a, b)` is a times log b, and 0 where a is 0. Minus its sum along the last axis is a number
        for each query.
    """),
)

EXERCISES = (
    ATTEND_ONE_QUERY,
    DOT_PRODUCT_SCORES,
    ATTENTION_WEIGHTS,
    MIX_VALUES,
    SCALED_DOT_PRODUCT_ATTENTION,
    ADDITIVE_ATTENTION,
    ENTROPY_OF_WEIGHTS,
)
