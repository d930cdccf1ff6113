"""The exercise `ClassifierHead` of notebook 12."""

from typing import Any

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.learning import heads
from course_lib.learning.heads import mean_of_tokens


def real(*lengths: int, S: int) -> torch.Tensor:
    """Whether each of S tokens is real, for texts of these lengths: (B, S)."""
    return torch.arange(S) < torch.tensor(lengths)[:, None]


def inputs(d_model: int, _classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states (2, 3, d_model), the last of which is padding, and what is real."""
    return fixed_tensor(2, 3, d_model), real(3, 2, S=3)


LEARNED = ClassWithWeights(
    reference=heads.ClassifierHead,
    inputs=inputs,
    sizes=(6, 4),
    wide=(64, 10),
    logits=1,
    block=11,
)


@torch.no_grad()
def bias_is_added_once(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a bias is not added once to the logits of a text with padding. A head without a bias may pass.

    The cases cannot show it: in them, all biases are 0.
    """
    d_model, classes = learned.sizes
    with torch.random.fork_rng([]):
        module = learned.make(answer, learned.sizes).eval()
    padded = (fixed_tensor(1, 5, d_model), real(2, S=5))
    before = learned.outputs(module, padded)[0]
    biases = [each for each in module.parameters() if each.shape == (classes,)]
    for bias in biases:
        bias.add_(1)
    change = learned.outputs(module, padded)[0] - before
    if torch.allclose(change, torch.full_like(change, len(biases)), atol=1e-4):
        return ""
    return (
        "If the bias grows by 1, the logits should too, but for a text of two real tokens and three pads, yours grow "
        f"by {change.mean() / len(biases):.4g}. First divide by the number of real tokens, then map: if you map the "
        "padding too, or divide after the map, the bias is not added exactly once."
    )


head = Exercise(
    reference=heads.ClassifierHead,
    notebook=12,
    order=20,
    minutes=8,
    difficulty=2,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, bias_is_added_once),
    explain=explain_class(LEARNED),
    returns=(Result("logits", "B, C"), Result("the gradients of your matrices")),
    example=case(4, 2, fixed_tensor(2, 3, 4), real(3, 2, S=3)),
    another=case(4, 2, fixed_tensor(2, 3, 4, seed=1), real(3, 2, S=3)),
    cases=(
        case(6, 3, fixed_tensor(3, 4, 6), real(1, 4, 2, S=4), having=("other sizes", "texts of three lengths")),
        case(4, 2, fixed_tensor(1, 3, 4), real(3, S=3), having=("a single text",)),
        case(4, 2, fixed_tensor(2, 1, 4), real(1, 1, S=1), having=("one token each",)),
        case(4, 2, fixed_tensor(2, 3, 4, dtype=torch.float64), real(3, 1, S=3), having=("float64 numbers",)),
    ),
    hints=(
        "One linear map is all that has weights here. From which width to which?",
        "`__init__` makes `nn.Linear(d_model, classes)`. `forward` calls your `mean_of_tokens` first.",
        "`self.output(mean_of_tokens(hidden, real))`, without a softmax: the loss takes it.",
    ),
)


head.patch(
    "Your head ends in a softmax. Return logits, because the cross-entropy takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
)

head.patch(
    "Your head ends in a log-softmax. Return logits, because the cross-entropy takes the softmax itself.",
    replace="return logits",
    by="return logits.log_softmax(-1)",
)

head.patch(
    "Your head ends in a sigmoid. Return logits, one for each class; the cross-entropy turns them into probabilities.",
    replace="return logits",
    by="return logits.sigmoid()",
)

head.patch(
    "Your head takes the largest logit of all real tokens. Map their mean: `mean_of_tokens(hidden, real)`.",
    replace="self.output(mean_of_tokens(hidden, real))",
    by="self.output(hidden).masked_fill(~real[..., None], -torch.inf).amax(dim=1)",
)

