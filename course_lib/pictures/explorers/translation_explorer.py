"""A sentence through several translators: all that their beams found, and what each word read. Met in notebook 15."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Protocol

import traitlets

from course_lib.pictures.explorers.base import Explorer
from course_lib.pretrained.sentence_translator import FoundTranslation
from course_lib.text.wording import as_sentence


class SearchingTranslator(Protocol):
    """Anything that finds several translations of a sentence, such as a `SentenceTranslator`."""

    def translations(self, sentence: str, beams: int) -> Sequence[FoundTranslation]:
        """Translate in several ways, the best first; raises ValueError with a sentence for the learner if it cannot."""


class TranslationExplorer(Explorer):
    """The learner's sentence in French, by several machines side by side, each with its other beams.

    For the chosen text, lines show what each of its words reads, where the machine has attention.

    Args:
        translators: name → translator, one at least; the first text of the first one is chosen at the start.
        sentence: the first sentence in the box.
        beams: how many beams each one searches with.

    Raises ValueError where there is no translator.
    """

    script = "translation_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)

    def __init__(self, translators: Mapping[str, SearchingTranslator], sentence: str, beams: int = 4) -> None:
        if not translators:
            raise ValueError("there should be one translator at least, by its name, but there is none")
        self._translators, self._beams = dict(translators), beams
        super().__init__(sentence=sentence)
        self._translate()
        self.observe(self._translate, names="sentence")

    def _translate(self, _: Any = None) -> None:
        try:
            machines = {
                name: [*map(_as_json, translator.translations(self.sentence, self._beams))]
                for name, translator in self._translators.items()
            }
        except ValueError as problem:
            self.found = {**self.found, "message": as_sentence(problem), "to": self.sentence}
            return
        self.found = {"machines": machines, "to": self.sentence}

    def alt(self) -> str:
        """Give the best translation of each machine, or the reason why there is none."""
        if "machines" not in self.found:
            return f"A box that translates “{self.sentence}”: {self.found['message']}"
        said = "; ".join(f"{name}: “{several[0]['text']}”" for name, several in self.found["machines"].items())
        return f"Translations of “{self.found['to']}”. {said}."

    def static_html(self) -> str:
        """Return all texts that were found, as a table."""
        if "machines" not in self.found:
            return f"<p>{escape(self.alt())}</p>"
        head = "".join(f'<th scope="col">{column}</th>' for column in ("machine", "share", "translation"))
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{each["share"]:.2f}</td><td>{escape(each["text"])}</td></tr>'
            for name, several in self.found["machines"].items()
            for each in several
        )
        caption = "All texts found, in the order of the beam search, with their share of the probability"
        table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"


def _as_json(found: FoundTranslation) -> dict[str, Any]:
    weights = None if found.weights is None else found.weights.double().round(decimals=4).tolist()
    return {
        "text": found.text,
        "share": round(found.share, 4),
        "source": list(found.source),
        "target": list(found.target),
        "weights": weights,
    }
