"""The course's small language models, which continue a text in the style of Grimms' tales, character by character.

There are two. One has what came after 2017 and learns fastest: `load_tales_model`. The other is the `LanguageModel` of
notebook 06, made of the parts that a learner builds until then, and as good after a somewhat longer training:
`load_plain_tales_model`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib.learning.batches import Example
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.losses import next_token
from course_lib.learning.training import History, Objective, Task, TrainingSettings, evaluate, train
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.scoring.texts import words_in
from course_lib.text.characters import CharacterTokenizer
from course_lib.text.vocabulary import Vocabulary
from course_lib.transformer.build import COURSE, Parts, build_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.choose import greedy

FILE = Path(__file__).with_name("tales_model.safetensors")
PLAIN_FILE = Path(__file__).with_name("plain_tales_model.safetensors")

BLOCK = 64  # the number of characters that it reads at once
STRIDE = 32  # the number of characters from the start of one example to that of the next
SIZES: dict[str, Any] = dict(
    d_model=128,
    heads=4,
    d_ff=344,
    layers=4,
    max_length=BLOCK,
    dropout=0.0,
    norm_place="pre",
    activation="swiglu",
    positions="rotary",
    bias=False,
    pad=None,
)
SETTINGS = TrainingSettings(
    steps=800,
    learning_rate=3e-3,
    schedule="cosine",
    warmup=50,
    batch_tokens=12 * (BLOCK + 1),
    label_smoothing=0.0,
    betas=(0.9, 0.99),
    weight_decay=0.1,
)
# The model of notebook 06: post-norm needs a lower rate and a longer warm-up.
PLAIN_SIZES: dict[str, Any] = dict(d_model=128, heads=4, d_ff=512, layers=4, max_length=BLOCK, dropout=0.0, pad=None)
PLAIN_SETTINGS = replace(SETTINGS, steps=1200, learning_rate=2e-3, warmup=150)


class UnknownCharacters(ValueError):
    """A text has characters that the model has never seen. `characters` lists them."""

    def __init__(self, unknown: list[str]) -> None:
        self.characters = unknown
        named = " or ".join(repr(character) for character in unknown)
        super().__init__(f"I have never seen {named}, and I do not guess: tales_model.characters lists what I know.")


class TalesModel:
    """A trained language model with its tokenizer, and the words of the text that it was trained on.

    Args:
        model: a language model.
        tokenizer: its characters.
        words: in small letters, to tell words from made-up ones; empty if they are not known.
    """

    def __init__(self, model: Any, tokenizer: CharacterTokenizer, words: Iterable[str] = ()) -> None:
        self.model, self.tokenizer, self.words = model, tokenizer, frozenset(words)

    @property
    def characters(self) -> str:
        """All characters that it can read, the most frequent first."""
        return self.tokenizer.characters

    def encode(self, text: str) -> list[int]:
        """Give each character's id.

        Raises:
            UnknownCharacters: some characters are not in `characters`; the message names them.
            TypeError: the text is not a string.
        """
        if not isinstance(text, str):
            raise TypeError(f"I read text, a string such as 'Once upon a time', but got {text!r}")
        if unknown := self.tokenizer.unknown(text):
            raise UnknownCharacters(unknown)
        return self.tokenizer.encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into text. Raises ValueError for an id that the tokenizer does not have."""
        return self.tokenizer.decode(ids)

    def complete(self, prompt: str, length: int = 200) -> str:
        """Continue a text with the likeliest character, again and again.

        Reads the last `model.config.max_length` characters each time. The same prompt always gets the same
        continuation. Returns the prompt and `length` more characters.

        Raises:
            UnknownCharacters: the prompt has characters that are not in `characters`.
            ValueError: the prompt is empty, or the length is negative.
            TypeError: the prompt is not a string.

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
        """Write weights, in half precision, and characters to one file, together with a note."""
        weights = {name: weight.half() for name, weight in weights_of(self.model).items()}
        vocabulary = {"characters": self.characters, "words": sorted(self.words)}
        write(path, weights, {"config": asdict(self.model.config), **vocabulary, **note})


def windows(ids: Sequence[int], stride: int = BLOCK) -> list[Example]:
    """Cut a text into examples of `BLOCK` + 1 characters. A remainder that is too short is left out.

    In each example the model reads all characters but the last, and predicts all but the first. `stride` is the
    distance between the starts of two examples; by default each character is predicted once.
    """
    return [(ids[start : start + BLOCK + 1],) for start in range(0, len(ids) - BLOCK, stride)]


def train_tales_model(
    text: str,
    settings: TrainingSettings = SETTINGS,
    objective: Objective = next_token,
    sizes: Mapping[str, Any] = SIZES,
) -> tuple[TalesModel, History]:
    """Train a new language model on the CPU, best on one thread: `torch.set_num_threads(1)`.

    The same text and settings give the same model on the same number of threads. Its weights are rounded to half
    precision, as in the file. An `objective` that wraps `next_token` can observe the model at each step. With
    `PLAIN_SETTINGS` and `PLAIN_SIZES` it is the model of notebook 06.
    """
    tokenizer = CharacterTokenizer.from_text(text)
    config = TransformerConfig(vocabulary=len(tokenizer), **sizes)
    task = Task(windows(tokenizer.encode(text), STRIDE), objective)
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        model = build_language_model(config)
        history = train(model, task, settings, device="cpu")
    return TalesModel(model.half().float(), tokenizer, words_in(text)), history


def validation_loss(model: nn.Module, ids: Sequence[int]) -> float:
    """Measure how surprised a model is by a text, in nats per character.

    The text is cut into windows of `BLOCK` characters, and every prediction counts: the first in a window is based on
    one character, the last on `BLOCK`.
    """
    return evaluate(model, Task((), next_token, windows(ids)))


@lru_cache
def load_tales_model(device: str = "cpu", parts: Parts = COURSE) -> TalesModel:
    """Load the language model that `course_lib.recipes.train_tales` trained; a repeated call returns the same object.

    Takes the device ("cpu", "cuda", "mps"), and the parts from which the model is built.
    """
    return _load(FILE, device, parts)


@lru_cache
def load_plain_tales_model(device: str = "cpu", parts: Parts = COURSE) -> TalesModel:
    """Load the language model of notebook 06, trained by `course_lib.recipes.train_tales --plain`.

    With `parts=yours.parts()` it is the learner's own `LanguageModel`. Arguments and the rest as in `load_tales_model`.
    """
    return _load(PLAIN_FILE, device, parts)


def _load(path: Path, device: str, parts: Parts) -> TalesModel:
    tensors, note = read(path)
    model = build_with_weights(build_language_model, TransformerConfig(**note["config"]), parts, tensors, path)
    tokenizer = CharacterTokenizer(Vocabulary(tuple(note["characters"])))
    return TalesModel(model.to(device).eval(), tokenizer, note.get("words", ()))
