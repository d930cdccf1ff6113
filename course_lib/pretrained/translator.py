"""The course's translator from English to French, for the grammar corpus. Shown in notebook 00, built in 07."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.data.grammar import Pair, as_ids
from course_lib.learning.batches import Example, collate
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.losses import translation
from course_lib.learning.threads import one_thread
from course_lib.learning.training import History, Loss, Rate, Task, TrainingSettings, evaluating, train
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.scoring.baselines import diagonal
from course_lib.scoring.metrics import alignment_error_rate, alignment_from_weights
from course_lib.text.vocabulary import Vocabulary
from course_lib.text.words import WordTokenizer, join, words
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.watching import watch_attention
from course_lib.writing.choose import greedy

FILE = Path(__file__).with_name("translator.safetensors")
ENDS = frozenset(".!?…")

SIZES: dict[str, Any] = dict(d_model=64, heads=4, d_ff=128, layers=2, dropout=0.05, max_length=24)
SETTINGS = TrainingSettings(
    epochs=6, learning_rate=5e-3, schedule="cosine", warmup=200, batch_tokens=1024, label_smoothing=0.05
)
LONGEST = 24  # words of a sentence, for a model that does not say how many it reads


class UnknownWords(ValueError):
    """A sentence has words that the translator has never seen. `words` lists them."""

    def __init__(self, unknown: list[str], known: tuple[str, ...]) -> None:
        self.words = unknown
        named = " or ".join(repr(word) for word in unknown)
        close = [near for word in unknown for near in difflib.get_close_matches(word, known, n=2, cutoff=0.7)]
        hint = f" Do you mean {' or '.join(map(repr, dict.fromkeys(close)))}?" if close else ""
        super().__init__(
            f"I have never seen {named}, and I do not guess.{hint} I know {len(known)} English words: "
            "translator.english_words lists them."
        )


@dataclass(frozen=True, eq=False)
class Translation:
    """A translated sentence with its attention weights: S English words, T French words.

    Args:
        source: the English words.
        target: the French words.
        weights: the attention of each French word at the step that chose it, averaged over the heads of the last layer,
            (T, S); each row adds up to 1.
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
    """A trained Transformer with the tokenizers of its two languages.

    Args:
        model: the course's Transformer or a learner's own, with the methods `encode` and `decode`.
        english: cuts English sentences into words.
        french: joins French ones.
        write: what `translate` writes a sentence with, such as a learner's own `greedy_translation`: a function of the
            model, the ids of the source and the most words to write. None: the library's `greedy`.
        attention: the function that the model's attention calls, such as a learner's own
            `scaled_dot_product_attention`, so that `watch_attention` finds the weights. None: the model keeps them.
    """

    def __init__(
        self,
        model: Any,
        english: WordTokenizer,
        french: WordTokenizer,
        write: Callable[[Any, list[int], int], list[int]] | None = None,
        attention: Callable[..., Any] | None = None,
    ) -> None:
        self.model, self.english, self.french = model, english, french
        self.write, self.attention = write, attention
        self.longest: int = getattr(getattr(model, "config", None), "max_length", LONGEST)

    @property
    def english_words(self) -> tuple[str, ...]:
        """All words that it can read, in alphabetical order."""
        return tuple(sorted(self.english.words))

    def translate(self, sentence: str) -> str:
        """Translate one English sentence.

        Capital letters, commas and final punctuation are ignored.

        Raises:
            UnknownWords: some words are not in `english_words`; the message names them.
            ValueError: it has no words, or too many, or is more than one sentence.
            TypeError: it is not a string.

        >>> load_translator().translate("The detective investigated.")
        'le détective a enquêté'
        """
        return join(self._write(self._read(sentence)))

    def translation(self, sentence: str) -> Translation:
        """Translate one English sentence, with the attention of each French word. Raises as `translate` does."""
        source = self._read(sentence)
        target = self._write(source)
        heads = self.cross_attention([source], [target])[0]  # (layers, H, T, S)
        return Translation(tuple(source), target, heads[-1].mean(dim=0), heads)

    def translate_words(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Translate many sentences at once, each a list of English words; returns the French words of each.

        Unlike `translate`, it accepts unknown words.
        """
        sources = [self.english.encode(sentence) for sentence in sentences]
        stop, pad = [self.french.eos], self.english.pad
        rows = greedy(self.model, sources, self.longest, bos=self.french.bos, stop=stop, pad=pad)
        return [tuple(self.french.decode_words(ids)) for ids in rows]

    def given(self, source: Sequence[str]) -> Callable[[Tensor], Tensor]:
        """Make a model that continues French texts, given one English sentence, for writers of plain texts.

        Takes the English words. Returns a function from ids (B, T), which begin with [bos], to logits (B, T, V).
        """
        source_ids = torch.tensor([self.english.encode(source)])  # (1, S)
        memory = self.model.encode(source_ids)  # (1, S, d_model)

        def model(ids: Tensor) -> Tensor:
            B = len(ids)
            logits: Tensor = self.model.decode(ids, memory.repeat(B, 1, 1), source_ids.repeat(B, 1))
            return logits

        return model

    def cross_attention(self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> list[Tensor]:
        """Measure the attention of each word of given translations at the step that predicts it.

        Takes the English and the French words of each sentence. Returns (layers, H, T, S) for each sentence. Raises
        ValueError where the model does not show its weights.
        """
        heads = torch.stack([*self.cross_attention_by_part(sources, targets).values()], dim=1)  # (B, layers, H, T, S)
        return [
            weights[:, :, : len(target), : len(source)]
            for weights, source, target in zip(heads, sources, targets, strict=True)
        ]

    def cross_attention_by_part(
        self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
    ) -> dict[str, Tensor]:
        """Give the weights of `cross_attention` as they are read: for each layer, the name of the part that reads.

        Takes and raises what `cross_attention` does. Returns (B, H, T, S), with padding, for each part.
        """
        device = next(self.model.parameters()).device
        pairs = list(zip(sources, targets, strict=True))
        # With one column more than there are target words, cross-attention is known by its shape, whatever its name.
        columns = max(len(words) for pair in pairs for words in pair) + 1
        english = [self.english.encode(source) for source in sources]
        french = [[self.french.bos, *self.french.encode(target)[:-1]] for target in targets]
        rows = [
            ([*ids, *[self.english.pad] * (columns - len(ids))], target)
            for ids, target in zip(english, french, strict=True)
        ]
        with evaluating(self.model), watch_attention(self.model, self.attention) as readings:
            source_ids, target_ids = collate(rows, self.french.pad, device)
            memory = self.model.encode(source_ids)
            readings.clear()
            self.model.decode(target_ids, memory, source_ids)
        crossing = {name: each.weights.cpu() for name, each in readings.items() if each.weights.size(-1) == columns}
        if not crossing:
            raise ValueError(
                "this model does not show the weights of its attention: they are seen where the attention keeps them, "
                "as self.weights, or where it calls your scaled_dot_product_attention"
            )
        return crossing

    def alignment_errors(self, pairs: Sequence[Pair]) -> dict[str, float]:
        """Give the alignment error rate of each cross-attention head, of each layer's average, and of the diagonal."""
        watched = self.cross_attention([pair.english for pair in pairs], [pair.french for pair in pairs])
        gold = [pair.alignment for pair in pairs]
        errors = {"diagonal": alignment_error_rate([diagonal(pair) for pair in pairs], gold)}
        layers, heads = watched[0].shape[:2]
        for layer in range(layers):
            for head in range(heads):
                links = [alignment_from_weights(weights[layer, head]) for weights in watched]
                errors[f"layer {layer}, head {head}"] = alignment_error_rate(links, gold)
            links = [alignment_from_weights(weights[layer].mean(dim=0)) for weights in watched]
            errors[f"layer {layer}, average"] = alignment_error_rate(links, gold)
        return errors

    def _read(self, sentence: str) -> list[str]:
        if not isinstance(sentence, str):
            raise TypeError(f"I translate one sentence, a string such as 'the king slept', but got {sentence!r}")
        source = [word for word in words(sentence) if word != ","]
        while source and source[-1] in ENDS:
            source.pop()
        if not source:
            raise ValueError(f"there are no words in {sentence!r}: try 'the detective investigated'")
        if inside := ENDS.intersection(source):
            raise ValueError(f"I translate one sentence at a time, but there is {min(inside)!r} inside {sentence!r}")
        if unknown := self.english.unknown(source):
            raise UnknownWords(unknown, self.english_words)
        if len(source) > self.longest:
            raise ValueError(
                f"the sentence has {len(source)} words, and I read {self.longest} at most: make it shorter"
            )
        return source

    def _write(self, source: list[str]) -> tuple[str, ...]:
        """Translate one list of English words."""
        if self.write is None:
            return self.translate_words([source])[0]
        with evaluating(self.model):
            ids = self.write(self.model, self.english.encode(source), self.longest)
        return tuple(self.french.decode_words(ids))

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        """Write weights and vocabularies to one file, with the recipe that made them."""
        vocabularies = {"english": self.english.words, "french": self.french.words}
        write(path, weights_of(self.model), {"config": asdict(self.model.config), **vocabularies, "recipe": recipe})


def train_translator(
    pairs: Sequence[Pair],
    settings: TrainingSettings = SETTINGS,
    parts: Parts = COURSE,
    *,
    make: Callable[[int, int], nn.Module] | None = None,
    loss: Loss | None = None,
    rate: Rate | None = None,
) -> tuple[Translator, History]:
    """Train a new translator on the CPU, on one thread. The same arguments give the same translator.

    Args:
        pairs: sentences with their translations.
        settings: how, and when to stop.
        parts: what the model is built from; the course's parts by default.
        make: builds the model from the sizes of both vocabularies, such as `lambda english, french:
            yours.Transformer(english, french, 64, 4, 128, 1, 0.0)`. None: `parts`, with `SIZES`.
        loss: a loss of your own, as in `train`.
        rate: a learning rate of your own, as in `train`.
    """
    english, french, examples = translation_examples(pairs)
    task = Task(examples, partial(translation, pad=french.pad), pad=french.pad)
    config = TransformerConfig(vocabulary=len(english), target_vocabulary=len(french), pad=english.pad, **SIZES)
    with torch.random.fork_rng([]), one_thread():
        torch.manual_seed(settings.seed)
        model = make(len(english), len(french)) if make else build_transformer(config, parts)
        history = train(model, task, settings, device="cpu", loss=loss, rate=rate)
    return Translator(model, english, french), history


def translation_examples(pairs: Sequence[Pair]) -> tuple[WordTokenizer, WordTokenizer, list[Example]]:
    """Number the words of both languages, and turn each pair into ids: the French from [bos] to [eos].

    Returns the English and the French tokenizer, and the examples.
    """
    english = WordTokenizer.from_sentences(pair.english for pair in pairs)
    french = WordTokenizer.from_sentences(pair.french for pair in pairs)
    return english, french, [*as_ids(pairs, english, french)]


@lru_cache
def load_translator(device: str = "cpu", parts: Parts = COURSE) -> Translator:
    """Load the translator that `course_lib.recipes.train_translator` trained; a repeated call returns the same object.

    Takes the device ("cpu", "cuda", "mps"), and the parts from which the model is built.
    """
    tensors, note = read(FILE)
    model = build_with_weights(build_transformer, TransformerConfig(**note["config"]), parts, tensors, FILE)
    english, french = (WordTokenizer(Vocabulary(note[language])) for language in ("english", "french"))
    return Translator(model.to(device).eval(), english, french)
