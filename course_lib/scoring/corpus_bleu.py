"""BLEU of many translations as the `sacrebleu` package counts it, by its default settings."""

from collections.abc import Sequence
from typing import Any

import sacrebleu

from course_lib.data.translations import Source


def corpus_bleu(translations: Sequence[str], sources: Sequence[Source], references: int | None = None) -> float:
    """Score translations against what people wrote, from 0 to 100.

    Post 2018, arXiv:1804.08771. Takes a translation of each source, the sources, and how many references of each count;
    None: all of them. Raises ValueError where there are not as many translations as sources, or none.
    """
    if not sources or len(translations) != len(sources):
        raise ValueError(f"each source needs a translation, but there are {len(sources)} and {len(translations)}")
    rows = [source.references[:references] for source in sources]
    # sacreBLEU takes a list for the first references of all sources, one for the second ones, and so on.
    columns: Any = [[row[k] if k < len(row) else None for row in rows] for k in range(max(map(len, rows)))]
    return float(sacrebleu.corpus_bleu(list(translations), columns).score)
