"""The exercise `scaled_dot_product_attention` of notebook 01."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l01_attention.inputs import ALLOWED, about_filled_number, attend, filled_number, masked
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
SAME_SIZES = query_key_value(3, T=3, S=3, d_k=3, d_v=3, seed=9)
LOW_SCORES = torch.tensor([[-100.0], [-101.0]]), torch.tensor([[30.0], [30.1], [30.2]]), fixed_tensor(3, 2)


def all_axes_reversed_of(key: Tensor) -> Tensor:
    """What `key.T` gives, without its warning that it will become an error."""
    return key.permute(*reversed(range(key.dim())))


def explain_filling(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say which number an answer fills into the hidden scores, if it is one that scores may reach; "" otherwise."""
    function = call_directly(answer)
    zeros = torch.zeros(2, 1)
    number = filled_number(function(zeros[:1], zeros, zeros, torch.tensor([[False, True]]))[1])
    if number is None or len(arguments) < 4:
        return ""
    query, key, value, mask = arguments
    scores = query @ key.mT / math.sqrt(query.size(-1))
    explained = attend(scores.masked_fill(~mask, number), value, None)
    are_close = (torch.allclose(x, y, atol=1e-4) for x, y in zip(function(*arguments), explained, strict=True))
    return about_filled_number(number) if all(are_close) else ""


scaled_dot_product_attention = Exercise(
    reference=attention.scaled_dot_product_attention,
    notebook=1,
    order=60,
    minutes=15,
    difficulty=2,
    on_map="encoder_attention",
    trained=True,
    explain=explain_filling,
    later_in_float64="compares it with PyTorch's",
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
        case(*query_key_value(2, T=3, S=4, d_k=5, d_v=2, seed=3), having=("a batch",)),
        case(*SAME_SIZES, having=("a batch", "sizes that are all the same")),
        case(*SAME_SIZES, mask=torch.eye(3).bool(), having=("a batch", "a mask", "sizes that are all the same")),
        case(PLAIN[0] * 1000, *PLAIN[1:], having=("huge numbers",)),
        case(*LOW_SCORES, mask=ALLOWED, having=("a mask", "very negative scores", "one feature")),
        case(*PLAIN, mask=ALLOWED, having=("a mask",)),
        case(
            *SQUARE,
            mask=torch.eye(3).bool(),
            having=("a mask", "a mask that leaves one key", "sizes that are all the same"),
        ),
        case(
            *HEADS,
            mask=torch.ones(2, 1, 4, 5).tril().bool(),
            having=("a mask", "a batch", "a mask that heads share", "a batch with heads"),
        ),
        case(
            *HEADS,
            mask=PADDING,
            having=("a mask", "a batch", "a mask for padding", "a batch with heads", "a mask that heads share"),
        ),
        case(*query_key_value(T=2, S=3, d_k=1, d_v=2, seed=7), mask=ALLOWED, having=("a mask", "one feature")),
        case(*NARROW, mask=torch.eye(3).bool(), having=("a mask", "one feature", "a mask that leaves one key")),
        case(
            *NARROW_HEADS,
            mask=torch.ones(2, 1, 4, 5).tril().bool(),
            having=("a mask", "a batch", "one feature", "a batch with heads", "a mask that heads share"),
        ),
        case(
            *NARROW_HEADS,
            mask=PADDING,
            having=(
                "a mask",
                "a batch",
                "one feature",
                "a batch with heads",
                "a mask that heads share",
                "a mask for padding",
            ),
        ),
        case(*(tensor.mT.contiguous().mT for tensor in PLAIN), having=("tensors that are views of others",)),
        case(*(tensor.double() for tensor in PLAIN), having=("float64 numbers",)),
        case(*(tensor.double() for tensor in PLAIN), mask=ALLOWED, having=("a mask", "float64 numbers")),
    ),
    hints=(
        (
            "You wrote all the pieces in exercises 2 to 4: scores, weights, mixture. New are the scale √d_k, the mask, "
            "and any axes in front, which a batch brings along."
        ),
        (
            "Count axes from the end, and it works for batches too: `key.transpose(-2, -1)` swaps only the last two "
            "axes of the keys, d_k is `query.size(-1)`, and the softmax runs along the last axis. The mask changes the "
            "scores, between the scale and the softmax."
        ),
        (
            "A mask may be missing, so ask `if mask is not None`. Then `scores.masked_fill(…, -math.inf)` fills the "
            "scores where its first argument is `True`, but `mask` is `True` where a query may attend: turn it over "
            "with `~`."
        ),
    ),
)


