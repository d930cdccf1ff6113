"""Known mistakes are named where they explain what they must, and only there."""

from copy import copy
from typing import Any

import pytest
import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.catalogue import find
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention, layers
from course_lib.writing import beam

NORMED = layers.LayerNorm

FIRST_OF_TWO = "There are two mistakes. Each is described as if it were the only one. First: "


def scaled(x, factor):
    return x * factor


def exercise_with(*mistakes: Any) -> Exercise:
    """An exercise on `scaled` with five cases, two of them with a negative factor, and these mistakes."""
    x = fixed_tensor(2, 3)
    further = [
        case(x + i, factor, having=("a negative factor",) if factor < 0 else ("a factor",))
        for i, factor in enumerate((2.0, -3.0, -5.0))
    ]
    exercise = Exercise(
        reference=scaled,
        notebook=0,
        order=0,
        minutes=1,
        difficulty=1,
        returns=(Result("the result"),),
        example=case(x, 3.0),
        another=case(x.flip(1), 4.0),
        cases=tuple(further),
        hints=(),
    )
    for number, mistake in enumerate(mistakes):
        exercise.mistake(f"This is mistake {number}.")(mistake)
    return exercise


def added(x, factor):
    return x + factor


def absolute(x, factor):
    return x * abs(factor)


def test_a_mistake_that_agrees_in_two_cases_but_not_in_the_others_is_not_named():
    def sometimes_added(x, factor):
        return x + factor if factor > 3 or factor < -4 else x * factor * 1.5

    report = exercise_with(added).check(sometimes_added)
    assert report.mistake is None
    assert "mistake 0" not in report.message


def test_a_mistake_is_not_named_if_it_would_show_in_a_case_that_is_right():
    report = exercise_with(added).check(lambda x, factor: x * factor if factor == 2 else x + factor)
    assert report.mistake is None


def test_a_mistake_that_explains_less_than_half_of_the_wrong_cases_is_not_named():
    # The stop token is kept: that explains all results after a prompt of one token, but not the totals after others.
    def beam_search_text(model, prompt, beams, length, stop):
        ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
        ids = [*ids, stop] if len(ids) < length else ids
        return ids, total if len(prompt) == 1 else total - 1

    report = find("beam_search_text").check(beam_search_text)
    assert not report.passed
    assert report.mistake is None, report


def test_a_mistake_that_is_ruled_out_in_a_case_is_not_said_to_be_all():
    def reorder_cache(past, parents):
        rows = parents.unique()
        return [tuple(each[rows] for each in past[0]), *past[1:]]

    message = find("reorder_cache").check(reorder_cache).message
    assert message.endswith("That may not be all: fix this first, then run the cell again.")


def test_a_mistake_is_named_whatever_stands_for_minus_infinity():
    def one_threshold(lowest):
        def top_k_filter(logits, k):
            return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.numel())).values[-1], lowest)

        return top_k_filter

    reports = [find("top_k_filter").check(one_threshold(lowest)) for lowest in (-torch.inf, -1e9)]
    assert [report.message.split(".")[0] for report in reports] == ["Your code keeps k logits of the whole batch"] * 2


def test_a_mistake_that_agrees_wherever_it_shows_is_named_beside_something_else():
    report = exercise_with(absolute).check(lambda x, factor: x * abs(factor) if factor < 0 else (x * factor).relu() + x)
    assert report.message.split("\n")[0] == "This is mistake 0."
    assert report.message.endswith("That may not be all: fix this first, then run the cell again.")


def test_two_mistakes_that_show_in_different_cases_are_both_named():
    def tripled(x, factor):
        return x * factor * 3 if factor > 0 else x * factor

    def both(x, factor):
        return tripled(x, abs(factor)) if factor > 0 else absolute(x, factor)

    report = exercise_with(tripled, absolute).check(both)
    assert report.message == (f"{FIRST_OF_TWO}This is mistake 0.\nSecond: This is mistake 1.")


def test_a_known_mistake_with_a_changed_argument_is_named_with_the_change():
    # The change is seen alone where there is no mask.
    def unscaled_and_masked_late(query, key, value, mask=None):
        weights = torch.softmax(query @ key.mT, -1)
        weights = weights if mask is None else weights * mask
        return weights @ value, weights

    first, second = find("scaled_dot_product_attention").check(unscaled_and_masked_late).message.split("\n")
    assert first.startswith(f"{FIRST_OF_TWO}Your hidden weights are 0, but the others are divided")
    assert second.startswith("Second: Your code behaves as if `query` were multiplied by the root of")


def test_a_known_mistake_is_not_named_with_a_change_where_neither_is_seen_alone():
    def inputs_and_labels(ids):
        return ids[:, :-1], ids.roll(1, 1)[:, :-1]  # one mistake: the labels are moved the wrong way

    assert "mistakes" not in exercise_with(added).check(lambda x, factor: x - factor).message
    assert "swapped" not in find("inputs_and_labels").check(inputs_and_labels).message


