"""The exercise `SwiGLU` of notebook 14."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights import weights_in_use
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.transformer import layers

LEARNED = ClassWithWeights(
    reference=layers.SwiGLU,
    inputs=lambda d_model, d_ff: (fixed_tensor(2, 3, d_model),),
    sizes=(4, 7),
    wide=(64, 96),
    block=1,
)

swi_glu = Exercise(
    reference=layers.SwiGLU,
    notebook=14,
    order=20,
    minutes=6,
    difficulty=1,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, weights_in_use.biases),
    explain=explain_class(LEARNED),
    remark=weights_in_use.names_of_its_own(LEARNED),
    returns=(Result("output", "B, T, d_model"), Result("the gradients of your matrices")),
    example=case(4, 7, fixed_tensor(1, 2, 4)),
    another=case(4, 7, fixed_tensor(1, 2, 4, seed=1)),
    cases=(
        case(4, 7, fixed_tensor(2, 3, 4), having=("a batch",)),
        case(4, 3, fixed_tensor(2, 3, 4), having=("a d_ff below d_model", "a batch")),
        case(6, 5, fixed_tensor(2, 3, 6), having=("another d_model", "a batch")),
        case(5, 5, fixed_tensor(1, 1, 5), having=("a d_ff as large as d_model", "a single token")),
        case(4, 7, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Three maps: two go up from d_model to d_ff, one goes down. Where does the product of two vectors come in?",
        "None of the maps has a bias: `nn.Linear(d_model, d_ff, bias=False)`. SiLU is `F.silu`, from torch.",
        "Multiply `F.silu(self.W_gate(x))` by what the other map upwards gives, feature by feature, then go down.",
    ),
)

swi_glu.patch(
    "Your gate is a sigmoid, which is the GLU of 2016. SwiGLU's gate is SiLU: z times the sigmoid of z.",
    replace="F.silu(self.W_gate(x))",
    by="torch.sigmoid(self.W_gate(x))",
)

swi_glu.patch(
    "Your result is the same as without any activation. Put SiLU around the gate, which is W_gate x.",
    replace="F.silu(self.W_gate(x))",
    by="self.W_gate(x)",
)

swi_glu.patch(
    "Your gate is added. It says how much passes, so multiply by it.",
    replace=" * self.W_1(x)",
    by=" + self.W_1(x)",
)

swi_glu.patch(
    "Your code puts SiLU around the product. It belongs around one of the two factors, the gate.",
    replace="F.silu(self.W_gate(x)) * self.W_1(x)",
    by="F.silu(self.W_gate(x) * self.W_1(x))",
)

swi_glu.patch(
    "Your code puts SiLU around both factors. Only the gate has an activation.",
    replace="F.silu(self.W_gate(x)) * self.W_1(x)",
    by="F.silu(self.W_gate(x)) * F.silu(self.W_1(x))",
)

swi_glu.patch(
    "There is a sigmoid around W_1 x as well. Only the gate has an activation.",
    replace="* self.W_1(x)",
    by="* torch.sigmoid(self.W_1(x))",
)

swi_glu.patch(
    "There is a SiLU around what W_2 gives as well. Only the gate has an activation.",
    replace="output: Tensor = self.W_2(hidden)",
    by="output: Tensor = F.silu(self.W_2(hidden))",
)

swi_glu.patch(
    "Your gate is a softmax, in which the hidden features compete. SwiGLU's gate is SiLU, feature by feature.",
    replace="F.silu(self.W_gate(x))",
    by="self.W_gate(x).softmax(-1)",
)

swi_glu.patch(
    "Your gate is a tanh. SwiGLU's gate is SiLU: z times the sigmoid of z.",
    replace="F.silu(self.W_gate(x))",
    by="torch.tanh(self.W_gate(x))",
)

swi_glu.patch(
    "Your feed-forward has no second factor: multiply the activated gate by W_1 x.",
    replace="F.silu(self.W_gate(x)) * self.W_1(x)",
    by="F.silu(self.W_gate(x))",
)

swi_glu.patch(
    "Your result is the product of what W_2 makes of each factor. First multiply the gate by W_1 x, feature by "
    "feature, then map the product by W_2.",
    replace="hidden = F.silu(self.W_gate(x)) * self.W_1(x)  # (..., d_ff)\n        output: Tensor = self.W_2(hidden)",
    by="output: Tensor = self.W_2(F.silu(self.W_gate(x))) * self.W_2(self.W_1(x))",
)

swi_glu.patch(
    "Your gate is ReLU, which the paper calls ReGLU. SwiGLU's gate is SiLU.",
    replace="F.silu(self.W_gate(x))",
    by="torch.relu(self.W_gate(x))",
)

swi_glu.patch(
    "Your gate is GELU, which the paper calls GEGLU. SwiGLU's gate is SiLU.",
    replace="F.silu(self.W_gate(x))",
    by="F.gelu(self.W_gate(x))",
)

swi_glu.patch(
    "Your two factors come from the same matrix. The gate and the other factor have one each, `W_gate` and `W_1`.",
    replace="F.silu(self.W_gate(x)) * self.W_1(x)",
    by="F.silu(self.W_1(x)) * self.W_1(x)",
)


@swi_glu.mistake(
    "Your gate multiplies x itself, and W_1 maps the product. Both maps go up from d_model to d_ff: multiply the "
    "activated gate, W_gate x, by W_1 x."
)
class GateOfTheInput(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.W_gate = nn.Linear(d_model, d_model, bias=False)
        self.W_1, self.W_2 = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        return self.W_2(self.W_1(F.silu(self.W_gate(x)) * x))


def with_other_width(width):
    """SwiGLU with as many hidden features as `width` makes of d_ff."""

    class OtherWidth(layers.SwiGLU):
        def __init__(self, d_model, d_ff):
            super().__init__(d_model, width(d_ff))

    return OtherWidth


TWO_THIRDS = (
    "Your class has two thirds of `d_ff` hidden features, rounded{}. `d_ff` is their number: it was already chosen "
    "with the third matrix in mind."
)
swi_glu.mistake(TWO_THIRDS.format(" down"))(with_other_width(lambda d_ff: 2 * d_ff // 3))
swi_glu.mistake(TWO_THIRDS.format(""))(with_other_width(lambda d_ff: round(2 * d_ff / 3)))


@swi_glu.right_for_whole_course
class UpInOne(nn.Module):
    """The two maps upwards in one matrix."""

    def __init__(self, d_model, d_ff):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, 2 * d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        gate, values = self.up(x).chunk(2, dim=-1)
        return self.down(gate * torch.sigmoid(gate) * values)


@swi_glu.right
class OtherNames(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.gate_proj = nn.Linear(dim, hidden, bias=False)
        self.up_proj = nn.Linear(dim, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, dim, bias=False)

    def forward(self, x):
        return self.down_proj(self.up_proj(x) * F.silu(self.gate_proj(x)))