@scaled_dot_product_attention.mistake(
    "The scale is missing: divide the scores by √d_k before the softmax. Otherwise they grow with the width of the "
    "vectors, and the softmax saturates."
)
def not_scaled(query, key, value, mask=None):
    return attend(query @ key.mT, value, mask)


@scaled_dot_product_attention.mistake(
    "Your function is right for a single table, but in a batch it also moves the first axis of the keys, as `key.T` "
    "does. Swap only the last two: `key.transpose(-2, -1)` or `key.mT`."
)
def all_axes_reversed(query, key, value, mask=None):
    return attend(query @ all_axes_reversed_of(key) / math.sqrt(query.size(-1)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by d_k, not by its square root, so your weights get more and more equal with wider "
    "vectors. Divide the scores by √d_k.",
    seen="https://github.com/thegregyang/NTK4A/issues/3",
)
def divided_by_d_k(query, key, value, mask=None):
    return attend(query @ key.mT / query.size(-1), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by √S, where S is the number of keys. Divide by √d_k, where d_k is the number of products "
    "that a dot product sums: the last axis, `key.size(-1)`."
)
def scaled_by_the_keys(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(key.size(-2)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by S, the number of keys. Divide by √d_k, the square root of the width of a key."
)
def divided_by_the_number_of_keys(query, key, value, mask=None):
    return attend(query @ key.mT / key.size(-2), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by √T, where T is the number of queries. Divide by √d_k, where d_k is the number of "
    "products that a dot product sums: the last axis, `query.size(-1)`."
)
def scaled_by_the_queries(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(query.size(-2)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your code divides by the square root of the first axis of `key`. That axis is the batch or the number of keys: "
    "d_k is the last axis, `key.size(-1)`."
)
def scaled_by_the_first_axis_of_key(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(len(key)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your code divides by the square root of the first axis of `query`. That axis is the batch or the number of "
    "queries: d_k is the last axis, `query.size(-1)`."
)
def scaled_by_the_first_axis_of_query(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(len(query)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your function is right for a single table, but it divides by the square root of axis 1, which in a batch is not "
    "d_k. Count from the end: `query.size(-1)`."
)
def scaled_by_axis_1(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(query.size(1)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by √d_v, where d_v is the width of the values. Divide by √d_k, with the width of queries "
    "and keys: `query.size(-1)`."
)
def scaled_by_the_values(query, key, value, mask=None):
    return attend(query @ key.mT / math.sqrt(value.size(-1)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are always divided by 2, the √d_k of the example. Take d_k from the arguments: `query.size(-1)`."
)
def scale_written_into_the_code(query, key, value, mask=None):
    return attend(query @ key.mT / 2, value, mask)


@scaled_dot_product_attention.mistake("Your scores are multiplied by √d_k. Divide them by it.")
def multiplied_by_root(query, key, value, mask=None):
    return attend(query @ key.mT * math.sqrt(key.size(-1)), value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by d_k and by 2, as in `scores / d_k ** 1 / 2`, where Python computes `**` before `/`. "
    "Write `d_k ** 0.5` or `math.sqrt(d_k)`."
)
def root_without_brackets(query, key, value, mask=None):
    return attend(query @ key.mT / query.size(-1) ** 1 / 2, value, mask)


@scaled_dot_product_attention.mistake(
    "Your scores are divided by half of d_k, as with `scale = d_k ** 1/2`, where Python computes `d_k ** 1` first. "
    "Write `d_k ** 0.5` or `math.sqrt(d_k)`."
)
def half_for_the_root(query, key, value, mask=None):
    return attend(query @ key.mT / (query.size(-1) / 2), value, mask)


@scaled_dot_product_attention.mistake(
    "Your weights are those of unscaled scores, divided by √d_k. Divide the scores, before the softmax."
)
def scaled_after_softmax(query, key, value, mask=None):
    output, weights = not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights / math.sqrt(query.size(-1))


@scaled_dot_product_attention.mistake(
    "Your output is divided by √d_k, which only makes it shorter, and your scores are not. Divide the scores, before "
    "the softmax."
)
def output_scaled(query, key, value, mask=None):
    output, weights = not_scaled(query, key, value, mask)
    return output / math.sqrt(query.size(-1)), weights


@scaled_dot_product_attention.mistake(
    "You normalised over the queries: your columns add up to 1, and your rows do not. Take the softmax along the last "
    "axis, so that each query's weights add up to 1.",
    seen="https://github.com/stevezheng23/reading_comprehension_tf/issues/30",
)
def softmax_over_queries(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = torch.softmax(masked(scores, mask), -2)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Your softmax runs along axis 1, which in a batch is not the axis of the keys. Count from the end: `dim=-1`."
)
def softmax_along_axis_1(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = torch.softmax(masked(scores, mask), 1)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Your softmax runs along the first axis: the queries, or in a batch the examples. Take it along the last axis, "
    "`dim=-1`, so that each query's weights add up to 1."
)
def softmax_along_axis_0(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    weights = torch.softmax(masked(scores, mask), 0)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Your code mixes the values with the raw scores. Turn the scores into weights first, with a softmax over the keys."
)
def softmax_forgotten(query, key, value, mask=None):
    scores = masked(query @ key.mT / math.sqrt(query.size(-1)), mask)
    return scores @ value, scores


@scaled_dot_product_attention.mistake(
    "Your function is right for small numbers, but `exp` of a huge score overflows, which ends in NaN. Use a softmax "
    "that subtracts each row's maximum, such as yours from notebook 00."
)
def no_maximum(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    exponentials = masked(scores, mask).exp()
    weights = exponentials / exponentials.sum(-1, keepdim=True)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    'Your mask is upside down: `True` means "may attend", so hide the scores where the mask is `False`.',
    seen="https://github.com/hkproj/pytorch-transformer/issues/19",
)
def mask_upside_down(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores, value, None if mask is None else ~mask)


@scaled_dot_product_attention.mistake(
    "Your hidden weights are 0, but the others are divided by a sum to which the hidden keys still contribute, so they "
    "no longer add up to 1. Hide the scores before the softmax: a score of minus infinity gets no weight.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def mask_after_softmax(query, key, value, mask=None):
    _, weights = attention.scaled_dot_product_attention(query, key, value)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Your hidden weights are minus infinity. Fill minus infinity into the scores, before the softmax, which turns it "
    "into a weight of 0."
)
def infinity_after_softmax(query, key, value, mask=None):
    _, weights = attention.scaled_dot_product_attention(query, key, value)
    weights = masked(weights, mask)
    return weights @ value, weights


@scaled_dot_product_attention.mistake(
    "Your function is right without a mask, but with one it returns the same. Where the mask is `False` the weight "
    "should be 0. If you call `masked_fill`, keep what it returns: a new tensor, while the old one stays as it is."
)
def mask_forgotten(query, key, value, mask=None):
    return attention.scaled_dot_product_attention(query, key, value)


@scaled_dot_product_attention.mistake(
    "Your mask does not broadcast: where scores have more axes than the mask, whole rows are hidden, or an error is "
    "raised, as by `scores[~mask]`. Use `masked_fill` or `torch.where`, which broadcast."
)
def masked_by_an_index(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        scores[~mask] = -torch.inf
    return attend(scores, value, None)


@scaled_dot_product_attention.mistake(
    "In your code, the score of a hidden key is 0 or nearly 0, which is an ordinary score, so the key still gets some "
    "weight. Set it to minus infinity: then its `exp` is 0.",
    seen="https://github.com/awslabs/gluonts/issues/1401",
)
def hidden_scores_are_zero(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, 1e-9), value, None)


@scaled_dot_product_attention.mistake(
    "In your code, the score of a hidden key is −1, which is an ordinary score, so the key still gets some weight. Set "
    "it to minus infinity: then its `exp` is 0."
)
def hidden_scores_are_minus_one(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, -1.0), value, None)


@scaled_dot_product_attention.mistake(
    "The hidden scores in your code are not low enough: other scores can fall below them. Use minus infinity, or a "
    "number that no score can reach, such as −1e9."
)
def hidden_scores_are_minus_1000(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, -1000.0), value, None)


@scaled_dot_product_attention.mistake(
    "In each row with a hidden key your weights are NaN, as if the hidden scores were plus infinity. Set them to minus "
    "infinity: then their `exp` is 0."
)
def hidden_scores_are_plus_infinity(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, math.inf), value, None)


@scaled_dot_product_attention.mistake(
    "In each row with a hidden key, the hidden keys get all the weight in your code, as if their scores were huge "
    "positive numbers. Set them to minus infinity, or to −1e9."
)
def hidden_scores_are_huge(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores.masked_fill(~mask, 1e9), value, None)


@scaled_dot_product_attention.mistake(
    "With a mask all your weights are NaN. If you multiply the mask by infinity, note that 0 · ∞ is NaN. Use "
    "`masked_fill`, or `torch.where`, which put minus infinity only where the mask is `False`."
)
def mask_times_infinity(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores + (~mask) * -math.inf, value, None)


@scaled_dot_product_attention.mistake(
    "Your hidden scores are only 1 lower than they would be, as if the mask were added, in which `True` counts as 1 "
    "and `False` as 0. So hidden keys still get weight: set their scores to minus infinity."
)
def mask_added(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return attend(scores if mask is None else scores + mask, value, None)


@scaled_dot_product_attention.mistake(
    "Your output is mixed from the keys. The keys only decide the weights: mix `value`."
)
def keys_mixed(query, key, value, mask=None):
    _, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    return weights @ key, weights


@scaled_dot_product_attention.mistake(
    "Each of your outputs is mixed with a column of the weights. An output belongs to a query, and its shares are a "
    "row: multiply by the weights as they are, not transposed."
)
def weights_transposed(query, key, value, mask=None):
    _, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    return weights.mT @ value, weights


@scaled_dot_product_attention.mistake(
    "Your output is right, but the second result is the scores. Return the weights, after the softmax."
)
def scores_for_weights(query, key, value, mask=None):
    output, _ = attention.scaled_dot_product_attention(query, key, value, mask)
    scores = query @ key.mT / math.sqrt(query.size(-1))
    return output, masked(scores, mask)


@scaled_dot_product_attention.mistake("Your code returns the weights first. The order is `return output, weights`.")
def other_order(query, key, value, mask=None):
    output, weights = attention.scaled_dot_product_attention(query, key, value, mask)
    return weights, output


@scaled_dot_product_attention.mistake(
    "Your function is right for a single table without a mask. For a batch swap only the last two axes of the keys, "
    "`key.transpose(-2, -1)`, and set the scores to minus infinity where the mask is `False`."
)
def all_axes_reversed_and_not_masked(query, key, value, mask=None):
    return attend(query @ all_axes_reversed_of(key) / math.sqrt(query.size(-1)), value, None)


@scaled_dot_product_attention.mistake(
    "The scale is missing, and so is the mask. Divide the scores by √d_k, and set them to minus infinity where the "
    "mask is `False`, both before the softmax."
)
def not_scaled_and_not_masked(query, key, value, mask=None):
    return attend(query @ key.mT, value, None)


@scaled_dot_product_attention.mistake(
    "Three things are missing: the scale √d_k, the mask, and axes in front of the table. For a batch swap only the "
    "last two axes of the keys, `key.transpose(-2, -1)`: `key.T` reverses them all."
)
def first_try(query, key, value, mask=None):
    return attend(query @ all_axes_reversed_of(key), value, None)


@scaled_dot_product_attention.mistake(
    "The weights that your code returns are those from before the mask. Return the weights with which the output is "
    "mixed."
)
def weights_from_before_the_mask(query, key, value, mask=None):
    output = attention.scaled_dot_product_attention(query, key, value, mask)[0]
    return output, attention.scaled_dot_product_attention(query, key, value)[1]


@scaled_dot_product_attention.mistake(
    "Your weights are right, but the output is mixed with those from before the mask. Mix it with the weights that you "
    "return."
)
def output_from_before_the_mask(query, key, value, mask=None):
    output = attention.scaled_dot_product_attention(query, key, value)[0]
    return output, attention.scaled_dot_product_attention(query, key, value, mask)[1]


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


@scaled_dot_product_attention.right
def attention_with_the_logarithm_of_the_mask(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.size(-1))
    if mask is not None:
        scores = scores + mask.to(scores.dtype).log()
    weights = torch.softmax(scores, -1)
    return weights @ value, weights


@scaled_dot_product_attention.right
def attention_with_renormalised_weights(query, key, value, mask=None):
    weights = torch.softmax(query @ key.mT / math.sqrt(query.size(-1)), -1, dtype=torch.float64)
    if mask is not None:
        weights = weights * mask
        weights = weights / weights.sum(-1, keepdim=True)
    weights = weights.to(query.dtype)
    return weights @ value, weights


@scaled_dot_product_attention.right
def attention_with_a_mask_of_ones(query, key, value, mask=None):
    if mask is None:
        mask = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool)
    scores = torch.where(mask, query @ key.mT / query.shape[-1] ** 0.5, torch.finfo(query.dtype).min)
    weights = scores.softmax(-1)
    return weights.matmul(value), weights
