"""The exercise `pre_norm` of notebook 05."""

import torch

from course_lib.exercises.cases import Result
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l05_encoder.inputs import AROUND_A_SUBLAYER
from course_lib.transformer import layers
from course_lib.transformer.layers import post_norm

pre_norm = Exercise(
    reference=layers.pre_norm,
    notebook=5,
    order=50,
    minutes=5,
    difficulty=1,
    on_map="encoder_norm",
    trained=True,
    returns=(Result("the tokens", "B, T, d_model"),),
    example=AROUND_A_SUBLAYER[0],
    another=AROUND_A_SUBLAYER[1],
    cases=AROUND_A_SUBLAYER[2:],
    hints=(
        "The same two functions in another order: z = x + Module(LN(x)).",
        "The sublayer does not read x, but the normalised x.",
        "Nothing is normalised after the sum, and the x that is added is the one that came in.",
    ),
)


@pre_norm.mistake(
    "That is post-norm, 2017's order. In pre-norm the sublayer reads normalised tokens, and the sum stays as it is."
)
def post_for_pre(x, sublayer, norm):
    return post_norm(x, sublayer, norm)


@pre_norm.mistake(
    "Your residual carries the normalised x. What is added is x as it came in: only the sublayer reads the norm.",
    seen="https://github.com/pytorch/pytorch/issues/61165",
)
def residual_of_the_normalised(x, sublayer, norm):
    return norm(x) + sublayer(norm(x))


@pre_norm.mistake("The residual is missing: add x to what the sublayer computes.")
def no_residual_before(x, sublayer, norm):
    return sublayer(norm(x))


@pre_norm.mistake("You normalised what the sublayer wrote. In pre-norm it is what the sublayer reads.")
def norm_after(x, sublayer, norm):
    return x + norm(sublayer(x))


@pre_norm.mistake("The sum is there, but the sublayer reads x as it is: it should read `norm(x)`.")
def never_normalised(x, sublayer, norm):
    return x + sublayer(x)


@pre_norm.mistake(
    "You normalised once before and once after. In pre-norm the sum stays as it is: no norm stands on the stream."
)
def normalised_twice(x, sublayer, norm):
    return norm(x + sublayer(norm(x)))


@pre_norm.right_for_whole_course
def by_torch_add(stream, module, ln):
    return torch.add(module(ln(stream)), stream)


@pre_norm.right
def pre_norm_in_steps(stream, module, ln):
    read = ln(stream)
    return stream + module(read)