def test_a_change_to_the_arguments_that_has_no_effect_is_not_mentioned():
    def of_squares(x, factor):
        return x.square() * factor

    report = exercise_with(of_squares).check(of_squares)
    assert report.message == "This is mistake 0."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, factor: x * -factor, "had the opposite sign."),
        (lambda x, factor: x * factor**2, "as if `factor` were squared."),
        (lambda x, factor: x / factor, "as if `factor` were 1 / `factor`."),
        (lambda x, factor: x, "as if `factor` were always 1."),
        (lambda numbers, by: numbers.softmax(-1) * by, "as if a softmax had been taken of `numbers` before."),
    ],
)
def test_what_an_answer_does_with_its_arguments_is_said_in_its_own_names(answer: Any, words: str):
    message = exercise_with().check(answer).message
    assert words in message.replace("`x`", "`numbers`").replace("`by`", "`factor`")


def test_a_change_that_explains_most_cases_is_said_with_their_number():
    exercise = copy(find("softmax"))
    exercise.mistakes = []
    report = exercise.check(lambda x, dim: attention.softmax(-x if x.abs().max() < 900 else x * 0.3, dim))
    assert "wrong cases your code behaves as if `x` had the opposite sign." in report.message
    assert report.message.startswith("In ")


def test_two_known_changes_to_one_source_are_recognised_together():
    class Both(NORMED):
        def forward(self, x):
            variance = x.var(-1, correction=0, keepdim=True)
            return self.gain * x / (variance.sqrt() + self.eps) + self.bias

    exercise = find("LayerNorm")
    after_the_root = next(
        each.message for each in exercise.mistakes if each.replacement.startswith("(torch.sqrt(variance) +")
    )
    not_centred = next(each.message for each in exercise.mistakes if each.replacement == "self.gain * x")
    assert exercise.check(Both).message == (f"{FIRST_OF_TWO}{after_the_root}\nSecond: {not_centred}")


def test_a_mask_that_is_not_used_is_distinguished_from_one_that_is_inverted():
    def without(query, key, value, mask=None):
        weights = (query @ key.mT).softmax(-1)
        return weights @ value, weights

    def inverted(query, key, value, mask=None):
        scores = query @ key.mT
        weights = (scores if mask is None else scores.masked_fill(mask, -torch.inf)).softmax(-1)
        return weights @ value, weights

    exercise = find("scaled_dot_product_attention")
    assert "inverted" not in exercise.check(without).message
    assert "inverted" in exercise.check(inverted).message


def test_coincidence_of_numbers_is_not_taken_for_a_mistake():
    # With two bytes for each number, the square of what stands for the heads is 8 times the count in the example.
    report = find("cache_bytes").check(lambda N, H, d, S, b: N * H * d * S * b * (N + 4))
    assert report.mistake is None


def test_a_count_that_agrees_by_arithmetic_is_not_taken_for_a_mistake_with_a_change():
    # Keys of all layers and values of one: that is the half of what one more layer would need.
    report = find("cache_bytes").check(lambda N, H, d, S, b: (2 * N + 1) * H * d * S * b)
    assert report.mistake is None
    assert "Second" not in report.message


def test_a_change_is_not_named_beside_a_mistake_that_explains_everything_alone():
    def calibration_error(confidence, correct, bins):
        error = 0.0
        for b in range(bins):
            inside = (confidence >= b / bins) & (confidence < (b + 1) / bins)
            if n := inside.sum():
                error += n / len(confidence) * abs(correct[inside].float().mean() - confidence[inside].mean())
        return error

    report = find("calibration_error").check(calibration_error)
    assert report.message.startswith("Your code leaves out a confidence of exactly 1")
    assert "\n" not in report.message


def test_a_case_that_is_right_in_float32_only_is_not_one_to_be_explained():
    def adds_in_float32(x, factor):
        return x + torch.as_tensor(factor)

    exercise = exercise_with(added)
    exercise.cases = (*exercise.cases, case(fixed_tensor(2, 3, dtype=torch.float64), 0.0, having=("float64 numbers",)))
    assert exercise.check(adds_in_float32).message == "This is mistake 0."


def test_a_mistake_is_named_where_the_answer_also_fails_in_a_case_in_which_it_cannot_be_seen():
    report = find("should_stop").check(
        lambda losses, patience: len(losses) - 1 - losses.index(min(losses)) > patience  # min of nothing is an error
    )
    assert report.message.startswith("Your code stops one check too late")


def test_exchanged_axes_are_not_named_beside_a_mistake_about_axes():
    report = find("mix_values").check(lambda weights, value: (weights[:, :, None] * value[:, None, :]).sum(dim=1))
    assert "Second" not in report.message
    assert "sums over the queries" not in report.message


def test_a_remark_on_the_rest_is_left_out_where_the_mistake_gives_nothing_to_compare_with():
    def undefined(x, factor):
        return x + (factor if factor > 0 else torch.nan)

    def failing(x, factor):
        if factor < 0:
            raise ValueError
        return x + factor

    for mistake in (undefined, failing):
        assert exercise_with(mistake).check(lambda x, factor: x + abs(factor)).message == "This is mistake 0."


