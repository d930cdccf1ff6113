"""One hidden token in each row of a text: the same questions for models that read in different ways. Used in 11."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.scoring.ngrams import NGrams


@dataclass(frozen=True, eq=False)
class Gaps:
    """Rows of text with a place in each that is asked for.

    Attributes:
        rows: whole rows, nothing hidden, (n, T).
        places: the place that is asked for in each row, (n,).
    """

    rows: Tensor
    places: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def answers(self) -> Tensor:
        """The tokens at the places, (n,)."""
        return self.at(self.rows)

    def at(self, outputs: Tensor) -> Tensor:
        """Pick what belongs to the places: (n, T, …) to (n, …)."""
        return outputs[torch.arange(len(self.rows)), self.places]

    def before(self, outputs: Tensor) -> Tensor:
        """Pick what belongs to the positions before the places, where a causal model predicts them."""
        return outputs[torch.arange(len(self.rows)), self.places - 1]

    def hidden(self, mask: int) -> Tensor:
        """Give the rows with `mask` at the places, (n, T)."""
        return self.rows.scatter(1, self.places[:, None], mask)

    def left_only(self) -> Tensor:
        """Make a mask under which nothing after the place may be read, (n, 1, T, T); each token may read itself."""
        T = self.rows.size(1)
        return (torch.arange(T) <= self.places[:, None])[:, None, None] | torch.eye(T, dtype=torch.bool)


def choose_gaps(rows: Tensor, special: Tensor, end: int, margin: int = 10, seed: int = 0) -> Gaps:
    """Choose a place in each row at random, at least `margin` from both ends.

    Rows in which it holds a special token, or begins a text, are left out. Takes packed rows (B, T), the special ids,
    and the id that ends a text. Raises ValueError where no row is left.
    """
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(margin, rows.size(1) - margin, (len(rows),), generator=generator)
    every = torch.arange(len(rows))
    good = ~torch.isin(rows[every, places], special) & (rows[every, places - 1] != end)
    if not good.any():
        raise ValueError(f"none of the {len(rows)} rows has a place that can be asked for")
    return Gaps(rows[good], places[good])


def ngram_guesses(counts: NGrams, gaps: Gaps) -> Tensor:
    """Give ln p of every token at the places by counting, from what comes before them: (n, V)."""
    table = torch.empty(len(gaps), counts.vocabulary)
    pairs = zip(gaps.rows.tolist(), gaps.places.tolist(), strict=True)
    for i, (row, place) in enumerate(pairs):
        tokens, p = zip(*counts.likeliest(row[:place], counts.vocabulary), strict=True)
        table[i, list(tokens)] = torch.tensor([math.log(each) for each in p])
    return table


def share_right(log_p: Tensor, answers: Sequence[int] | Tensor) -> float:
    """Give the share of rows in which the likeliest token, by (n, V), is the answer, (n,)."""
    return (log_p.argmax(dim=-1) == torch.as_tensor(answers)).double().mean().item()
