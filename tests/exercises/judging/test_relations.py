"""Relations between results: each holds where it should, and is not said by chance. Expected sentences are by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor

from course_lib.exercises.judging.relations import Compared, find_relation, order_of_results

RIGHT = [torch.tensor([[0.1, 0.9, 0.4], [0.3, 0.2, 0.6]]), torch.tensor([[0.7, 0.2, 0.5], [0.15, 0.25, 0.35]])]
SHARES = [torch.tensor([[1.0, 2.0, 4.0]]).softmax(-1), torch.tensor([[0.0, 3.0, 1.0]]).softmax(-1)]


def compared(got: list[Any], expected: list[Any], sizes: list[dict[str, float]] | None = None) -> list[Compared]:
    sizes = sizes or [{} for _ in got]
    return [Compared(*each[:2], {}, each[2]) for each in zip(got, expected, sizes, strict=True)]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (torch.neg, "every number has the opposite sign"),
        (torch.exp, "is what the right one becomes after an exponential (`exp`)"),
        (torch.log, "is what the right one becomes after a logarithm"),
        (lambda x: x / 2 + x.square() / 2, ""),
        (torch.sqrt, "is what the right one becomes after a square root"),
        (lambda x: 1 - x, "is what the right one becomes after taking 1 − x"),
        (lambda x: x * 3, "every number is 3 times what it should be"),
        (lambda x: x - 0.25, "every number is too small by 0.25"),
        (lambda x: x.mT, "axes 0 and 1 are swapped"),
        (lambda x: x.unsqueeze(1), "one axis of length 1 too many, axis 1"),
        (lambda x: x.flip(1), "in reverse order along axis 1"),
        (lambda x: x.roll(1, 1), "everything is shifted along axis 1: each number is one position too late"),
        (lambda x: x.mean(1), "there is the mean of the right numbers along axis 1, as `.mean(1)` gives it"),
        (lambda x: x.sum(), "there is the sum of the right numbers, as `.sum()` gives it"),
        (lambda x: x[:1], "only the part at index 0 of the first axis"),
        (lambda x: x[None, None], "axes of length 1 come before the others"),
        (lambda x: x.flatten(), "in the right order, but in another shape"),
        (lambda x: x.tolist(), "in a `list`: `torch.tensor(...)` turns it into a tensor"),
        (lambda x: [*x], "`torch.stack(..., dim=0)` makes one tensor of them"),
        (lambda x: [x], "inside a `list`: return the thing itself"),
        (lambda x: (x, x), "number 1 is right: return that one alone"),
        (lambda x: x.half(), "the numbers are in torch.float16"),
        (lambda x: x.bfloat16().float(), "to about three digits only, those that torch.bfloat16 keeps"),
        (lambda x: x.round(), "the right numbers are rounded to whole numbers"),
        (lambda x: x[:, [1, 0, 2]], "the right numbers, but some of them are in the wrong places"),
    ],
)
def test_a_step_on_the_right_result_is_recognised(step: Any, words: str):
    sentence = find_relation("the result", compared([step(each) for each in RIGHT], RIGHT))
    assert words in sentence
    assert bool(sentence) == bool(words)


def test_an_empty_item_in_a_list_that_should_be_empty_is_not_called_the_right_thing_in_brackets():
    assert "without brackets" not in find_relation("your batches", compared([[[]]], [[]]))
    assert "without brackets" in find_relation("your batches", compared([[[0, 1]], [[]]], [[0, 1], []]))


def test_a_relation_that_holds_in_one_case_only_is_not_said():
    assert find_relation("the result", compared([-RIGHT[0], RIGHT[1] * 2], RIGHT)) == ""
    assert find_relation("the result", compared([-RIGHT[0]], RIGHT[:1])) == ""


def test_an_inverted_mask_is_not_called_a_change_of_numbers():
    masks = [torch.ones(3, 3).tril().bool(), torch.ones(4, 4).tril().bool()]
    sentence = find_relation("the mask", compared([~mask for mask in masks], masks))
    assert sentence.startswith("In your mask, everything is inverted")


def test_a_factor_is_written_in_terms_of_the_sizes_that_it_follows():
    sizes = [{"query.size(-1)": 4.0}, {"query.size(-1)": 9.0}, {"query.size(-1)": 16.0}]
    expected = [*RIGHT, RIGHT[0] + 1]
    got = [x / size["query.size(-1)"] ** 0.5 for x, size in zip(expected, sizes, strict=True)]
    assert find_relation("output", compared(got, expected, sizes)).endswith(
        "what it should be, divided by √`query.size(-1)`."
    )


def test_a_factor_that_follows_no_size_is_not_written_in_terms_of_one():
    sizes = [{"n": 2.0}, {"n": 3.0}, {"n": 4.0}]
    got = [5.0 * 10, 7.0 * 20, 11.0 * 30]
    assert find_relation("the count", compared(got, [10.0, 20.0, 30.0], sizes)) == ""


def test_a_factor_that_comes_from_the_weights_of_a_check_is_not_said():
    sizes = [{"d_ff": d_ff} for d_ff in (7.0, 3.0, 5.0)]
    expected = [RIGHT[0], RIGHT[1], RIGHT[0] + RIGHT[1]]
    by_weights = [0.015 * size["d_ff"] * each for each, size in zip(expected, sizes, strict=True)]
    by_quarters = [0.25 * size["d_ff"] * each for each, size in zip(expected, sizes, strict=True)]
    assert find_relation("output", compared(by_weights, expected, sizes)) == ""
    assert "0.25 · `d_ff` times what it should be" in find_relation("output", compared(by_quarters, expected, sizes))


def test_a_missing_term_is_written_in_terms_of_the_sizes():
    sizes = [{"d_model": 4.0}, {"d_model": 8.0}, {"d_model": 16.0}]
    assert find_relation("the count", compared([76, 280, 1072], [80, 288, 1088], sizes)) == (
        "Your count is too small by `d_model`."
    )


@pytest.mark.parametrize(("factor", "words"), [(2.0, "multiplied by 2"), (0.5, "multiplied by 0.5")])
def test_a_scale_before_the_softmax_is_recognised_after_it(factor: float, words: str):
    got = [(each.log() * factor).softmax(-1) for each in SHARES]
    assert words in find_relation("weights", compared(got, SHARES))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ids: ids[:-1], "the last item is missing"),
        (lambda ids: ids[1:], "the first item is missing"),
        (lambda ids: [*ids, 9], "one item too many at the end"),
        (lambda ids: ids[::-1], "in reverse order"),
        (lambda ids: [1, 2, *ids], "what is in `prompt` is repeated at the beginning"),
        (lambda ids: [each - 1 for each in ids], "every number that differs is too small by 1"),
        (lambda ids: [torch.tensor(each) for each in ids], "the numbers are right, but they are tensors"),
    ],
)
def test_a_change_to_a_list_is_recognised(change: Any, words: str):
    expected = [[3, 4, 7], [5, 8, 6, 9]]
    pairs = [Compared(change(ids), ids, {"prompt": [1, 2]}, {}) for ids in expected]
    assert words in find_relation("the ids", pairs)


def test_an_argument_that_is_added_or_left_out_is_named():
    x = [torch.full((2, 3), 0.5), torch.arange(6.0).view(2, 3)]
    too_often = [Compared(each + given, each, {"x": given}, {}) for each, given in zip(RIGHT, x, strict=True)]
    missing = [Compared(each - given, each, {"x": given}, {}) for each, given in zip(RIGHT, x, strict=True)]
    assert find_relation("output", too_often) == "In your output, the numbers are the right ones plus `x`."
    assert find_relation("output", missing) == "In your output, the numbers are the right ones minus `x`."


def test_results_in_another_order_are_told_from_one_result_returned_twice():
    expected: list[tuple[Tensor, ...]] = [(RIGHT[0], RIGHT[1]), (RIGHT[1] * 2, RIGHT[0])]
    swapped = [(second, first) for first, second in expected]
    twice = [(first, first) for first, _ in expected]
    assert order_of_results(swapped, expected, ["keys", "values"]) == (
        "You return the right things, but in the order values and keys: return keys and values."
    )
    assert order_of_results(twice, expected, ["keys", "values"]) == "Your values are what the keys should be."
    assert order_of_results(expected, expected, ["keys", "values"]) == ""


@pytest.mark.parametrize(("b", "words"), [(3, "some values are not"), (1, "the values are not")])
def test_a_dictionary_with_no_right_value_is_not_said_to_have_some(b: int, words: str):
    expected = [{"a": 1, "b": 3}, {"c": 2, "b": 3}]
    pairs = [Compared(dict.fromkeys(each, 0) | {"b": b}, each, {}, {}) for each in expected]
    assert find_relation("the counts", pairs) == f"In your counts, the keys are right, but {words}."
