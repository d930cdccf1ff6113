"""A sentence with the names marked that taggers find in it, and how sure they are of each word. Met in notebook 13."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Self

import traitlets
from torch import Tensor, nn

from course_lib.data.entity_templates import words_of
from course_lib.learning.tagging import word_probabilities
from course_lib.pictures.explorers.base import Explorer
from course_lib.scoring.entities import spans_of_tags
from course_lib.text.pretrained import PretrainedTokenizer

MOST_WORDS = 40


@dataclass(frozen=True)
class TaggedWords:
    """What taggers say of a sentence.

    Attributes:
        words: the T words.
        tags: the names of the K tags.
        probabilities: the name of each tagger → (T, K).
    """

    words: Sequence[str]
    tags: Sequence[str]
    probabilities: Mapping[str, Tensor]


class EntityExplorer(Explorer):
    """A sentence whose names are framed, with their kind; for the chosen word, the probability of each tag as bars.

    Args:
        look_up: gives what taggers say of a sentence; raises ValueError with a sentence for the learner.
        sentence: the first sentence in the box.
        spans_of: reads the spans (kind, start, stop) out of the tags of a sentence.
    """

    script = "entity_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        look_up: Callable[[str], TaggedWords],
        sentence: str,
        spans_of: Callable[[Sequence[str]], Sequence[tuple[str, int, int]]] = spans_of_tags,
    ) -> None:
        self._look_up, self._spans_of = look_up, spans_of
        super().__init__(sentence=sentence)
        self._compute()
        self.observe(self._compute, names="sentence")

    @classmethod
    def of(
        cls,
        taggers: Mapping[str, nn.Module],
        tokenizer: PretrainedTokenizer,
        tags: Sequence[str],
        sentence: str,
        spans_of: Callable[[Sequence[str]], Sequence[tuple[str, int, int]]] = spans_of_tags,
    ) -> Self:
        """Make an explorer of taggers: name → a model from ids (B, S) to logits (B, S, K).

        Takes also what cuts words into pieces, the names of the K tags, and what `EntityExplorer` takes.
        """

        def look_up(text: str) -> TaggedWords:
            words = words_of(text)
            return TaggedWords(
                words, tags, {name: word_probabilities(each, words, tokenizer) for name, each in taggers.items()}
            )

        return cls(look_up, sentence, spans_of)

    def _compute(self, _: Any = None) -> None:
        try:
            words = words_of(self.sentence)
            if not words:
                raise ValueError("There is nothing to read yet: type a sentence.")
            if len(words) > MOST_WORDS:
                raise ValueError(
                    f"That is {len(words)} words, and there is room for {MOST_WORDS}: shorten it a little."
                )
            tagged = self._look_up(self.sentence)
        except ValueError as problem:
            self.found = {**self.found, "message": str(problem)}
            return
        taggers = {}
        for name, p in tagged.probabilities.items():
            best = [tagged.tags[i] for i in p.argmax(dim=-1).tolist()]
            taggers[name] = {
                "p": p.double().round(decimals=4).tolist(),
                "best": best,
                "spans": [list(span) for span in self._spans_of(best)],
            }
        self.found = {"words": list(tagged.words), "tags": list(tagged.tags), "taggers": taggers}

    def _names(self, tagger: str) -> list[tuple[str, str, float]]:
        """The names that a tagger finds: their words, their kind, and the lowest probability of their tags."""
        found = self.found["taggers"][tagger]
        return [
            (" ".join(self.found["words"][start:stop]), kind, min(max(row) for row in found["p"][start:stop]))
            for kind, start, stop in found["spans"]
        ]

    def alt(self) -> str:
        """Say which names each tagger finds in the first sentence."""
        if "words" not in self.found:
            return str(self.found["message"])
        said = (
            f"{tagger}: {', '.join(f'{name} ({kind})' for name, kind, _ in self._names(tagger)[:4]) or 'none'}"
            for tagger in self.found["taggers"]
        )
        return f"Names found in “{self.sentence}”: {'; '.join(said)}."

    def static_html(self) -> str:
        """Return the names that each tagger finds as a table."""
        if "words" not in self.found:
            return f"<p>{escape(self.alt())}</p>"
        columns = ("tagger", "name", "kind", "lowest probability of its tags")
        head = "".join(f'<th scope="col">{column}</th>' for column in columns)
        body = "".join(
            f'<tr><th scope="row">{escape(tagger)}</th><td>{escape(name)}</td><td>{escape(kind)}</td>'
            f"<td>{p:.2f}</td></tr>"
            for tagger in self.found["taggers"]
            for name, kind, p in self._names(tagger)
        )
        table = f"<table><caption>The names found</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"
