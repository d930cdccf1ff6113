"""The course's translator of everyday sentences, trained on what people translated. Used in notebook 15.

Unlike the translator of notebook 07, which knows the words of a small grammar, it reads byte pairs, so that no word is
unknown to it, and its French has to be searched for among many right answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from course_lib.data.translations import SentencePair, clean, clean_french
from course_lib.learning.batches import Example
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.losses import translation
from course_lib.learning.quantizing import dequantize, quantize
from course_lib.learning.training import Task, TrainingSettings
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.beam import Hypothesis, beam_search

MERGES = 3_740  # with 256 bytes and 4 special tokens, 4,000 ids
SIZES: dict[str, Any] = dict(
    d_model=256, heads=4, d_ff=1024, layers=3, max_length=64, dropout=0.0, norm_place="pre", vocabulary=4_000
)
SETTINGS = TrainingSettings(
    seconds=60 * 60,
    learning_rate=1.2e-3,
    schedule="warmup_stable_decay",
    warmup=400,
    decay=0.3,
    batch_tokens=1_536,
    label_smoothing=0.1,
    bfloat16=True,
)
BEAMS, ALPHA = 4, 0.6  # as in Vaswani et al. 2017, section 6.1


class SentenceTranslator:
    """A trained Transformer that translates English sentences into French, with its tokenizer for both languages.

    Args:
        model: an encoder–decoder.
        tokenizer: cuts both languages into byte pairs.
    """

    def __init__(self, model: Any, tokenizer: BytePairTokenizer) -> None:
        self.model, self.tokenizer = model, tokenizer

    def translate(self, sentence: str, beams: int = BEAMS) -> str:
        """Translate a sentence. Raises as `read` does."""
        return self.translate_all([sentence], beams)[0]

    def translate_all(self, sentences: Sequence[str], beams: int = BEAMS, alpha: float = ALPHA) -> list[str]:
        """Translate many sentences at once, with as many beams, and this exponent of the length penalty."""
        return [self.tokenizer.decode(found[0].ids) for found in self.search(sentences, beams, alpha)]

    def search(
        self, sentences: Sequence[str], beams: int = BEAMS, alpha: float = ALPHA, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Search for the translations of many sentences: the best ones for each, with their scores."""
        rows = [self.read(sentence) for sentence in sentences]
        # Sentences of similar lengths are searched together.
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found: list[list[Hypothesis]] = [[] for _ in rows]
        for start in range(0, len(order), 64):
            some = order[start : start + 64]
            results = beam_search(
                self.model,
                [rows[i] for i in some],
                self.longest,
                beams=beams,
                alpha=alpha,
                n_best=n_best,
                bos=self.tokenizer.bos,
                stop=[self._eos],
            )
            for i, result in zip(some, results, strict=True):
                found[i] = result
        return found

    def read(self, sentence: str) -> list[int]:
        """Turn a sentence into ids, with the one that ends it.

        Raises:
            TypeError: it is not a string.
            ValueError: it is empty or too long.
        """
        if not isinstance(sentence, str):
            raise TypeError(f"I translate a sentence, a string such as 'How are you?', but got {sentence!r}")
        text = clean(sentence)
        if not text:
            raise ValueError(f"there are no words in {sentence!r}: try 'How are you?'")
        ids = [*self.tokenizer.encode(text), self._eos]
        if len(ids) > self.longest:
            raise ValueError(
                f"the sentence has {len(ids)} tokens, and I read {self.longest} at most: divide it into shorter ones"
            )
        return ids

    @property
    def longest(self) -> int:
        """The most tokens of a sentence that it reads."""
        return int(self.model.config.max_length)

    @property
    def _eos(self) -> int:
        eos = self.tokenizer.eos
        assert eos is not None  # a translator's tokenizer has one
        return eos

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        """Write the tokenizer and the weights, each row of a matrix in 8 bits, to one file, with the recipe."""
        note = {"config": asdict(self.model.config), "merges": self.tokenizer.merges, "recipe": recipe}
        write(path, quantize(weights_of(self.model)), note)


def examples_of(pairs: Iterable[SentencePair], tokenizer: BytePairTokenizer, longest: int) -> list[Example]:
    """Turn pairs into ids: English with the end token, French from the one that begins a text to the one that ends it.

    Pairs of which a sentence has more than `longest` tokens are left out.
    """
    bos, eos = tokenizer.bos, tokenizer.eos
    assert bos is not None
    assert eos is not None
    examples: list[Example] = []
    for pair in pairs:
        source = [*tokenizer.encode(clean(pair.english)), eos]
        target = [bos, *tokenizer.encode(clean_french(pair.french)), eos]
        if max(len(source), len(target) - 1) <= longest:
            examples.append((source, target))
    return examples


def task_of(
    train: Iterable[SentencePair], validation: Iterable[SentencePair], tokenizer: BytePairTokenizer, longest: int
) -> Task:
    """Say what there is to learn from some pairs, and what the loss is measured on."""
    pad = tokenizer.pad
    return Task(
        examples_of(train, tokenizer, longest),
        partial(translation, pad=pad),
        examples_of(validation, tokenizer, longest),
        pad=pad,
    )


def config_of(tokenizer: BytePairTokenizer) -> TransformerConfig:
    """Give the style and the sizes of the model, for a tokenizer."""
    return TransformerConfig(**SIZES, pad=tokenizer.pad)


def load_sentence_translator(file: Path, parts: Parts = COURSE) -> SentenceTranslator:
    """Load a translator that `SentenceTranslator.save` wrote, as `course_lib.recipes.train_sentence_translator` does.

    Takes the file, and the parts from which the model is built. Raises CheckpointError for a file that is damaged.
    """
    stored, note = read(file)
    config = TransformerConfig(**note["config"])
    model = build_with_weights(build_transformer, config, parts, dequantize(stored), file)
    return SentenceTranslator(model.eval(), BytePairTokenizer(note["merges"]))
