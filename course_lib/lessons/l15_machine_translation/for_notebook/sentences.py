"""The sentences of notebook 15: what people translated or, where that is missing, sentences made up by the course."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from course_lib.data import DataMissing, grammar, translations
from course_lib.data.translations import SentencePair, Source
from course_lib.scoring.bleu import Tokens
from course_lib.text.words import join

_cut = Tokenizer13a()


@dataclass(frozen=True)
class Sentences:
    """Pairs to learn from, sources to choose by and to measure with, and a sentence that says what they are."""

    train: list[SentencePair]
    validation: list[Source]
    test: list[Source]
    about: str


def human_sentences(known: int = 30_000, unseen: int = 400) -> Sentences:
    """Give pairs to learn from, and as many sources as asked for, each with all its translations.

    Where what people translated is missing, sentences of the grammar corpus take their place, with one translation
    each. Raises DataBroken if the file is damaged.
    """
    try:
        split = translations.split()
    except DataMissing as missing:
        corpus = grammar.split()
        own = [SentencePair(f"{join(pair.english)}.", f"{join(pair.french)}.") for pair in corpus.train[:known]]
        held = [Source(f"{join(pair.english)}.", (f"{join(pair.french)}.",)) for pair in corpus.test[: 2 * unseen]]
        about = f"{missing} Until then, sentences made up by the course take their place."
        return Sentences(own, held[unseen:], held[:unseen], about)
    train = random.Random(0).sample(split.train, known)
    about = f"{len(split.train):,} pairs to learn from; {known:,} of them, drawn at random, are used here."
    return Sentences(train, split.validation[:unseen], split.test[:unseen], about)


def tokens(text: str) -> list[str]:
    """Cut a text into the words and marks that BLEU counts, as sacreBLEU does by default."""
    words: list[str] = _cut(text).split()
    return words


def references(sources: Sequence[Source]) -> list[list[Tokens]]:
    """Give the translations of each source, in tokens."""
    return [[tokens(text) for text in source.references] for source in sources]


def one_against_the_others(sources: Sequence[Source]) -> tuple[list[str], list[Source]]:
    """Let one person's translation be judged by the others', for each source that has more than one.

    Returns these translations, and the sources with what is left.
    """
    several = [source for source in sources if len(source.references) > 1]
    return [each.references[0] for each in several], [Source(each.english, each.references[1:]) for each in several]
