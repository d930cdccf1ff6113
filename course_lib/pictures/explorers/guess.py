"""Ask for a guess before the result is there: choices to click, or a number to type."""

from collections.abc import Callable, Sequence
from html import escape

import traitlets

from course_lib.pictures.explorers.base import Explorer


class Guess(Explorer):
    """A question and its possible answers, none of which is marked as right: the run of a later cell shows that.

    Args:
        question: one sentence.
        choices: the answers to choose from; empty if a number is to be typed.
        unit: what the number counts, such as "sentences".
        guess: the learner's earlier guess; "" if there is none.
        keep: called with each guess.

    Raises ValueError for a single choice.
    """

    script = "guess.js"
    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        question: str,
        choices: Sequence[str] = (),
        *,
        unit: str = "",
        guess: str = "",
        keep: Callable[[str], None] | None = None,
    ) -> None:
        if len(choices) == 1:
            raise ValueError(f"a guess needs at least two answers to choose from, but there is only {choices[0]!r}")
        super().__init__(question=question, choices=list(choices), unit=unit, chosen=guess)
        if keep is not None:
            self.observe(lambda change: keep(change["new"]), names="chosen")

    def alt(self) -> str:
        """Give the question, and how it can be answered."""
        return f"Guess first: {self.question} ({self._answers()})"

    def static_html(self) -> str:
        """Return the question for a page where no script runs: the reader answers on paper."""
        return f"<p><strong>Guess first:</strong> {escape(self.question)} <em>{escape(self._answers())}</em></p>"

    def _answers(self) -> str:
        return " / ".join(self.choices) if self.choices else f"… {self.unit or 'a number'}"
