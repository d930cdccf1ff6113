"""Make the learner's copies of the notebooks, and replace those in which nobody worked when the course is updated."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.copies.notebook import Notebook, exercises
from course_lib.data import places
from course_lib.data.atomic import write_atomically
from course_lib.data.folders import FolderError, keep, locked, place_in_former

LOCK_SECONDS = 10.0
KEPT = "my_course/former"


class Changed(Exception):
    """A file was changed by another program just when it was to be replaced."""


@dataclass(frozen=True)
class Copy:
    """A file with the name of a notebook in the learner's folder.

    Attributes:
        file: its path.
        content: its bytes; None if there is none, or it cannot be read.
        notebook: the notebook in it; None if there is none.
        problem: the second half of a sentence that says why it is no copy that the course could bring up to date.
    """

    file: Path
    content: bytes | None = None
    notebook: Notebook | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The notebook's name."""
        return self.file.stem


def folder() -> Path:
    """The folder of the copies."""
    return places.copies_folder()


def shown(file: Path) -> str:
    """A path as the learner sees it, from where their paths start or, of the course's own files, from its folder."""
    start = places.start() if file.is_relative_to(places.start()) else places.COURSE
    return file.relative_to(start).as_posix()


def originals() -> dict[str, Copy]:
    """The course's notebooks by name."""
    return {file.stem: look_at(file) for file in sorted(places.notebooks_folder().glob("*.ipynb"))}


def name_of(given: str, names: Iterable[str]) -> str | None:
    """The notebook among these that is meant by a name, a number or a path; None if there is no such notebook."""
    name = Path(given).name.removesuffix(".ipynb")
    number = f"{int(name):02d}_" if re.fullmatch("[0-9]+", name) else None
    return next((each for each in names if name == each or (number and each.startswith(number))), None)


def copy_of(name: str) -> Copy:
    """The learner's copy of a notebook. Its `content` is None if there is none."""
    copy = look_at(folder() / f"{name}.ipynb")
    if copy.notebook is not None and (copy.notebook.mark is None or copy.notebook.mark.of != name):
        return Copy(copy.file, copy.content, problem="the course did not make it")
    return copy


def look_at(file: Path) -> Copy:
    """Read a file that should be a notebook."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return Copy(file, problem="it is a link to nothing" if file.is_symlink() else "")
    except OSError as error:
        return Copy(file, problem=f"it cannot be read ({error.strerror})")
    try:
        return Copy(file, content, Notebook(content))
    except ValueError as error:
        return Copy(file, content, problem=str(error))


def update() -> list[str]:
    """Make copies that are missing, and replace untouched ones that are older than the course's notebooks.

    A copy in which the learner worked stays, and so does any other file. What is replaced is kept in `former/`.

    Returns sentences about files that are in the way of a copy.

    Raises FolderError if the folder cannot be written to, or another command keeps it locked.
    """
    found = originals()
    problems = []
    with locked(folder(), LOCK_SECONDS):
        for name, original in found.items():
            if original.notebook is None:
                problems.append(f"There is no copy of {shown(original.file)}, because {original.problem}.")
                continue
            copy = copy_of(name)
            if copy.problem:
                advice = "to have a copy of this notebook, give that file another name"
                problems.append(f"{shown(copy.file)} stays as it is, because {copy.problem}: {advice}.")
            elif copy.notebook is None or (
                copy.notebook.is_untouched and not copy.notebook.is_made_from(original.notebook)
            ):
                try_to_replace(copy, original.notebook.copy(name))
        for copy in _dropped(set(found)):
            if copy.notebook is not None and copy.notebook.is_untouched and copy.content is not None:
                copy.file.replace(place_in_former(copy.file, copy.content))
    return problems


def start_again(name: str) -> str:
    """Replace a copy by a new one, and return a sentence that says so.

    The earlier one is kept, unless there is nothing in it that is not in the new one: no change and no output.

    Raises ValueError if the file is no copy, and FolderError as `update` does.
    """
    original = originals()[name]
    if original.notebook is None:
        raise ValueError(f"There is no new copy of {shown(original.file)}, because {original.problem}.")
    with locked(folder(), LOCK_SECONDS):
        copy = copy_of(name)
        if copy.problem:
            raise ValueError(f"{shown(copy.file)} stays as it is, because {copy.problem}.")
        try:
            kept = replace_copy(copy, original.notebook.copy(name), keeping=not _is_as_new(copy, original.notebook))
        except Changed:
            raise FolderError(f"another program changes {name}: save the notebook there and close it") from None
    return f"{shown(copy.file)} is as new." + _about_the_earlier(copy, kept)


def _is_as_new(copy: Copy, original: Notebook) -> bool:
    """Whether a copy has the sources of the course's notebook as it is now, and no outputs."""
    notebook = copy.notebook
    return (
        notebook is not None
        and notebook.is_untouched
        and notebook.is_made_from(original)
        and not any(cell.get("outputs") for cell in notebook.cells)
    )


def _about_the_earlier(copy: Copy, kept: Path | None) -> str:
    """Say what was in the copy that was replaced, and where it is now."""
    if copy.notebook is None:
        return ""
    if kept is None:
        return " There was nothing of yours in it, so no earlier copy is kept."
    if copy.notebook.is_untouched:
        return f" There were no changes of yours in it. The earlier copy is {shown(kept)}."
    return f" What you wrote is in {shown(kept)}."


def try_to_replace(copy: Copy, new: Notebook) -> bool:
    """The same as `replace_copy`, but a file that was changed meanwhile stays. Returns whether it was replaced."""
    try:
        replace_copy(copy, new)
    except Changed:
        return False
    return True


def replace_copy(copy: Copy, new: Notebook, *, keeping: bool = True) -> Path | None:
    """Replace a copy as it was read, and return where it is kept; None if there was none, or without `keeping`.

    Raises Changed if the file is another one by now, for example since it was saved in JupyterLab.
    """
    content = new.content()
    kept = keep(copy.file, copy.content) if keeping and copy.content is not None else None
    if look_at(copy.file).content != copy.content:
        raise Changed
    write_atomically(copy.file, content)
    return kept


def is_outdated(name: str) -> bool:
    """Whether the course has a newer version of a copy. No file is changed."""
    original, copy = look_at(places.notebooks_folder() / f"{name}.ipynb").notebook, copy_of(name).notebook
    return original is not None and copy is not None and not copy.is_made_from(original)


def outdated() -> list[str]:
    """The names of the copies of which the course has a newer version. No file is changed."""
    return [file.stem for file in sorted(places.notebooks_folder().glob("*.ipynb")) if is_outdated(file.stem)]


def successors() -> dict[str, list[str]]:
    """The copies in which the learner worked of notebooks that have another name now, and the notebooks they became.

    They are recognized by their exercises. The one with most of them comes first.
    """
    own = {name: exercises(original.notebook) for name, original in originals().items() if original.notebook}
    found = {}
    for copy in _dropped(set(own)):
        if copy.notebook is None or copy.notebook.is_untouched:
            continue
        shared = {name: len(exercises(copy.notebook) & each) for name, each in own.items()}
        if names := [name for name in sorted(shared, key=lambda name: -shared[name]) if shared[name]]:
            found[copy.name] = names
    return found


def _dropped(names: set[str]) -> Iterator[Copy]:
    """The copies of notebooks with other names than these."""
    for file in sorted(folder().glob("*.ipynb")):
        if file.stem not in names:
            copy = copy_of(file.stem)
            if not copy.problem:
                yield copy
