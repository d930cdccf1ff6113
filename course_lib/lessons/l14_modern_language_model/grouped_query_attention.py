"""The exercise `GroupedQueryAttention` of notebook 14."""

from contextlib import suppress
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights import weights_in_use
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.transformer import layers
from course_lib.transformer.attention import (
    causal_mask,
    merge_heads,
    repeat_heads,
    scaled_dot_product_attention,
    split_heads,
)
from course_lib.transformer.positions import rotary

LEARNED = ClassWithWeights(
    reference=layers.GroupedQueryAttention,
    inputs=lambda d_model, heads, kv_heads, rotate: (fixed_tensor(2, 3, d_model),),
    sizes=(24, 6, 2, rotary),
    wide=(96, 6, 2, rotary),
    block=2,
)
SIZES = (8, 4, 2, rotary)
CAUSAL = torch.ones(3, 3).tril().bool()
OTHER_MASK = torch.tensor([[True, True, False], [False, True, True], [True, False, True]])


def outputs_in_turn(attention: layers.GroupedQueryAttention, x: Tensor) -> dict[str, list[Tensor]]:
    """What an attention returns if query head h reads head h modulo kv_heads: of keys, of values, or of both.

    The query heads may also be dealt to the groups in turn, and left in that order.
    """
    group = attention.heads // attention.kv_heads
    queries = attention.rotate(split_heads(attention.W_q(x), attention.heads))
    keys = attention.rotate(split_heads(attention.W_k(x), attention.kv_heads))
    values = split_heads(attention.W_v(x), attention.kv_heads)
    in_order = repeat_heads(keys, group), repeat_heads(values, group)
    in_turn = keys.repeat(1, group, 1, 1), values.repeat(1, group, 1, 1)

    def output(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        result: Tensor = attention.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values)[0]))
        return result

    dealt = queries.unflatten(1, (group, attention.kv_heads)).transpose(1, 2).flatten(1, 2)
    return {
        "keys": [output(queries, *in_turn), output(dealt, *in_order), output(queries, in_turn[0], in_order[1])],
        "values": [output(queries, in_order[0], in_turn[1])],
    }


def groups_in_order(answer: Any, _arguments: tuple[Any, ...]) -> str:
    """Say that the groups of query heads are dealt in turn. Weights of one block hide which head reads which."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        ours, mine = layers.GroupedQueryAttention(*LEARNED.sizes), answer(*LEARNED.sizes)
    weights = ours.state_dict()
    if {name: weight.shape for name, weight in mine.state_dict().items()} != {
        name: weight.shape for name, weight in weights.items()
    }:
        return ""  # weights of other names are allowed; trained ones are then loaded into the course's class
    mine.load_state_dict(weights)
    x = fixed_tensor(2, 4, LEARNED.sizes[0])
    with torch.no_grad():
        output = mine(x)
        for what, outputs in outputs_in_turn(ours, x).items():
            if any(torch.allclose(each, output, atol=1e-4) for each in outputs):
                return (
                    f"With trained weights some of your heads would read the {what} of another group. Query head h "
                    "reads key head h // (heads / kv_heads): use your `repeat_heads` on keys and values, and "
                    "nothing else."
                )
    return ""


MERGED_TOO_EARLY = (
    "Your heads are merged while their axis still comes before that of the tokens, so that tokens and heads are mixed "
    "up. Exchange the two axes first, as `merge_heads` does."
)


class MergedTooEarly(layers.GroupedQueryAttention):
    """An attention that does not exchange the axes of heads and tokens before it merges them."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Let tokens (B, T, d_model) read each other."""
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        mixed, _ = scaled_dot_product_attention(queries, keys, values, mask)
        output: torch.Tensor = self.W_o(mixed.reshape(x.shape))
        return output


