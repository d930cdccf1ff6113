"""The exercise `post_norm` of notebook 05."""

import torch

from course_lib.exercises.cases import Result
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l05_encoder.inputs import AROUND_A_SUBLAYER
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
    example=AROUND_A_SUBLAYER[0],
    another=AROUND_A_SUBLAYER[1],
    cases=AROUND_A_SUBLAYER[2:],
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
