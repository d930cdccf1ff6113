"""A sentence with two classifiers: the classes' probabilities, and what each word adds to them. Met in notebook 12."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import traitlets
from torch import Tensor

from course_lib.learning.heads import leave_one_out
from course_lib.pictures.explorers.base import Explorer
from course_lib.pictures.look import token_labels

MOST_WORDS = 20

Score = Callable[[list[str]], float]
"""From the words of a text to the probability of the second class."""


class LeaveOneOutExplorer(Explorer):
    """A box to type a sentence into, and a picture for each model: its classes, and what each word adds to the second.

    Args:
        scores: name → model, side by side in this order; each gives the probability of the second class.
        classes: the names of the two classes.
        sentence: the first sentence in the box.
        leave_one_out: what measures each word, such as a learner's own.

    Raises ValueError for no model at all.
    """

    script = "leave_one_out_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    found = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        scores: Mapping[str, Score],
        classes: Sequence[str],
        sentence: str,
        leave_one_out: Callable[[Score, list[str]], Tensor] = leave_one_out,
    ) -> None:
        if not scores:
            raise ValueError("there is no model to show: give at least one, under its name")
        self._scores, self._leave_one_out = dict(scores), leave_one_out
        super().__init__(sentence=sentence, classes=list(classes))
        self._compute()
        self.observe(self._compute, names="sentence")

    def _compute(self, _: Any = None) -> None:
        words = self.sentence.split()
        try:
            if not words:
                raise ValueError("There is nothing to read yet: type a sentence.")
            if len(words) > MOST_WORDS:
                raise ValueError(
                    f"That makes {len(words)} words, and there is room for {MOST_WORDS}: shorten it a little."
                )
            models = [self._look_up(name, score, words) for name, score in self._scores.items()]
        except ValueError as problem:
            self.found = {**self.found, "message": str(problem), "to": self.sentence}  # "to": no two are the same
            return
        self.found = {"to": self.sentence, "words": words, "models": models}

    def _look_up(self, name: str, score: Score, words: list[str]) -> dict[str, Any]:
        adds = self._leave_one_out(score, words)  # (number of words,)
        return {"name": name, "p": round(score(words), 4), "adds": [round(each, 4) for each in adds.tolist()]}

    def alt(self) -> str:
        """Say in one sentence what each model thinks, and which word adds most in either direction."""
        if "words" not in self.found:
            return str(self.found["message"])
        said = []
        for model in self.found["models"]:
            pairs = zip(model["adds"], token_labels(self.found["words"]), strict=True)
            add, word = max(pairs, key=lambda pair: abs(pair[0]))
            said.append(f"{model['name']}: {self.classes[1]} {model['p']:.2f}, of which “{word}” adds {add:+.2f}")
        return f"“{self.found['to']}”. {'; '.join(said)}."

    def static_html(self) -> str:
        """Return what each word adds to each model's probability as a table."""
        if "words" not in self.found:
            return f"<p>{escape(self.alt())}</p>"
        models = self.found["models"]
        head = "".join(f'<th scope="col">{escape(model["name"])}</th>' for model in models)
        columns = zip(*(model["adds"] for model in models), strict=True)
        body = "".join(
            f'<tr><th scope="row">{escape(word)}</th>{"".join(f"<td>{x:+.2f}</td>" for x in row)}</tr>'
            for word, row in zip(token_labels(self.found["words"]), columns, strict=True)
        )
        caption = f"<caption>What each word adds to the probability of {escape(self.classes[1])}</caption>"
        table = f"<table>{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"
