"""The exercise `MultiHeadAttention` of notebook 02."""

import re
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, numbers_in_biases, with_count
from course_lib.exercises.weights.weights_in_use import computes_as, names_of_its_own
from course_lib.lessons.l02_multi_head.inputs import tokens
from course_lib.transformer import attention
from course_lib.transformer.attention import Reading, merge_heads, scaled_dot_product_attention, split_heads

SEEN_BY_HEADS = (fixed_tensor(2, 4, 3, 5) > 0) | (torch.arange(5) == 0)  # (B, H, T, S): every query may attend to key 0


SIZES = (2, 3, 5, 8)
PADDING = (torch.arange(5) < torch.tensor([[3], [5]]))[:, None, None]  # (B, 1, 1, S)

LEARNED = ClassWithWeights(
    reference=attention.MultiHeadAttention,
    inputs=lambda d_model, heads: tokens(2, 3, 5, d_model),
    sizes=(8, 4),
    wide=(64, 4),
    block=2,
)


def about_reshaped_mask(error: Exception, inputs: list[Any]) -> str:
    """Say that the mask that a class passes on has another shape than the one that it gets; "" if that is not so."""
    match = re.search(r"mask should broadcast to .*, but its shape is (\(.*\))", str(error))
    if match is None or len(inputs) < 4 or match[1] == str(tuple(inputs[3].shape)):
        return ""
    return (
        f"The mask that your class gets has the shape {tuple(inputs[3].shape)}, but the one that it passes on has "
        f"{match[1]}, which does not fit the scores (B, H, T, S). Masks broadcast to them as they are: pass yours on "
        "unchanged."
    )


