"""What notebook 02 measures on the heads of the pretrained encoder."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from course_lib.pictures import figures
from course_lib.pretrained import PretrainedEncoder


def label_of(scores: Mapping[str, float]) -> str:
    """Say in a few words what a head reads, from its `head_patterns`.

    >>> label_of({"previous": 0.7, "next": 0.1, "itself": 0.1, "ends": 0.1, "entropy": 0.9})
    'previous 0.70'
    >>> label_of({"previous": 0.1, "next": 0.1, "itself": 0.1, "ends": 0.4, "entropy": 2.0})
    'spread, 2.0 nats'
    """
    shares = {name: share for name, share in scores.items() if name != "entropy"}
    name = max(shares, key=shares.__getitem__)
    return f"{name} {shares[name]:.2f}" if shares[name] >= 0.5 else f"spread, {scores['entropy']:.1f} nats"


@torch.no_grad()
def embed_without(encoder: PretrainedEncoder, head: int, sentences: Sequence[str], layer: int = 0) -> Tensor:
    """Give the vectors of B sentences, (B, 384), each of length 1, with one head switched off.

    The head's columns of W_o are set to 0, in a copy: the encoder itself stays as it is.

    Raises ValueError for a head that the layer does not have.
    """
    changed = copy.deepcopy(encoder)
    attention: Any = changed.encoder.layers[layer].self_attention
    if not 0 <= head < attention.heads:
        raise ValueError(f"head should be 0 to {attention.heads - 1}, but is {head}")
    W_o: Tensor = attention.W_o.weight  # (d_model, H * d_k)
    d_k = W_o.size(1) // attention.heads
    W_o[:, d_k * head : d_k * (head + 1)] = 0
    return changed.embed(sentences)


def draw_heads(weights: Tensor, tokens: Sequence[str], labels: Sequence[str]) -> None:
    """Show the weights of the H heads of a layer, (H, S, S), as grids, four in a row, each with its label."""
    rows = -(-len(weights) // 4)
    with figures.style():
        fig, axes = plt.subplots(rows, 4, figsize=(10, 2.2 * rows + 1.2))
        figures.head_grids(axes.flat, weights, tokens, labels)
    figures.show(fig)
