"""The command that brings a learner's answers into the newest version of a notebook."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from course_lib.copies import making
from course_lib.copies.making import Changed, Copy, replace_copy, shown
from course_lib.copies.merging import Brought, bring, bring_the_rest
from course_lib.copies.notebook import Notebook, digest, exercise_of
from course_lib.data.folders import FolderError, locked, place_in_former


def refresh(names: Sequence[str] = ()) -> list[str]:
    """Bring the learner's answers into the newest versions of these notebooks, or of all that need it.

    The earlier copies are kept in `former/`. Where a notebook has another name now, or was divided, its answers go to
    the notebooks that have the exercises.

    Args:
        names: of notebooks, such as "01_attention", "01" or "my_course/01_attention.ipynb".

    Returns sentences that say what was done.

    Raises ValueError for a name of no notebook, or a file that is no copy of one, and FolderError as `update` does.
    """
    renamed = making.successors()
    chosen = [_name(name, renamed) for name in names]
    with locked(making.folder(), making.LOCK_SECONDS):
        todo = [name for name in chosen or making.outdated() if name not in renamed]
        # These come last, since their answers go to copies that are new by then.
        todo += [name for name, others in renamed.items() if not chosen or {name, *others} & {*chosen}]
        said = []
        for name in dict.fromkeys(todo):
            try:
                said.append(_refresh(name))
            except ValueError as error:
                if chosen:
                    raise
                said.append(str(error))  # One notebook does not keep the others from being refreshed.
    return [sentence for sentence in said if sentence] or ["Your copies are the newest versions already."]


def _name(given: str, renamed: dict[str, list[str]]) -> str:
    """The name of the notebook that is meant."""
    names = [*making.originals(), *renamed]
    if name := making.name_of(given, names):
        return name
    raise ValueError(f"There is no notebook `{given}`: choose among {', '.join(names)}.")


def _refresh(name: str) -> str:
    """Refresh one copy, and say what was done."""
    for _ in range(3):
        copy, original = making.copy_of(name), making.originals().get(name)
        if copy.problem:
            raise ValueError(f"{shown(copy.file)} stays as it is, because {copy.problem}.")
        if original is not None and original.notebook is None:
            raise ValueError(f"{shown(original.file)} cannot be copied, because {original.problem}.")
        try:
            if original is None or original.notebook is None:
                return _bring_answers(copy, making.successors()[name])
            if copy.notebook is not None and copy.notebook.is_made_from(original.notebook):
                return ""
            if copy.notebook is None or copy.notebook.is_untouched:
                kept = replace_copy(copy, original.notebook.copy(name))
                return f"{shown(copy.file)} is the newest version.{_about(kept)}"
            return _bring_answers(copy, [name, *_moved(copy.notebook, name)])
        except Changed:
            continue
    raise FolderError(f"another program keeps changing {name}: save the notebook there and close it, then try again")


def _moved(notebook: Notebook, name: str) -> list[str]:
    """The other notebooks that have exercises now which the learner answered in a copy of this one."""
    made = {text for _, text in notebook.mark.cells} if notebook.mark else set()
    answered = {exercise_of(cell) for cell in notebook.cells if digest(cell) not in made} - {None}
    own = {each: original.notebook for each, original in making.originals().items() if original.notebook}
    here = {exercise_of(cell) for cell in own[name].cells}
    return [each for each, other in own.items() if (answered - here) & {exercise_of(cell) for cell in other.cells}]


def _bring_answers(earlier: Copy, names: list[str]) -> str:
    """Bring the answers of a copy into the notebooks with these names, of which the first also gets all the rest."""
    assert earlier.notebook is not None
    unusable = {name: copy for name in names if (copy := making.copy_of(name)).problem}
    names = [name for name in names if name not in unusable]
    if not names:
        copy = next(iter(unusable.values()))
        raise ValueError(f"{shown(earlier.file)} stays as it is, because of {shown(copy.file)}: {copy.problem}.")
    done: set[int] = set()
    results: list[tuple[Copy, Notebook, Brought]] = []
    for name in names:
        present, original = making.copy_of(name), making.originals()[name].notebook
        assert original is not None
        is_new = name == earlier.name or present.notebook is None
        into = original.copy(name) if is_new else deepcopy(present.notebook)
        assert into is not None
        results.append((present, into, bring(earlier.notebook, into, done)))
    results[0][2].at_the_end = bring_the_rest(earlier.notebook, results[0][1], done)
    said, kept = [], None
    # The earlier copy comes last: until then, whatever stops this, it can be done again.
    for present, into, brought in reversed(results):
        if present.name == earlier.name or brought != Brought():
            replaced = replace_copy(present, into)
            kept = replaced if present.name == earlier.name else kept
        if present.name == earlier.name or brought != Brought():
            said.append(f"{shown(present.file)} is the newest version, {_with(brought)}.")
    if earlier.name not in names:
        assert earlier.content is not None
        kept = earlier.file.replace(place_in_former(earlier.file, earlier.content))
    return " ".join(reversed(said)) + _about(kept)


def _with(brought: Brought) -> str:
    """Say what was brought into a notebook."""
    cells = "{} other {} of yours".format
    parts = []
    if brought.answers:
        parts.append(f"your {'answer' if len(brought.answers) == 1 else 'answers'} to {', '.join(brought.answers)}")
    if brought.cells:
        parts.append(cells(brought.cells, "cell" if brought.cells == 1 else "cells"))
    if brought.at_the_end:
        parts.append(cells(brought.at_the_end, "cell" if brought.at_the_end == 1 else "cells") + " at its end")
    return "with " + " and ".join(parts) if parts else "without changes of yours"


def _about(kept: Path | None) -> str:
    return "" if kept is None else f" Your earlier copy is {shown(kept)}."
