"""How the course puts words into its own sentences: in messages, panels and reports. No tokenizer is concerned."""

from collections.abc import Sequence


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Join words into a phrase. Takes the words, and the conjunction before the last of them.

    >>> join_words(["one", "two", "three"])
    'one, two and three'
    """
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def in_words(count: int, largest: int = 6) -> str:
    """Write a count in words, if it is not above the largest that is written so.

    >>> in_words(0), in_words(2), in_words(12), in_words(4, largest=3)
    ('no', 'two', '12', '4')
    """
    words = ("no", "one", "two", "three", "four", "five", "six")[: largest + 1]
    return words[count] if 0 <= count < len(words) else str(count)


def with_minus_signs(numbers: str) -> str:
    """Write numbers with minus signs, as prose has them, in place of Python's hyphens; those in exponents too.

    >>> with_minus_signs("-0.5 and 1e-06")
    '−0.5 and 1e−06'
    """
    return numbers.replace("-", "−")


def capitalized(words: str) -> str:
    """Begin a sentence or clause with a capital letter, and change nothing else."""
    return words[:1].upper() + words[1:]


def as_sentence(words: object) -> str:
    """Write the words of an error, or of a text, as a sentence: with a capital letter, and a full stop at the end.

    >>> as_sentence(ValueError("there are no words in ''")), as_sentence("who is there?")
    ("There are no words in ''.", 'Who is there?')
    """
    text = capitalized(str(words))
    return text if text.endswith((".", "?", "!")) else f"{text}."
