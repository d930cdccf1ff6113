"""How varied a text is, and how many of its words are real: two cheap measures of what a model writes."""

import random
import re
from collections.abc import Collection, Sequence

from torch import Tensor

# The beginning of a tale in the style of the Grimms', written by a person, to compare with what models write.
HUMAN = (
    "Once upon a time there was a king who had a daughter, and she was so beautiful that the sun itself was glad "
    "whenever it shone in her face. Near the castle lay a dark wood, and in the wood, under an old tree, there was a "
    "well. When the day was hot, she went out and sat down by its cool edge"
)


def words_in(text: str) -> list[str]:
    """The words of a text in small letters, without what is between them.

    >>> words_in("The king's son said: Yes!")
    ['the', "king's", 'son', 'said', 'yes']
    """
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower())


def share_of_real_words(text: str, known: Collection[str]) -> float:
    """The share of a text's words that are known ones, from 0 to 1.

    The last word does not count, since a text that was cut may end in half a word. Raises ValueError for a text with
    fewer than two words.

    >>> share_of_real_words("the kinge said the", {"the", "said", "king"})
    0.6666666666666666
    """
    words = words_in(text)[:-1]
    if not words:
        raise ValueError(f"the text should have two words or more, but is {text!r}")
    return sum(word in known for word in words) / len(words)


def share_of_distinct_pieces(texts: Sequence[Sequence[object]] | Tensor, length: int = 4) -> float:
    """The share of different pieces among all pieces of `length` tokens: 1 if none occurs twice, near 0 for loops.

    Takes texts as strings, as lists of ids or as a tensor of ids. Raises ValueError for a length below 1, and if no
    text is as long as a piece.

    >>> share_of_distinct_pieces(["abcabcabcabc"], length=3)
    0.3
    """
    if length < 1:
        raise ValueError(f"length says how many tokens a piece has, 1 or more, but is {length}")
    rows = [text.tolist() if isinstance(text, Tensor) else text for text in texts]
    pieces = [tuple(row[i : i + length]) for row in rows for i in range(len(row) - length + 1)]
    if not pieces:
        longest = max(map(len, rows), default=0)
        raise ValueError(f"a text should have {length} tokens or more, but the longest has {longest}")
    return len(set(pieces)) / len(pieces)


def in_random_order(text: str, seed: int = 0) -> str:
    """The characters of a text in random order, to see what a measure gives by chance."""
    return "".join(random.Random(seed).sample(text, len(text)))
