"""Sinusoidal positions as clock hands, and their dot product, which depends on the offset alone."""

import math
from html import escape
from typing import Any

import torch
import traitlets

from course_lib.pictures.explorers.base import Explorer
from course_lib.transformer.positions import sinusoidal

DIGITS = 4


class PositionsExplorer(Explorer):
    """The table of sinusoidal positions, the hands of its clocks at two positions, and dot products by offset.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5.

    Args:
        d_model: the width, even and at least 8.
        length: the number of positions, at least 2.

    Raises ValueError for any other width or length.
    """

    script = "positions_explorer.js"
    table: Any = traitlets.List().tag(sync=True)
    turns: Any = traitlets.List().tag(sync=True)

    def __init__(self, d_model: int = 32, length: int = 64) -> None:
        if d_model < 8 or d_model % 2 or length < 2:
            raise ValueError(
                f"d_model should be even and at least 8, and length at least 2, but they are {d_model} and {length}"
            )
        self._positions = sinusoidal(length, d_model).double()
        sines, cosines = self._positions[1].reshape(-1, 2).unbind(dim=1)  # (d_model / 2,) each
        turns = 2 * math.pi / torch.atan2(sines, cosines)  # the number of positions in one turn of each clock
        super().__init__(
            table=[[round(x, DIGITS) for x in row] for row in self._positions.tolist()],
            turns=[round(x, 1) for x in turns.tolist()],
        )

    def alt(self) -> str:
        """Say in one sentence how the dot products depend on the offset, with numbers."""
        near, far = (float(self._positions[0] @ self._positions[step]) for step in (1, len(self._positions) - 1))
        most = float(self._positions[0] @ self._positions[0])
        return (
            f"Sinusoidal positions: {len(self._positions)} rows of {self._positions.size(1)} features. The dot product "
            f"of two positions depends on their offset alone: {most:.1f} at 0, {near:.1f} at 1, {far:.1f} at "
            f"{len(self._positions) - 1}."
        )

    def static_html(self) -> str:
        """Return the dot products by offset as a table."""
        products = (self._positions @ self._positions[0]).tolist()
        rows = "".join(f'<tr><th scope="row">{i}</th><td>{x:.2f}</td></tr>' for i, x in enumerate(products))
        head = '<thead><tr><th scope="col">offset</th><th scope="col">dot product</th></tr></thead>'
        return f"<p>{escape(self.alt())}</p><table><caption>Dot products</caption>{head}<tbody>{rows}</tbody></table>"
