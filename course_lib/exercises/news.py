"""The page of a learner's copy says when the course has a newer version of it."""

import os
from contextlib import suppress
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import display

from course_lib.copies.news import news_of
from course_lib.exercises.reports import Panel


def show_news() -> None:
    """In a copy that is older than the course's notebook, show what to do. Elsewhere, nothing happens."""
    file = _this_notebook()
    if file is None:
        return
    with suppress(OSError):  # No news is no reason to stop a lesson.
        if news := news_of(file):
            display(Panel(news[0], (news[1],)))  # type: ignore[no-untyped-call]


def _this_notebook() -> Path | None:
    """The file of the notebook in which this runs; None where that is unknown, or there is none."""
    shell = get_ipython()
    if shell is None:
        return None
    # VS Code tells it in a variable, Jupyter's server in the environment.
    name = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return Path(name) if isinstance(name, str) and name else None
