"""Known mistakes: wrong answers that people really give. Some are the reference with one line changed."""

import inspect
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A known mistake: a wrong implementation, a sentence that names it, and the page where it was seen, if any.

    If the implementation is the reference with a text replaced, `replacement` is the new text.
    """

    implementation: Any
    message: str
    seen: str = ""
    replacement: str = ""

    @property
    def name(self) -> str:
        """A few words for tables and tests: the implementation's name, or what the reference was changed to."""
        words = self.replacement or self.implementation.__name__.replace("_", " ")
        return " ".join(words.split())


def patched(reference: Any, replace: str, by: str) -> Any:
    """Define a function or class again, with one text in its source replaced.

    The new definition sees the same names as the reference, those of the reference's module.

    Raises ValueError if the text to replace does not occur exactly once.
    """
    source = inspect.getsource(reference)
    if (times := source.count(replace)) != 1:
        raise ValueError(f"{replace!r} should occur once in {reference.__name__}, but occurs {times} times")
    module = sys.modules[reference.__module__]
    namespace = dict(vars(module))
    exec(compile(source.replace(replace, by), f"{module.__file__} (patched)", "exec"), namespace)
    return namespace[reference.__name__]
