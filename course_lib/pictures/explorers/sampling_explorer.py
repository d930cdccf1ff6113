"""The next character: its distribution under temperature, top-k and top-p, and texts drawn from it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Protocol

import torch
import traitlets

from course_lib.learning.training import evaluating
from course_lib.pictures.explorers.base import Explorer
from course_lib.pictures.look import token_label
from course_lib.text.tokenizer import Tokenizer
from course_lib.transformer.models import LanguageModel
from course_lib.writing.choose import sample

LENGTH = 40
ROWS = 15
NUCLEUS = 0.9
BESIDE = ("The ", "And the q", "Once upon a ti", "The king said, ")


class TextModel(Protocol):
    """A language model of characters, such as `load_tales_model()`."""

    model: LanguageModel

    @property
    def tokenizer(self) -> Tokenizer:
        """What spells the ids."""

    def encode(self, text: str) -> list[int]:
        """Return the id of each character; raises ValueError with a sentence for the learner if one has none."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the ids as text."""


class SamplingExplorer(Explorer):
    """The next character after two beginnings, one of them the learner's own, under three filters.

    The kernel sends the logits once; the browser applies the filters and draws the first character. The rest of the
    text comes from the kernel, by `sample`, a moment later.

    Args:
        text_model: `load_tales_model()`, or the learner's own.
        prompt: the first beginning, which the learner replaces by another.
        beside: beginnings to compare with, of which the learner chooses one.

    Raises ValueError if the model cannot read a beginning, or there is none to compare with.
    """

    script = "sampling_explorer.js"
    names: Any = traitlets.List().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    examples: Any = traitlets.List().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    drawn = traitlets.Dict().tag(sync=True)

    def __init__(self, text_model: TextModel, prompt: str, beside: Sequence[str] = BESIDE) -> None:
        if not beside:
            raise ValueError("beside should hold at least one beginning to compare with, but it is empty")
        self._text_model = text_model
        super().__init__(
            names=[text_model.tokenizer.token(number) for number in range(len(text_model.tokenizer))],
            prompt=prompt,
            answer=self._read(prompt),
            examples=[self._read(each) for each in beside],
        )
        self.observe(self._answer, names="prompt")
        self.observe(self._draw, names="request")

    def _read(self, prompt: str) -> dict[str, Any]:
        """Return the logits after a text, and how many characters it takes to reach a probability of `NUCLEUS`."""
        ids = self._text_model.encode(prompt)
        if not ids:
            raise ValueError("the text is empty: give me a beginning, such as 'Once upon a ti'")
        model: Any = self._text_model.model
        device = next(model.parameters()).device
        with evaluating(model):
            logits = model(torch.tensor([ids[-model.config.max_length :]], device=device))[0, -1].cpu()  # (V,)
        ordered = logits.softmax(dim=-1).sort(descending=True).values  # (V,)
        return {
            "prompt": prompt,
            "logits": logits.tolist(),
            "nucleus": int((ordered.cumsum(0) < NUCLEUS).sum()) + 1,
        }

    def _answer(self, _: Any) -> None:
        try:
            self.answer = self._read(self.prompt)
        except ValueError as problem:
            # "to": no two answers are the same
            self.answer = {**self.answer, "message": f"{problem}.", "to": self.prompt}

    def _draw(self, _: Any) -> None:
        """Continue each text from the character that the browser has drawn."""
        asked = self.request
        model: Any = self._text_model.model
        generator = torch.Generator(next(model.parameters()).device).manual_seed(asked["seed"])
        texts = sample(
            model,
            [[*self._text_model.encode(text["prompt"]), text["first"]] for text in asked["texts"]],
            LENGTH - 1,
            temperature=asked["temperature"],
            top_k=asked["top_k"],
            top_p=asked["top_p"],
            generator=generator,
        )
        self.drawn = {"key": asked["key"], "texts": [self._text_model.decode(ids) for ids in texts]}

    def alt(self) -> str:
        """Give the likeliest characters after the prompt, and the size of the nucleus after each beginning."""
        first = ", ".join(f"{name} {share:.2f}" for name, share, _ in self._ranked(self.answer)[:3])
        other = self.examples[0]
        return (
            f"What comes after “{self.answer['prompt']}”: {first}; {self.answer['nucleus']} of {len(self.names)} "
            f"tokens hold {NUCLEUS} of the probability. After “{other['prompt']}” it is {other['nucleus']}."
        )

    def static_html(self) -> str:
        """Return the likeliest characters after both beginnings, each with its probability and the sum so far."""
        return f"<p>{escape(self.alt())}</p>" + "".join(map(self._table, (self.answer, self.examples[0])))

    def _ranked(self, answer: dict[str, Any]) -> list[tuple[str, float, float]]:
        """Return name, probability and cumulative probability of the likeliest characters."""
        ordered, order = torch.tensor(answer["logits"]).softmax(dim=-1).sort(descending=True, stable=True)
        triples = zip(order.tolist(), ordered.tolist(), ordered.cumsum(0).tolist(), strict=True)
        return [(token_label(self.names[i]), share, total) for i, share, total in triples][:ROWS]

    def _table(self, answer: dict[str, Any]) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in ("character", "probability", "cumulative"))
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{share:.2f}</td><td>{total:.2f}</td></tr>'
            for name, share, total in self._ranked(answer)
        )
        caption = f"The likeliest tokens after “{escape(answer['prompt'])}”"
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