head.patch(
    "Your head takes the largest of each number over the real tokens. Map their mean: `mean_of_tokens(hidden, real)`.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden.masked_fill(~real[..., None], -torch.inf).amax(dim=-2)",
)

head.patch(
    "Your head takes the largest of each number over all tokens, the padding too. Map the mean of the real ones: "
    "`mean_of_tokens(hidden, real)`.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden.amax(dim=-2)",
)

head.patch(
    "Your head averages over the padding as well. Call `mean_of_tokens(hidden, real)`, which leaves it out.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden.mean(dim=-2)",
)

head.patch(
    "Your head leaves the padding out of the sum, but divides by all S positions. Call `mean_of_tokens(hidden, real)`, "
    "which divides by the number of real tokens.",
    replace="mean_of_tokens(hidden, real)",
    by="(hidden * real[..., None]).mean(dim=-2)",
)

head.patch(
    "Your head divides by the number of real tokens of all texts together. Call `mean_of_tokens(hidden, real)`, which "
    "divides each text's sum by the number of its own.",
    replace="mean_of_tokens(hidden, real)",
    by="(hidden * real[..., None]).sum(dim=-2) / real.sum()",
)

head.patch(
    "Your head reads the first token only. Call `mean_of_tokens(hidden, real)`, and map the mean.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden[:, 0]",
)

head.patch(
    "Your head reads the first token only, and has a tanh before the map, as BERT's pooler has it. Call "
    "`mean_of_tokens(hidden, real)`, and map the mean; one linear map is enough.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden[:, 0].tanh()",
)

head.patch(
    "Your head reads the last position, which may be padding. Call `mean_of_tokens(hidden, real)`, and map the mean.",
    replace="mean_of_tokens(hidden, real)",
    by="hidden[:, -1]",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/990",
)

head.patch(
    "Your head adds up the tokens, so long texts get large logits. Call `mean_of_tokens(hidden, real)`.",
    replace="mean_of_tokens(hidden, real)",
    by="(hidden * real[..., None]).sum(dim=-2)",
)

head.patch(
    "Your head gives logits for every token, (B, S, C). Average the tokens first: a text has one class.",
    replace="self.output(mean_of_tokens(hidden, real))",
    by="self.output(hidden)",
)

head.patch(
    "Your head applies an activation to the mean. One linear map is enough, and ReLU loses what is negative.",
    replace="mean_of_tokens(hidden, real)",
    by="mean_of_tokens(hidden, real).relu()",
)

head.patch(
    "Your head applies an activation, tanh, to the mean. BERT's pooler has one; here one linear map is enough.",
    replace="mean_of_tokens(hidden, real)",
    by="mean_of_tokens(hidden, real).tanh()",
)


@head.mistake(
    "Your head has one linear map more, with a tanh after it, as BERT's pooler has them. Here one map is enough, from "
    "d_model to the classes."
)
class WithAPooler(nn.Module):
    def __init__(self, d_model, classes):
        super().__init__()
        self.pooler, self.output = nn.Linear(d_model, d_model), nn.Linear(d_model, classes)

    def forward(self, hidden, real):
        return self.output(self.pooler(mean_of_tokens(hidden, real)).tanh())


@head.right_for_whole_course
class OneMap(nn.Module):
    def __init__(self, d_model, classes):
        super().__init__()
        self.W = nn.Linear(d_model, classes)

    def forward(self, hidden, real):
        return self.W(mean_of_tokens(hidden, real))


@head.right
class BeginsAtZero(nn.Module):
    """Even bets at first: a single map learns from zeros as well."""

    def __init__(self, d_model, classes):
        super().__init__()
        self.output = nn.Linear(d_model, classes)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, hidden, real):
        return self.output(mean_of_tokens(hidden, real))


@head.right
class MeanOfLogits(nn.Module):
    def __init__(self, d_model, classes):
        super().__init__()
        self.W, self.b = nn.Linear(d_model, classes, bias=False), nn.Parameter(torch.zeros(classes))

    def forward(self, hidden, real):
        return mean_of_tokens(self.W(hidden), real) + self.b
