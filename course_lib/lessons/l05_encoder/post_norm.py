"""The exercise `post_norm` of notebook 05."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l05_encoder.inputs import backwards, norm, square
from course_lib.transformer import layers
from course_lib.transformer.layers import pre_norm

post_norm = Exercise(
    reference=layers.post_norm,
    notebook=5,
    order=40,
    minutes=5,
    difficulty=1,
    on_map="encoder_norm",
    trained=True,
    returns=(Result("the tokens", "B, T, d_model"),),
    example=case(torch.tensor([[[1.0, 3.0, 2.0]]]), backwards, norm),
    another=case(fixed_tensor(1, 1, 3), backwards, norm),
    cases=(
        case(fixed_tensor(2, 3, 4), square, norm, having=("a batch",)),
        case(fixed_tensor(2, 3, 4), torch.tanh, torch.sinh, having=("another norm",)),
        case(fixed_tensor(4, 3), square, torch.sinh, having=("another norm", "no batch axis")),
        case(fixed_tensor(1, 1, 5), torch.zeros_like, norm, having=("a sublayer that writes nothing",)),
        case(fixed_tensor(1, 2, 4, dtype=torch.float64), backwards, norm, having=("float64 numbers",)),
    ),
    hints=(
        "`sublayer` and `norm` are functions: call them. Two things are added, and one thing is normalised.",
        "What the sublayer computes from x is added to x.",
        "The norm comes last, around the whole sum.",
    ),
)


@post_norm.mistake(
    "The residual is missing: x itself is added to what the sublayer computes. Through it the gradient finds its way "
    "down a deep stack."
)
def no_residual(x, sublayer, norm):
    return norm(sublayer(x))


@post_norm.mistake("You normalised what the sublayer wrote, before adding it. In 2017 the norm comes after the sum.")
def norm_inside(x, sublayer, norm):
    return x + norm(sublayer(x))


@post_norm.mistake(
    "That is pre-norm, today's order, and the next exercise. In 2017 the norm comes last: after the sum."
)
def pre_for_post(x, sublayer, norm):
    return pre_norm(x, sublayer, norm)


@post_norm.mistake("The sum is right, but not normalised: put it through `norm`.")
def not_normalised(x, sublayer, norm):
    return x + sublayer(x)


@post_norm.mistake("You normalised the two parts each for itself. Add first, then normalise the sum.")
def sum_of_norms(x, sublayer, norm):
    return norm(x) + norm(sublayer(x))


@post_norm.mistake("You normalised x alone, and added the sublayer's part after it. The sum goes through the norm.")
def added_after_the_norm(x, sublayer, norm):
    return norm(x) + sublayer(x)


@post_norm.right_for_whole_course
def by_torch_add(stream, module, ln):
    return ln(torch.add(module(stream), stream))


@post_norm.right
def post_norm_in_steps(stream, module, ln):
    written = module(stream)
    total = stream + written
    return ln(total)
