"""Cross-attention compared with the true alignment: what each target word reads, and what it should."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

import torch
import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer, weights_table
from course_lib.scoring.metrics import Link, alignment_error_rate, alignment_from_weights

DIGITS = 3


@dataclass(frozen=True)
class AlignedSentence:
    """A translated sentence, what its words read, and its true alignment.

    Args:
        source: the S source words.
        target: the T target words.
        weights: the cross-attention of N layers of H heads, (N, H, T, S).
        gold: the true links, (source index, target index).

    Raises ValueError if words and weights do not match, or a link points to no word.
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: Tensor
    gold: Collection[Link]

    def __post_init__(self) -> None:
        T, S = len(self.target), len(self.source)
        if self.weights.dim() != 4 or tuple(self.weights.shape[-2:]) != (T, S):
            raise ValueError(f"weights should be (N, H, {T}, {S}), but their shape is {tuple(self.weights.shape)}")
        for source, target in self.gold:
            if not (0 <= source < len(self.source) and 0 <= target < len(self.target)):
                raise ValueError(
                    f"gold should link {len(self.source)} source words with {len(self.target)} target words, counted "
                    f"from 0, but one link is {(source, target)}"
                )

    def by_head(self) -> list[Tensor]:
        """Return the weights (T, S) of every head and, after the heads of each layer, their average."""
        return [grid for layer in self.weights for grid in (*layer, layer.mean(dim=0))]


class AlignmentExplorer(Explorer):
    """The weights of one head on one sentence as a grid, with rings where the true links are, and its error rate.

    Args:
        examples: at least one, all with the same numbers of layers and heads. The head that is best on all of them is
            shown first.

    Raises ValueError if there are no examples, or they differ in their numbers of layers or heads.
    """

    script = "alignment_explorer.js"
    data = traitlets.Dict().tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)

    def __init__(self, examples: Sequence[AlignedSentence]) -> None:
        if len({tuple(example.weights.shape[:2]) for example in examples}) != 1:
            raise ValueError("examples should be one or more, all with the same number of layers and heads")
        layers, heads = examples[0].weights.shape[:2]
        names = [
            f"layer {layer}, {part}"
            for layer in range(layers)
            for part in (*(f"head {head}" for head in range(heads)), "average")
        ]
        links = [[alignment_from_weights(grid) for grid in example.by_head()] for example in examples]
        gold = [set(example.gold) for example in examples]
        errors = [alignment_error_rate([row[i] for row in links], gold) for i in range(len(names))]
        shown = [
            {
                "source": list(example.source),
                "target": list(example.target),
                "weights": [_rounded(grid) for grid in example.by_head()],
                "gold": sorted(example.gold),
                "errors": [alignment_error_rate([head], [example.gold]) for head in own],
            }
            for example, own in zip(examples, links, strict=True)
        ]
        self._best = errors.index(min(errors))
        super().__init__(data={"examples": shown, "heads": names, "errors": errors}, head=self._best)

    def alt(self) -> str:
        """Say in one sentence which head is best aligned, with its error rate."""
        name, error = self.data["heads"][self._best], self.data["errors"][self._best]
        return (
            f"Cross-attention compared with the true alignment of {len(self.data['examples'])} sentences: {name} is "
            f"best, with an alignment error rate of {error:.2f}."
        )

    def static_html(self) -> str:
        """Return the weights of the best head on the first sentence, as a table."""
        first = self.data["examples"][0]
        caption = "Rows: target words that ask. Columns: source words that are read."
        table = weights_table(first["weights"][self._best], first["target"], first["source"], caption)
        return f"<p>{escape(self.alt())}</p>{table}"


def _rounded(grid: Tensor) -> list[list[float]]:
    rounded: list[list[float]] = torch.round(grid.double(), decimals=DIGITS).tolist()
    return rounded
