"""What a search for translations found: how likely it is, how good, and how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from course_lib.scoring.metrics import share_of_right_words


@dataclass(frozen=True)
class SearchScore:
    """Means over all sentences.

    Attributes:
        right_words: as in `share_of_right_words`.
        log_probability: of the text that was found, in nats.
        length: words of the text that was found.
    """

    right_words: float
    log_probability: float
    length: float

    def __str__(self) -> str:
        return (
            f"right words {self.right_words:.2f}, log-probability {self.log_probability:6.2f}, length {self.length:.1f}"
        )


def measure_search(
    found: Sequence[tuple[list[int], Any]], tokenizer: Any, expected: Sequence[Sequence[str]]
) -> SearchScore:
    """Measure what `beam_search_text` found for several sentences.

    Args:
        found: for each sentence its new ids and their log-probability, a number or a tensor with one.
        tokenizer: turns ids into words with `decode_words`.
        expected: the words of the correct translations.

    Raises ValueError for lists of different lengths, and for empty ones.
    """
    words = [tokenizer.decode_words(ids) for ids, _ in found]
    right_words = share_of_right_words(words, expected)
    log_probability = sum(float(total) for _, total in found) / len(found)
    return SearchScore(right_words, log_probability, sum(map(len, words)) / len(words))
