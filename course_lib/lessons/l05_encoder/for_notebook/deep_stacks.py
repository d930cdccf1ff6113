"""The twelve layers of notebook 05, with the residual and the norm in any place, and their training."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.build import COURSE, Parts

Sublayer = Callable[[Tensor], Tensor]
Around = Callable[[Tensor, Sublayer, Sublayer], Tensor]
"""What is done with x, a sublayer and a norm, such as `post_norm`."""
SYMBOLS = 8


class DeepStack(nn.Module):
    """Layers of attention and feed-forward, with the residual and the norm as `around` has them.

    It predicts one of 8 symbols at each position. The norms are PyTorch's, for speed. Matrices start as in
    Xiong et al. 2020, arXiv:2002.04745 (Xavier), so that only `around` differs.

    Args:
        around: puts the residual and the norm around a sublayer: `around(x, sublayer, norm)`.
        parts: where attention, feed-forward and embedding come from.
        depth: the number of layers.
        ends_in_norm: whether one more norm follows the last layer, as pre-norm needs it.
    """

    def __init__(self, around: Around, parts: Parts = COURSE, depth: int = 12, ends_in_norm: bool = False) -> None:
        super().__init__()
        d_model = 32
        self.around, self.embed = around, parts.embed_with_positions
        self.table = nn.Parameter(torch.randn(SYMBOLS, d_model) * d_model**-0.5)
        attentions = [parts.MultiHeadAttention(d_model, 4) for _ in range(depth)]
        forwards = [parts.FeedForward(d_model, 2 * d_model) for _ in range(depth)]
        norms = [nn.LayerNorm(d_model) for _ in range(2 * depth)]
        layers = zip(attentions, forwards, norms[::2], norms[1::2], strict=True)
        self.layers = nn.ModuleList(map(nn.ModuleList, layers))
        self.last = nn.LayerNorm(d_model) if ends_in_norm else nn.Identity()
        for parameter in self.layers.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict a symbol at each position: ids (B, T) to logits (B, T, 8)."""
        last: Tensor = self.last(self.hidden(ids)[-1])
        return last @ self.table.T

    def hidden(self, ids: Tensor) -> list[Tensor]:
        """The vectors after each layer: ids (B, T) to a list of (B, T, d_model)."""
        x, after = self.embed(ids, self.table), []
        layer: Any
        for layer in self.layers:
            attention, feed_forward, norm_1, norm_2 = layer
            x = self.around(x, partial(_read_itself, attention), norm_1)
            x = self.around(x, feed_forward, norm_2)
            after.append(x)
        return after


def _read_itself(attention: nn.Module, x: Tensor) -> Tensor:
    read: Tensor = attention(x, x, x)
    return read


def train_on_previous_token(
    model: DeepStack, warmup: int, steps: int = 120, rate: float = 5e-3
) -> tuple[Tensor, Tensor]:
    """Train a stack to name at each position the symbol before it. Batches are drawn by PyTorch's own generator.

    Args:
        model: the stack, which is trained in place.
        warmup: over how many steps the learning rate rises to `rate`; 1: it is full from the first step.
        steps: how many steps of 32 rows of 10 symbols.
        rate: the learning rate.

    Returns the loss at each step in nats, (steps,), and how long the gradient of each layer's feed-forward was,
    (steps, layers).
    """
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.98), fused=True)
    losses, lengths = [], []
    layers: Any = model.layers
    for step in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = rate * min(1, step / warmup)
        ids = torch.randint(SYMBOLS, (32, 10))  # (B, T)
        loss = F.cross_entropy(model(ids)[:, 1:].flatten(0, 1), ids[:, :-1].flatten())
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        grads = [[p.grad for p in layer[1].parameters() if p.grad is not None] for layer in layers]
        lengths.append([nn.utils.get_total_norm(of_layer).item() for of_layer in grads])
        optimiser.step()
    return torch.tensor(losses), torch.tensor(lengths)
