"""The exercise `FeedForward` of notebook 05."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import with_fixed_weights
from course_lib.transformer import layers

feed_forward = Exercise(
    reference=layers.FeedForward,
    notebook=5,
    order=20,
    minutes=10,
    difficulty=1,
    on_map="encoder_feed_forward",
    trained=True,
    adapt=with_fixed_weights(constructor_arguments=3, block=4),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the count of numbers in your weight matrices"),
    ),
    example=case(4, 7, torch.relu, fixed_tensor(1, 2, 4)),
    another=case(4, 7, torch.relu, fixed_tensor(1, 2, 4, seed=1)),
    cases=(
        case(4, 7, torch.relu, fixed_tensor(2, 3, 4), having=("a batch",)),
        case(4, 3, torch.relu, fixed_tensor(2, 3, 4), having=("a d_ff below d_model",)),
        case(4, 7, torch.tanh, fixed_tensor(2, 3, 4), having=("another activation",)),
        case(4, 7, F.gelu, fixed_tensor(1, 1, 4), having=("another activation", "a single token")),
        case(4, 7, torch.relu, fixed_tensor(5, 4), having=("no batch axis",)),
        case(4, 7, torch.relu, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Two `nn.Linear` in `__init__`: from d_model up to d_ff, and back down.",
        (
            "In `forward`: up, bend, down. The bend is the third argument of `__init__`, a function; keep it in "
            "`self.activation`."
        ),
        (
            "The output of `W_1` goes through `self.activation`, and what comes out of that goes through `W_2`. "
            "Nothing is added and nothing bent after it."
        ),
    ),
)


@feed_forward.mistake(
    "You bend after the second map. Two maps with no bend between are worth one: bend after the first.",
    seen="https://github.com/goruck/nilm/issues/1",
)
class ActivationAtTheEnd(layers.FeedForward):
    def forward(self, x):
        return self.activation(self.W_2(self.W_1(x)))


feed_forward.patch(
    "There is no bend: two linear maps in a row are one linear map. The activation goes between them.",
    replace="self.activation(hidden) if",
    by="hidden if",
)

feed_forward.patch(
    "You bend after both maps, so that a sublayer could only ever add. Bend after the first one only.",
    replace="self.W_2(hidden)",
    by="self.activation(self.W_2(hidden))",
)

feed_forward.patch(
    "You add x already here. The residual comes later, around the whole sublayer: `post_norm` adds it.",
    replace="self.W_2(hidden)",
    by="x + self.W_2(hidden)",
)


@feed_forward.mistake(
    "You bend x before the first map, which cuts the token's own negative numbers. Bend between the maps."
)
class ActivationBefore(layers.FeedForward):
    def forward(self, x):
        output = self.W_2(self.W_1(self.activation(x)))
        return output


feed_forward.patch(
    "Your bend is ReLU whatever is asked for. The third argument says which activation to use.",
    replace="self.activation = activation",
    by="self.activation = torch.relu",
)


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
        self.drop, self.activation = nn.Dropout(0.1), activation

    def forward(self, x):
        return F.linear(self.drop(self.activation(self.first(x))), self.second.weight)


@feed_forward.right
class FeedForwardByTrueConvolution(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1, self.W_2, self.activation = nn.Conv1d(d_model, d_ff, 1), nn.Conv1d(d_ff, d_model, 1), activation

    def forward(self, x):
        tokens = x.reshape(-1, x.size(-1), 1)
        return self.W_2(self.activation(self.W_1(tokens))).view(x.shape)
