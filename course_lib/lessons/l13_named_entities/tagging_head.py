"""The exercise `TaggingHead` of notebook 13."""

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.learning import tagging


def inputs(d_model: int, _tags: int) -> tuple[torch.Tensor]:
    """Hidden states, (2, 3, d_model)."""
    return (fixed_tensor(2, 3, d_model),)


LEARNED = ClassWithWeights(
    reference=tagging.TaggingHead,
    inputs=inputs,
    sizes=(6, 4),
    wide=(64, 10),
    logits=1,
    block=11,
)


head = Exercise(
    reference=tagging.TaggingHead,
    notebook=13,
    order=60,
    minutes=5,
    difficulty=1,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED),
    explain=explain_class(LEARNED),
    returns=(Result("logits", "B, S, K"), Result("the gradients of your matrices")),
    example=case(4, 3, fixed_tensor(2, 3, 4)),
    another=case(4, 3, fixed_tensor(2, 3, 4, seed=1)),
    cases=(
        case(6, 9, fixed_tensor(3, 5, 6), having=("other sizes",)),
        case(4, 3, fixed_tensor(1, 1, 4), having=("a single piece",)),
        case(4, 3, fixed_tensor(3, 4, 4), having=("as many pieces as features",)),
        case(4, 3, fixed_tensor(1, 3, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "One linear map is all that has weights here. From which width to which?",
        "`__init__` makes `nn.Linear(d_model, tags)`. It maps the last axis, whatever axes come before.",
        "`forward` returns `self.output(hidden)`, one row of logits for each piece, without a softmax.",
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
    "Your head ends in a softmax over the pieces. Return logits, because the cross-entropy takes the softmax itself, "
    "over the tags.",
    replace="return logits",
    by="return logits.softmax(-2)",
)

head.patch(
    "Your head ends in a log-softmax over the pieces. Return logits, because the cross-entropy takes the softmax "
    "itself, over the tags.",
    replace="return logits",
    by="return logits.log_softmax(-2)",
)

head.patch(
    "All pieces of a sentence get the same logits in your code, those of their mean. Each piece has a tag of its own: "
    "map its own vector.",
    replace="self.output(hidden)",
    by="self.output(hidden.mean(-2, keepdim=True).expand_as(hidden))",
)

head.patch(
    "Your head ends in a sigmoid. A word has exactly one tag: return logits, and the cross-entropy takes the softmax.",
    replace="return logits",
    by="return logits.sigmoid()",
)

head.patch(
    "Your head returns the likeliest tag, which has no gradient. Return the logits of all tags.",
    replace="return logits",
    by="return logits.argmax(-1)",
)

head.patch(
    "Your head averages over the pieces, as for a text's class. Here each piece has its own tag: map each on its own.",
    replace="self.output(hidden)",
    by="self.output(hidden.mean(dim=-2))",
)

head.patch(
    "Your head reads the first piece only. Here each piece has its own tag: map each on its own.",
    replace="self.output(hidden)",
    by="self.output(hidden[..., 0, :])",
)

head.patch(
    "Your logits lack the first and the last piece, as if these were left out as special tokens. Return logits for "
    "every piece: the labels say which count.",
    replace="self.output(hidden)",
    by="self.output(hidden[..., 1:-1, :])",
)

head.patch(
    "Your logits lack the first piece, as if it were left out as a special token. Return logits for every piece: the "
    "labels say which count.",
    replace="self.output(hidden)",
    by="self.output(hidden[..., 1:, :])",
)

head.patch(
    "Your logits lack the last piece, as if it were left out as a special token. Return logits for every piece: the "
    "labels say which count.",
    replace="self.output(hidden)",
    by="self.output(hidden[..., :-1, :])",
)

head.patch(
    "In your head, hidden features below 0 count as 0, as after a ReLU. They say as much as those above: map the "
    "hidden states as they are.",
    replace="self.output(hidden)",
    by="self.output(hidden.relu())",
)

head.patch(
    "Your head has a tanh before the linear map. BERT's pooler has one, its tagging head does not.",
    replace="self.output(hidden)",
    by="self.output(hidden.tanh())",
)


head.patch(
    "Your logits are in the wrong places, as if (B, S, K) were reshaped to (B, K, S) before two axes are exchanged. "
    "A linear map leaves the tags on the last axis: neither is needed.",
    replace="self.output(hidden)",
    by="self.output(hidden).reshape(hidden.size(0), -1, hidden.size(1)).mT",
)


@head.mistake(
    "Your logits have the shape (B, K, S), as torch's cross-entropy expects it. The course's expects (B, S, K)."
)
class TagsBeforePieces(tagging.TaggingHead):
    def forward(self, hidden):
        return super().forward(hidden).mT


@head.right_for_whole_course
class OneMap(nn.Module):
    def __init__(self, d_model, tags):
        super().__init__()
        self.W = nn.Linear(d_model, tags)

    def forward(self, hidden):
        return self.W(hidden)


@head.right
class OfWidthOne(nn.Module):
    """A convolution that reads one piece at a time."""

    def __init__(self, d_model, tags):
        super().__init__()
        self.convolution = nn.Conv1d(d_model, tags, kernel_size=1)

    def forward(self, hidden):
        return self.convolution(hidden.transpose(1, 2)).transpose(1, 2)


@head.right
class BeginsAtZero(tagging.TaggingHead):
    def __init__(self, d_model, tags):
        super().__init__(d_model, tags)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)


@head.right
class MatrixAndBias(nn.Module):
    def __init__(self, d_model, tags):
        super().__init__()
        self.W = nn.Parameter(torch.randn(tags, d_model) * d_model**-0.5)
        self.b = nn.Parameter(torch.zeros(tags))

    def forward(self, hidden):
        return hidden @ self.W.T + self.b
