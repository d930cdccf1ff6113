"""Answers that keep something between calls: each is told so, and not accused of what is right in a first call."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.judging.state import Beginning
from course_lib.transformer import attention, positions
from course_lib.transformer.attention import scaled_dot_product_attention
from tests.exercises.wrong_classes import Attention, Layer

FUNCTION_KEEPS = "Your function keeps something from one call to the next, so that its result depends on earlier inputs"
CLASS_KEEPS = "Your class keeps something from one call to the next, so that its output depends on earlier inputs"


def angles_for(length: int, d_k: int) -> torch.Tensor:
    return torch.arange(length)[:, None] / 10000 ** (torch.arange(0, d_k, 2) / d_k)


def rotated(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], dim=-1)


tables: dict[Any, torch.Tensor] = {}


def rotary_with_a_global_table(x):
    length, d_k = x.shape[-2:]
    if d_k not in tables:
        tables[d_k] = angles_for(length, d_k)
    return rotated(x, tables[d_k][:length])


def rotary_with_a_table_in_its_defaults(x, kept={}):  # noqa: B006
    length, d_k = x.shape[-2:]
    return rotated(x, kept.setdefault(d_k, angles_for(length, d_k))[:length])


def rotary_with_an_enclosed_table():
    kept: list[torch.Tensor] = []

    def rotary(x):
        length, d_k = x.shape[-2:]
        kept.append(angles_for(length, d_k))
        return rotated(x, kept[0][:length, : d_k // 2])

    return rotary


def rotary_with_an_attribute(x):
    length, d_k = x.shape[-2:]
    me = rotary_with_an_attribute
    if not hasattr(me, "angles"):
        me.angles = angles_for(length, d_k)
    return rotated(x, me.angles[:length, : d_k // 2])


def rotary_that_counts():
    calls = 0

    def rotary(x):
        nonlocal calls
        calls += 1
        return rotated(x, angles_for(*x.shape[-2:]) + (calls > 2))

    return rotary


calls = 0


def rotary_that_counts_in_a_global_name(x):
    global calls
    calls += 1
    return rotated(x, angles_for(*x.shape[-2:]) + (calls > 2))


class Table:
    """An object of the answer's own file."""

    def __init__(self):
        self.angles = None

    def of(self, length, d_k):
        if self.angles is None:
            self.angles = angles_for(length, d_k)
        return self.angles[:length, : d_k // 2]


table = Table()


def rotary_with_an_object(x):
    return rotated(x, table.of(*x.shape[-2:]))


@pytest.mark.parametrize(
    "answer",
    [
        rotary_with_a_global_table,
        rotary_with_a_table_in_its_defaults,
        rotary_with_an_enclosed_table(),
        rotary_with_an_attribute,
        rotary_that_counts(),
        rotary_that_counts_in_a_global_name,
        rotary_with_an_object,
    ],
)
def test_a_function_that_keeps_something_is_not_told_of_a_case_that_is_right_in_a_first_call(
    answer: Callable[..., Any],
):
    report = find("rotary").check(answer)
    assert not report.passed
    assert report.paragraphs[0].startswith(FUNCTION_KEEPS)
    assert report.paragraphs[1].endswith("gives the right result if it is called first, but not after other calls.")


def test_a_table_that_an_earlier_check_has_filled_is_not_taken_for_the_beginning():
    first, second = (find("rotary").check(rotary_with_a_global_table) for _ in range(2))
    assert first.paragraphs[0] == second.paragraphs[0]


def test_results_stored_under_a_part_of_the_arguments_are_recognised():
    seen: dict[tuple[int, ...], list[int]] = {}

    def apply_merges(word, merges):
        if tuple(word) not in seen:
            seen[tuple(word)] = find("apply_merges").reference(word, merges)
        return seen[tuple(word)]

    assert find("apply_merges").check(apply_merges).message.startswith(FUNCTION_KEEPS)


latest: dict[str, torch.Tensor] = {}


def attention_with_the_latest_mask(query, key, value, mask=None):
    if mask is not None:
        latest["mask"] = mask.expand(*query.shape[:-1], key.size(-2))
    kept = latest.get("mask")
    fits = kept is not None and kept.shape == (*query.shape[:-1], key.size(-2))
    return scaled_dot_product_attention(query, key, value, kept if fits else None)


def test_a_kept_mask_is_not_taken_for_a_gradient_that_is_cut_off():
    report = find("scaled_dot_product_attention").check(attention_with_the_latest_mask)
    assert not report.passed
    assert report.message.startswith(FUNCTION_KEEPS)


class AttentionWithTheLatestMask(Attention):
    mask = None

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            self.mask = mask
        return super().forward(query, key, value, self.mask)


class LayerWithTheLatestMask(Layer):
    mask = None

    def forward(self, x, mask=None):
        if mask is not None:
            self.mask = mask
        return super().forward(x, self.mask)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("MultiHeadAttention", AttentionWithTheLatestMask), ("EncoderLayer", LayerWithTheLatestMask)],
)
def test_a_class_that_goes_on_with_an_earlier_mask_is_refused(name: str, answer: type):
    report = find(name).check(answer)
    assert not report.passed
    assert report.paragraphs[0].startswith(CLASS_KEEPS)
    assert report.paragraphs[1].endswith("but a different one if it is called again after other calls.")


