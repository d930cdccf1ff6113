"""The real model with a part of it wrong, for the time of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


@contextmanager
def neighbours_rotated(model: Any) -> Iterator[None]:
    """Let the rotation turn neighbouring features, though the weights expect halves."""
    attentions = [layer.self_attention for layer in model.layers]
    rotations = [attention.rotate for attention in attentions]
    for attention, rotate in zip(attentions, rotations, strict=True):
        attention.rotate = _of_neighbours(rotate)
    try:
        yield
    finally:
        for attention, rotate in zip(attentions, rotations, strict=True):
            attention.rotate = rotate


def _of_neighbours(rotate: Any) -> Any:
    def rotate_neighbours(x: Tensor, start: int = 0) -> Tensor:
        halves = x.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2)  # (..., T, d_k), neighbours apart
        turned: Tensor = rotate(halves, start)
        return turned.reshape(*x.shape[:-1], 2, -1).mT.flatten(-2)

    return rotate_neighbours


@contextmanager
def groups_dealt_in_turn(model: Any) -> Iterator[None]:
    """Let query head h read key head h % kv_heads, as `repeat` would have it, in place of h // group.

    The same comes out if the query heads change places, and the columns of W_o with them.
    """
    first = model.layers[0].self_attention
    order = torch.arange(first.heads).view(-1, first.kv_heads).T.flatten()  # 0, 3, 6, 1, 4, 7, 2, 5, 8
    _reorder_heads(model, order)
    try:
        yield
    finally:
        _reorder_heads(model, order.argsort())


@torch.no_grad()
def _reorder_heads(model: Any, order: Tensor) -> None:
    for layer in model.layers:
        attention = layer.self_attention
        d_k = attention.W_q.out_features // len(order)
        rows = (order[:, None] * d_k + torch.arange(d_k)).flatten()
        attention.W_q.weight.copy_(attention.W_q.weight[rows])
        attention.W_o.weight.copy_(attention.W_o.weight[:, rows])
