"""The exercise `FeedForward` of notebook 05."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, numbers_in_biases, with_count
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import layers

LEARNED = ClassWithWeights(
    reference=layers.FeedForward,
    inputs=lambda d_model, d_ff, activation: (fixed_tensor(2, 3, d_model),),
    sizes=(4, 7, torch.relu),
    wide=(64, 96, torch.relu),
    block=4,
)


feed_forward = Exercise(
    reference=layers.FeedForward,
    notebook=5,
    order=20,
    minutes=10,
    difficulty=1,
    on_map="encoder_feed_forward",
    trained=True,
    # The formula has d_ff + d_model of them.
    adapt=with_count(LEARNED, lambda fixed, sizes: numbers_in_biases(fixed, sizes[0] + sizes[1])),
    further_check=judge_class(LEARNED),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the gradients of your matrices"),
        Result("the count of the numbers in your biases"),
    ),
    example=case(4, 7, torch.relu, fixed_tensor(1, 2, 4)),
    another=case(4, 7, torch.relu, fixed_tensor(1, 2, 4, seed=1)),
    cases=(
        case(4, 7, torch.relu, fixed_tensor(2, 3, 4), having=("a batch",)),
        case(4, 3, torch.relu, fixed_tensor(2, 3, 4), having=("a d_ff below d_model", "a batch")),
        case(6, 5, torch.relu, fixed_tensor(2, 3, 6), having=("another d_model", "a batch")),
        case(4, 7, torch.tanh, fixed_tensor(2, 3, 4), having=("another activation", "a batch")),
        case(4, 7, F.gelu, fixed_tensor(1, 2, 4, seed=2), having=("another activation",)),
        case(4, 7, torch.relu, fixed_tensor(1, 1, 4), having=("a single token",)),
        case(4, 7, torch.relu, fixed_tensor(5, 4), having=("no batch axis",)),
        case(4, 7, torch.relu, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Which two widths does each of the two linear maps connect? Make both maps in `__init__`, with `nn.Linear`.",
        (
            "The activation is a function, the third argument of `__init__`. Keep it in `self.activation`, and call it "
            "in `forward`, between the two maps."
        ),
        "The innermost call is `self.W_1(x)`, of width d_ff. Two calls go around it, and no sum follows.",
    ),
)


@feed_forward.mistake(
    "In your code, the activation comes after the second map. Two maps without an activation between them are no more "
    "than one: apply it after the first map.",
    seen="https://github.com/goruck/nilm/issues/1",
)
class ActivationAtTheEnd(layers.FeedForward):
    def forward(self, x):
        return self.activation(self.W_2(self.W_1(x)))


feed_forward.patch(
    "The activation has no effect in your code. Two linear maps in a row are no more than one: the second map should "
    "read what `self.activation` returns.",
    replace="self.activation(self.W_1(x))",
    by="self.W_1(x)",
)

feed_forward.patch(
    "In your code, the activation comes after both maps, so that ReLU cuts the result too. Apply it after the first "
    "map only.",
    replace="self.W_2(hidden)",
    by="self.activation(self.W_2(hidden))",
)

feed_forward.patch(
    "Your feed-forward adds x to its result. The residual connection comes later, around the whole sublayer: "
    "`post_norm` adds x.",
    replace="self.W_2(hidden)",
    by="x + self.W_2(hidden)",
)


@feed_forward.mistake(
    "In your code, the activation comes before the first map, so that ReLU cuts the negative numbers of x itself. "
    "Apply it between the two maps."
)
class ActivationBefore(layers.FeedForward):
    def forward(self, x):
        output = self.W_2(self.W_1(self.activation(x)))
        return output


feed_forward.patch(
    "Your code always uses ReLU, whatever activation is passed in. Call the function that is the third argument.",
    replace="self.activation = activation",
    by="self.activation = torch.relu",
)

feed_forward.patch(
    "Your code always uses GELU, whatever activation is passed in. Call the function that is the third argument.",
    replace="self.activation = activation",
    by="self.activation = torch.nn.functional.gelu",
)


@feed_forward.mistake(
    "Your maps have no trainable biases. The formula adds two, b_1 and b_2. An `nn.Linear` has one unless you pass "
    "`bias=False`; beside a matrix of your own, add an `nn.Parameter` of zeros, of width d_ff or d_model."
)
class WithoutBiases(layers.FeedForward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation, bias=False)


@feed_forward.mistake(
    "Your first map has no trainable bias. The formula adds one, b_1, of width d_ff. An `nn.Linear` has one unless you "
    "pass `bias=False`, and a tensor of your own has to be an `nn.Parameter`."
)
class FirstWithoutBias(layers.FeedForward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_1 = nn.Linear(d_model, d_ff, bias=False)


@feed_forward.mistake(
    "Your second map has no trainable bias. The formula adds one, b_2, of width d_model. An `nn.Linear` has one unless "
    "you pass `bias=False`, and a tensor of your own has to be an `nn.Parameter`."
)
class SecondWithoutBias(layers.FeedForward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_2 = nn.Linear(d_ff, d_model, bias=False)


@feed_forward.right_for_whole_course
class OfBareMatrices(nn.Module):
    def __init__(self, d, f, activation=torch.relu):
        super().__init__()
        self.A, self.a = nn.Parameter(torch.randn(d, f) * d**-0.5), nn.Parameter(torch.zeros(f))
        self.B, self.b = nn.Parameter(torch.randn(f, d) * f**-0.5), nn.Parameter(torch.zeros(d))
        self.activation = activation

    def forward(self, x):
        hidden = self.activation(torch.einsum("...d,df->...f", x, self.A) + self.a)
        return torch.einsum("...f,fd->...d", hidden, self.B) + self.b


@feed_forward.right
class FeedForwardInOne(nn.Module):
    def __init__(self, width, hidden, act=F.relu):
        super().__init__()
        self.up, self.down, self.act = nn.Linear(width, hidden), nn.Linear(hidden, width), act

    def forward(self, x):
        return self.down(self.act(self.up(x)))


@feed_forward.right
class FeedForwardByConvolution(nn.Module):
    """Two convolutions of width 1, as the paper describes it."""

    def __init__(self, d, f, activation=torch.relu):
        super().__init__()
        self.first, self.second = nn.Linear(d, f, bias=False), nn.Linear(f, d, bias=False)
        self.b_1, self.b_2 = nn.Parameter(torch.zeros(1, 1, f)), nn.Parameter(torch.zeros(1, 1, d))
        self.activation = activation

    def forward(self, x):
        hidden = self.activation(self.first(x) + self.b_1.view(-1))
        return F.linear(hidden, self.second.weight) + self.b_2.view(-1)


@feed_forward.right
class FeedForwardByTrueConvolution(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1, self.W_2, self.activation = nn.Conv1d(d_model, d_ff, 1), nn.Conv1d(d_ff, d_model, 1), activation

    def forward(self, x):
        tokens = x.reshape(-1, x.size(-1), 1)
        return self.W_2(self.activation(self.W_1(tokens))).view(x.shape)
