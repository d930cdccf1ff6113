"""The course's small language model: goes on with a text as Grimms' tales would, character by character."""

from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.pretrained.pouring import build_with_weights
from course_lib.text.words import Vocabulary
from course_lib.transformer.build import COURSE, Parts, build_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.decoding import greedy

FILE = Path(__file__).with_name("tales_model.safetensors")


class UnknownCharacters(ValueError):
    """A text has characters that the model never saw. `characters` lists them."""

    def __init__(self, unknown: list[str]) -> None:
        self.characters = unknown
        named = " or ".join(repr(character) for character in unknown)
        super().__init__(f"I have never seen {named}, and I do not guess: tales_model.characters lists what I know")


class TalesModel:
    """A trained language model with its characters."""

    def __init__(self, model: Any, vocabulary: Vocabulary) -> None:
        self.model, self.vocabulary = model, vocabulary

    @property
    def characters(self) -> str:
        """All characters that it can read, the commonest first."""
        return "".join(self.vocabulary.words)

    def encode(self, text: str) -> list[int]:
        """Give each character's id.

        Raises:
            UnknownCharacters: some are not in `characters`; they are named, not guessed.
            TypeError: it is no string.
        """
        if not isinstance(text, str):
            raise TypeError(f"I read text, a string such as 'Once upon a time', but got {text!r}")
        if unknown := self.vocabulary.unknown(list(text)):
            raise UnknownCharacters(unknown)
        return self.vocabulary.encode(list(text))

    def decode(self, ids: Iterable[int]) -> str:
        """Write ids as text. Raises ValueError for ids that there are not."""
        return "".join(self.vocabulary.decode(ids))

    def complete(self, prompt: str, length: int = 200) -> str:
        """Go on with a text by the likeliest character, again and again.

        Reads the last `model.config.max_length` characters each time. The same prompt always goes on the same way.
        Returns the prompt and `length` more characters.

        Raises:
            UnknownCharacters: the prompt has characters that are not in `characters`.
            ValueError: the prompt is empty, or the length is negative.
            TypeError: the prompt is no string.

        >>> load_tales_model().complete("Once upon a ti", length=2)
        'Once upon a time'
        """
        ids = self.encode(prompt)
        if not ids:
            raise ValueError("the prompt is empty: give me a beginning, such as 'Once upon a time'")
        if length < 0:
            raise ValueError(f"length says how many characters to add, 0 or more, but is {length}")
        return prompt + self.decode(greedy(self.model, [ids], length)[0])

    def save(self, path: Path, note: dict[str, Any]) -> None:
        """Write weights, in half precision, and characters to one file, with what else there is to note."""
        weights = {name: weight.half() for name, weight in weights_of(self.model).items()}
        write(path, weights, {"config": asdict(self.model.config), "characters": self.characters, **note})


@lru_cache
def load_tales_model(device: str = "cpu", parts: Parts = COURSE) -> TalesModel:
    """The language model that `course_lib.recipes.train_tales` has trained; read once, then kept.

    Takes where it should run ("cpu", "cuda", "mps"), and the parts that it is built from.
    """
    tensors, note = read(FILE)
    model = build_with_weights(build_language_model, TransformerConfig(**note["config"]), parts, tensors, FILE)
    return TalesModel(model.to(device).eval(), Vocabulary(tuple(note["characters"])))
