"""Attention in blocks, one block after another: which scores are held, and what is kept of each query."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import torch
import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer
from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.blocks import Running, online_softmax_step

SIZES = (1, 2, 4, 8)


class BlocksExplorer(Explorer):
    """The table of scores as attention in blocks reads it, and the numbers that are kept of each query.

    Args:
        query: queries (T, d_k).
        key: keys (S, d_k).
        value: values (S, d_v); the first feature of the output is shown.
        step: adds a block, such as a learner's `online_softmax_step`.
        sizes: sizes of blocks to choose from.

    Raises ValueError where the tensors are no such tables, or a size is below 1.
    """

    script = "blocks_explorer.js"
    data = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        step: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Running] = online_softmax_step,
        sizes: Sequence[int] = SIZES,
    ) -> None:
        if not (query.dim() == key.dim() == value.dim() == 2 and len(key) == len(value)):
            shapes = ", ".join(str(tuple(each.shape)) for each in (query, key, value))
            raise ValueError(f"queries (T, d_k), keys (S, d_k) and values (S, d_v) are needed, but got {shapes}")
        if not sizes or min(sizes) < 1:
            raise ValueError(f"sizes should be numbers of tokens, 1 or more, but are {tuple(sizes)}")
        with torch.no_grad():
            scores = query @ key.mT * query.size(-1) ** -0.5
            exact, _ = scaled_dot_product_attention(query, key, value)
            steps = {str(size): _steps(scores, value, size, step) for size in sizes}
        super().__init__(data={"scores": _rounded(scores), "exact": _rounded(exact[:, 0]), "steps": steps})

    def alt(self) -> str:
        """Say how many scores there are, and how many are held at once for each size of block."""
        T, S = len(self.data["scores"]), len(self.data["scores"][0])
        held = (f"{min(int(size), T) * min(int(size), S)} with blocks of {size}" for size in self.data["steps"])
        return f"{T} queries and {S} keys have {T * S} scores. At once are held: {', '.join(held)}."

    def static_html(self) -> str:
        """Return what is kept of each query after its last block, as a table, for the first size of block."""
        steps = next(iter(self.data["steps"].values()))
        last = {step["rows"][0] + i: kept for step in steps for i, kept in enumerate(step["kept"])}
        rows = "".join(
            f'<tr><th scope="row">query {t}</th>' + "".join(f"<td>{each:.2f}</td>" for each in last[t]) + "</tr>"
            for t in sorted(last)
        )
        head = "".join(f'<th scope="col">{name}</th>' for name in ("maximum", "total", "output, feature 0"))
        caption = "<caption>What is kept of each query after its last block</caption>"
        table = f"<table>{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"


def _steps(scores: Tensor, value: Tensor, size: int, step: Callable[..., Running]) -> list[dict[str, Any]]:
    """List the blocks in their order: which queries and keys, and after it maximum, total and output of each query."""
    steps = list[dict[str, Any]]()
    T, S = scores.shape
    for start in range(0, T, size):
        rows = scores[start : start + size]
        maximum, total = rows.new_full((len(rows), 1), -torch.inf), rows.new_zeros(len(rows), 1)
        mixed = rows.new_zeros(len(rows), value.size(1))
        for first in range(0, S, size):
            keys = slice(first, min(first + size, S))
            maximum, total, mixed = step(maximum, total, mixed, rows[:, keys], value[keys])
            kept = torch.cat((maximum, total, mixed[:, :1] / total), dim=1)
            steps.append({"rows": [start, start + len(rows)], "columns": [first, keys.stop], "kept": _rounded(kept)})
    return steps


def _rounded(numbers: Tensor) -> Any:
    """Round numbers to four decimals, as lists."""
    return (numbers.double() * 1e4).round().div(1e4).tolist()
