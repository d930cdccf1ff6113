"""Known mistakes: wrong answers that people really give. Some are the reference with one line changed."""

import inspect
import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from course_lib.text.wording import capitalized

WHAT_IS_RIGHT = re.compile(r"[^.:]*\b(is|are) right\b([^.:]*?, but |[^.:,]*\. )")
"""How a message begins that says first what is right, as in "Your output is right, but …"."""


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A known mistake: a wrong implementation, a sentence that names it, and the page where it was seen, if any.

    If the implementation is the reference with a text replaced, `replaced` is that text, and `replacement` the new one.
    """

    implementation: Any
    message: str
    seen: str = ""
    replaced: str = ""
    replacement: str = ""

    @property
    def name(self) -> str:
        """A few words for tables and tests: the implementation's name, or what the reference was changed to."""
        words = self.implementation.__name__.replace("_", " ")
        if self.replaced:
            words = self.replacement or f"without {self.replaced}"
        return " ".join(words.split())

    @property
    def without_praise(self) -> str:
        """The message without a beginning that says what is right: for an answer in which something else is wrong too.

        >>> Mistake(None, "Your ids are right, but your code changes the caller's list.").without_praise
        "Your code changes the caller's list."
        >>> Mistake(None, "Your code is right for one sentence. In a batch, it mixes them.").without_praise
        'In a batch, it mixes them.'
        """
        praise = WHAT_IS_RIGHT.match(self.message)
        return capitalized(self.message[praise.end() :]) if praise else self.message


def patched(reference: Any, replace: str, by: str) -> Any:
    """Define a function or class again, with one text in its source replaced.

    The new definition sees the same names as the reference, those of the reference's module.

    Raises ValueError if the text to replace does not occur exactly once.
    """
    return _defined_again(reference, _replaced_once(_source(reference), replace, by, reference.__name__))


def combined(reference: Any, one: Mistake, other: Mistake) -> Any:
    """Define an implementation that makes two known mistakes at once; None if they cannot be combined.

    Two replacements are both made in the reference's source. Two classes that inherit from the reference, and change
    different methods of it, are both inherited from.
    """
    if one.replaced and other.replaced:
        try:
            source = _replaced_once(_source(reference), one.replaced, one.replacement, reference.__name__)
            source = _replaced_once(source, other.replaced, other.replacement, reference.__name__)
            return _defined_again(reference, source)
        except (ValueError, SyntaxError):  # the two change the same place
            return None
    classes = (one.implementation, other.implementation)
    if not all(inspect.isclass(each) and each.__bases__ == (reference,) for each in classes):
        return None
    if _methods(classes[0]) & _methods(classes[1]):
        return None
    return type(reference.__name__, classes, {})


@cache
def _source(reference: Any) -> str:
    return inspect.getsource(reference)


def _methods(implementation: type) -> set[str]:
    return {name for name, value in vars(implementation).items() if inspect.isfunction(value)}


def _replaced_once(source: str, replace: str, by: str, name: str) -> str:
    if (times := source.count(replace)) != 1:
        raise ValueError(f"{replace!r} should occur once in {name}, but occurs {times} times")
    return source.replace(replace, by)


def _defined_again(reference: Any, source: str) -> Any:
    """Define a function or class of a module by another source."""
    module = sys.modules[reference.__module__]
    namespace = dict(vars(module))
    exec(compile(source, f"{module.__file__} (patched)", "exec"), namespace)
    return namespace[reference.__name__]
