"""A call in words: names as in the learner's code, and values no longer than a reader needs."""

from typing import Any

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.judging.calls import argument_names, describe_call, describe_value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.tensor([0.0, 1.5]), "[0, 1.5]"),
        (torch.tensor([[True, False]]), "[[True, False]]"),
        (torch.ones(3, 4), "of shape (3, 4)"),
        (torch.ones(0), "of shape (0,)"),
        (torch.tensor([-0.0, -0.5]), "[0, -0.5]"),
        (-0.0, "0.0"),
        (1 / 3, "0.3333"),
        (10_000_000, "10000000"),
        ("the", "'the'"),
        ([(1, 2), (3, 4)], "[(1, 2), (3, 4)]"),
        (list(range(100)), "of length 100"),
        ([torch.ones(2)], "of one tensor of shape (2,)"),
        ((torch.ones(1, 2), torch.ones(1, 3)), "of two tensors of shapes (1, 2) and (1, 3)"),
        ([(torch.ones(4, 2), torch.ones(4, 2))] * 4, "of 4 pairs of tensors, each of shape (4, 2)"),
        ([torch.ones(2), 1], "of length 2"),
    ],
)
def test_a_short_value_is_written_whole_and_a_long_one_by_its_size(value: Any, words: str):
    assert describe_value(value) == words


def test_short_values_are_written_in_the_call_and_tensors_beside_it():
    call = describe_call(find("split_heads"), lambda tokens, count: tokens, (torch.ones(1, 3, 4), 2))
    assert call == "`split_heads(tokens, 2)` with `tokens` of shape (1, 3, 4)"


def test_a_call_without_tensors_is_written_whole():
    exercise = find("merge_pair")
    assert (
        describe_call(exercise, exercise.reference, ((1, 2, 3), (1, 2), 256)) == "`merge_pair((1, 2, 3), (1, 2), 256)`"
    )


def test_of_a_class_both_calls_are_written():
    class Mine(nn.Module):
        def forward(self, tokens):
            return tokens

    exercise = find("LayerNorm")
    assert describe_call(exercise, Mine, (3, torch.tensor([[1.0, 2.0, 3.0]]))) == (
        "`LayerNorm(3)(tokens)` with `tokens` = `[[1, 2, 3]]`"
    )
    assert describe_call(exercise, Mine, (3,)) == "`LayerNorm(3)`"


def test_arguments_that_are_not_given_are_left_out():
    exercise = find("scaled_dot_product_attention")
    x = torch.ones(1, 1)
    assert describe_call(exercise, exercise.reference, (x, x, x, None)).startswith(
        "`scaled_dot_product_attention(query, key, value)` with "
    )


def test_a_call_with_many_tensors_stays_short():
    exercise = find("additive_attention")
    tensors = tuple(torch.full((2, 4), 1.2345) for _ in range(6))
    assert len(describe_call(exercise, exercise.reference, tensors)) < 300


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (lambda a, b: a, ["a", "b"]),
        (lambda *everything: everything, ["x", "dim"]),
        (torch.softmax, ["x", "dim"]),
        (lambda a: a, ["x", "dim"]),
    ],
)
def test_arguments_have_the_learners_names_or_else_the_references(answer: Any, names: list[str]):
    assert argument_names(find("softmax"), answer, (torch.ones(2), 0)) == names


def test_an_argument_of_a_class_after_its_input_is_one_of_the_constructor():
    exercise = find("LayerNorm")
    assert argument_names(exercise, exercise.reference, (4, torch.ones(1, 2, 4), 0.5)) == ["d_model", "x", "eps"]


def test_an_argument_is_written_with_as_many_digits_as_tell_its_numbers_apart():
    exercise = find("apply_temperature")
    call = describe_call(exercise, exercise.reference, (torch.tensor([0.5, 1.0, 1.000001]), 0))
    assert call == "`apply_temperature(logits, 0)` with `logits` = `[0.5, 1, 1.000001]`"
    same = describe_call(exercise, exercise.reference, (torch.tensor([1 / 3, 1 / 3]), 0))
    assert same.endswith("`logits` = `[0.3333, 0.3333]`")


def test_several_tensors_are_written_with_an_article():
    exercise = find("reorder_cache")
    pairs = [(torch.ones(4, 2), torch.ones(4, 2))] * 2
    call = describe_call(exercise, lambda past, parents: past, (pairs, torch.tensor([0])))
    assert "with a `past` of two pairs of tensors, each of shape (4, 2) and `parents`" in call
