"""What all explorers share: the course's look, common JavaScript, and a static picture where no script runs."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Self

import anywidget
import traitlets
from IPython.display import display

from course_lib.pictures.look import LOOK, LOOK_CSS, Theme, digit_colour, ramp_colour, token_labels

FOLDER = Path(__file__).parent
RAMP_STEPS = 20
NO_PANEL = "No panel above? It needs a running kernel: run this cell again."
WITHOUT_PANEL = (
    ".jp-OutputArea-child:has(.course-explorer) + .jp-OutputArea-child:has(.course-no-panel) { display: none; }"
)


class Explorer(anywidget.AnyWidget):
    """A widget with a script of its own, in the same folder.

    The kernel computes the tensors once; the browser responds to hover, sliders and keys. `shared.js` is put in front
    of the explorer's own script, since a widget's module cannot import another file without a network.

    A subclass names its script, and provides what is shown where no script runs.
    """

    script: ClassVar[str]
    guess = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **arguments: Any) -> None:
        if "script" in cls.__dict__:  # traitlets makes further subclasses of its own
            look = f"const LOOK = {json.dumps(LOOK, ensure_ascii=False)};\n"
            cls._esm = look + _read("shared.js") + _read(cls.script)
            cls._css = LOOK_CSS + ramp_css() + _read("explorers.css")
        super().__init_subclass__(**arguments)

    def ask_first(self, question: str, replies: Mapping[str, str], about: str = "") -> Self:
        """Let the learner guess before the picture is shown. Any answer shows it, together with the reply to it.

        Args:
            question: one sentence.
            replies: answer → reply, in the order in which the answers are offered. A reply says what is right, and
                where to see it.
            about: the token that the question is about, which the explorer then shows.

        Returns this explorer. Raises ValueError for fewer than two answers.
        """
        if len(replies) < 2:
            raise ValueError(f"a guess needs at least two answers to choose from, but there are {len(replies)}")
        self.guess = {"question": question, "replies": dict(replies)} | ({"about": about} if about else {})
        return self

    def _guess_html(self) -> str:
        """Return the question for a page where no script runs: each answer opens to show its reply."""
        if not self.guess:
            return ""
        replies = self.guess["replies"].items()
        rows = (f"<details><summary>{escape(answer)}</summary>{escape(reply)}</details>" for answer, reply in replies)
        return f"<p>Guess first: {escape(self.guess['question'])}</p>{''.join(rows)}"

    def static_html(self) -> str:
        """Return the picture for a page where no script runs: a saved page, a printout, a blocked script."""
        raise NotImplementedError

    def alt(self) -> str:
        """Describe the picture in one or two sentences, with its numbers."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.alt()

    def _ipython_display_(self) -> None:
        """Show the panel, and below it a sentence for a page on which there is none.

        JupyterLab keeps no panel in a saved notebook. When that is opened again, it shows an error in the panel's
        place, and none of the other formats of the same output. What is in an output of its own it does show.
        """
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        words = f'<style>{WITHOUT_PANEL}</style>\n<p class="course-no-panel"><em>{NO_PANEL}</em></p>'
        display({"text/html": words, "text/plain": NO_PANEL}, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**arguments) or ({}, {})
        return {**data, "text/html": self._guess_html() + self.static_html(), "text/plain": self.alt()}, metadata


def weights_table(weights: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], caption: str) -> str:
    """Write weights as an HTML table: a row for each token that asks, a column for each token that is read."""
    head = "".join(f'<th scope="col">{escape(token)}</th>' for token in token_labels(columns))
    body = "".join(
        f'<tr><th scope="row">{escape(token)}</th>{"".join(f"<td>{w:.2f}</td>" for w in row)}</tr>'
        for token, row in zip(token_labels(rows), weights, strict=True)
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def ramp_css() -> str:
    """Write a class for each step of the two ramps, such as `weights-7`: a cell's colour, and its digits' colour."""
    return "".join(_step_css(ramp, step) for ramp in LOOK["ramps"] for step in range(RAMP_STEPS + 1))


def _step_css(ramp: str, step: int) -> str:
    themes: tuple[Theme, ...] = ("light", "dark")
    cells = [ramp_colour(ramp, step / RAMP_STEPS, theme) for theme in themes]
    digits = [digit_colour(cell) for cell in cells]
    return (
        f".course-explorer .{ramp}-{step} "
        f"{{ --cell: light-dark({', '.join(cells)}); --digit: light-dark({', '.join(digits)}); }}\n"
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
