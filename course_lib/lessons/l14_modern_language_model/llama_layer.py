"""The exercise `LlamaLayer` of notebook 14."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import layers
from course_lib.transformer.layers import GroupedQueryAttention, RMSNorm, SwiGLU
from course_lib.transformer.positions import rotary

LEARNED = ClassWithWeights(
    reference=layers.LlamaLayer,
    inputs=lambda d_model, heads, kv_heads, d_ff, rotate: (fixed_tensor(2, 3, d_model),),
    sizes=(24, 6, 2, 10, rotary),
    wide=(96, 6, 2, 128, rotary),
    block=2,
)
SIZES = (8, 4, 2, 6, rotary)
CAUSAL = torch.ones(3, 3).tril().bool()
OTHER_MASK = torch.tensor([[True, True, False], [False, True, True], [True, False, True]])

llama_layer = Exercise(
    reference=layers.LlamaLayer,
    notebook=14,
    order=50,
    minutes=6,
    difficulty=2,
    trained=True,
    float32_is_asked=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(Result("output", "B, T, d_model"), Result("the gradients of your matrices")),
    example=case(*SIZES, fixed_tensor(1, 3, 8)),
    another=case(*SIZES, fixed_tensor(1, 3, 8, seed=1)),
    cases=(
        case(24, 6, 2, 10, rotary, fixed_tensor(2, 3, 24), having=("a batch", "sizes that all differ")),
        case(8, 2, 1, 6, rotary, fixed_tensor(2, 3, 8), having=("a batch", "a single head of keys")),
        case(*SIZES, fixed_tensor(1, 1, 8), having=("a single token",)),
        case(*SIZES, fixed_tensor(2, 3, 8), mask=CAUSAL, having=("a batch", "a mask")),
        case(*SIZES, fixed_tensor(2, 3, 8), mask=OTHER_MASK, having=("a mask that is not causal", "a mask", "a batch")),
        case(8, 4, 2, 6, torch.tanh, fixed_tensor(1, 3, 8), having=("another rotation",)),
        case(*SIZES, fixed_tensor(1, 3, 8, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "It is a pre-norm layer: each half reads the normalised tokens, and adds to the tokens as they were.",
        (
            "`__init__` makes two `RMSNorm`s, a `GroupedQueryAttention` with `rotate` as its last argument, and a "
            "`SwiGLU`. There is no dropout."
        ),
        (
            "The first half is `x + self.self_attention(self.norm_1(x), mask)`. The second half reads the result of "
            "the first."
        ),
    ),
)

llama_layer.patch(
    "The residual connection around your attention is missing. Add what the attention computes to x.",
    replace="x = x + self.self_attention(self.norm_1(x), mask)",
    by="x = self.self_attention(self.norm_1(x), mask)",
)

llama_layer.patch(
    "The residual connection around your feed-forward is missing. Add what it computes to what came in.",
    replace="x = x + self.feed_forward(self.norm_2(x))",
    by="x = self.feed_forward(self.norm_2(x))",
)

llama_layer.patch(
    "Your attention reads tokens that are not normalised. In a pre-norm layer, `norm_1` comes before it.",
    replace="self.self_attention(self.norm_1(x), mask)",
    by="self.self_attention(x, mask)",
)

llama_layer.patch(
    "Your feed-forward reads tokens that are not normalised. `norm_2` comes before it.",
    replace="self.feed_forward(self.norm_2(x))",
    by="self.feed_forward(x)",
)

llama_layer.patch(
    "Your `norm_2` comes after the feed-forward, before the sum. In a pre-norm layer it comes before the feed-forward: "
    "`x + self.feed_forward(self.norm_2(x))`.",
    replace="self.feed_forward(self.norm_2(x))",
    by="self.norm_2(self.feed_forward(x))",
)

llama_layer.patch(
    "Your `norm_1` comes after the attention, before the sum. In a pre-norm layer it comes before the attention: "
    "`x + self.self_attention(self.norm_1(x), mask)`.",
    replace="self.self_attention(self.norm_1(x), mask)",
    by="self.norm_1(self.self_attention(x, mask))",
)

llama_layer.patch(
    "The mask has no effect in your layer, so hidden tokens are read. Pass it on to the attention.",
    replace="self.self_attention(self.norm_1(x), mask)",
    by="self.self_attention(self.norm_1(x))",
)


@llama_layer.mistake(
    "Your norms come after the sums, as in 2017. A Llama is pre-norm: x + sublayer(norm(x)).",
)
class PostNorm(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(x + self.self_attention(x, mask))
        return self.norm_2(x + self.feed_forward(x))


@llama_layer.mistake(
    "Your norms come after the sublayers, before the sums. In a pre-norm layer each comes before its sublayer: "
    "x + sublayer(norm(x)).",
)
class NormsWhatIsAdded(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.norm_1(self.self_attention(x, mask))
        return x + self.norm_2(self.feed_forward(x))


@llama_layer.mistake(
    "Your feed-forward has no residual connection, and `norm_2` comes after it. It is "
    "`x + self.feed_forward(self.norm_2(x))`, with x as the first half returns it.",
)
class NormsTheResult(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        return self.norm_2(self.feed_forward(x))


@llama_layer.mistake(
    "Your code adds the normalised tokens. What goes past a sublayer is x as it was: x + sublayer(norm(x)).",
)
class AddsTheNormed(layers.LlamaLayer):
    def forward(self, x, mask=None):
        normed = self.norm_1(x)
        x = normed + self.self_attention(normed, mask)
        normed = self.norm_2(x)
        return normed + self.feed_forward(normed)


@llama_layer.mistake(
    "Your first residual connection adds the normalised tokens. In the first half, only the input of the attention is "
    "normalised; what is added to its output is x, as it came in.",
)
class AddsTheNormedFirst(layers.LlamaLayer):
    def forward(self, x, mask=None):
        normed = self.norm_1(x)
        x = normed + self.self_attention(normed, mask)
        return x + self.feed_forward(self.norm_2(x))


@llama_layer.mistake(
    "Your second residual connection adds the normalised tokens. In the second half, only the input of the "
    "feed-forward is normalised; what is added to its output is x, as the first half returned it.",
)
class AddsTheNormedSecond(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        normed = self.norm_2(x)
        return normed + self.feed_forward(normed)


@llama_layer.mistake(
    "Your two halves are parallel: the feed-forward reads the input of the layer. It should read the result of the "
    "first half.",
)
class SideBySide(layers.LlamaLayer):
    def forward(self, x, mask=None):
        return x + self.self_attention(self.norm_1(x), mask) + self.feed_forward(self.norm_2(x))


@llama_layer.mistake(
    "Your second residual connection adds the input of the layer, so what the attention computed reaches the output "
    "only through the feed-forward. Add the result of the first half: `x = x + self.feed_forward(self.norm_2(x))`."
)
class AddsTheInputTwice(layers.LlamaLayer):
    def forward(self, x, mask=None):
        y = x + self.self_attention(self.norm_1(x), mask)
        return x + self.feed_forward(self.norm_2(y))


@llama_layer.mistake(
    "Your norms subtract the mean, as LayerNorm does. A Llama has RMSNorm: use your `RMSNorm` for both."
)
class WithLayerNorm(layers.LlamaLayer):
    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__(d_model, heads, kv_heads, d_ff, rotate)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)


@llama_layer.mistake("Your feed-forward comes before the attention. Attention comes first.")
class FeedForwardFirst(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.feed_forward(self.norm_2(x))
        return x + self.self_attention(self.norm_1(x), mask)


@llama_layer.mistake(
    "Your layer has as many heads of keys as of queries. Pass `kv_heads` on to `GroupedQueryAttention`, so that groups "
    "of queries share them."
)
def without_groups(d_model, heads, kv_heads, d_ff, rotate):
    return layers.LlamaLayer(d_model, heads, heads, d_ff, rotate)


@llama_layer.right_for_whole_course
class LayerOfAList(nn.Module):
    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__()
        self.norms = nn.ModuleList([RMSNorm(d_model), RMSNorm(d_model)])
        self.attention = GroupedQueryAttention(d_model, heads, kv_heads, rotate)
        self.mlp = SwiGLU(d_model, d_ff)

    def forward(self, x, mask=None):
        read = x + self.attention(self.norms[0](x), mask)
        return read + self.mlp(self.norms[1](read))


@llama_layer.right
class WithTorchsNorm(nn.Module):
    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__()
        self.norm_1, self.norm_2 = nn.RMSNorm(d_model, eps=1e-5), nn.RMSNorm(d_model, eps=1e-5)
        self.attention = GroupedQueryAttention(d_model, heads, kv_heads, rotate)
        self.gate, self.up = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_model, d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x, mask=None):
        x = x + self.attention(self.norm_1(x), mask)
        normed = self.norm_2(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))
