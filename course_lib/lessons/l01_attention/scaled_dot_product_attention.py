"""The exercise `scaled_dot_product_attention` of notebook 01."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l01_attention.inputs import ALLOWED, attend, masked
from course_lib.transformer import attention

PADDING = (torch.arange(5) < torch.tensor([[3], [5]]))[:, None, None]  # (B, 1, 1, S)


def query_key_value(*before: int, T: int, S: int, d_k: int, d_v: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Query (*before, T, d_k), key (*before, S, d_k) and value (*before, S, d_v)."""
    shapes = ((*before, T, d_k), (*before, S, d_k), (*before, S, d_v))
    return tuple(fixed_tensor(*shape, seed=seed + i) for i, shape in enumerate(shapes))


PLAIN = query_key_value(T=2, S=3, d_k=4, d_v=2)
SQUARE = query_key_value(T=3, S=3, d_k=3, d_v=3, seed=4)
HEADS = query_key_value(2, 3, T=4, S=5, d_k=2, d_v=6, seed=5)
NARROW = query_key_value(T=3, S=3, d_k=1, d_v=2, seed=6)
NARROW_HEADS = query_key_value(2, 3, T=4, S=5, d_k=1, d_v=2, seed=8)

scaled_dot_product_attention = Exercise(
    reference=attention.scaled_dot_product_attention,
    notebook=1,
    order=60,
    minutes=15,
    difficulty=2,
    on_map="encoder_attention",
    trained=True,
    returns=(
        Result("output", "..., T, d_v"),
        Result("weights", "..., T, S"),
    ),
    example=case(torch.eye(2, 4), torch.eye(3, 4) * 2, torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 4.0]])),
    another=case(*PLAIN),
    cases=(
        case(*SQUARE, having=("sizes that are all the same",)),
        case(*query_key_value(T=2, S=4, d_k=1, d_v=3), having=("one feature",)),
        case(*query_key_value(T=1, S=1, d_k=3, d_v=2), having=("one query and one key",)),
        case(*(tensor.unsqueeze(0) for tensor in PLAIN), having=("a batch", "a batch of 1")),
        case(*HEADS, having=("a batch", "a batch with heads")),
        case(PLAIN[0] * 1000, *PLAIN[1:], having=("huge numbers",)),
        case(*PLAIN, mask=ALLOWED, having=("a mask",)),
        case(*SQUARE, mask=torch.eye(3).bool(), having=("a mask", "a mask that leaves one key")),
        case(
            *HEADS, mask=torch.ones(2, 1, 4, 5).tril().bool(), having=("a mask", "a batch", "a mask that heads share")
        ),
        case(*HEADS, mask=PADDING, having=("a mask", "a batch", "a mask for padding")),
        case(*query_key_value(T=2, S=3, d_k=1, d_v=2, seed=7), mask=ALLOWED, having=("a mask", "one feature")),
        case(*NARROW, mask=torch.eye(3).bool(), having=("a mask", "one feature", "a mask that leaves one key")),
        case(*NARROW_HEADS, mask=torch.ones(2, 1, 4, 5).tril().bool(), having=("a mask", "a batch", "one feature")),
        case(*NARROW_HEADS, mask=PADDING, having=("a mask", "a batch", "one feature")),
        case(*(tensor.mT.contiguous().mT for tensor in PLAIN), having=("tensors that are views of others",)),
        case(*(tensor.double() for tensor in PLAIN), having=("float64 numbers",)),
        case(*(tensor.double() for tensor in PLAIN), mask=ALLOWED, having=("a mask", "float64 numbers")),
    ),
    hints=(
        "You have all the pieces: scores of every query against every key, divided by √d_k, weights, and a mixture.",
        (
            "To work for batches and heads too, turn only the last two axes of the keys: `key.transpose(-2, -1)`. d_k "
            "is `query.size(-1)`."
        ),
        (
            "For the mask, before the softmax: `scores.masked_fill(..., -math.inf)` fills where its first argument is "
            "`True`, and you want to fill where the mask is `False`: `~mask`."
        ),
    ),
)


@scaled_dot_product_attention.mistake(
    "The scale is missing: the scores are divided by √d_k before the softmax, or they grow with the width of the "
    "vectors and the softmax hardens."
)
def not_scaled(query, key, value, mask=None):
    return attend(query @ key.mT, value, mask)


@scaled_dot_product_attention.mistake(
    "You divided by d_k, not by its square root: the wider the vectors, the closer your weights come to uniform.",
    seen="https://github.com/thegregyang/NTK4A/issues/3",
)
def divided_by_d_k(query, key, value, mask=None):
    return attend(query @ key.mT / query.size(-1), value, mask)


