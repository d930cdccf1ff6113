"""The exercise `post_norm` of notebook 05."""

import torch
import torch.nn.functional as F

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
    returns=(Result("the result", "B, T, d_model"),),
    example=AROUND_A_SUBLAYER[0],
    another=AROUND_A_SUBLAYER[1],
    cases=AROUND_A_SUBLAYER[2:],
    hints=(
        "Call both functions once. Which of the two comes last in 2017?",
        "First compute what the sublayer makes of x, and add x to it. That sum is the only thing that is normalised.",
        "`total = x + sublayer(x)` is the residual connection. One call is still missing.",
    ),
)


@post_norm.mistake(
    "The residual connection is missing: the x that came in does not reach the sum. Add it to what the sublayer "
    "computes, and normalise the sum."
)
def no_residual(x, sublayer, norm):
    return norm(sublayer(x))


@post_norm.mistake(
    "Your code normalises what the sublayer computed, and then adds x. In 2017 the norm comes after the sum: "
    "normalise x + sublayer(x)."
)
def norm_inside(x, sublayer, norm):
    return x + norm(sublayer(x))


@post_norm.mistake(
    "Your code computes pre-norm, x + sublayer(norm(x)), which is the next exercise. In post-norm the norm comes last, "
    "after the sum."
)
def pre_for_post(x, sublayer, norm):
    return pre_norm(x, sublayer, norm)


@post_norm.mistake(
    "Your code normalises x first, and from then on uses only the normalised x. In post-norm the sublayer reads x as "
    "it came in, x itself is added, and the norm comes last.",
    seen="https://github.com/pytorch/pytorch/issues/61165",
)
def normalised_first(x, sublayer, norm):
    x = norm(x)
    return x + sublayer(x)


@post_norm.mistake(
    "Your result is the sum x + sublayer(x), which is not normalised. Return what `norm` makes of the sum."
)
def not_normalised(x, sublayer, norm):
    return x + sublayer(x)


@post_norm.mistake("Your code normalises the two parts separately. Add them first, then normalise the sum once.")
def sum_of_norms(x, sublayer, norm):
    return norm(x) + norm(sublayer(x))


@post_norm.mistake(
    "Your code normalises x alone, and adds what the sublayer computed afterwards. Add first, then normalise the sum."
)
def added_after_the_norm(x, sublayer, norm):
    return norm(x) + sublayer(x)


@post_norm.mistake(
    "Your code adds norm(x) to what the sublayer computed, then normalises again. Add x as it came in; one norm, after "
    "the sum, is enough."
)
def residual_of_the_normalised(x, sublayer, norm):
    return norm(norm(x) + sublayer(x))


@post_norm.mistake(
    "Your code normalises x first, uses only the normalised x, and normalises the sum as well. In post-norm the "
    "sublayer reads x as it came in, x itself is added, and only the sum is normalised."
)
def normalised_before_everything(x, sublayer, norm):
    x = norm(x)
    return norm(x + sublayer(x))


@post_norm.mistake(
    "Your code normalises twice: before the sublayer and after the sum. In post-norm the sublayer reads x itself, and "
    "only the sum is normalised."
)
def normalised_twice(x, sublayer, norm):
    return norm(x + sublayer(norm(x)))


@post_norm.mistake(
    "What the sublayer computes is missing from your result, which is x + norm(x). Add x and sublayer(x), and "
    "normalise that sum."
)
def sublayer_forgotten(x, sublayer, norm):
    return x + norm(x)


@post_norm.mistake(
    "Your code returns sublayer(norm(x)): the residual connection is missing, and the norm comes first. Add x to "
    "sublayer(x), then normalise the sum."
)
def norm_first_without_residual(x, sublayer, norm):
    return sublayer(norm(x))


@post_norm.mistake("Your sum is normalised twice. Once is enough: another norm could change the result again.")
def norm_of_the_norm(x, sublayer, norm):
    return norm(norm(x + sublayer(x)))


@post_norm.mistake("Your code adds x once more after the norm. In post-norm nothing is added to the normalised sum.")
def added_again(x, sublayer, norm):
    return x + norm(x + sublayer(x))


@post_norm.mistake(
    "Your code normalises half of the sum, the mean of x and sublayer(x). Some norms hide the factor, others do "
    "not: add the two, and normalise the whole sum."
)
def mean_for_sum(x, sublayer, norm):
    return norm((x + sublayer(x)) / 2)


@post_norm.mistake("Your code multiplies x and sublayer(x). A residual connection adds them.")
def multiplied(x, sublayer, norm):
    return norm(x * sublayer(x))


@post_norm.mistake(
    "Your code uses a norm of its own, such as `F.layer_norm`. Call the function `norm` that is passed in: it may be a "
    "different one."
)
def another_norm(x, sublayer, norm):
    return F.layer_norm(x + sublayer(x), x.shape[-1:])


@post_norm.mistake(
    "Your numbers are right, but your code changes the caller's `x`, as `x += …` does. Write `x + sublayer(x)`, which "
    "makes a new tensor."
)
def in_place(x, sublayer, norm):
    x += sublayer(x)
    return norm(x)


@post_norm.mistake(
    "Your numbers are right, but your code changes in place what `sublayer` returned, which may be the caller's `x` "
    "itself. Write `x + …`, which makes a new tensor."
)
def in_place_on_what_was_written(x, sublayer, norm):
    total = sublayer(x)
    total += x
    return norm(total)


@post_norm.mistake(
    "Your code adds the norm of the sum to the sum. In post-norm the result is the norm of the sum alone."
)
def norm_added_to_the_sum(x, sublayer, norm):
    x = x + sublayer(x)
    return x + norm(x)


@post_norm.mistake(
    "Your sum is twice sublayer(x), and x itself is missing. If the result of `sublayer(x)` gets the name `x`, the x "
    "that came in is lost: normalise x + sublayer(x)."
)
def name_given_away(x, sublayer, norm):
    x = sublayer(x)
    return norm(x + x)


@post_norm.mistake(
    "Your sum is sublayer(x) + sublayer(sublayer(x)), and x itself is missing. If the result of `sublayer(x)` gets the "
    "name `x`, the x that came in is lost: normalise x + sublayer(x)."
)
def name_given_away_before_the_sum(x, sublayer, norm):
    x = sublayer(x)
    return norm(x + sublayer(x))


@post_norm.right_for_whole_course
def by_torch_add(stream, module, ln):
    return ln(torch.add(module(stream), stream))


@post_norm.right
def post_norm_in_steps(stream, module, ln):
    written = module(stream)
    total = stream + written
    return ln(total)
