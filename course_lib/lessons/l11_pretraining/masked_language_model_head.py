"""The exercise `MaskedLanguageModelHead` of notebook 11."""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import models
from course_lib.transformer.layers import LayerNorm

NO_BIAS = (
    "Your head has no bias for the tokens of the vocabulary. Add an `nn.Parameter(torch.zeros(vocabulary))`, so that "
    "frequent tokens can be favoured whatever the context is."
)
BIASES_ELSEWHERE = (
    "With biases that are not 0, your logits are not right. Add each bias once, right after its own step: the linear "
    "map, the norm, and the product with the table."
)
BIASES_START = "The bias of your vocabulary should begin as zeros: at first no token is favoured."


def inputs(vocabulary: int, d_model: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states (2, 3, d_model) and a table (V, d_model)."""
    return fixed_tensor(2, 3, d_model), fixed_tensor(vocabulary, d_model, seed=9)


LEARNED = ClassWithWeights(
    reference=models.MaskedLanguageModelHead,
    inputs=inputs,
    sizes=(9, 4),
    wide=(50, 64),
    block=4,
    d_model=1,
)


def bias_of_the_vocabulary(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a head has no bias for the V tokens, or one that favours some of them from the start."""
    vocabulary = learned.wide[0]
    with torch.random.fork_rng([]):
        head = learned.make(answer, learned.wide)
    biases = [each for each in head.parameters() if each.numel() == vocabulary]
    if not biases:
        return NO_BIAS
    return BIASES_START if any(each.any() for each in biases) else ""


@torch.no_grad()
def biases_after_their_steps(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a bias is not added once, after its own step. A head may lack those of width d_model.

    The cases cannot show it: in them, all biases are 0.
    """
    vocabulary, d_model = learned.sizes
    module, expected = (
        learned.make_with_fixed_weights(each, learned.sizes).module for each in (answer, learned.reference)
    )
    inputs = learned.inputs(vocabulary, d_model)
    own, of_reference = vectors_of_zeros(module, d_model), vectors_of_zeros(expected, d_model)
    for each in (module, expected):
        for bias in vectors_of_zeros(each, vocabulary):
            bias.copy_(fixed_tensor(vocabulary, seed=30).view_as(bias))
    for seed, bias in enumerate(own, start=31):
        bias.copy_(fixed_tensor(d_model, seed=seed).view_as(bias))
    logits = learned.outputs(module, inputs)[0]
    for roles in itertools.permutations(of_reference, len(own)):
        for bias in of_reference:
            bias.zero_()
        for seed, bias in enumerate(roles, start=31):
            bias.copy_(fixed_tensor(d_model, seed=seed))
        if torch.allclose(logits, learned.outputs(expected, inputs)[0], atol=1e-4):
            return ""
    return BIASES_ELSEWHERE


def vectors_of_zeros(module: nn.Module, length: int) -> list[nn.Parameter]:
    """The parameters of a module that are as many zeros."""
    return [each for each in module.parameters() if each.numel() == length and not each.any()]


head = Exercise(
    reference=models.MaskedLanguageModelHead,
    notebook=11,
    order=60,
    minutes=10,
    difficulty=2,
    on_map="projection",
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, bias_of_the_vocabulary, biases_after_their_steps),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("logits", "B, T, V"),
        Result("the gradients of your matrices"),
    ),
    example=case(9, 4, fixed_tensor(1, 2, 4), fixed_tensor(9, 4, seed=5)),
    another=case(9, 4, fixed_tensor(1, 2, 4, seed=1), fixed_tensor(9, 4, seed=6)),
    cases=(
        case(9, 4, fixed_tensor(2, 3, 4), fixed_tensor(9, 4, seed=7), having=("a batch",)),
        case(5, 6, fixed_tensor(2, 3, 6), fixed_tensor(5, 6, seed=7), having=("other sizes", "a batch")),
        case(9, 4, fixed_tensor(5, 4), fixed_tensor(9, 4, seed=5), having=("no batch axis",)),
        case(9, 4, fixed_tensor(1, 1, 4), fixed_tensor(9, 4, seed=8), having=("a single token",)),
        case(
            9,
            4,
            fixed_tensor(1, 2, 4, dtype=torch.float64),
            fixed_tensor(9, 4, seed=5, dtype=torch.float64),
            having=("float64 numbers",),
        ),
    ),
    hints=(
        (
            "Four steps, in the order of the text above: a linear map from d_model to d_model, GELU, a norm, and a "
            "comparison with every row of the table. Which of them have weights of their own?"
        ),
        (
            "`__init__` makes `nn.Linear(d_model, d_model)`, `LayerNorm(d_model)` and a bias, an "
            "`nn.Parameter(torch.zeros(vocabulary))`. The table is not a weight of the head: it comes with each call."
        ),
        (
            "`forward` ends like the `LanguageModel` of notebook 06: a product with the transposed table, `table.T`, "
            "gives (B, T, V). Only the bias is new."
        ),
    ),
)


head.patch(
    "Your head has no activation. Call `F.gelu` after the linear map and before the norm.",
    replace="F.gelu(self.transform(hidden))",
    by="self.transform(hidden)",
)

head.patch(
    "Your head uses ReLU. BERT's head, like its layers, uses GELU: `F.gelu`.",
    replace="F.gelu(self.transform(hidden))",
    by="F.relu(self.transform(hidden))",
)

head.patch(
    "Your GELU is the approximation with tanh. The results are close, but this head needs the exact function: "
    "`F.gelu` without `approximate`.",
    replace="F.gelu(self.transform(hidden))",
    by='F.gelu(self.transform(hidden), approximate="tanh")',
)

head.patch(
    "Your norm comes before the activation. The order is: linear map, GELU, norm.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="F.gelu(self.norm(self.transform(hidden)))",
)

head.patch(
    "Your norm comes first, before the linear map. The order is: linear map, GELU, norm.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="F.gelu(self.transform(self.norm(hidden)))",
)

head.patch(
    "Your code calls GELU before the linear map. The order is: linear map, GELU, norm.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="self.norm(self.transform(F.gelu(hidden)))",
)

head.patch(
    "Your head adds what comes in to what it computes. The head is not a layer of the encoder, and has no "
    "residual connection.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="self.norm(hidden + F.gelu(self.transform(hidden)))",
)

head.patch(
    "The norm is missing in your head. It comes after GELU, before the product with the table.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="F.gelu(self.transform(hidden))",
)

head.patch(
    "The linear map is missing in your head. It comes first, from d_model to d_model.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="self.norm(F.gelu(hidden))",
)

head.patch(
    "Your head only compares the hidden states with the table. Before that come a linear map, GELU and a norm.",
    replace="self.norm(F.gelu(self.transform(hidden)))",
    by="hidden",
)

head.patch(
    "Your head ends in a softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)

head.patch(
    "Your head ends in a log-softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.log_softmax(-1)",
)

head.patch(
    "Your head returns the transformed vectors, (B, T, d_model). A product with the transposed table gives the logits "
    "(B, T, V).",
    replace="return logits",
    by="return transformed",
)

head.patch(
    "Your logits are divided by √d_model. That scale belongs to attention: the norm has set the size of the vectors "
    "already.",
    replace="transformed @ table.T + self.output_bias",
    by="transformed @ table.T / hidden.size(-1) ** 0.5 + self.output_bias",
)

head.patch(
    "The eps of your norm is not 1e-5. Use your `LayerNorm`, or `nn.LayerNorm(d_model)`, and leave its eps as it is "
    "(BERT has 1e-12).",
    replace="self.norm = norm(d_model)",
    by="self.norm = nn.LayerNorm(d_model, eps=1e-12)",
)


@head.mistake(
    "Your head has a matrix of its own for the logits, and ignores the table that comes in. Use `table.T`, so that one "
    "table serves both ends."
)
class Untied(nn.Module):
    def __init__(self, vocabulary, d_model):
        super().__init__()
        self.transform, self.norm = nn.Linear(d_model, d_model), LayerNorm(d_model)
        self.decoder = nn.Linear(d_model, vocabulary)

    def forward(self, hidden, table):
        return self.decoder(self.norm(F.gelu(self.transform(hidden))))


@head.right_for_whole_course
class OfModules(nn.Module):
    def __init__(self, V, d_model):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(d_model, d_model), nn.GELU(), nn.LayerNorm(d_model))
        self.bias = nn.Parameter(torch.zeros(V))

    def forward(self, hidden, table):
        return F.linear(self.layers(hidden), table, self.bias)


@head.right
class WithALayerNormOfTheCourse(nn.Module):
    def __init__(self, V, d_model):
        super().__init__()
        self.W, self.norm = nn.Linear(d_model, d_model), LayerNorm(d_model)
        self.bias = nn.Parameter(torch.zeros(V))

    def forward(self, hidden, table):
        return torch.einsum("...d,vd->...v", self.norm(F.gelu(self.W(hidden))), table) + self.bias
