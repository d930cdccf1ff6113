"""The exercise `additive_attention` of notebook 01."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l01_attention.inputs import ALLOWED, attend, masked
from course_lib.transformer import attention


def network(T: int, S: int, d_query: int, d_key: int, d_a: int, d_v: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Query (T, d_query), key (S, d_key), value (S, d_v), and the network W_a, U_a, v_a."""
    shapes = ((T, d_query), (S, d_key), (S, d_v), (d_a, d_query), (d_a, d_key), (d_a,))
    return tuple(fixed_tensor(*shape, seed=seed + i) for i, shape in enumerate(shapes))


SOME_PADDING = (torch.arange(5) < torch.tensor([[3], [4]]))[:, None]  # (B, 1, S)


def batch(B: int, T: int, S: int, seed: int = 0) -> tuple[Tensor, ...]:
    """The same arguments, with a batch axis in front of query, key and value."""
    words = (fixed_tensor(B, length, 3, seed=seed + i) for i, length in enumerate((T, S, S)))
    return *words, *network(T, S, d_query=3, d_key=3, d_a=4, d_v=3, seed=seed)[3:]


additive_attention = Exercise(
    reference=attention.additive_attention,
    notebook=1,
    order=70,
    minutes=20,
    difficulty=3,
    returns=(
        Result("output", "..., T, d_v"),
        Result("weights", "..., T, S"),
    ),
    example=case(*network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1)),
    another=case(*network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1, seed=6)),
    cases=(
        case(*network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1), having=("sizes that all differ",)),
        case(*network(T=3, S=3, d_query=3, d_key=3, d_a=3, d_v=3), having=("sizes that are all the same",)),
        case(*network(T=1, S=4, d_query=2, d_key=3, d_a=5, d_v=2), having=("a single query",)),
        case(*network(T=3, S=1, d_query=2, d_key=3, d_a=5, d_v=2), having=("a single key",)),
        case(*network(T=3, S=4, d_query=2, d_key=3, d_a=1, d_v=2), having=("a network of width 1",)),
        case(*network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1), mask=ALLOWED, having=("a mask",)),
        case(*batch(2, T=4, S=5), having=("a batch",)),
        case(*batch(2, T=3, S=3), having=("a batch", "as many keys as queries")),
        case(*batch(3, T=3, S=3), having=("a batch", "sizes that are all the same")),
        case(*batch(2, T=4, S=5), mask=SOME_PADDING, having=("a batch", "a mask", "a mask for padding")),
        case(*(tensor.double() for tensor in network(T=2, S=3, d_query=2, d_key=2, d_a=4, d_v=2)), having=("float64",)),
    ),
    hints=(
        (
            "Begin with one query and one key, both vectors: two matrix products, a sum, a tanh, and a dot product "
            "with `v_a`."
        ),
        (
            "All pairs at once need an axis for the queries and one for the keys: (..., T, 1, d_a) plus (..., 1, S, "
            "d_a) is (..., T, S, d_a)."
        ),
        (
            "`(query @ W_a.T).unsqueeze(-2)` is (..., T, 1, d_a), and the keys' part gets its new axis one position "
            "further to the front. Sum, tanh, then `@ v_a` leaves (..., T, S). The mask and the rest you have written "
            "before."
        ),
    ),
)


@additive_attention.mistake(
    "The tanh is missing. Without a bend between the two matrices and `v_a`, the query's part is the same for every "
    "key, and the softmax cancels it: all queries get the same weights.",
    seen="https://github.com/AuCson/PyTorch-Batch-Attention-Seq2seq/issues/3",
)
def no_activation(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your tanh comes after `v_a`: it bends the finished score, and holds it between -1 and 1. It belongs inside, "
    "around the sum, before `v_a`."
)
def activation_outside(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a), value, mask)


