"""The wrong answers that people really give, and how one is made from the reference by changing a line of it."""

import inspect
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A known wrong answer: what it computes, a sentence that names it, and the page on which it was seen, if any.

    Of a patch, `changed_to` is what stands in place of the text that was replaced.
    """

    implementation: Any
    message: str
    seen: str = ""
    changed_to: str = ""

    @property
    def name(self) -> str:
        """A few words for tables and tests: the implementation's name, or what the reference was changed to."""
        words = self.changed_to or self.implementation.__name__.replace("_", " ")
        return " ".join(words.split())


def patched(reference: Any, replace: str, by: str) -> Any:
    """Define a function or class again, with one text in its source replaced.

    It is defined as if in the reference's own module, so that it sees the same names.

    Raises ValueError if the text to replace does not occur exactly once.
    """
    source = inspect.getsource(reference)
    if (times := source.count(replace)) != 1:
        raise ValueError(f"{replace!r} should occur once in {reference.__name__}, but occurs {times} times")
    module = sys.modules[reference.__module__]
    namespace = dict(vars(module))
    exec(compile(source.replace(replace, by), f"{module.__file__} (patched)", "exec"), namespace)
    return namespace[reference.__name__]