def explain_matrix_for_layer(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that a layer is called, if the answer multiplies by one, or what mask it passes on; else as in a class."""
    d_model, heads, *inputs = arguments
    try:
        answer(d_model, heads)(*inputs)
    except Exception as error:
        if isinstance(error, TypeError) and re.search(
            r"for @: '(Tensor' and 'Linear|Linear' and 'Tensor)'", str(error)
        ):
            return (
                "A layer such as `self.W_q` is not a matrix, so `@` does not work. Call the layer: `self.W_q(query)`."
            )
        if sentence := about_reshaped_mask(error, inputs):
            return sentence
    return explain_class(LEARNED)(answer, arguments)


def kept_weights(learned: ClassWithWeights, answer: Any) -> str:
    """Say that what a class keeps in `self.weights` is something else than the weights of its latest call.

    Not all right classes keep them. Those that do not work as well, but cannot be looked into.
    """
    inputs = learned.inputs(*learned.sizes)
    module, course = (
        cast("Any", learned.make_with_fixed_weights(each, learned.sizes).module) for each in (answer, learned.reference)
    )
    learned.outputs(module, tuple(x.flip(0) for x in inputs))
    learned.outputs(module, inputs)
    kept = getattr(module, "weights", None)
    if not isinstance(kept, Tensor) or isinstance(kept, nn.Parameter):
        return ""
    readings: list[Reading] = []
    course.watchers.append(readings.append)  # a known mistake, in place of the course's class, has weights of its own
    learned.outputs(course, inputs)
    weights = readings[-1].weights
    if kept.shape == weights.mean(1).shape and torch.allclose(kept, weights.mean(1), atol=1e-5):
        return (
            "What you keep in `self.weights` is the average over the heads. Keep the weights of each head, (B, H, T, "
            f"S), which are {tuple(weights.shape)} here."
        )
    if kept.shape != weights.shape:
        return (
            f"What you keep in `self.weights` has the shape {tuple(kept.shape)}. Keep all attention weights, "
            f"(B, H, T, S), which are {tuple(weights.shape)} here."
        )
    if torch.allclose(kept, weights, atol=1e-5):
        return ""
    return (
        "What you keep in `self.weights` is not the attention weights of the latest call. Put the second result of "
        "`scaled_dot_product_attention` there in each call."
    )


def heads_in_reverse(learned: ClassWithWeights, answer: Any) -> str:
    """Say that the heads are merged in reverse order, which fixed weights hide, since they are the same for all."""

    def last_head_first(d_model: int, heads: int) -> nn.Module:
        return attention.MultiHeadAttention(d_model, heads, merge=lambda x: merge_heads(x.flip(1)))

    if not computes_as(learned, answer, last_head_first):
        return ""
    return "Your code merges the heads in reverse order. Head 0 comes first: use your `merge_heads`."


def remark(answer: Any) -> str:
    """Say that trained weights do not fit into a class, or that it does not keep its attention weights."""
    if sentence := names_of_its_own(LEARNED)(answer):
        return sentence
    module = LEARNED.make_with_fixed_weights(answer, LEARNED.sizes).module
    LEARNED.outputs(module, LEARNED.inputs(*LEARNED.sizes))
    if isinstance(getattr(module, "weights", None), Tensor) or hasattr(module, "watchers"):
        return ""  # the course's own shows its weights to those who watch it
    return (
        "It does not keep the attention weights. Set `self.weights` to them in `forward`, so that you can look at them "
        "later."
    )


multi_head_attention = Exercise(
    reference=attention.MultiHeadAttention,
    notebook=2,
    order=50,
    minutes=25,
    difficulty=3,
    trained=True,
    adapt=with_count(LEARNED, lambda fixed, sizes: numbers_in_biases(fixed, 4 * sizes[0])),
    further_check=judge_class(LEARNED, kept_weights, heads_in_reverse),
    explain=explain_matrix_for_layer,
    remark=remark,
    returns=(
        Result("output", "B, T, d_model"),
        Result("the gradients of your matrices"),
        Result("the count of the numbers in your biases"),
    ),
    example=case(4, 2, *tokens(1, 2, 2, 4)),
    another=case(4, 2, *tokens(1, 2, 2, 4, seed=3)),
    cases=(
        case(8, 4, *tokens(*SIZES), having=("sizes that all differ", "a batch")),
        case(6, 3, *tokens(2, 3, 3, 6)[:1] * 3, having=("self-attention", "a batch")),
        case(8, 2, *tokens(1, 3, 4, 8), having=("heads of four features",)),
        case(4, 2, *tokens(2, 1, 1, 4), having=("one query and one key", "a batch")),
        case(4, 1, *tokens(2, 3, 4, 4), having=("a single head", "a batch", "heads of four features")),
        case(
            8,
            4,
            *tokens(*SIZES),
            mask=torch.ones(3, 5).tril().bool(),
            having=("a mask", "a batch", "sizes that all differ"),
        ),
        case(
            8,
            4,
            *tokens(*SIZES),
            mask=PADDING,
            having=("a mask", "a mask for padding", "a batch", "sizes that all differ"),
        ),
        case(6, 3, *tokens(2, 3, 4, 6), mask=torch.ones(3, 4).tril().bool(), having=("a mask", "a batch")),
        case(
            8,
            4,
            *tokens(*SIZES),
            mask=PADDING & torch.ones(3, 5).tril(2).bool(),
            having=("a mask", "a mask of shape (B, 1, T, S)", "a batch", "sizes that all differ"),
        ),
        case(
            8,
            4,
            *tokens(*SIZES),
            mask=SEEN_BY_HEADS,
            having=("a mask", "a mask for each head", "a batch", "sizes that all differ"),
        ),
        case(4, 2, *(tensor.double() for tensor in tokens(1, 2, 3, 4)), having=("float64 numbers",)),
    ),
    hints=(
        (
            "In `__init__` make the four projections and keep `heads`. In `forward` write the shape beside each of the "
            "five steps, from (B, T, d_model) to (B, T, d_model), before you write the code."
        ),
        (
            "Each projection is an `nn.Linear` from d_model to d_model, which holds the narrow ones of all heads side "
            "by side. Queries come from `query`, keys from `key`, values from `value`, and only after the projection "
            "are they split."
        ),
        (
            "Split each projected tensor with `split_heads(…, self.heads)`. Call `scaled_dot_product_attention` with "
            "the mask and take its two results apart: keep the weights in `self.weights`, pass the output to "
            "`merge_heads`, and what that gives to `self.W_o`."
        ),
    ),
)


multi_head_attention.patch(
    "The output projection is missing: after the heads are merged comes `W_o`. Without it this part never combines "
    "numbers of different heads.",
    replace="self.W_o(self.merge(mixed))",
    by="self.merge(mixed)",
    seen="https://github.com/Kyubyong/transformer/issues/117",
)

multi_head_attention.patch(
    "Your output has no negative numbers, as after a ReLU. Return the result of `W_o` as it is.",
    replace="self.W_o(self.merge(mixed))",
    by="torch.relu(self.W_o(self.merge(mixed)))",
    seen="https://github.com/Kyubyong/transformer/issues/17",
)

multi_head_attention.patch(
    "Your scores are divided by √d_model. Inside a head a dot product sums only d_k = d_model / H products, so the "
    "scale is √d_k.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries / math.sqrt(self.heads), keys, values, mask)",
    seen="https://github.com/lucidrains/vit-pytorch/issues/65",
)

multi_head_attention.patch(
    "The scale is missing: in each head the scores are divided by √d_k.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries * math.sqrt(queries.size(-1)), keys, values, mask)",
)

multi_head_attention.patch(
    "Your class is right without a mask, but the mask has no effect. Pass it to `scaled_dot_product_attention`.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries, keys, values, None)",
)

multi_head_attention.patch(
    "Your code projects `query` three times, so it can only read itself. Keys come from `key` and values from `value`: "
    "in cross-attention these are another sentence.",
    replace="= project(query, key, value)",
    by="= project(query, query, query)",
)

multi_head_attention.patch(
    "Your code swaps keys and values: it projects `value` with `W_k` and `key` with `W_v`. Keys come from `key`, "
    "values from `value`.",
    replace="= project(query, key, value)",
    by="= project(query, value, key)",
)

multi_head_attention.patch(
    "Your code makes the values from `key`. Values come from `value`.",
    replace="= project(query, key, value)",
    by="= project(query, key, key)",
)

multi_head_attention.patch(
    "Your code uses the values as they come in. Project them with a matrix of their own, `W_v`.",
    replace="self.W_v(value)",
    by="value",
)

multi_head_attention.patch(
    "Your code projects the values with `W_k`. They have a matrix of their own, `W_v`.",
    replace="self.W_v(value)",
    by="self.W_k(value)",
)


@multi_head_attention.mistake(
    "Your code attends in one wide head. Split queries, keys and values with `split_heads` into `heads` heads first."
)
def one_wide_head(d_model, heads):
    return attention.MultiHeadAttention(d_model, heads, split=lambda x, heads: split_heads(x, 1))


@multi_head_attention.mistake(
    "Your class mixes up the number of heads and their width: it makes d_k heads of `heads` features each. Pass "
    "`heads` to `split_heads`, not d_k."
)
def heads_and_width_mixed_up(d_model, heads):
    return attention.MultiHeadAttention(d_model, d_model // heads)


@multi_head_attention.mistake(
    "Your heads get pieces of different tokens, as if a reshape straight to (B, H, T, d_k) had shuffled the numbers. "
    "Use your `split_heads` and `merge_heads`.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53",
)
def split_by_a_view(d_model, heads):
    def split(x, heads):
        return x.reshape(x.size(0), heads, x.size(1), -1)

    return attention.MultiHeadAttention(d_model, heads, split=split)


@multi_head_attention.mistake(
    "Your code deals the features out like cards, so a head gets every H-th number. A head should get consecutive "
    "features: use your `split_heads` and `merge_heads`."
)
def features_dealt_out(d_model, heads):
    def split(x, heads):
        return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)

    return attention.MultiHeadAttention(d_model, heads, split=split, merge=lambda x: x.permute(0, 2, 3, 1).flatten(-2))


@multi_head_attention.mistake(
    "Your code joins the heads in reading order, which mixes tokens. Move the axis of heads back before you join, as "
    "your `merge_heads` does.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/10",
)
def merged_by_a_view(d_model, heads):
    return attention.MultiHeadAttention(d_model, heads, merge=lambda x: x.reshape(x.size(0), x.size(2), -1))


@multi_head_attention.mistake(
    "Your code projects the pieces of each token, all with the same small matrices, so each head sees only its own "
    "slice of a token. Project the whole token from d_model to d_model, then split.",
    seen="https://github.com/MarcoMeter/episodic-transformer-memory-ppo/issues/22",
)
class SplitBeforeProjecting(attention.MultiHeadAttention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        d_k = d_model // heads
        self.W_q, self.W_k, self.W_v = (nn.Linear(d_k, d_k) for _ in range(3))

    def project(self, query, key, value):
        queries, keys, values = (split_heads(x, self.heads) for x in (query, key, value))
        return self.W_q(queries), self.W_k(keys), self.W_v(values)


@multi_head_attention.mistake(
    'Your mask is upside down: `True` means "may attend". Pass it to `scaled_dot_product_attention` as it is.'
)
def mask_upside_down(d_model, heads):
    def attend(queries, keys, values, mask=None):
        return scaled_dot_product_attention(queries, keys, values, None if mask is None else ~mask)

    return attention.MultiHeadAttention(d_model, heads, attention=attend)


@multi_head_attention.mistake(
    "Your hidden weights are 0, but the others are divided by a sum to which the hidden keys still contribute, so they "
    "no longer add up to 1. Pass the mask to `scaled_dot_product_attention`, which hides the scores before the softmax."
)
def mask_after_softmax(d_model, heads):
    def attend(queries, keys, values, mask=None):
        _, weights = scaled_dot_product_attention(queries, keys, values)
        weights = weights if mask is None else weights * mask
        return weights @ values, weights

    return attention.MultiHeadAttention(d_model, heads, attention=attend)


@multi_head_attention.mistake(
    "Your result is what you get if the weights of all heads are averaged, or if each head reads all of the projected "
    "values and the results are averaged. Let each head read its own part of them, with weights of its own."
)
def weights_averaged(d_model, heads):
    def attend(queries, keys, values, mask=None):
        _, weights = scaled_dot_product_attention(queries, keys, values, mask)
        return weights.mean(1, keepdim=True) @ values, weights

    return attention.MultiHeadAttention(d_model, heads, attention=attend)


@multi_head_attention.mistake(
    "Your projections have no biases. All four have one here, so that real parameters fit: an `nn.Linear` has one "
    "unless you pass `bias=False`; beside a matrix of your own, add an `nn.Parameter` of zeros."
)
def without_biases(d_model, heads):
    return attention.MultiHeadAttention(d_model, heads, bias=False)


@multi_head_attention.mistake(
    "Only your output projection has a bias. The projections of queries, keys and values have one each, too: an "
    "`nn.Linear` has one unless you pass `bias=False`."
)
class OutputBiasOnly(attention.MultiHeadAttention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.W_q, self.W_k, self.W_v = (nn.Linear(d_model, d_model, bias=False) for _ in range(3))


@multi_head_attention.mistake(
    "One of your four projections has no bias: an `nn.Linear` has one unless you pass `bias=False`."
)
class OneWithoutBias(attention.MultiHeadAttention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.W_o = nn.Linear(d_model, d_model, bias=False)


class MultiHeadAttention(nn.Module):
    """Several attentions at once, each reading the tokens through projections of its own."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        queries = split_heads(self.W_q(query), self.heads)  # (B, H, T, d_k)
        keys = split_heads(self.W_k(key), self.heads)  # (B, H, S, d_k)
        values = split_heads(self.W_v(value), self.heads)  # (B, H, S, d_k)
        mixed, self.weights = scaled_dot_product_attention(queries, keys, values, mask)  # (B, H, T, d_k), (B, H, T, S)
        return self.W_o(merge_heads(mixed))  # (B, T, d_model)


multi_head_attention.plain(MultiHeadAttention)


@multi_head_attention.right_for_whole_course
class FusedWithALoop(nn.Module):
    """One fused projection for queries, keys and values, and a loop over the heads."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.h = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        q, _, _ = self.c_attn(query).chunk(3, dim=-1)
        _, k, _ = self.c_attn(key).chunk(3, dim=-1)
        _, _, v = self.c_attn(value).chunk(3, dim=-1)
        outputs, weights = [], []
        heads = zip(*(x.chunk(self.h, dim=-1) for x in (q, k, v)), strict=True)
        for i, (one_q, one_k, one_v) in enumerate(heads):
            seen = mask
            if mask is not None and mask.dim() == 4:
                seen = mask[:, i if mask.size(1) > 1 else 0]
            mixed, w = scaled_dot_product_attention(one_q, one_k, one_v, seen)
            outputs.append(mixed)
            weights.append(w.detach())
        self.weights = torch.stack(weights, dim=1)
        return self.c_proj(torch.cat(outputs, dim=-1))


class Heads(nn.Module):
    """The base of the classes below: attention on projected queries, keys and values."""

    def attend(self, q, k, v, heads, mask):
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)


@multi_head_attention.right
class OtherNames(Heads):
    def __init__(self, d_model, num_heads, dropout=0.0):
        super().__init__()
        self.h = num_heads
        self.query_projection = nn.Linear(d_model, d_model)
        self.key_projection = nn.Linear(d_model, d_model)
        self.value_projection = nn.Linear(d_model, d_model)
        self.unify = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, q, k, v, mask=None):
        projected = self.query_projection(q), self.key_projection(k), self.value_projection(v)
        return self.dropout(self.unify(self.attend(*projected, self.h, mask)))


@multi_head_attention.right
class OtherOrder(OtherNames):
    """The output projection is created first, so that only the names tell which weight is which."""

    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.h = heads
        self.out = nn.Linear(d_model, d_model)
        self.wv, self.wk, self.wq = (nn.Linear(d_model, d_model) for _ in range(3))

    def forward(self, q, k, v, mask=None):
        return self.out(self.attend(self.wq(q), self.wk(k), self.wv(v), self.h, mask))


@multi_head_attention.right
class ListOfFour(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.linears = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])

    def forward(self, query, key, value, mask=None):
        q, k, v = (linear(x) for linear, x in zip(self.linears, (query, key, value), strict=False))
        return self.linears[-1](self.attend(q, k, v, self.heads, mask))


@multi_head_attention.right
class ListInAnotherOrder(ListOfFour):
    def forward(self, query, key, value, mask=None):
        o, v, k, q = self.linears
        return o(self.attend(q(query), k(key), v(value), self.heads, mask))


@multi_head_attention.right
class Fused(Heads):
    """One projection for all three, split into chunks, as in GPT-2."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def parts(self, x):
        return self.c_attn(x).chunk(3, dim=-1)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.parts(query)[0], self.parts(key)[1], self.parts(value)[2]
        return self.c_proj(self.attend(q, k, v, self.heads, mask))


@multi_head_attention.right
class FusedByHead(Fused):
    """One projection, ordered by head, with query, key and value inside each head, as in BLOOM."""

    def parts(self, x):
        B, T, d_model = x.shape
        return self.c_attn(x).view(B, T, self.heads, 3, -1).permute(3, 0, 1, 2, 4).reshape(3, B, T, d_model)


@multi_head_attention.right
class FusedInAnotherOrder(Fused):
    def parts(self, x):
        k, v, q = self.c_attn(x).chunk(3, dim=-1)
        return q, k, v


@multi_head_attention.right
class JointKeysAndValues(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_kv = nn.Linear(d_model, d_model), nn.Linear(d_model, 2 * d_model)
        self.to_out = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        k, v = self.to_kv(key).chunk(2, -1)[0], self.to_kv(value).chunk(2, -1)[1]
        return self.to_out(self.attend(self.to_q(query), k, v, self.heads, mask))


class SmallHead(nn.Module):
    def __init__(self, d_model, d_k):
        super().__init__()
        self.key, self.query, self.value = (nn.Linear(d_model, d_k) for _ in range(3))

    def forward(self, q, k, v, mask):
        return F.scaled_dot_product_attention(self.query(q), self.key(k), self.value(v), attn_mask=mask)


@multi_head_attention.right
class HeadByHead(nn.Module):
    """A list of heads, each with its own projections."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = nn.ModuleList([SmallHead(d_model, d_model // heads) for _ in range(heads)])
        self.proj = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        masks = [None] * len(self.heads)
        if mask is not None:
            masks = mask.expand(len(query), len(self.heads), query.size(1), key.size(1)).unbind(1)
        outputs = [head(query, key, value, may) for head, may in zip(self.heads, masks, strict=True)]
        return self.proj(torch.cat(outputs, dim=-1))


@multi_head_attention.right
class BareMatrices(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Parameter(torch.randn(d_model, d_model)) for _ in range(4))
        self.b_q, self.b_k, self.b_v, self.b_o = (nn.Parameter(torch.zeros(d_model)) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        q, k, v = query @ self.W_q + self.b_q, key @ self.W_k + self.b_k, value @ self.W_v + self.b_v
        return self.attend(q, k, v, self.heads, mask) @ self.W_o + self.b_o


@multi_head_attention.right
class MatricesOfHeads(nn.Module):
    """Weights with an axis for the heads, as in JAX and in the code of T5."""

    rule = "btd,hdk->bhtk"

    def __init__(self, d_model, heads):
        super().__init__()
        d_k = d_model // heads
        shape = [{"h": heads, "d": d_model, "k": d_k}[letter] for letter in self.rule[4:7]]
        self.wq, self.wk, self.wv = (nn.Parameter(torch.randn(shape)) for _ in range(3))
        self.wo = nn.Parameter(torch.randn(heads, d_k, d_model))
        self.bq, self.bk, self.bv, self.bo = (nn.Parameter(torch.zeros(d_model)) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        biases = (b.view(self.wo.size(0), 1, -1) for b in (self.bq, self.bk, self.bv))
        projected = zip((query, key, value), (self.wq, self.wk, self.wv), biases, strict=True)
        q, k, v = (torch.einsum(self.rule, x, w) + b for x, w, b in projected)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return torch.einsum("bhtk,hkd->btd", mixed, self.wo) + self.bo


@multi_head_attention.right
class HeadsInTheMiddle(MatricesOfHeads):
    rule = "btd,dhk->bhtk"


@multi_head_attention.right
class TransposedMatrices(BareMatrices):
    def forward(self, query, key, value, mask=None):
        q, k, v = query @ self.W_q.T + self.b_q, key @ self.W_k.T + self.b_k, value @ self.W_v.T + self.b_v
        return self.attend(q, k, v, self.heads, mask) @ self.W_o.T + self.b_o


@multi_head_attention.right
class Torch(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.inner = nn.MultiheadAttention(d_model, heads, batch_first=True)

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            shape = (query.size(0), self.heads, query.size(1), key.size(1))
            mask = ~mask.expand(shape).flatten(0, 1)
        return self.inner(query, key, value, attn_mask=mask, need_weights=False)[0]
