"""Pairs of the grammar as ids, for a model that learns to translate them."""

from __future__ import annotations

from collections.abc import Iterable

from course_lib.data.grammar.sentences import Pair
from course_lib.text.words import WordTokenizer


def as_ids(pairs: Iterable[Pair], english: WordTokenizer, french: WordTokenizer) -> list[tuple[list[int], list[int]]]:
    """Number the words of both sides: the English ones, and the French ones from [bos] to [eos].

    Takes the pairs, and the tokenizer of each language. Returns for each pair its source and its target.
    """
    return [(english.encode(pair.english), [french.bos, *french.encode(pair.french), french.eos]) for pair in pairs]
