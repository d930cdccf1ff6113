"""What a learner reads: a panel in JupyterLab, and plain text with the same words elsewhere."""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

from course_lib.exercises.mistakes import Mistake
from course_lib.pictures.look import LOOK_CSS


@dataclass(frozen=True, repr=False)
class Panel:
    """A map, a title, paragraphs and code, shown in this order. Text in `backticks` is set as code."""

    title: str
    paragraphs: tuple[str, ...] = ()
    code: str = ""
    map: Any = None

    def __repr__(self) -> str:
        above = "" if self.map is None else f"{self.map!r}\n\n"
        return above + "\n".join(filter(None, (self.title, *self.paragraphs, self.code)))

    def _repr_html_(self) -> str:
        above = "" if self.map is None else f"{self.map._repr_html_()}\n"
        lines = [f"<p><strong>{escape(self.title)}</strong></p>"]
        lines += [f"<p>{in_code_font(paragraph)}</p>" for paragraph in self.paragraphs]
        code = f"<pre><code>{escape(self.code)}</code></pre>" if self.code else ""
        style = f"{above}<style>{LOOK_CSS}</style>"
        return f'{style}\n<div class="course-report">{"".join(lines)}{code}</div>'


@dataclass(frozen=True, repr=False)
class Report(Panel):
    """The result of a check: whether the answer passed, and the known mistake that it contains, if any."""

    passed: bool = False
    mistake: Mistake | None = None

    @property
    def message(self) -> str:
        """The report in words, without its title."""
        return "\n".join(self.paragraphs)


def in_code_font(text: str) -> str:
    """Write text as HTML, with what is in `backticks` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
