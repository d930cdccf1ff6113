"""The sentences of notebook 15: what people translated or, where that is missing, sentences made up by the course."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from course_lib.data import DataMissing, grammar, translations
from course_lib.data.translations import SentencePair, Source
from course_lib.scoring.bleu import Tokens
from course_lib.text.wording import as_sentence
from course_lib.text.words import join

_cut = Tokenizer13a()


@dataclass(frozen=True)
class Sentences:
    """Pairs to learn from, sources to choose by and to measure with, and a sentence that says what they are.

    `near` has those English sentences to measure with that are one word away from one of all pairs to learn from.
    """

    train: list[SentencePair]
    validation: list[Source]
    test: list[Source]
    about: str
    near: frozenset[str]


def human_sentences(known: int = 30_000, unseen: int = 200) -> Sentences:
    """Give pairs to learn from, and as many sources as asked for, each with all its translations.

    Where what people translated is missing, sentences of the grammar corpus take their place, with one translation
    each. Raises DataBroken if the file is damaged.
    """
    try:
        split = translations.split()
    except DataMissing as missing:
        corpus = grammar.split()
        own = [SentencePair(_written(pair.english), _written(pair.french)) for pair in corpus.train[:known]]
        held = [Source(_written(pair.english), (_written(pair.french),)) for pair in corpus.test[: 2 * unseen]]
        about = f"{missing} Until then, sentences made up by the course take their place."
        return Sentences(own, held[unseen:], held[:unseen], about, _near(held[:unseen], own))
    train = random.Random(0).sample(split.train, known)
    about = f"{len(split.train):,} pairs to learn from; {known:,} of them, drawn at random, are used here."
    test = split.test[:unseen]
    return Sentences(train, split.validation[:unseen], test, about, _near(test, split.train))


def _written(words: Sequence[str]) -> str:
    return as_sentence(join(words))


def _near(test: Sequence[Source], known: Sequence[SentencePair]) -> frozenset[str]:
    near = translations.one_word_away((each.english for each in test), (pair.english for pair in known))
    return frozenset(near)


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


def scores_by_length(
    texts: Sequence[str],
    sources: Sequence[Source],
    score: Callable[[Sequence[str], Sequence[Source]], float],
    longest: Sequence[int] = (5, 7, 9),
) -> tuple[list[float], list[float]]:
    """Score translations of short and of long sentences apart.

    Takes the translations, their sources, what scores some of them, and the most words of the sentences of all groups
    but the last. Returns for each group that is not empty the mean number of its English words, and its score.
    """
    lengths = [len(each.english.split()) for each in sources]
    x, y = list[float](), list[float]()
    for shortest, most in zip((0, *longest), (*longest, max(lengths, default=0)), strict=True):
        group = [i for i, length in enumerate(lengths) if shortest < length <= most]
        if group:
            x.append(sum(lengths[i] for i in group) / len(group))
            y.append(score([texts[i] for i in group], [sources[i] for i in group]))
    return x, y
