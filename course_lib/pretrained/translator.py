"""The course's translator: English to French, sentences of the grammar corpus. Met in notebook 00, built in 07."""

import difflib
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.learning.batches import collate
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.training import evaluating
from course_lib.pretrained.pouring import build_with_weights
from course_lib.text.words import BOS, Vocabulary, join, words
from course_lib.transformer.attention import watch_attention
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.decoding import greedy

FILE = Path(__file__).with_name("translator.safetensors")
ENDS = frozenset(".!?…")


class UnknownWords(ValueError):
    """A sentence has words that the translator never saw. `words` lists them."""

    def __init__(self, unknown: list[str], known: tuple[str, ...]) -> None:
        self.words = unknown
        named = " or ".join(repr(word) for word in unknown)
        close = [near for word in unknown for near in difflib.get_close_matches(word, known, n=2, cutoff=0.7)]
        hint = f" Do you mean {' or '.join(map(repr, dict.fromkeys(close)))}?" if close else ""
        super().__init__(
            f"I have never seen {named}, and I do not guess.{hint} I know {len(known)} English words: "
            "translator.english_words lists them"
        )


@dataclass(frozen=True, eq=False)
class Translation:
    """A translated sentence, and what each of its words read: S English words, T French words.

    Args:
        source: the English words.
        target: the French words.
        weights: what each French word read while it was chosen, averaged over the heads of the last layer: (T, S),
            rows add up to 1.
        heads: the cross-attention of every layer and head, (layers, H, T, S).
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Tensor
    heads: Tensor

    @property
    def text(self) -> str:
        """The French sentence."""
        return join(self.target)


class Translator:
    """A trained Transformer with its two vocabularies."""

    def __init__(self, model: Any, english: Vocabulary, french: Vocabulary) -> None:
        self.model, self.english, self.french = model, english, french

    @property
    def english_words(self) -> tuple[str, ...]:
        """All words that it can read, by alphabet."""
        return tuple(sorted(self.english.words))

    def translate(self, sentence: str) -> str:
        """Translate one English sentence.

        Capitals, commas and a closing sign make no difference.

        Raises:
            UnknownWords: it has words that are not in `english_words`; they are named, not guessed.
            ValueError: it has no words, or too many, or is more than one sentence.
            TypeError: it is no string.

        >>> load_translator().translate("The detective investigated.")
        'le détective a enquêté'
        """
        return join(self._write(self._read(sentence)))

    def translation(self, sentence: str) -> Translation:
        """Translate one English sentence, and keep what each French word read. Raises what `translate` raises."""
        source = self._read(sentence)
        target = self._write(source)
        heads = self.cross_attention([source], [target])[0]  # (layers, H, T, S)
        return Translation(tuple(source), tuple(target), heads[-1].mean(dim=0), heads)

    def cross_attention(self, sources: list[list[str]], targets: list[list[str]]) -> list[Tensor]:
        """What each word of given translations reads when it is to be predicted.

        Takes the English and the French words of each sentence. Returns for each sentence (layers, H, T, S).
        """
        device = next(self.model.parameters()).device
        pairs = list(zip(sources, targets, strict=True))
        rows = [(self.english.encode(source), [BOS, *self.french.encode(target)[:-1]]) for source, target in pairs]
        with evaluating(self.model), watch_attention(self.model) as readings:
            self.model(*collate(rows, device))
        layers = [reading.weights for name, reading in readings.items() if name.endswith("cross_attention")]
        if not layers:
            raise ValueError(
                "this model's attention does not keep the weights that it computes, so they cannot be shown"
            )
        heads = torch.stack(layers, dim=1).cpu()  # (B, layers, H, T, S)
        return [kept[:, :, : len(t), : len(s)] for kept, (s, t) in zip(heads, pairs, strict=True)]

    def _write(self, source: list[str]) -> list[str]:
        """The French words for some English ones."""
        (ids,) = greedy(self.model, [self.english.encode(source)], self.model.config.max_length)
        return self.french.decode(ids)

    def _read(self, sentence: str) -> list[str]:
        if not isinstance(sentence, str):
            raise TypeError(f"I translate one sentence, a string such as 'the king slept', but got {sentence!r}")
        found = [word for word in words(sentence) if word != ","]
        while found and found[-1] in ENDS:
            found.pop()
        if not found:
            raise ValueError(f"there are no words in {sentence!r}: try 'the detective investigated'")
        if inside := ENDS.intersection(found):
            raise ValueError(f"I translate one sentence at a time, but there is {min(inside)!r} inside {sentence!r}")
        if unknown := self.english.unknown(found):
            raise UnknownWords(unknown, self.english_words)
        longest = self.model.config.max_length
        if len(found) > longest:
            raise ValueError(f"the sentence has {len(found)} words, and I read {longest} at most: make it shorter")
        return found

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        """Write weights and vocabularies to one file, with the recipe that they come from."""
        vocabularies = {"english": self.english.words, "french": self.french.words}
        write(path, weights_of(self.model), {"config": asdict(self.model.config), **vocabularies, "recipe": recipe})


@lru_cache
def load_translator(device: str = "cpu", parts: Parts = COURSE) -> Translator:
    """The translator that `course_lib.recipes.train_translator` has trained; read once, then kept.

    Takes where it should run ("cpu", "cuda", "mps"), and the parts that it is built from.
    """
    tensors, note = read(FILE)
    model = build_with_weights(build_transformer, TransformerConfig(**note["config"]), parts, tensors, FILE)
    return Translator(model.to(device).eval(), Vocabulary(note["english"]), Vocabulary(note["french"]))
