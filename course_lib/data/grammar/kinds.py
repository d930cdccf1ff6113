"""What kind of word each French word of a pair is, by the English word that it translates. Used in notebook 08."""

from functools import lru_cache
from itertools import pairwise

from course_lib.data.grammar.lexicon import ADJECTIVES, DETERMINERS, NOUNS
from course_lib.data.grammar.sentences import Pair

KINDS = ("noun", "adjective", "determiner", "other")


def word_kinds(pair: Pair) -> tuple[str, ...]:
    """Give the kind of each French word, one of `KINDS`.

    A word is of the kind of the first English word that it is aligned with: *du*, of *of the*, counts as "other".

    >>> from course_lib.data.grammar import Pair
    >>> word_kinds(Pair(("the", "old", "king"), ("le", "vieux", "roi"), frozenset({(0, 0), (1, 1), (2, 2)})))
    ('determiner', 'adjective', 'noun')
    """
    kinds = _kinds()
    return tuple(
        kinds.get(pair.english[min(i for i, k in pair.alignment if k == j)], "other") for j in range(len(pair.french))
    )


def nouns_of_determiners(pair: Pair) -> dict[int, int]:
    """Find the noun of each determiner: the position of a French determiner to that of its English noun.

    Only adjectives are between the two. A determiner without such a noun, as in *this morning*, is left out.

    >>> from course_lib.data.grammar import Pair
    >>> nouns_of_determiners(Pair(("the", "old", "king"), ("le", "vieux", "roi"), frozenset({(0, 0), (1, 1), (2, 2)})))
    {0: 2}
    """
    kinds, found = _kinds(), {}
    for j, kind in enumerate(word_kinds(pair)):
        if kind == "determiner":
            i = min(i for i, k in pair.alignment if k == j) + 1
            while i < len(pair.english) and kinds.get(pair.english[i]) == "adjective":
                i += 1
            if i < len(pair.english) and kinds.get(pair.english[i]) == "noun":
                found[j] = i
    return found


def has_swap(pair: Pair) -> bool:
    """Say whether a French adjective follows its noun, which in English it precedes.

    >>> from course_lib.data.grammar import Pair
    >>> has_swap(Pair(("the", "tired", "king"), ("le", "roi", "fatigué"), frozenset({(0, 0), (1, 2), (2, 1)})))
    True
    """
    return ("noun", "adjective") in pairwise(word_kinds(pair))


@lru_cache
def _kinds() -> dict[str, str]:
    """The kind of each English word that has one."""
    kinds = {determiner.english: "determiner" for determiner in DETERMINERS}
    kinds |= {adjective.english: "adjective" for adjective in ADJECTIVES}
    return kinds | {word: "noun" for noun in NOUNS for word in (noun.singular, noun.plural)}
