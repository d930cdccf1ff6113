"""A language model that can be worked out on paper: a table says what may follow the last word."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class NextWordTable(nn.Module):
    """A language model that looks at the last word only, and finds what may follow it in a table.

    What the table does not name has probability 0: its logit is minus infinity. A word without a row of its own, such
    as the one that ends a text, is followed by itself.

    Args:
        table: word → the words that may follow, with their probabilities. The words have ids in the order in which
            they begin a row, and then in which they occur.

    Raises ValueError for an empty table, or a row whose probabilities do not add up to 1.

    >>> toy = NextWordTable({"[bos]": {"yes": 0.8, "no": 0.2}})
    >>> toy.words, toy.ids("[bos] no"), toy.text([1, 2])
    (('[bos]', 'yes', 'no'), [0, 2], 'yes no')
    >>> toy(torch.tensor([toy.ids("[bos]")])).softmax(-1)
    tensor([[[0.0000, 0.8000, 0.2000]]], grad_fn=<SoftmaxBackward0>)
    """

    def __init__(self, table: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__()
        if not table:
            raise ValueError("the table should have a row for at least one word, but it is empty")
        for word, row in table.items():
            if abs(sum(row.values()) - 1) > 1e-6 or min(row.values()) < 0:
                raise ValueError(f"what follows {word!r} should add up to 1, but adds up to {sum(row.values()):.3f}")
        followers = (follower for row in table.values() for follower in row)
        self.words = tuple(dict.fromkeys((*table, *followers)))
        rows = [table.get(word, {word: 1.0}) for word in self.words]
        probabilities = torch.tensor([[row.get(word, 0.0) for word in self.words] for row in rows])
        self.logits = nn.Parameter(probabilities.log())  # (V, V)

    def ids(self, text: str) -> list[int]:
        """Give the id of each word of a text."""
        return [self.words.index(word) for word in text.split()]

    def text(self, ids: Sequence[int]) -> str:
        """Turn ids into a text."""
        return " ".join(self.words[i] for i in ids)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next word: ids (B, T) to logits (B, T, V)."""
        return self.logits[ids]