def test_a_result_that_is_no_number_is_not_taken_for_one_that_a_mistake_may_give():
    def undefined(x, factor):
        return x + factor if factor > 0 else x * torch.nan

    report = exercise_with(added).check(undefined)
    assert report.message != "This is mistake 0."


def without_the_root_and_without_the_half(x):
    return x * (1 + torch.erf(x))


def mean_of_negative_entropies(weights):
    return torch.xlogy(weights, weights).sum(-1).mean()


def share_of_their_sum_and_averaged(query, key, value):
    scores = key @ query
    return (scores / scores.sum()) @ value / len(key)


@pytest.mark.parametrize(
    ("name", "answer", "mistake", "besides"),
    [
        (
            "gelu",
            without_the_root_and_without_the_half,
            "Your Φ(x) is (1 + erf(x)) / 2, without the √2.",
            "in your result every number is twice what it should be.",
        ),
        (
            "entropy_of_weights",
            mean_of_negative_entropies,
            "Your sign is the wrong way round",
            "the mean of the right numbers along axis 0, as `.mean(0)` gives it, in place of the numbers themselves.",
        ),
        (
            "attend_one_query",
            share_of_their_sum_and_averaged,
            "Your code divides the scores by their sum",
            "every number is what it should be, divided by `key.size(-2)`.",
        ),
    ],
    ids=["gelu", "entropy_of_weights", "attend_one_query"],
)
def test_what_is_wrong_after_a_known_mistake_is_said_besides(name: str, answer: Any, mistake: str, besides: str):
    report = find(name).check(answer)
    first, second = report.paragraphs
    assert mistake in first
    assert second.startswith("Second: Once the first is corrected, in your ")
    assert second.endswith(besides)


def test_nothing_is_said_besides_a_mistake_that_is_made_in_some_cases_only():
    def added_where_the_factor_is_positive(x, factor):
        return 7.0 * (x + factor if factor > 0 else x * factor)

    report = exercise_with(added).check(added_where_the_factor_is_positive)
    assert "mistake 0" not in report.message


def test_two_mistakes_that_show_in_different_results_are_both_named():
    class ActivatedTwiceWithoutBiases(layers.FeedForward):
        def __init__(self, d_model, d_ff, activation=torch.relu):
            super().__init__(d_model, d_ff, activation, bias=False)

        def forward(self, x):
            return self.activation(super().forward(x))

    first, second = find("FeedForward").check(ActivatedTwiceWithoutBiases).paragraphs
    assert first.startswith(f"{FIRST_OF_TWO}In your code, the activation comes after both maps")
    assert second.startswith("Second: Your maps have no trainable biases")


def in_two_steps(x, factor):
    product = x * factor
    return product


@pytest.mark.parametrize(("undoes", "are_named"), [(True, False), (False, True)])
def test_two_mistakes_are_both_named_unless_one_undoes_the_other_where_the_answer_is_right(
    undoes: bool, are_named: bool
):
    exercise = exercise_with()
    exercise.reference = in_two_steps
    # The second takes away what the first adds, or twice as much, where the factor is positive.
    exercise.patch("This is mistake 0.", replace="product = x * factor", by="product = x * factor + x**3")
    times = 1 if undoes else 2
    exercise.patch("This is mistake 1.", replace="return product", by=f"return product - {times} * x**3 * (factor > 0)")
    message = exercise.check(lambda x, factor: x * factor + x**3 - times * x**3 * (factor > 0)).message
    assert message.startswith(f"{FIRST_OF_TWO}This is mistake 0.") == are_named


def test_equal_fractions_in_two_cases_are_not_taken_for_a_mistake():
    def result(x, factor):
        return 1 / (2 + (factor < 0)) if abs(factor) != 5 else 7.0

    def known(x, factor):
        return 1 / 3 if factor < 0 else float(factor)

    exercise = exercise_with(known)
    exercise.reference = lambda x, factor: float(factor)
    report = exercise.check(result)
    assert "mistake 0" not in report.message


def test_a_message_does_not_say_what_is_right_where_more_is_wrong():
    def continue_greedily(model, ids, length):
        for _ in range(length):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        return ids[-length:]  # for a length of 0, all of them

    message = find("continue_greedily").check(continue_greedily).message
    assert message.startswith("Your code appends to the caller's list.")

    def attend_in_heads(query, key, value, heads):
        shape = query.shape
        query, key, value = (attention.split_heads(x, heads) for x in (query, key, key))
        return attention.scaled_dot_product_attention(query, key, value)[0].reshape(shape)

    message = find("attend_in_heads").check(attend_in_heads).message
    assert "Second: Your code behaves as if `value` were the same as `key`" in message
    assert "right" not in message


def test_a_mistake_is_not_named_beside_an_argument_of_which_nothing_is_left():
    # Parameters without a gradient are in no group: nothing learns, as if the rates were 0.
    def parameter_groups(head, body, head_rate, body_rate):
        pairs = ((head, head_rate), (body, body_rate))
        return [
            {"params": [each for each in part.parameters() if each.grad is not None], "lr": rate}
            for part, rate in pairs
        ]

    report = find("parameter_groups").check(parameter_groups)
    assert not report.passed
    assert "the same rate" not in report.message
    assert "Second" not in report.message
