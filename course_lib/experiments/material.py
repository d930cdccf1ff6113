"""What the models of a study learn from: examples, the kind of model, and what measures need to know about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import nn

from course_lib.data import grammar
from course_lib.learning.batches import Example
from course_lib.learning.losses import next_token, translation
from course_lib.learning.training import Task
from course_lib.text.words import WordTokenizer
from course_lib.transformer.build import Parts, build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig

_FEW = 8


@dataclass(frozen=True)
class Data:
    """What a study's models learn, and what they are.

    Args:
        task: examples to learn from, what is to be predicted, and validation examples.
        build: makes the model from a configuration and parts, such as `build_language_model`.
        sizes: the settings of the model that belong to the data: vocabulary, target_vocabulary, pad.
        more: whatever the measures need, by name: tokenizers, sentences that nobody learns from.

    Raises ValueError where there are no examples to learn from or none for validation.
    """

    task: Task
    build: Callable[[TransformerConfig, Parts], nn.Module]
    sizes: Mapping[str, int | None]
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("examples", "validation"):
            if not len(getattr(self.task, name)):
                raise ValueError(f"a study needs data to learn from and others to measure on, but there are no {name}")

    def few(self) -> "Data":
        """The same with very few examples, to try measures on."""
        task = replace(self.task, examples=self.task.examples[:_FEW], validation=self.task.validation[:_FEW])
        return replace(self, task=task)


def translations(train: int = 4_000, test: int = 200, longest: int | None = None) -> Data:
    """English sentences with their French translations, from the course's grammar.

    Args:
        train: how many pairs there are to learn from.
        test: how many other pairs there are to measure on; no English sentence is in both.
        longest: the most words of an English sentence to learn from; None: any. The pairs to measure on have all
            lengths.

    `more` has the tokenizers as "english" and "french", and the pairs to measure on as "pairs".
    """
    pairs = grammar.generate(test, seed=1)
    unseen = {pair.english for pair in pairs} | {grammar.NOTES_SENTENCE}
    keep = partial(_is_kept, unseen=unseen, longest=longest)
    known = grammar.generate(train, seed=0, keep=keep)
    # All words of both parts are known, so that a score tells of the model and not of the vocabulary.
    english = WordTokenizer.from_sentences(pair.english for pair in [*known, *pairs])
    french = WordTokenizer.from_sentences(pair.french for pair in [*known, *pairs])
    learned, measured = (grammar.as_ids(some, english, french) for some in (known, pairs))
    task = Task(learned, partial(translation, pad=french.pad), measured, pad=french.pad)
    sizes = {"vocabulary": len(english), "target_vocabulary": len(french), "pad": english.pad}
    return Data(task, build_transformer, sizes, {"english": english, "french": french, "pairs": pairs})


def _is_kept(pair: grammar.Pair, unseen: set[tuple[str, ...]], longest: int | None) -> bool:
    return pair.english not in unseen and (longest is None or len(pair.english) <= longest)


def sentences(train: int = 4_000, test: int = 400) -> Data:
    """French sentences of the course's grammar, word by word, for language models.

    Takes how many sentences there are to learn from, and how many others to measure on. `more` has the tokenizer as
    "french".
    """
    pairs = grammar.split(train, test)
    french = WordTokenizer.from_sentences(pair.french for pair in [*pairs.train, *pairs.test])

    def examples(of: list[grammar.Pair]) -> list[Example]:
        return [([french.bos, *french.encode(pair.french), french.eos],) for pair in of]

    task = Task(examples(pairs.train), partial(next_token, pad=french.pad), examples(pairs.test), pad=french.pad)
    return Data(task, build_language_model, {"vocabulary": len(french), "pad": None}, {"french": french})
