"""The task of notebook 02 that asks two questions at once, and the model for it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

SYMBOLS, LENGTH, WIDTH = 8, 8, 32
ASKED = [0, LENGTH - 2]  # the first position, and the one before the last


def sentences(count: int, seed: int) -> Tensor:
    """Draw sentences of random symbols: (count, T)."""
    return torch.randint(SYMBOLS, (count, LENGTH), generator=torch.Generator().manual_seed(seed))


class TwoQuestions(nn.Module):
    """Positions decide who reads what, symbols are what is read; the last token answers both questions.

    Args:
        heads: H, which divides 32.
        attend: attention in every head, such as `attend_in_heads`: takes query, key, value (B, T, d_model) and H.
    """

    def __init__(self, heads: int, attend: Callable[[Tensor, Tensor, Tensor, int], Tensor]) -> None:
        super().__init__()
        self.heads, self.attend = heads, attend
        self.symbols = nn.Embedding(SYMBOLS, WIDTH)
        self.positions = nn.Parameter(0.1 * torch.randn(LENGTH, WIDTH))
        self.W_q, self.W_k, self.W_v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.answer = nn.Linear(WIDTH, len(ASKED) * SYMBOLS)

    def forward(self, ids: Tensor) -> Tensor:
        """Answer both questions about each sentence: ids (B, T) to logits (B, 2, 8)."""
        positions = self.positions.expand(len(ids), -1, -1)  # (B, T, d_model)
        read = self.attend(self.W_q(positions), self.W_k(positions), self.W_v(self.symbols(ids)), self.heads)
        answers: Tensor = self.answer(read[:, -1])
        return answers.view(-1, len(ASKED), SYMBOLS)
