"""Where files are: how a path that a learner gives is understood."""

import os
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]


def start() -> Path:
    """The folder in which a learner's paths start: the course's folder, or the one that COURSE_HOME names.

    In a class, many learners share one course, which they can only read. COURSE_HOME is then a learner's home folder.
    """
    chosen = os.environ.get("COURSE_HOME")
    return Path(chosen).absolute() if chosen else COURSE


def notebooks_folder() -> Path:
    """The folder of the course's own notebooks."""
    return COURSE / "notebooks"


def place(path: str | os.PathLike[str]) -> Path:
    """The place that a path names. `~` is the home folder, and a relative path starts in the course's folder.

    The course's folder is the one with `notebooks/` in it. So the same words name the same place in a notebook, which
    runs in `my_course/`, and in a terminal. With COURSE_HOME, a relative path starts there.

    >>> place("mine") == COURSE / "mine"
    True
    >>> place("~/mine") == Path.home() / "mine"
    True
    """
    try:
        return start() / Path(path).expanduser()
    except RuntimeError:  # There is no such home folder, so it is a name like any other, as it is in a shell.
        return start() / path


def copies_folder() -> Path:
    """The folder of the learner's copies of the notebooks."""
    return place("my_course")


def parts_folder() -> Path:
    """The folder of the learner's parts: the path in COURSE_WORK, or else `my_course/my_transformer`.

    Before there was `my_course`, it was in the course's folder. It is used there until `course.py lab` has moved it.
    """
    if chosen := os.environ.get("COURSE_WORK"):
        return place(chosen)
    present, former = copies_folder() / "my_transformer", place("my_transformer")
    return former if former.is_dir() and not present.exists() else present


def experiments_folder() -> Path:
    """The folder of the learner's studies: `my_course/experiments`, or `experiments` in the folder of COURSE_WORK."""
    return (parts_folder() if os.environ.get("COURSE_WORK") else copies_folder()) / "experiments"
