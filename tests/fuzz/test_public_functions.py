"""Every public function, called with sensible and with hostile arguments.

Allowed are the right result, an error that says in one line what came, and an error of Python's or torch's own. Not
allowed are a result that an oracle contradicts, a crash, an endless loop, and an argument changed in place.
"""

import importlib
import inspect
import pkgutil
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import pytest
import torch

from tests.fuzz.calls import ROWS, Row, trained
from tests.fuzz.values import Chance, copied, equal, hostile

ROOMS = ("transformer", "text", "data.grammar", "learning", "writing", "scoring", "pretrained")
SECONDS_FOR_ONE = 5
ERRORS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RuntimeError)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Train once before any clock runs, since torch loads much of itself with the first optimizer."""
    trained(1)


def public_functions() -> dict[str, Any]:
    """The functions without an underscore in the rooms of the library, by name."""
    functions = {}
    for room in ROOMS:
        package = importlib.import_module(f"course_lib.{room}")
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, function in vars(importlib.import_module(info.name)).items():
                is_ours = getattr(function, "__module__", None) == info.name and not inspect.isclass(function)
                if is_ours and not name.startswith("_") and isinstance(inspect.unwrap(function), FunctionType):
                    functions[f"{info.name.removeprefix('course_lib.')}.{name}"] = function
    return functions


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise in what does not end, where the system has a timer. On a busy machine, what ends may take long too."""

    def stop(*_: object) -> None:
        raise TooSlow(f"more than {12 * SECONDS_FOR_ONE} s")

    if not hasattr(signal, "setitimer"):
        yield
        return
    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 12 * SECONDS_FOR_ONE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


class TooSlow(BaseException):
    """A call that does not end."""


def outcome(function: Any, arguments: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """Call a function: its result, or the error that it raised."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments), None
        except Exception as error:
            return None, error


def fault(row: Row, arguments: tuple[Any, ...], sensible: bool) -> str | None:
    """Say what is wrong with a call, if anything is."""
    before = copied(arguments)
    started = time.process_time()
    try:
        with time_limit():
            result, error = outcome(row.function, arguments)
    except TooSlow:
        return "does not end"
    if time.process_time() - started > SECONDS_FOR_ONE:
        return "takes too long"
    if not equal(copied(arguments), before, tolerance=0):
        return "changes an argument"
    if error is not None:
        return bad_error(error, sensible)
    if row.oracle is None:
        return None
    expected, refused = outcome(row.oracle, tuple(arguments))
    if refused is not None:
        return f"gives {result!r}, though an oracle refuses: {type(refused).__name__}: {refused}"
    tolerance = 0.05 if any(map(is_half, (result, *arguments))) else 1e-3
    if expected is not None and not equal(result, expected, tolerance):
        return f"gives {result!r} instead of {expected!r}"
    return None


def is_half(value: Any) -> bool:
    """Whether a tensor has numbers of 16 bits."""
    return isinstance(value, torch.Tensor) and value.dtype in (torch.float16, torch.bfloat16)


def bad_error(error: Exception, sensible: bool) -> str | None:
    """Say what is wrong with an error, if anything is."""
    if sensible or not isinstance(error, ERRORS) or isinstance(error, RecursionError):
        return f"raises {type(error).__name__}: {error}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    is_ours = "course_lib" in last.filename and str(last.line).startswith("raise ")
    if is_ours and (not str(error) or "\n" in str(error)):
        return f"says {str(error)!r}, which is not one line"
    return None


def is_sensible_but_hard(name: str, error: str | None) -> bool:
    """Whether a sensible call may be refused: settings that exclude each other, or characters never seen."""
    return error is not None and "raises ValueError" in error and name in MAY_REFUSE


MAY_REFUSE = {
    "learning.training.evaluate",  # of padding only
    "scoring.baselines.least_loss",
}


def test_every_public_function_is_called() -> None:
    assert sorted(public_functions().keys() - ROWS.keys()) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_no_call_goes_wrong_in_silence(name: str) -> None:
    row, chance = ROWS[name], Chance(name)
    found = Counter[str]()
    examples = {}
    for number in range(row.calls):
        arguments = list(row.draw(chance))
        sensible = number % 4 == 0
        if not sensible and arguments:
            for _ in range(chance.choice((1, 1, 1, 2))):
                i = chance.randrange(len(arguments))
                arguments[i] = hostile(arguments[i], chance)
        wrong = fault(row, tuple(arguments), sensible)
        if wrong and not (sensible and is_sensible_but_hard(name, wrong)):
            found[wrong[:40]] += 1
            examples[wrong[:40]] = f"{name}{tuple(arguments)} {wrong}"
    assert not found, "\n".join(examples.values())


def test_there_are_a_thousand_calls() -> None:
    assert sum(row.calls for row in ROWS.values()) >= 1_000
