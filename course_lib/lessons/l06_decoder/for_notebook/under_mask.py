"""A small language model under a mask of any kind, for the leaks of notebook 06."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib.transformer.build import COURSE, Parts


class LanguageModelUnder(nn.Module):
    """The language model of notebook 06, small, under any mask in place of the causal one.

    Args:
        mask: gives the mask for T tokens, `mask(T)`: booleans (T, T), True where row i may attend to column j.
        vocabulary: V.
        parts: where its layers and the embedding come from.
    """

    def __init__(self, mask: Callable[[int], Tensor], vocabulary: int, parts: Parts = COURSE) -> None:
        super().__init__()
        d_model, heads = 48, 4
        self.mask, self.embed = mask, parts.embed_with_positions
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(parts.EncoderLayer(d_model, heads, 4 * d_model, 0.0) for _ in range(2))

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V)."""
        x = self.embed(ids, self.table)  # (B, T, d_model)
        for layer in self.layers:
            x = layer(x, self.mask(ids.size(1)))
        return x @ self.table.T
