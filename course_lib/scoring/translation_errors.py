"""Faults of a French translation that a rule can find: words that are missing, written twice, or not shortened.

A rule sees what a text looks like, not what it means: another word than was meant, or a verb that does not agree with
its subject, it does not find. Used in notebook 15.
"""

import re
from collections.abc import Sequence

OMISSION = "omission"
REPETITION = "repetition"
ELISION = "elision"
KINDS = (OMISSION, REPETITION, ELISION)
SHORT = 0.7
"""The share of the shortest reference's words below which a translation is taken to leave something out."""

_WORD = re.compile(r"\w+(?:-\w+)*['’]?")
_MAY_STAND_TWICE = frozenset("nous vous faire très si bien non oui toc ha ah oh hé bla chut".split())  # noqa: SIM905
_SHORTENED = "je|me|te|se|ne|le|la|de|que|jusque|lorsque|puisque|quoique|si(?= ils?\\b)"
_VOWEL = r"(?:[aeiouàâæéèêëîïôœùûü]|y\b)"
# Before these, a word is written out although a vowel follows: le onze, le oui.
_NOT_BEFORE = r"onz|oui\b|ouistiti|uhlan|ululement"
_UNSHORTENED = re.compile(rf"(?<![\w'’-])(?:{_SHORTENED}) (?!{_NOT_BEFORE}){_VOWEL}[\w'’-]*", re.IGNORECASE)


def unshortened(text: str) -> list[str]:
    """Find words that French would shorten before a vowel (elision): "je ai" should be "j'ai".

    A mute h is not seen, since no rule tells it from an aspirated one, and neither is a "le" or "la" behind a verb and
    a hyphen, which stays.

    >>> unshortened("Je ai vu le homme que elle aime."), unshortened("Dis-le à Anne, le onze.")
    (['Je ai', 'que elle'], [])
    """
    return _UNSHORTENED.findall(text)


def repeated(text: str, longest: int = 4) -> list[str]:
    """Find runs of words that are written again at once: "de la de la". Some words may stand twice, as in "vous vous".

    Takes the text, and how many words a run has at most. Returns each run once, the longest ones first.

    >>> repeated("Il y a de la de la neige."), repeated("Vous vous levez.")
    (['de la'], [])
    """
    words = [word.lower() for word in _WORD.findall(text)]
    found, covered = dict[str, None](), set[int]()
    for n in range(min(longest, len(words) // 2), 0, -1):
        for i in range(len(words) - 2 * n + 1):
            run, places = words[i : i + n], range(i, i + 2 * n)
            if (
                run == words[i + n : i + 2 * n]
                and not covered.intersection(places)
                and not set(run) <= _MAY_STAND_TWICE
            ):
                found[" ".join(run)] = None
                covered.update(places)
    return [*found]


def is_too_short(text: str, references: Sequence[str], least: float = SHORT) -> bool:
    """Tell whether a translation has less than `least` of the words of even its shortest reference.

    Raises ValueError where there is no reference.

    >>> is_too_short("Je suis là.", ["Je suis là depuis deux heures."])
    True
    """
    if not references:
        raise ValueError("a translation is compared with its references, but there are none")
    return len(_WORD.findall(text)) < least * min(len(_WORD.findall(reference)) for reference in references)


def faults(text: str, references: Sequence[str]) -> list[str]:
    """Name the kinds of faults that rules find in a translation: some of `KINDS`.

    Raises ValueError as `is_too_short` does.

    >>> faults("Je ai ai faim.", ["J'ai faim."])
    ['repetition', 'elision']
    """
    found = (is_too_short(text, references), repeated(text), unshortened(text))
    return [kind for kind, is_there in zip(KINDS, found, strict=True) if is_there]