class PositionsThatGoOn(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model))
        self.start = 0

    def forward(self, x):
        where = (torch.arange(x.size(1)) + self.start) % len(self.table)
        self.start += x.size(1)
        return x + self.table[where]


def test_a_class_that_counts_on_is_not_told_of_other_numbers():
    assert find("LearnedPositions").check(PositionsThatGoOn).message.startswith(CLASS_KEEPS)


def test_what_is_wrong_in_a_first_call_too_is_described_as_before():
    kept: list[Any] = []

    def rotary(x):
        kept.append(x)
        return positions.rotary(-x)

    assert find("rotary").check(rotary).message.startswith("Your code behaves as if `x` had the opposite sign.")


@cache
def kept_angles(length: int, d_k: int) -> torch.Tensor:
    return angles_for(length, d_k)


def rotary_with_remembered_angles(x):
    return rotated(x, kept_angles(*x.shape[-2:]))


def rotary_with_a_table_that_grows(x, kept={}):  # noqa: B006
    length, d_k = x.shape[-2:]
    if len(kept.get(d_k, ())) < length:
        kept[d_k] = angles_for(length, d_k)
    return rotated(x, kept[d_k][:length])


@pytest.mark.parametrize("answer", [rotary_with_remembered_angles, rotary_with_a_table_that_grows])
def test_what_is_kept_under_all_that_it_depends_on_does_no_harm(answer: Callable[..., Any]):
    report = find("rotary").check(answer)
    assert report.passed, report


@cache
def first_angles(d_k: int) -> list[torch.Tensor]:
    return []


def rotary_with_a_remembered_list(x):
    length, d_k = x.shape[-2:]
    kept = first_angles(d_k)
    kept.append(angles_for(length, d_k))
    return rotated(x, kept[0][:length])


def test_functions_that_remember_their_results_begin_anew_too():
    assert find("rotary").check(rotary_with_a_remembered_list).message.startswith(FUNCTION_KEEPS)


class Counting:
    """An instance counts its own calls; the class counts all of them."""

    total = 0

    def __init__(self, start=0):
        super().__init__()
        self.own = start

    @classmethod
    def count(cls):
        cls.total += 1
        return cls.total

    @staticmethod
    def doubled(number):
        return 2 * number

    @property
    def twice(self):
        return self.doubled(self.own)

    def __call__(self):
        self.own += 1
        return self.count(), self.twice


def test_a_class_is_made_again_with_its_own_attributes_and_methods():
    beginning = Beginning(Counting)
    assert [Counting()() for _ in range(2)] == [(1, 2), (2, 2)]
    again = beginning.again()
    assert again is not Counting
    assert [again()() for _ in range(2)] == [(1, 2), (2, 2)]
    assert Counting()() == (3, 2)


def test_code_that_stores_nothing_is_not_called_again():
    assert not Beginning(attention.softmax).may_keep()
    assert not Beginning(rotated).may_keep()
    assert not Beginning(Attention).may_keep()
    assert Beginning(AttentionWithTheLatestMask).may_keep()
    assert Beginning(rotary_with_an_object).may_keep()


BATCHES = [torch.zeros(1_000) for _ in range(3)]


def softmax_that_looks_at_large_data(x, dim):
    return attention.softmax(x, dim) + 0 * BATCHES[0][0]


def test_large_data_of_a_notebook_are_not_copied():
    beginning = Beginning(softmax_that_looks_at_large_data)
    assert not any(isinstance(each, list) for each in beginning.copies.values())
    assert find("softmax").check(softmax_that_looks_at_large_data).passed