@additive_attention.mistake(
    "All queries get the same weights. Either the queries are left out of your scores, or each part has a tanh of its "
    "own: then a query's part is the same for every key, and the softmax cancels it. One tanh, around the sum."
)
def activation_of_each_alone(query, key, value, W_a, U_a, v_a, mask=None):
    return attend((torch.tanh(query @ W_a.T).unsqueeze(-2) + torch.tanh(key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "You multiplied the query's and the key's part. This attention is called additive: they are summed."
)
def product(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T).unsqueeze(-2) * (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your scores come from the queries alone, so that all keys weigh the same. Where do the keys enter?",
    seen="https://github.com/pytorch/tutorials/issues/87",
)
def keys_unseen(query, key, value, W_a, U_a, v_a, mask=None):
    scores = (torch.tanh(query @ W_a.T) @ v_a).unsqueeze(-1).expand(*query.shape[:-1], key.size(-2))
    return attend(scores, value, mask)


@additive_attention.mistake("Your matrices are swapped: `W_a` is for the queries, `U_a` for the keys.")
def matrices_swapped(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ U_a.T).unsqueeze(-2) + (key @ W_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "You multiplied by the matrices as they are: `W_a` is (d_a, d_query), and a row of queries (T, d_query) needs it "
    "turned."
)
def matrices_transposed(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a).unsqueeze(-2) + (key @ U_a).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all keys "
    "add up to 1.",
    seen="https://github.com/stevezheng23/reading_comprehension_tf/issues/30",
)
def additive_over_queries(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    weights = torch.softmax(masked(scores, mask), -2)
    return weights @ value, weights


@additive_attention.mistake("You mixed the values with the raw scores: the softmax over the keys is missing.")
def additive_raw_scores(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    return masked(scores, mask) @ value, masked(scores, mask)


@additive_attention.mistake(
    "Right for one sentence. With a batch, axes that are counted from the front, as in `[:, None]`, land among the "
    "sentences: count from the back, where the tokens are."
)
def new_axes_in_front(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T)[:, None] + (key @ U_a.T)[None]) @ v_a, value, mask)


@additive_attention.mistake("Right without a mask, but you leave the mask out: where it is `False`, the weight is 0.")
def additive_mask_forgotten(query, key, value, W_a, U_a, v_a, mask=None):
    return attention.additive_attention(query, key, value, W_a, U_a, v_a)


@additive_attention.mistake(
    'Your mask is upside down: `True` means "may attend", so the scores to hide are where it is `False`.',
    seen="https://github.com/hkproj/pytorch-transformer/issues/19",
)
def additive_mask_upside_down(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a
    return attend(scores, value, None if mask is None else ~mask)


@additive_attention.mistake(
    "You masked the weights after the softmax, so that those which are left no longer sum to 1. Hide the scores "
    "instead, before the softmax.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def additive_mask_after_softmax(query, key, value, W_a, U_a, v_a, mask=None):
    _, weights = attention.additive_attention(query, key, value, W_a, U_a, v_a)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@additive_attention.right_for_whole_course
def by_linear_maps(query, key, value, W_a, U_a, v_a, mask=None):
    asked, offered = F.linear(query, W_a), F.linear(key, U_a)
    scores = torch.tanh(asked[..., :, None, :] + offered[..., None, :, :]).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@additive_attention.right
def additive_in_loops(query, key, value, W, U, v, mask=None):
    if query.dim() > 2:
        masks = [None] * len(query) if mask is None else mask
        outputs = [additive_in_loops(*one, W, U, v, may) for *one, may in zip(query, key, value, masks, strict=True)]
        return [torch.stack(parts) for parts in zip(*outputs, strict=True)]
    scores = torch.stack([torch.stack([v @ torch.tanh(W @ s + U @ h) for h in key]) for s in query])
    if mask is not None:
        scores[~mask.expand_as(scores)] = -math.inf
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@additive_attention.right
def additive_by_one_matrix(query, key, value, W_a, U_a, v_a, mask=None):
    pairs = *query.shape[:-1], key.size(-2), -1
    pairs = torch.cat([query.unsqueeze(-2).expand(pairs), key.unsqueeze(-3).expand(pairs)], dim=-1)
    scores = torch.tanh(pairs @ torch.cat([W_a, U_a], dim=1).T).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, -1)
    return torch.einsum("...ts,...sd->...td", weights, value), weights