def explain(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that heads are merged too early, also if the groups are in another order, or explain as for any class."""
    sizes, inputs = arguments[: len(SIZES)], arguments[len(SIZES) :]
    with suppress(Exception):  # what the class raises has been described
        got, known = (
            LEARNED.outputs(LEARNED.make_with_fixed_weights(each, sizes).module, inputs)[0]
            for each in (answer, MergedTooEarly)
        )
        if torch.allclose(got, known, atol=1e-5):
            return MERGED_TOO_EARLY
    return explain_class(LEARNED)(answer, arguments)


def further_check(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Judge the order of the groups, then the weights."""
    return groups_in_order(answer, arguments) or judge_class(LEARNED, weights_in_use.biases)(answer, arguments)


grouped_query_attention = Exercise(
    reference=layers.GroupedQueryAttention,
    notebook=14,
    order=40,
    minutes=12,
    difficulty=3,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=further_check,
    explain=explain,
    returns=(Result("output", "B, T, d_model"), Result("the gradients of your matrices")),
    example=case(*SIZES, fixed_tensor(1, 3, 8)),
    another=case(*SIZES, fixed_tensor(1, 3, 8, seed=1)),
    cases=(
        case(24, 6, 2, rotary, fixed_tensor(2, 3, 24), having=("a batch", "sizes that all differ")),
        case(8, 2, 1, rotary, fixed_tensor(2, 3, 8), having=("a batch", "a single head of keys")),
        case(8, 2, 2, rotary, fixed_tensor(2, 3, 8), having=("a batch", "no sharing at all")),
        case(*SIZES, fixed_tensor(1, 1, 8), having=("a single token",)),
        case(*SIZES, fixed_tensor(2, 3, 8), mask=CAUSAL, having=("a batch", "a mask")),
        case(*SIZES, fixed_tensor(2, 3, 8), mask=OTHER_MASK, having=("a mask that is not causal", "a mask", "a batch")),
        case(8, 4, 2, torch.tanh, fixed_tensor(1, 3, 8), having=("another rotation",)),
        case(*SIZES, fixed_tensor(1, 3, 8, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Start from your `MultiHeadAttention`. Which two projections get narrower, and how wide are they now?",
        (
            "W_k and W_v go from d_model to kv_heads * d_k, without a bias, and are split into `kv_heads`. Rotate "
            "queries and keys once they are split."
        ),
        (
            "Then repeat keys and values with `repeat_heads(…, self.heads // self.kv_heads)`. The rest is as before: "
            "attend, merge, `W_o`."
        ),
    ),
)

grouped_query_attention.patch(
    "Your values are rotated too. Positions should change which tokens are read, not what is read from them: rotate "
    "queries and keys only.",
    replace="values = split_heads(self.W_v(x), self.kv_heads)",
    by="values = self.rotate(split_heads(self.W_v(x), self.kv_heads))",
    seen="https://github.com/InternLM/lmdeploy/issues/2639",
)

grouped_query_attention.patch(
    "Your keys are not rotated. The dot product depends on the distance only if queries and keys both are.",
    replace="keys = self.rotate(split_heads(self.W_k(x), self.kv_heads))",
    by="keys = split_heads(self.W_k(x), self.kv_heads)",
)

grouped_query_attention.patch(
    "Your queries are not rotated. The dot product depends on the distance only if queries and keys both are.",
    replace="queries = self.rotate(split_heads(self.W_q(x), self.heads))",
    by="queries = split_heads(self.W_q(x), self.heads)",
)

grouped_query_attention.patch(
    "Your queries are rotated over the whole width d_model, not head by head. Each head has its own d_k / 2 clocks: "
    "split first, then rotate.",
    replace="queries = self.rotate(split_heads(self.W_q(x), self.heads))",
    by="queries = split_heads(self.rotate(self.W_q(x)), self.heads)",
)

grouped_query_attention.patch(
    "Your keys are rotated over their whole width, kv_heads · d_k, not head by head. Each head has its own d_k / 2 "
    "clocks: split first, then rotate.",
    replace="keys = self.rotate(split_heads(self.W_k(x), self.kv_heads))",
    by="keys = split_heads(self.rotate(self.W_k(x)), self.kv_heads)",
)


@grouped_query_attention.mistake(
    "Your queries and keys are rotated over their whole width, not head by head. Each head has its own d_k / 2 clocks: "
    "split first, then rotate."
)
class RotatesBeforeItSplits(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        queries = split_heads(self.rotate(self.W_q(x)), self.heads)
        keys = split_heads(self.rotate(self.W_k(x)), self.kv_heads)
        group = self.heads // self.kv_heads
        keys, values = repeat_heads(keys, group), repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@grouped_query_attention.mistake(
    "In your rotation, the number of the head counts as the position. `rotate` takes (…, T, d_k): exchange the axes of "
    "heads and tokens first."
)
class RotatesAlongTheHeads(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        queries = self.rotate(split_heads(self.W_q(x), self.heads).transpose(1, 2)).transpose(1, 2)
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads).transpose(1, 2)).transpose(1, 2)
        group = self.heads // self.kv_heads
        keys, values = repeat_heads(keys, group), repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


grouped_query_attention.patch(
    "The mask has no effect in your class, so hidden tokens are read. Pass it to `scaled_dot_product_attention`.",
    replace="scaled_dot_product_attention(queries, keys, values, mask)",
    by="scaled_dot_product_attention(queries, keys, values, None)",
)


@grouped_query_attention.mistake(
    "Your class is causal, whatever mask it is given. Pass the mask itself to `scaled_dot_product_attention`."
)
class CausalWithAnyMask(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else causal_mask(x.size(1)))


@grouped_query_attention.mistake(
    "Your class lets each token read only itself and the tokens before it, even without a mask. Use the mask that is "
    "passed, and no other."
)
class AlwaysCausal(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        return super().forward(x, causal_mask(x.size(1)))


grouped_query_attention.patch(
    "Your class returns the merged heads. The output projection is missing: after the heads are merged comes `W_o`.",
    replace="self.W_o(merge_heads(mixed))",
    by="merge_heads(mixed)",
)

grouped_query_attention.patch(
    "Your scores are not divided by √d_k. `scaled_dot_product_attention` does it, with the width d_k of a head.",
    replace="scaled_dot_product_attention(queries, keys, values, mask)",
    by="scaled_dot_product_attention(queries * queries.size(-1) ** 0.5, keys, values, mask)",
)

grouped_query_attention.patch(
    MERGED_TOO_EARLY,
    replace="merge_heads(mixed)",
    by="mixed.reshape(x.size(0), x.size(1), -1)",
)

grouped_query_attention.patch(
    "Your values come from the same matrix as your keys. They have a projection of their own, `W_v`.",
    replace="self.W_v(x)",
    by="self.W_k(x)",
)


@grouped_query_attention.mistake(
    "Every query head of your class has keys and values of its own. There are only `kv_heads` heads of keys and "
    "values, and groups of query heads share them."
)
def nothing_shared(d_model, heads, kv_heads, rotate):
    return layers.GroupedQueryAttention(d_model, heads, heads, rotate)


@grouped_query_attention.mistake(
    "Your scores are divided by √d_model. Each head divides by √d_k, the root of its own width, which is "
    "d_model / heads."
)
class ScaledByTheModel(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads)) * self.heads**-0.5
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@grouped_query_attention.right_for_whole_course
class WithFusedKernel(nn.Module):
    def __init__(self, d_model, heads, kv_heads, rotate):
        super().__init__()
        d_k = d_model // heads
        self.h, self.kv, self.rotate = heads, kv_heads, rotate
        self.W_q, self.W_o = nn.Linear(d_model, d_model, bias=False), nn.Linear(d_model, d_model, bias=False)
        self.W_k = nn.Linear(d_model, kv_heads * d_k, bias=False)
        self.W_v = nn.Linear(d_model, kv_heads * d_k, bias=False)

    def forward(self, x, mask=None):
        q, k, v = split_heads(self.W_q(x), self.h), split_heads(self.W_k(x), self.kv), split_heads(self.W_v(x), self.kv)
        k, v = repeat_heads(self.rotate(k), self.h // self.kv), repeat_heads(v, self.h // self.kv)
        return self.W_o(merge_heads(F.scaled_dot_product_attention(self.rotate(q), k, v, attn_mask=mask)))


@grouped_query_attention.right
class GroupByGroup(nn.Module):
    """Each group of query heads attends to its own head of keys, without copies."""

    def __init__(self, d_model, heads, kv_heads, rotate):
        super().__init__()
        self.d_k = d_model // heads
        self.heads, self.kv_heads, self.rotate = heads, kv_heads, rotate
        self.W_q = nn.Linear(d_model, heads * self.d_k, bias=False)
        self.W_kv = nn.Linear(d_model, 2 * kv_heads * self.d_k, bias=False)
        self.W_o = nn.Linear(heads * self.d_k, d_model, bias=False)

    def forward(self, x, mask=None):
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys, values = split_heads(self.W_kv(x), 2 * self.kv_heads).chunk(2, dim=1)
        keys, group = self.rotate(keys), self.heads // self.kv_heads
        mixed = [
            scaled_dot_product_attention(
                queries[:, g * group : (g + 1) * group], keys[:, g : g + 1], values[:, g : g + 1], mask
            )[0]
            for g in range(self.kv_heads)
        ]
        return self.W_o(merge_heads(torch.cat(mixed, dim=1)))
