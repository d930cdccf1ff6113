"""Beam search as a growing tree: at each step, the texts that are kept, those that are dropped and those that end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import traitlets

from course_lib.pictures.explorers.base import Explorer
from course_lib.pictures.look import token_label, with_minus
from course_lib.text.words import WordTokenizer
from course_lib.transformer.models import Transformer
from course_lib.writing.beam import Candidate, beam_search, length_penalty
from course_lib.writing.choose import greedy
from course_lib.writing.prompts import Model

BEAMS = (1, 2, 3, 4)
ALPHA = 0.6
MOST_WORDS = 12


class Translation(Protocol):
    """A translated sentence. Only its source words are needed here."""

    @property
    def source(self) -> Sequence[str]:
        """The source words."""


class Translator(Protocol):
    """A Transformer with its two tokenizers, such as `load_translator()`."""

    model: Transformer
    english: WordTokenizer
    french: WordTokenizer

    def translation(self, sentence: str) -> Translation:
        """Translate `sentence`; raises ValueError with a sentence for the learner if it cannot."""


@dataclass(frozen=True)
class _Task:
    """A search: a model, its prompt, how ids are printed and joined, and the settings of `beam_search`."""

    model: Model
    prompt: Sequence[int]
    show: Callable[[int], str]
    join: str = " "
    max_length: int | None = None
    bos: int | None = None
    stop: Sequence[int] = ()
    alpha: float = ALPHA

    def search(self, beams: int, greedy_ids: Sequence[int]) -> list[list[dict[str, Any]]]:
        """Return the candidates of each step, each with the index of its parent among those of the step before."""
        watched: list[list[Candidate]] = []
        beam_search(
            self.model,
            [self.prompt],
            self.max_length,
            beams=beams,
            alpha=self.alpha,
            bos=self.bos,
            stop=self.stop,
            watch=watched.append,
        )
        steps = list[list[dict[str, Any]]]()
        indices: dict[tuple[int, ...], int] = {(): -1}
        for candidates in watched:
            steps.append([self._describe(each, indices[tuple(each.ids[:-1])], greedy_ids) for each in candidates])
            indices = {tuple(each.ids): i for i, each in enumerate(candidates)}
        return steps

    def _describe(self, candidate: Candidate, parent: int, greedy_ids: Sequence[int]) -> dict[str, Any]:
        ids, stops = candidate.ids, candidate.ids[-1] in self.stop
        is_greedy = ids == list(greedy_ids[: len(ids)]) or (stops and ids[:-1] == list(greedy_ids))
        return {
            "parent": parent,
            "name": self.show(ids[-1]),
            "total": candidate.log_probability,
            "fate": candidate.fate,
            "stops": stops,
            "greedy": is_greedy,
        }

    def result(self, beams: Sequence[int]) -> dict[str, Any]:
        (greedy_ids,) = greedy(self.model, [self.prompt], self.max_length, bos=self.bos, stop=self.stop)
        searches = {str(width): self.search(width, greedy_ids) for width in beams}
        return {"searches": searches, "join": self.join, "alpha": self.alpha}


class BeamExplorer(Explorer):
    """The beam search for one sentence as a tree that grows a step at a time, for several numbers of beams.

    The kernel searches once for each number of beams; the browser responds to steps, beams and the length penalty.
    Another penalty changes the scores of the texts that the search ended with; the search itself is not run again.

    Args:
        translator: `load_translator()`, or the learner's own.
        sentence: what it translates at first; the learner may type another.
        beams: the numbers of beams to choose from.

    Raises ValueError for no beams, or a number below 1. What the translator refuses is shown as its own sentence.
    """

    script = "beam_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    typed = traitlets.Bool(True).tag(sync=True)
    result = traitlets.Dict().tag(sync=True)

    def __init__(self, translator: "Translator | _Task", sentence: str = "", beams: Sequence[int] = BEAMS) -> None:
        if not beams or min(beams) < 1:
            raise ValueError(f"beams should hold at least one number, none below 1, but it is {tuple(beams)}")
        self._translator, self._beams = translator, tuple(beams)
        super().__init__(sentence=sentence, typed=not isinstance(translator, _Task), result={"searches": {}})
        self._search()
        self.observe(self._search, names="sentence")

    @classmethod
    def of(
        cls,
        model: Model,
        prompt: Sequence[int],
        show: Callable[[int], str],
        beams: Sequence[int] = BEAMS,
        *,
        join: str = " ",
        max_length: int | None = None,
        bos: int | None = None,
        stop: Sequence[int] = (),
        alpha: float = ALPHA,
    ) -> "BeamExplorer":
        """Explore the search of any model that `beam_search` takes.

        Args:
            model: a model.
            prompt: the ids that it translates or continues.
            show: returns an id as the text to print.
            beams: the numbers of beams to choose from.
            join: what separates two tokens of a text: a space for words, nothing for characters.
            max_length: as in `beam_search`.
            bos: as in `beam_search`.
            stop: as in `beam_search`.
            alpha: the exponent of the length penalty during the search, and at first on its slider.

        Returns the explorer, without a box to type in. Raises what `beam_search` raises.
        """
        return cls(_Task(model, prompt, show, join, max_length, bos, stop, alpha), "", beams)

    def _search(self, _: Any = None) -> None:
        translator = self._translator
        if isinstance(translator, _Task):
            self.result = translator.result(self._beams)
            return
        try:
            ids = translator.english.encode(translator.translation(self.sentence).source)
        except ValueError as problem:
            # "to": no two answers are the same
            self.result = {**self.result, "message": f"{problem}.", "to": self.sentence}
            return
        french = translator.french
        task = _Task(translator.model, ids, french.token, bos=french.bos, stop=[french.eos])
        self.result = {**task.result(self._beams), "to": self.sentence}

    def hypotheses(self, beams: int, alpha: float | None = None) -> list[tuple[str, float, float]]:
        """Return the texts that a search ended with, with log-probability and score, the best first, at most `beams`.

        Takes a number of beams, and the exponent of the length penalty; None means that of the search.
        """
        return [(text, total, score) for text, total, score, _ in self._endings(beams, alpha)]

    def _endings(self, beams: int, alpha: float | None = None) -> list[tuple[str, float, float, str]]:
        """Return the hypotheses, each with a note where it wrote no stop token, but only reached the longest length."""
        alpha = self.result["alpha"] if alpha is None else alpha
        steps = self.result["searches"][str(beams)]
        ended = [
            (
                self._text(steps, step, i),
                each["total"],
                each["total"] / length_penalty(step + 1, alpha),
                "" if each["stops"] else f" (cut at {_tokens(step + 1)})",
            )
            for step, candidates in enumerate(steps)
            for i, each in enumerate(candidates)
            if each["fate"] == "ended"
        ]
        return sorted(ended, key=lambda text: -text[2])[:beams]

    def _text(self, steps: Sequence[Sequence[dict[str, Any]]], step: int, index: int) -> str:
        names = list[str]()
        while index >= 0:
            each = steps[step][index]
            names += [] if each["stops"] else [each["name"]]
            step, index = step - 1, each["parent"]
        return str(self.result["join"]).join(reversed(names))

    def alt(self) -> str:
        """Give the best text with the fewest and with the most beams, with its log-probability, in at most 60 words."""
        if not self.result["searches"]:
            return f"Beam search: {self.result['message']}"
        parts = []
        for beams in dict.fromkeys((min(self._beams), max(self._beams))):
            text, total, _, note = self._endings(beams)[0]
            words = text.split(" ")
            brief = "… " * (len(words) > MOST_WORDS) + " ".join(words[-MOST_WORDS:])  # the ends differ most
            parts.append(
                f"{'1 beam finds' if beams == 1 else f'{beams} beams find'} “{brief}”{note}, {with_minus(total)}"
            )
        return f"A search tree, grown by beam search. Best texts, with log-probability: {'; '.join(parts)}."

    def static_html(self) -> str:
        """Return the best texts for each number of beams as a table, and the tree of most beams as a nested list."""
        if not self.result["searches"]:
            return f"<p>{escape(self.alt())}</p>"
        names = ("beams", "text", "log-probability", "score")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        body = "".join(
            f'<tr><th scope="row">{beams}</th><td>{escape(text)}{note}</td><td>{with_minus(total)}</td>'
            f"<td>{with_minus(score)}</td></tr>"
            for beams in self._beams
            for text, total, score, note in self._endings(beams)
        )
        caption = f"What the search ends with, length penalty {self.result['alpha']:.2f}"
        table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        most = max(self._beams)
        tree = f"<summary>The tree of {most} beams</summary>{_list(self.result['searches'][str(most)], 0, -1)}"
        return f"<p>{escape(self.alt())}</p>{table}<details>{tree}</details>"


def _fate(candidate: dict[str, Any], step: int) -> str:
    is_cut = candidate["fate"] == "ended" and not candidate["stops"]
    return f"cut at {_tokens(step + 1)}" if is_cut else str(candidate["fate"])


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count} tokens"


def _list(steps: Sequence[Sequence[dict[str, Any]]], step: int, parent: int) -> str:
    """Write everything that extends a text as a nested list."""
    if step == len(steps):
        return ""
    items = "".join(
        f"<li>{escape(token_label(each['name']))} {with_minus(each['total'])}, {_fate(each, step)}"
        f"{_list(steps, step + 1, i)}</li>"
        for i, each in enumerate(steps[step])
        if each["parent"] == parent
    )
    return f"<ul>{items}</ul>" if items else ""
