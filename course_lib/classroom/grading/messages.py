"""Results of answers as plain JSON, so that the grader reads them without running anything that an answer made.

A pickle could run code in the grader. JSON cannot, and what does not fit the few kinds below is refused.
"""

import base64
import json
import math
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.judging.outcomes import Outcome

MOST_NUMBERS = 1_000_000  # in one tensor
MOST_BYTES = 16_000_000  # in one message
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.complex64,
        torch.complex128,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
}


class Unreadable(Exception):
    """A message is not one that an answer's process would send."""


class Other:
    """A result of a kind that no exercise expects. It equals nothing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"a `{self.kind}`"


def encode_outcome(outcome: Outcome) -> list[Any]:
    """The result of a call: its value, the kind and words of its error, which arguments became what, and how."""
    error = None if outcome.error is None else [type(outcome.error).__name__[:100], str(outcome.error)[:500]]
    value = None if error else encode(outcome.value)
    became = [encode(each) for each in outcome.became]
    return [value, error, list(outcome.changed), became, list(outcome.in_tensors)]


def decode_outcome(message: Any) -> Outcome:
    """The result of a call, from JSON that an answer's process sent. Raises Unreadable if it is none."""
    match message:
        case [_, [str(kind), str(words)], _, _, _]:
            return Outcome(error=RuntimeError(f"{kind}: {words}"))
        case [value, None, list(changed), list(became), list(in_tensors)] if all(
            isinstance(each, int) for each in (*changed, *in_tensors)
        ):
            after = tuple(map(decode, became))
            return Outcome(decode(value), changed=tuple(changed), became=after, in_tensors=tuple(in_tensors))
    raise Unreadable


def encode(value: Any) -> Any:
    """A value as JSON: a tensor by its bytes, a list or tuple by its elements. Any other object only by its type."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if type(value) in (Tensor, nn.Parameter):
        return _encode_tensor(value.detach())
    if isinstance(value, Integral):
        return {"int": str(int(value))}
    if isinstance(value, Real):
        return {"float": float(value).hex()}
    for kind in (list, tuple, set, frozenset):
        if type(value) is kind:
            return {kind.__name__: [encode(each) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(each)] for key, each in value.items()]}
    return {"other": type(value).__name__[:100]}


def _encode_tensor(tensor: Tensor) -> Any:
    if tensor.is_nested or tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        return {"other": "tensor that is not an ordinary one"}
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in DTYPES or tensor.numel() > MOST_NUMBERS:
        return {"other": f"tensor of {name}"}
    content = tensor.resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return {"tensor": [name, list(tensor.shape), base64.b64encode(content).decode("ascii")]}


def decode(message: Any) -> Any:
    """A value from JSON that an answer's process sent. Raises Unreadable if it is not of `encode`'s kinds."""
    match message:
        case None | bool() | str():
            return message
        case {"int": str(digits)} if len(digits) < 1000:
            return _number(int, digits)
        case {"float": str(digits)} if len(digits) < 100:
            return _number(float.fromhex, digits)
        case {"list": list(each)}:
            return list(map(decode, each))
        case {"tuple": list(each)}:
            return tuple(map(decode, each))
        case {"set": list(each)} | {"frozenset": list(each)}:
            return _set(map(decode, each))
        case {"dict": list(pairs)}:
            return _dict(pairs)
        case {"other": str(kind)}:
            return Other(kind)
        case {"tensor": [str(name), list(shape), str(content)]} if name in DTYPES:
            return _decode_tensor(DTYPES[name], shape, content)
    raise Unreadable


def _number(read: Any, digits: str) -> Any:
    try:
        return read(digits)
    except (ValueError, OverflowError):
        raise Unreadable from None


def _set(values: Any) -> Any:
    try:
        return set(values)
    except TypeError:
        raise Unreadable from None


def _dict(pairs: list[Any]) -> Any:
    try:
        return {decode(key): decode(value) for key, value in pairs}
    except (TypeError, ValueError):
        raise Unreadable from None


def _decode_tensor(dtype: torch.dtype, shape: list[Any], content: str) -> Tensor:
    try:
        data = bytearray(base64.b64decode(content, validate=True))
    except ValueError:
        raise Unreadable from None
    if not all(type(each) is int and 0 <= each <= MOST_NUMBERS for each in shape) or len(shape) > 20:
        raise Unreadable
    count = math.prod(shape)
    if count > MOST_NUMBERS or count * dtype.itemsize != len(data):
        raise Unreadable
    if dtype is torch.bool and any(byte > 1 for byte in data):
        raise Unreadable
    return torch.frombuffer(data, dtype=dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)


def read(content: bytes) -> Any:
    """Read a message of an answer's process. Raises Unreadable if it is no JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable from None
