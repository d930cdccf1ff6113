"""The settings of the whole process that a check needs. A check pins them, and puts back what it found.

An earlier cell may have switched off gradients, chosen another dtype or replaced a function of torch, and an answer may
do so while it runs. Neither may change what a check says, and a check may not change them for the cells that follow.
"""

import builtins
import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """A setting of the process: the call that changes it, how to read and write it, and the value a check needs.

    A check that needs no particular value (None) only puts back what it found.
    """

    call: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    needed: Any = None


@dataclass
class Changes:
    """What happened to the process in a block with pinned settings.

    Attributes:
        warned: the warnings that were raised, each once.
        settings: the calls whose settings the block left changed.
    """

    warned: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)


def _read_anomaly() -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _write_anomaly(mode: tuple[bool, bool]) -> None:
    torch.set_anomaly_enabled(*mode)


# The functions are looked up here, once, so that a cell that replaces one of them does no harm.
SETTINGS = (
    Setting("torch.set_grad_enabled", torch.is_grad_enabled, torch.set_grad_enabled, needed=True),
    Setting("torch.set_default_dtype", torch.get_default_dtype, torch.set_default_dtype, needed=torch.float32),
    # Unlike `use_deterministic_algorithms`, these do not import torch's compiler, which takes more than a second.
    Setting(
        "torch.use_deterministic_algorithms",
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
        needed=0,
    ),
    Setting("torch.autograd.set_detect_anomaly", _read_anomaly, _write_anomaly, needed=(False, True)),
    Setting(
        "torch.autocast",
        lambda: torch.is_autocast_enabled("cpu"),
        lambda enabled: torch.set_autocast_enabled("cpu", enabled),
        needed=False,
    ),
    Setting(
        "torch.set_float32_matmul_precision",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
        needed="highest",
    ),
    Setting(
        "torch.set_printoptions",
        lambda: dict(vars(torch._tensor_str.PRINT_OPTS)),
        lambda options: torch.set_printoptions(**options),  # type: ignore[no-untyped-call]
        needed={"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None},
    ),
    # Tensors of a check are small: on several threads they take longer.
    Setting("torch.set_num_threads", torch.get_num_threads, torch.set_num_threads, needed=1),
    Setting(
        "numpy.seterr",
        np.geterr,
        lambda reactions: np.seterr(**reactions),
        needed={"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"},
    ),
    Setting("sys.setrecursionlimit", sys.getrecursionlimit, sys.setrecursionlimit),
)


@contextmanager
def pinned_settings() -> Iterator[Changes]:
    """Run a block with the settings that a check needs, and put back those of the session afterwards.

    Random numbers start from the same seed in each block, and the session's go on as if the block had not run.
    Warnings are collected, and never raised as errors. What the block changed is known after it has ended.
    """
    changes = Changes()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        _collect_warnings_that_python_shows()
        found = [setting.read() for setting in SETTINGS]
        for setting, value in zip(SETTINGS, found, strict=True):
            if setting.needed is not None and value != setting.needed:
                setting.write(setting.needed)
        stack.enter_context(_on_cpu(changes))
        pinned = [setting.read() for setting in SETTINGS]
        stack.enter_context(_own_random_numbers())
        try:
            yield changes
        finally:
            for setting, value, before in zip(SETTINGS, pinned, found, strict=True):
                if setting.read() != value:
                    changes.settings.append(setting.call)
                    setting.write(value)
                if value != before:
                    setting.write(before)
            changes.warned.extend(dict.fromkeys(_in_words(each) for each in caught))


def _collect_warnings_that_python_shows() -> None:
    """Collect every warning but those that are meant for the authors of libraries, which Python hides too."""
    warnings.simplefilter("always")
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)


def _in_words(warning: warnings.WarningMessage) -> str:
    return f"{warning.category.__name__}: {str(warning.message).strip().partition(chr(10))[0][:200]}"


@contextmanager
def _on_cpu(changes: Changes) -> Iterator[None]:
    """Run a block in which new tensors are on the CPU, and put back the default device that the block changed.

    A default device, or one given by `with torch.device(...)`, works by rewriting every call of torch's functions.
    Switching that off leaves the session's list of devices alone.
    """
    found = torch.get_default_device()
    try:
        with nullcontext() if found == _CPU else torch._C.DisableTorchFunction():
            yield
    finally:
        if torch.get_default_device() != found:
            changes.settings.append("torch.set_default_device")
            torch.set_default_device(None if found == _CPU else found)


