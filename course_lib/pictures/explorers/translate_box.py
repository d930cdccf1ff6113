"""Translate what the learner types, and show what each French word reads. Met in notebook 00."""

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer, weights_table


class Translation(Protocol):
    """A translated sentence: its English words, the French words, and the attention of the latter over the former."""

    source: Sequence[str]
    target: Sequence[str]
    weights: Tensor
    text: str


class Translator(Protocol):
    """Anything that translates a sentence and returns its attention."""

    def translation(self, sentence: str) -> Translation:
        """Translate `sentence`; raises ValueError with a sentence for the learner if it cannot."""


class TranslateBox(Explorer):
    """A box to type an English sentence into; below it the translation, and its attention over both sentences.

    Args:
        translator: `load_translator()`, or the learner's own from notebook 07.
        sentence: the first sentence in the box.
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
            translation = self._translator.translation(self.sentence)
        except ValueError as problem:
            self.translation = ""
            self.answer = {"message": str(problem), "to": self.sentence}  # "to": no two answers are the same
            return
        self.translation = translation.text
        self.answer = {
            "to": self.sentence,
            "source": list(translation.source),
            "target": list(translation.target),
            "weights": [[round(weight, 4) for weight in row] for row in translation.weights.tolist()],
        }

    def alt(self) -> str:
        """Give the sentence and its translation, or the reason why there is none."""
        return f"A box that translates “{self.sentence}”: {self.answer.get('message') or self.translation}"

    def static_html(self) -> str:
        """Return the sentence, its translation, and a table of what each French word reads."""
        if "message" in self.answer:
            return f"<p>{escape(self.alt())}</p>"
        caption = "Rows: French words that ask. Columns: English words that are read. Each row adds up to 1."
        table = weights_table(self.answer["weights"], self.answer["target"], self.answer["source"], caption)
        return f"<p>{escape(self.alt())}</p>{table}"
