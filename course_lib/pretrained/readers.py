"""An encoder to look into: the real pretrained one, or where its weights are missing, the translator's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.data import DataMissing, grammar, tales
from course_lib.pretrained.encoder import PretrainedEncoder, load_encoder
from course_lib.pretrained.translator import Translator, load_translator
from course_lib.transformer.models import Encoder, Transformer


@dataclass(frozen=True)
class Reader:
    """An encoder with what a lesson needs to show its heads.

    Attributes:
        model: the pretrained encoder, or the translator in its place.
        about: one sentence about the model.
        example: a sentence that the model knows all words of; "" where it knows any.
        head: a layer and a head to look at first.
    """

    model: PretrainedEncoder | Translator
    about: str
    example: str
    head: tuple[int, int]

    @property
    def is_pretrained(self) -> bool:
        """Whether this is the real pretrained encoder."""
        return isinstance(self.model, PretrainedEncoder)

    @property
    def network(self) -> Encoder | Transformer:
        """The network in the model, as `watch_attention` takes it."""
        return self.model.encoder if isinstance(self.model, PretrainedEncoder) else self.model.model

    def __call__(self, text: str) -> tuple[Sequence[str], Tensor]:
        """Read a sentence: its S tokens, and their ids, (1, S)."""
        if isinstance(self.model, PretrainedEncoder):
            return self.model.tokenize(text), self.model.ids([text])
        words = self.model.translation(text).source
        return words, torch.tensor([self.model.english.encode(words)])

    def sentences(self, count: int) -> list[str]:
        """Sentences that the model can read, spread over its text."""
        if self.is_pretrained:
            # Sentences of middle length in which nobody speaks.
            lines = re.findall(r"[A-Z][^.!?‘’“”]{40,100}\.", tales.text())
        else:
            lines = [" ".join(pair.english) for pair in grammar.split().test]
        return lines[:: len(lines) // count][:count]


def load_encoder_or_translator() -> Reader:
    """Load the pretrained encoder, or where its weights are missing, the translator, whose encoder has 2 layers."""
    try:
        encoder = load_encoder("cpu")
    except DataMissing as missing:
        sentence = "the old detective did not find the small key"
        about = f"{missing} The translator's encoder takes its place: 2 layers of 4 heads."
        return Reader(load_translator(), about, sentence, head=(1, 1))
    return Reader(encoder, "all-MiniLM-L6-v2: 6 layers of 12 heads.", "", head=(3, 1))