_blocks_with_own_random_numbers = 0


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Run a block in which random numbers start from seed 0, and put back the states that were found.

    Within another such block it only starts them again, which is much faster; the outer one puts the states back.
    """
    global _blocks_with_own_random_numbers
    found = None if _blocks_with_own_random_numbers else _random_states()
    _blocks_with_own_random_numbers += 1
    try:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002, the numbers of the whole process, which numpy's new generators do not touch
        torch.default_generator.manual_seed(0)
        yield
    finally:
        _blocks_with_own_random_numbers -= 1
        if found is not None:
            _set_random_states(*found)


def _random_states() -> tuple[Any, Any, Any]:
    return random.getstate(), np.random.get_state(), torch.default_generator.get_state()  # noqa: NPY002


def _set_random_states(of_python: Any, of_numpy: Any, of_torch: Any) -> None:
    random.setstate(of_python)
    np.random.set_state(of_numpy)  # noqa: NPY002
    torch.default_generator.set_state(of_torch)


# Modules and classes whose functions a cell might replace, each with the members that it had when it was imported.
_originals: dict[str, tuple[Any, dict[str, Any]]] = {}


def remember_originals(namespace: Any, name: str) -> None:
    """Remember the members of a module or class, so that `original_functions` can put its functions back."""
    _originals[name] = namespace, dict(vars(namespace))


for _name, _namespace in {
    "torch": torch,
    "torch.linalg": torch.linalg,
    "torch.nn": nn,
    "torch.nn.functional": F,
    "torch.nn.init": nn.init,
    "torch.nn.Module": nn.Module,
    "torch.Tensor": torch.Tensor,
    "math": math,
    "builtins": builtins,
}.items():
    remember_originals(_namespace, _name)


@dataclass(frozen=True)
class Replaced:
    """A member of a module or class that is not the original: `torch.softmax`, for instance."""

    namespace: Any
    key: str
    name: str
    value: Any
    original: Any  # None if the namespace, a class, inherits the original


def replaced_functions() -> list[Replaced]:
    """The functions of torch, math, Python and the course that something in this session has replaced."""
    replaced = []
    for prefix, (namespace, originals) in _originals.items():
        members = vars(namespace)
        for key, original in originals.items():
            is_changed = key in members and members[key] is not original
            if is_changed and callable(original) and not _is_torch_at_work(key, members[key]):
                replaced.append(Replaced(namespace, key, f"{prefix}.{key}", members[key], original))
        if isinstance(namespace, type):
            added = members.keys() - originals.keys()
            hiding = [key for key in added if any(key in vars(base) for base in namespace.__mro__[1:])]
            replaced += [Replaced(namespace, key, f"{prefix}.{key}", members[key], None) for key in hiding]
    return replaced


def _is_torch_at_work(key: str, value: Any) -> bool:
    """Whether torch itself has put a value in a function's place: a wrapper, or the storage of the default dtype."""
    of_torch = str(getattr(value, "__module__", "")).startswith("torch")
    return key == "Storage" or (of_torch and getattr(value, "__name__", "") == key)


@contextmanager
def original_functions() -> Iterator[None]:
    """Run a block with the original functions of torch, math, Python and the course, then put back the others."""
    replaced = replaced_functions()
    for each in replaced:
        _put_back(each)
    try:
        yield
    finally:
        for each in replaced:
            setattr(each.namespace, each.key, each.value)


@contextmanager
def undoing_replacements() -> Iterator[None]:
    """Run a block, then undo what it has replaced, but nothing that had been replaced before."""
    before = {each.name: each.value for each in replaced_functions()}
    try:
        yield
    finally:
        for each in replaced_functions():
            if each.name not in before:
                _put_back(each)
            elif each.value is not before[each.name]:
                setattr(each.namespace, each.key, before[each.name])


def _put_back(replaced: Replaced) -> None:
    if replaced.original is None:
        delattr(replaced.namespace, replaced.key)
    else:
        setattr(replaced.namespace, replaced.key, replaced.original)
