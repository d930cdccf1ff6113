"""A check depends on no setting of the session, and leaves every one as it was, whatever the answer does."""

import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.judging import checking
from course_lib.exercises.judging.outcomes import run
from course_lib.exercises.judging.settings import (
    SETTINGS,
    original_functions,
    pinned_settings,
    replaced_functions,
    undoing_replacements,
)
from course_lib.transformer import attention

# What an earlier cell may have done. A context manager stays open, as it does in a cell that never closes it.
STATES: dict[str, Callable[[], Any]] = {
    "no gradients": lambda: torch.set_grad_enabled(False),
    "inference mode": lambda: torch.inference_mode(),
    "float64": lambda: torch.set_default_dtype(torch.float64),
    "bfloat16": lambda: torch.set_default_dtype(torch.bfloat16),
    "another device": lambda: torch.set_default_device("meta"),
    "within another device": lambda: torch.device("meta"),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "anomaly mode": lambda: torch.autograd.set_detect_anomaly(True),
    "autocast": lambda: torch.autocast("cpu"),
    "few digits": lambda: torch.set_printoptions(precision=0, threshold=1),
    "warnings as errors": lambda: warnings.simplefilter("error"),
    "numpy's errors": lambda: np.seterr(all="raise"),
}


@pytest.fixture
def session() -> Iterator[ExitStack]:
    """Give a stack for open context managers, and put every setting back after the test."""
    found = [(setting, setting.read()) for setting in SETTINGS]
    with warnings.catch_warnings(), ExitStack() as stack:
        yield stack
    torch.set_default_device(None)
    for setting, value in found:
        setting.write(value)


def read_all() -> list[Any]:
    return [
        torch.is_inference_mode_enabled(),
        torch.get_default_device(),
        *(setting.read() for setting in SETTINGS),
        list(warnings.filters),
    ]


def cut_off(*arguments: Any) -> Any:
    return tuple(each.detach() for each in find("scaled_dot_product_attention").reference(*arguments))


@pytest.mark.parametrize("state", STATES)
def test_a_check_says_the_same_in_every_state_of_the_session_and_leaves_it(session: ExitStack, state: str):
    made = STATES[state]()
    if hasattr(made, "__enter__") and state in ("inference mode", "within another device", "autocast"):
        session.enter_context(made)
    before = read_all()
    for name in ("softmax", "scaled_dot_product_attention", "MultiHeadAttention", "cross_entropy", "LayerNorm"):
        exercise = find(name)
        assert exercise.check(exercise.reference).message == f"Right in all {len(exercise.every_case)} cases."
        assert all(exercise.check(answer).passed for answer in exercise.right_answers)
    assert "The gradient is cut off" in find("scaled_dot_product_attention").check(cut_off).message
    assert read_all() == before


def test_a_class_without_gradients_does_not_pass_because_the_session_has_none(session: ExitStack):
    class Cuts(find("MultiHeadAttention").reference):
        def forward(self, *arguments):
            return super().forward(*arguments).detach()

    torch.set_grad_enabled(False)
    message = find("MultiHeadAttention").check(Cuts).message
    assert "No gradient reaches" in message or "The gradient is cut off" in message


def test_a_check_neither_depends_on_random_numbers_nor_changes_them():
    def answer(x, dim):
        return torch.softmax(x, dim) + torch.rand(()) + random.random() + np.random.rand()  # noqa: NPY002

    messages = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        expected = random.Random(seed).random(), np.random.RandomState(seed).rand()
        first = torch.rand((), generator=torch.Generator().manual_seed(seed))
        messages.append(find("softmax").check(answer).message)
        assert (random.random(), np.random.rand()) == expected  # noqa: NPY002
        assert torch.equal(torch.rand(()), first)
    assert messages[0] == messages[1]


def test_what_an_answer_changes_is_put_back_and_mentioned(session: ExitStack):
    def answer(x, dim):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        sys.setrecursionlimit(5000)
        torch.manual_seed(1)
        return torch.softmax(x, dim)

    before = read_all()
    report = find("softmax").check(answer)
    assert read_all() == before
    assert report.passed
    assert "`torch.set_grad_enabled`, `torch.set_default_dtype`, `sys.setrecursionlimit`" in report.message


def test_a_warning_is_passed_on_but_is_no_mistake(session: ExitStack):
    def answer(x, dim):
        warnings.warn("Mind the step.", stacklevel=1)
        return torch.softmax(x, dim)

    warnings.simplefilter("error")
    report = find("softmax").check(answer)
    assert report.passed
    assert report.message.endswith(" cases.\nYour code raises a warning, though: UserWarning: Mind the step.")


def test_pinned_settings_name_what_a_block_changed(session: ExitStack):
    with pinned_settings() as changes:
        torch.set_default_dtype(torch.float64)
        for _ in range(3):
            warnings.warn("once", stacklevel=1)
    assert changes.settings == ["torch.set_default_dtype"]
    assert changes.warned == ["UserWarning: once"]


def test_settings_are_put_back_after_an_error(session: ExitStack):
    def fails():
        with pinned_settings():
            torch.set_default_device("meta")
            raise ZeroDivisionError

    before = read_all()
    with pytest.raises(ZeroDivisionError):
        fails()
    assert read_all() == before
    assert run(lambda: torch.zeros(2), ()).value.device.type == "cpu"


def test_a_replaced_function_of_torch_does_not_reach_the_reference(monkeypatch: pytest.MonkeyPatch):
    exercise = find("gelu")
    checking.forget_outcomes()
    for owner, name in ((torch, "erf"), (torch.Tensor, "erf"), (nn.functional, "gelu"), (math, "sqrt")):
        monkeypatch.setattr(owner, name, lambda *arguments, **settings: 1 / 0, raising=False)
    assert all(outcome.error is None for outcome in checking._expected_outcomes(exercise).values())
    assert not exercise.check(nn.functional.gelu).passed  # what the notebook replaced stays replaced for the answer


def test_a_replaced_function_of_the_course_does_not_reach_the_reference(monkeypatch: pytest.MonkeyPatch):
    exercise = find("attention_weights")
    checking.forget_outcomes()
    monkeypatch.setattr(attention, "softmax", lambda x, dim: x)
    assert exercise.check(lambda scores: torch.softmax(scores, -1)).passed
    assert not exercise.check(lambda scores: scores).passed


def test_functions_that_an_answer_replaces_are_put_back():
    def answer(x, dim):
        torch.exp = torch.sin
        torch.Tensor.softmax = None
        return x

    before = torch.exp
    find("softmax").check(answer)
    assert torch.exp is before
    assert torch.softmax(torch.zeros(2), 0).tolist() == torch.zeros(2).softmax(0).tolist() == [0.5, 0.5]


def test_original_functions_are_there_within_the_block_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch, "exp", torch.sin)
    with original_functions():
        assert torch.exp(torch.zeros(1)).item() == 1
    assert torch.exp(torch.zeros(1)).item() == 0
    with undoing_replacements():
        torch.exp = torch.cos
        assert [each.name for each in replaced_functions()] == ["torch.exp"]
    assert torch.exp is torch.sin


def test_a_check_computes_on_one_thread_and_puts_the_number_of_threads_back(session: ExitStack):
    session.callback(torch.set_num_threads, torch.get_num_threads())
    torch.set_num_threads(2)
    used = []

    def softmax(x, dim):
        used.append(torch.get_num_threads())
        return attention.softmax(x, dim)

    assert find("softmax").check(softmax).passed
    assert set(used) == {1}
    assert torch.get_num_threads() == 2