@scaled_dot_product_attention.mistake(
    "You scaled by √S, the number of keys. It is √d_k, how many numbers a dot product sums: the last axis."
)
def scaled_by_the_keys(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(key.size(-2)), value, mask)


@scaled_dot_product_attention.mistake("You multiplied by √d_k. The scores are divided by it.")
def multiplied_by_root(query, key, value, mask=None):
    return attend(query @ key.mT * math.sqrt(key.size(-1)), value, mask)


@scaled_dot_product_attention.mistake(
    "You divided by √d_k after the softmax, so that your rows no longer sum to 1. The scale belongs inside: it is the "
    "scores that are divided."
)
def scaled_after_softmax(query, key, value, mask=None):
    output, weights = not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights / math.sqrt(query.size(-1))


@scaled_dot_product_attention.mistake(
    "You divided the output by √d_k, which only makes it shorter. The scale belongs inside the softmax: it is the "
    "scores that are divided."
)
def output_scaled(query, key, value, mask=None):
    output, weights = not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights


@scaled_dot_product_attention.mistake(
    "You normalised over the queries: your columns sum to 1, your rows don't. For one query, the shares of all keys "
    "add up to 1.",
    seen="https://github.com/stevezheng23/reading_comprehension_tf/issues/30",
)
def softmax_over_queries(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = torch.softmax(masked(scores, mask), -2)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Right for small numbers, but `exp` of a huge score overflows, and gives NaN. Use your softmax from notebook 00, "
    "which subtracts each row's maximum."
)
def no_maximum(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    exponentials = masked(scores, mask).exp()
    weights = exponentials / exponentials.sum(-1, keepdim=True)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    'Your mask is upside down: `True` means "may attend", so the scores to hide are where it is `False`.',
    seen="https://github.com/hkproj/pytorch-transformer/issues/19",
)
def mask_upside_down(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores, value, None if mask is None else ~mask)


@scaled_dot_product_attention.mistake(
    "You masked the weights after the softmax, so that those which are left no longer sum to 1. Hide the scores "
    "instead, before the softmax: a score of minus infinity gets no weight.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def mask_after_softmax(query, key, value, mask=None):
    _, weights = attention.scaled_dot_product_attention(query, key, value)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Right without a mask, but you leave the mask out: where it is `False`, the weight is 0."
)
def mask_forgotten(query, key, value, mask=None):
    return attention.scaled_dot_product_attention(query, key, value)


@scaled_dot_product_attention.mistake(
    "You set hidden scores to 0 or nearly so, which is an ordinary score: they still get weight. What must a score be, "
    "so that `exp` of it is 0?",
    seen="https://github.com/awslabs/gluonts/issues/1401",
)
def hidden_scores_are_zero(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, 1e-9), value, None)


@scaled_dot_product_attention.mistake(
    "The output is right, but the second thing you return is the scores: return the weights."
)
def scores_for_weights(query, key, value, mask=None):
    output, _ = attention.scaled_dot_product_attention(query, key, value, mask)
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return output, masked(scores, mask)


@scaled_dot_product_attention.mistake("You return weights, output. The order is output, weights.")
def other_order(query, key, value, mask=None):
    output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    return weights, output


@scaled_dot_product_attention.right_for_whole_course
def by_einsum(q, k, v, allowed=None):
    a = torch.einsum("...td,...sd->...ts", q * q.shape[-1] ** -0.5, k)
    if allowed is not None:
        a = torch.where(allowed, a, torch.tensor(float("-inf"), dtype=a.dtype))
    a = a.softmax(-1)
    return torch.einsum("...ts,...sv->...tv", a, v), a


@scaled_dot_product_attention.right
def attention_with_scaled_queries(query, key, value, mask=None):
    scores = torch.matmul(query / math.sqrt(query.size(-1)), key.transpose(-1, -2))
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, dim=-1)
    return [weights @ value, weights]


@scaled_dot_product_attention.right
class AttentionModule(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, Q, K, V, mask=None):
        bias = (
            0.0 if mask is None else torch.zeros(mask.shape, dtype=Q.dtype).masked_fill(mask.logical_not(), -torch.inf)
        )
        A = torch.softmax(Q @ K.mT / K.shape[-1] ** 0.5 + bias, -1)
        return self.dropout(A) @ V, A


@scaled_dot_product_attention.right
def attention_by_torch(query, key, value, mask=None):
    identity = torch.eye(key.size(-2), dtype=key.dtype).expand(*key.shape[:-1], -1)
    weights = F.scaled_dot_product_attention(query, key, identity, attn_mask=mask)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask), weights
