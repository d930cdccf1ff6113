"""Translate what the learner types, and show what each French word reads. Met in notebook 00."""

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer, weights_table


class Translation(Protocol):
    """A translated sentence: its words, the French words, and what each of these reads."""

    source: Sequence[str]
    target: Sequence[str]
    weights: Tensor
    text: str


class Translator(Protocol):
    """Anything that translates a sentence and tells what it read."""

    def translation(self, sentence: str) -> Translation:
        """Translate `sentence`; raises ValueError with a sentence for the learner where it cannot."""


class TranslateBox(Explorer):
    """A box to type an English sentence into; below it the translation, and its attention over both sentences.

    Args:
        translator: `weights.load_translator()`, or the learner's own from notebook 07.
        sentence: what stands in the box at first.
    """

    script = "translate_box.js"
    sentence = traitlets.Unicode().tag(sync=True)
    translation = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, translator: Translator, sentence: str) -> None:
        self._translator = translator
        super().__init__(sentence=sentence)
        self._translate()
        self.observe(self._translate, names="sentence")

    def _translate(self, _: Any = None) -> None:
        try:
            found = self._translator.translation(self.sentence)
        except ValueError as problem:
            self.translation = ""
            self.answer = {"message": str(problem)}
            return
        self.translation = found.text
        self.answer = {
            "source": list(found.source),
            "target": list(found.target),
            "weights": [[round(weight, 4) for weight in row] for row in found.weights.tolist()],
        }

    def alt(self) -> str:
        """The sentence and its translation, or why there is none."""
        return f"A box that translates “{self.sentence}”: {self.answer.get('message') or self.translation}"

    def static_html(self) -> str:
        """The sentence, its translation, and a table of what each French word reads."""
        if "message" in self.answer:
            return f"<p>{escape(self.alt())}</p>"
        caption = "Rows: French words that ask. Columns: English words that are read. Each row adds up to 1."
        table = weights_table(self.answer["weights"], self.answer["target"], self.answer["source"], caption)
        return f"<p>{escape(self.alt())}</p>{table}"
