"""The course's translator of everyday sentences, trained on what people translated. Used in notebook 15.

Unlike the translator of notebook 07, which knows the words of a small grammar, it reads byte pairs, so that no word is
unknown to it, and its French has to be searched for among many right answers.

The file beside this one was trained on sentences of Tatoeba (tatoeba.org), which its volunteers publish under the
licence CC BY 2.0 FR; its note says so too.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.data.translations import SentencePair, clean, clean_french
from course_lib.learning.batches import Example, of_similar_length
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.losses import translation
from course_lib.learning.quantizing import dequantize, quantize
from course_lib.learning.training import Task, TrainingSettings, evaluating
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.wording import as_sentence
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.watching import watch_attention
from course_lib.writing.beam import Hypothesis, beam_search

FILE = Path(__file__).with_name("sentence_translator.safetensors")
MERGES = 3_740  # with 256 bytes and 4 special tokens, 4,000 ids
SIZES: dict[str, Any] = dict(
    d_model=256, heads=4, d_ff=1024, layers=3, max_length=64, dropout=0.0, norm_place="pre", vocabulary=4_000
)
SETTINGS = TrainingSettings(
    seconds=60 * 60,
    learning_rate=1.2e-3,
    schedule="warmup_stable_decay",
    warmup=400,
    decay=0.5,
    batch_tokens=1_536,
    label_smoothing=0.1,
    bfloat16=True,
)
BEAMS, ALPHA = 4, 0.6  # as in Vaswani et al. 2017, section 6.1
_MARKS = {*'.,!?;:…«»"()', "...", "?!", "!!"}
SEARCHED_AT_ONCE = 64
LONGEST = 64  # tokens of a sentence, for a model that does not say how many it reads


@dataclass(frozen=True, eq=False)
class FoundTranslation:
    """One of the translations that a search found for a sentence: S words and marks of English, T of French.

    Args:
        text: the French sentence.
        share: its probability among the translations that the same search found; together they add up to 1.
        source: the English words and marks, and at last "[eos]", which ends the sentence.
        target: the French words and marks.
        weights: the attention of each French word over the English ones, (T, S), averaged over all heads of all layers;
            each row adds up to 1. None for a model without cross-attention, or one that does not show its weights.
    """

    text: str
    share: float
    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Tensor | None


class SentenceTranslator:
    """A trained model that translates English sentences into French, with its tokenizer for both languages.

    Args:
        model: an encoder–decoder, a Transformer or a recurrent one.
        tokenizer: cuts both languages into byte pairs.
        recipe: how the model was trained, on what, and with which scores.
        attention: the function that the model's attention calls, so that `watch_attention` finds the weights. None: the
            model keeps them.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: BytePairTokenizer,
        recipe: dict[str, Any] | None = None,
        attention: Callable[..., Any] | None = None,
    ) -> None:
        self.model, self.tokenizer, self.recipe, self.attention = model, tokenizer, recipe or {}, attention

    def translate(self, sentence: str, beams: int = BEAMS) -> str:
        """Translate a sentence. Raises as `read` does."""
        return self.translate_all([sentence], beams)[0]

    def answer(self, sentence: str, beams: int = BEAMS) -> str:
        """Translate what somebody typed, or say in a sentence why that cannot be done."""
        try:
            return self.translate(sentence, beams)
        except (TypeError, ValueError) as problem:
            return as_sentence(problem)

    def translations(self, sentence: str, beams: int = BEAMS, alpha: float = ALPHA) -> list[FoundTranslation]:
        """Translate a sentence in several ways, the best first, with what each word reads. Raises as `read` does."""
        (found,) = self.search([sentence], beams, alpha, n_best=beams)
        source = self.read(sentence)
        different = {self._text(each.ids): each for each in reversed(found)}  # the better one of twins
        best = [*reversed(different.items())]
        highest = max(each.log_probability for _, each in best)
        shares = [math.exp(each.log_probability - highest) for _, each in best]
        translations = []
        for (text, each), share in zip(best, shares, strict=True):
            weights = self._weights(source, each.ids)
            english, french = word_groups(self.tokenizer, source), word_groups(self.tokenizer, each.ids)
            merged = None if weights is None else merge_words(weights, french, english)
            words = [
                tuple(self._spell([ids[i] for i in g]) for g in groups)
                for ids, groups in ((source, english), (each.ids, french))
            ]
            translations.append(FoundTranslation(text, share / sum(shares), words[0], words[1], merged))
        return translations

    def _text(self, ids: Sequence[int]) -> str:
        return clean(self.tokenizer.decode(ids))

    def _spell(self, ids: Sequence[int]) -> str:
        if [*ids] == [self._eos]:
            return self.tokenizer.token(self._eos)
        return self.tokenizer.decode(ids).strip()

    def _weights(self, source: Sequence[int], target: Sequence[int]) -> Tensor | None:
        """Give the attention of each target id, at the step that wrote it, over the source ids: (T, S), or None."""
        bos, pad = self.tokenizer.bos, self.tokenizer.pad
        assert bos is not None
        assert pad is not None
        # With more columns than either text has tokens, cross-attention is known by its shape, whatever its name.
        columns = max(len(source), len(target)) + 1
        source_ids = torch.tensor([[*source, *[pad] * (columns - len(source))]])  # (1, columns)
        target_ids = torch.tensor([[bos, *target[:-1]]])  # (1, T)
        with torch.no_grad(), evaluating(self.model), watch_attention(self.model, self.attention) as readings:
            self.model(source_ids, target_ids)
        crossing = [each.weights for each in readings.values() if each.weights.shape[-2:] == (len(target), columns)]
        if not crossing or not target:
            return None
        return torch.cat(crossing, dim=1)[0].mean(dim=0)[:, : len(source)]  # (T, S)

    def translate_all(self, sentences: Sequence[str], beams: int = BEAMS, alpha: float = ALPHA) -> list[str]:
        """Translate many sentences at once, with as many beams, and this exponent of the length penalty."""
        return [self._text(found[0].ids) for found in self.search(sentences, beams, alpha)]

    def search(
        self, sentences: Sequence[str], beams: int = BEAMS, alpha: float = ALPHA, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Search for the translations of many sentences: the best ones for each, with their scores."""
        rows = [self.read(sentence) for sentence in sentences]
        found: list[list[Hypothesis]] = [[] for _ in rows]
        for some in of_similar_length([len(row) for row in rows], SEARCHED_AT_ONCE):
            results = beam_search(
                self.model,
                [rows[i] for i in some],
                self.longest,
                beams=beams,
                alpha=alpha,
                n_best=n_best,
                bos=self.tokenizer.bos,
                stop=[self._eos],
                pad=self.tokenizer.pad,
            )
            for i, result in zip(some, results, strict=True):
                found[i] = result
        return found

    def read(self, sentence: str) -> list[int]:
        """Turn a sentence into ids, with the one that ends it.

        Raises:
            TypeError: it is not a string.
            ValueError: it is empty or too long, or no text.
        """
        if not isinstance(sentence, str):
            raise TypeError(f"I translate a sentence, a string such as 'How are you?', but got {sentence!r}")
        text = clean(sentence)
        if not text:
            raise ValueError(f"there are no words in {sentence!r}: try 'How are you?'")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"I cannot read {sentence!r}: it has half a character, which is no text")
        ids = [*self.tokenizer.encode(text), self._eos]
        if len(ids) > self.longest:
            raise ValueError(
                f"the sentence has {len(ids)} tokens, and I read {self.longest} at most: divide it into shorter ones"
            )
        return ids

    @property
    def longest(self) -> int:
        """The most tokens of a sentence that it reads."""
        return int(getattr(getattr(self.model, "config", None), "max_length", LONGEST))

    @property
    def _eos(self) -> int:
        eos = self.tokenizer.eos
        assert eos is not None  # a translator's tokenizer has one
        return eos

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        """Write the tokenizer and the weights, each row of a matrix in 8 bits, to one file, with the recipe."""
        note = {"config": asdict(self.model.config), "merges": self.tokenizer.merges, "recipe": recipe}
        write(path, quantize(weights_of(self.model)), note)


def word_groups(tokenizer: BytePairTokenizer, ids: Sequence[int]) -> list[list[int]]:
    """Say which tokens belong to one word: for each word or mark of a text, the places of its tokens.

    A word begins after a space, at a mark such as the full stop, and after one. An apostrophe or a hyphen belongs to
    its word. A special token is a word of its own.
    """
    groups: list[list[int]] = []
    open_word = False
    for i, number in enumerate(ids):
        text = tokenizer.token(number)
        is_special = not tokenizer.decode([number])
        is_mark = is_special or text.strip() in _MARKS
        if groups and open_word and not is_mark and not text.startswith(" "):
            groups[-1].append(i)
        else:
            groups.append([i])
        open_word = not is_mark
    return groups


def merge_words(weights: Tensor, asking: Sequence[Sequence[int]], read: Sequence[Sequence[int]]) -> Tensor:
    """Merge the attention of tokens to that of words: what the tokens of a word read is averaged, what is read summed.

    Takes weights (t, s) and, for the T words that ask and the S that are read, the places of their tokens. Returns the
    weights of the words, (T, S); where rows added up to 1, they still do.
    """
    rows = torch.stack([weights[list(group)].mean(dim=0) for group in asking])  # (T, s)
    return torch.stack([rows[:, list(group)].sum(dim=1) for group in read], dim=1)  # (T, S)


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


def load_sentence_translator(file: Path = FILE, parts: Parts = COURSE) -> SentenceTranslator:
    """Load the translator that comes with the course, or one that `SentenceTranslator.save` wrote.

    `course_lib.recipes.train_sentence_translator` trained it. Takes the file, and the parts from which the model is
    built, such as `yours.parts()`. Raises CheckpointError for a file that is damaged.
    """
    stored, note = read(file)
    config = TransformerConfig(**note["config"])
    model = build_with_weights(build_transformer, config, parts, dequantize(stored), file)
    attention = None if parts == COURSE else parts.scaled_dot_product_attention
    return SentenceTranslator(model.eval(), BytePairTokenizer(note["merges"]), note["recipe"], attention)
