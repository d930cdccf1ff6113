"""The exercise `pre_norm` of notebook 05."""

import torch
import torch.nn.functional as F

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
    returns=(Result("the result", "B, T, d_model"),),
    example=AROUND_A_SUBLAYER[0],
    another=AROUND_A_SUBLAYER[1],
    cases=AROUND_A_SUBLAYER[2:],
    hints=(
        "Compare with `post_norm`: the same three things happen, in another order.",
        "The sublayer reads the normalised x. The x that is added stays as it came in, and so does the sum.",
        "`read = norm(x)` is what the sublayer reads. What is added to what it computes?",
    ),
)


@pre_norm.mistake(
    "Your code computes post-norm, the order of 2017. In pre-norm the sublayer reads normalised tokens, and the sum is "
    "not normalised."
)
def post_for_pre(x, sublayer, norm):
    return post_norm(x, sublayer, norm)


@pre_norm.mistake(
    "In your code, the residual connection carries the normalised x. Add x as it came in: only the sublayer reads "
    "norm(x).",
    seen="https://github.com/pytorch/pytorch/issues/61165",
)
def residual_of_the_normalised(x, sublayer, norm):
    return norm(x) + sublayer(norm(x))


@pre_norm.mistake(
    "Your code has it the wrong way round: it adds norm(x), and the sublayer reads x. The sublayer should read "
    "norm(x), and x is what is added."
)
def norm_on_the_residual(x, sublayer, norm):
    return norm(x) + sublayer(x)


@pre_norm.mistake("The residual connection is missing in your code: add x to what the sublayer computes.")
def no_residual_before(x, sublayer, norm):
    return sublayer(norm(x))


@pre_norm.mistake(
    "Your code normalises what the sublayer computed. In pre-norm the norm comes before the sublayer, which reads "
    "norm(x)."
)
def norm_after(x, sublayer, norm):
    return x + norm(sublayer(x))


@pre_norm.mistake("The norm has no effect in your code: the sublayer reads x as it is. It should read norm(x).")
def never_normalised(x, sublayer, norm):
    return x + sublayer(x)


@pre_norm.mistake(
    "Your code normalises x first, uses only the normalised x, and normalises the sum as well. In pre-norm only the "
    "sublayer reads norm(x): x itself is added, and the sum stays as it is."
)
def normalised_before_everything(x, sublayer, norm):
    x = norm(x)
    return norm(x + sublayer(x))


@pre_norm.mistake(
    "Your code normalises before the sublayer and again after the sum. In pre-norm the sum stays as it is."
)
def normalised_twice(x, sublayer, norm):
    return norm(x + sublayer(norm(x)))


@pre_norm.mistake(
    "Your code normalises both what the sublayer reads and what it computes. In pre-norm only what it reads is "
    "normalised."
)
def norms_on_both_sides(x, sublayer, norm):
    return x + norm(sublayer(norm(x)))


@pre_norm.mistake(
    "What the sublayer computes is missing from your result, which is x + norm(x). Add x to what the sublayer "
    "computes from norm(x)."
)
def sublayer_forgotten(x, sublayer, norm):
    return x + norm(x)


@pre_norm.mistake(
    "In your code, the sublayer reads the sum x + norm(x). It should read norm(x) alone, and x is added to what it "
    "computes."
)
def sum_into_the_sublayer(x, sublayer, norm):
    return sublayer(x + norm(x))


@pre_norm.mistake(
    "Your code uses a norm of its own, such as `F.layer_norm`. Call the function `norm` that is passed in: it may be a "
    "different one."
)
def another_norm(x, sublayer, norm):
    return x + sublayer(F.layer_norm(x, x.shape[-1:]))


@pre_norm.mistake(
    "Your numbers are right, but your code changes the caller's `x`, as `x += …` does. Write `x + …`, which makes a "
    "new tensor."
)
def in_place(x, sublayer, norm):
    x += sublayer(norm(x))
    return x


@pre_norm.mistake(
    "Your code changes in place what `norm` returned, which may be the caller's `x` itself. Write `a = a + b` for "
    "`a += b`: that makes a new tensor."
)
def in_place_on_the_normalised(x, sublayer, norm):
    read = norm(x)
    read += sublayer(read)
    return x + read - norm(x)


@pre_norm.mistake(
    "Your sum is twice sublayer(norm(x)), and x itself is missing. If another result gets the name `x`, the x that "
    "came in is lost: return x + sublayer(norm(x))."
)
def name_given_away(x, sublayer, norm):
    x = sublayer(norm(x))
    return x + x


@pre_norm.mistake(
    "Your result is half of the sum, the mean of x and sublayer(norm(x)). Add the two, and leave the sum as it is."
)
def mean_for_sum(x, sublayer, norm):
    return (x + sublayer(norm(x))) / 2


@pre_norm.right_for_whole_course
def by_torch_add(stream, module, ln):
    return torch.add(module(ln(stream)), stream)


@pre_norm.right
def pre_norm_in_steps(stream, module, ln):
    read = ln(stream)
    return stream + module(read)
