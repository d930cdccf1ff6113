"""Watch what the attentions of a model read, the course's and a learner's own, while a block of code runs."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.transformer.attention import MultiHeadAttention, Reading


@contextmanager
def watch_attention(model: nn.Module, attention: Callable[..., Any] | None = None) -> Iterator[dict[str, Reading]]:
    """Record what every attention in `model` reads while the block runs.

    Yields a dictionary that each forward pass fills: the part's name in the model, such as
    `"decoder.0.cross_attention"`, to its latest `Reading`. Attentions are the course's `MultiHeadAttention`s, other
    modules that keep the weights of their heads, (B, H, T, S), as their attribute `weights`, and modules that call the
    function `attention`. Blocks may be nested; each of them sees everything.

    Args:
        model: a model, or a part of one.
        attention: a function in Python that returns (output, weights), such as a learner's own
            `scaled_dot_product_attention`. A module may call it once for all heads, or once for each.
    """
    readings: dict[str, Reading] = {}
    returned: list[list[Tensor]] = [[]]  # the weights that each module under way has got, innermost last
    with ExitStack() as watching:
        if attention is not None:
            watching.enter_context(_watch_returns(inspect.unwrap(attention), returned))
        for name, part in model.named_modules():
            if isinstance(part, MultiHeadAttention):
                watcher = partial(readings.__setitem__, name)
                part.watchers.append(watcher)
                watching.callback(part.watchers.remove, watcher)
            begin = part.register_forward_pre_hook(lambda *_: returned.append([]))
            keep = partial(_keep_weights, readings, returned, name)
            end = part.register_forward_hook(keep, with_kwargs=True, always_call=True)
            watching.callback(begin.remove)
            watching.callback(end.remove)
        yield readings


def _keep_weights(
    readings: dict[str, Reading],
    returned: list[list[Tensor]],
    name: str,
    part: nn.Module,
    inputs: tuple[Any, ...],
    named: dict[str, Any],
    _: Any,
) -> None:
    got = returned.pop()
    if isinstance(part, MultiHeadAttention):  # which tells its watchers more
        return
    weights = getattr(part, "weights", None)
    if isinstance(weights, Tensor) and weights.dim() == 4:
        readings[name] = Reading(weights.detach())
    elif got:
        B = next(each.size(0) for each in (*inputs, *named.values()) if isinstance(each, Tensor))
        of_calls = [each.detach().reshape(B, -1, *each.shape[-2:]) for each in got]  # (B, H or 1, T, S) each
        readings[name] = Reading(torch.cat(of_calls, dim=1))


@contextmanager
def _watch_returns(function: Callable[..., Any], returned: list[list[Tensor]]) -> Iterator[None]:
    """Collect the weights that a function returns, while the block runs, for the module that is under way."""

    def note(frame: FrameType, event: str, value: Any) -> None:
        if event == "return" and frame.f_code is code and isinstance(value, tuple) and len(value) == 2:
            returned[-1].append(value[1])

    code = getattr(function, "__code__", None)
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
