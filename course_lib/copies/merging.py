"""Bring what a learner wrote in a copy into another version of the notebook.

- An answer, which is a cell with `@exercise(...)`, takes the place of the cell with the same exercise.
- A cell of the course that the learner changed stays as they changed it, if the course did not change it too.
- A cell that the learner added stays behind the cell that it followed.
- What has no such place any more goes to the end, under a heading.
"""

import copy
from dataclasses import dataclass, field
from uuid import uuid4

from course_lib.copies.notebook import Cell, Notebook, digest, exercise_of, is_answered, is_blank, remove_outputs

HEADING = "## From your earlier copy"
ABOUT_THE_END = "These cells of yours belong to cells that the course has changed or left out."


@dataclass
class Brought:
    """What was brought into a notebook.

    Attributes:
        answers: the names of the exercises whose answers were brought.
        cells: how many other cells of the learner's are in their places.
        at_the_end: how many are at its end.
    """

    answers: list[str] = field(default_factory=list)
    cells: int = 0
    at_the_end: int = 0


def bring(earlier: Notebook, into: Notebook, done: set[int]) -> Brought:
    """Bring the learner's cells of an earlier copy into a newer one, which is changed, as far as they have a place.

    Args:
        earlier: the copy in which the learner worked.
        into: a copy of the present notebook. What the learner answered or changed there already stays.
        done: the indices of cells of `earlier` that need no place any more. Others are added.
    """
    brought = Brought()
    target = _Target(into, earlier)
    ids = _course_ids(earlier)
    cells = list(zip(earlier.cells, ids, strict=True))
    stubs = {exercise_of(cell) for cell, name in cells if name is not None}
    made = dict(earlier.mark.cells) if earlier.mark else {}
    behind: int | None = -1  # the cell of `into` that cells which the learner added here follow; -1 is the beginning
    for index, (cell, name) in enumerate(cells):
        exercise = exercise_of(cell)
        is_added = name is None and (exercise is None or exercise in stubs)
        place = None if is_added else target.place_of(exercise, name, made.get(name or "", ""))
        if name is not None:
            behind = place
        if index in done:
            continue
        if is_blank(cell) or (name is not None and digest(cell) == made[name] and not is_answered(cell)):
            done.add(index)
        elif is_added:
            if target.has(cell):
                done.add(index)
            elif behind is not None:
                target.add(cell, behind)
                done.add(index)
                brought.cells += 1
        elif place is not None and digest(target.cells[place]) == digest(cell):
            done.add(index)
        elif place is not None and target.may_replace(place, exercise, made.get(name or "")):
            target.replace(place, cell)
            done.add(index)
            if exercise:
                brought.answers.append(exercise)
            else:
                brought.cells += 1
        elif place is not None and exercise is not None and exercise_of(target.cells[place]) == exercise:
            done.add(index)  # It is answered here already, and running an older answer behind it would replace that.
    target.write()
    return brought


def bring_the_rest(earlier: Notebook, into: Notebook, done: set[int]) -> int:
    """Add the cells that have no place at the end of a notebook, under a heading, and return how many there are."""
    have = {digest(cell) for cell in _added_cells(into)}
    rest = [cell for index, cell in enumerate(earlier.cells) if index not in done and digest(cell) not in have]
    heading: Cell = {"cell_type": "markdown", "metadata": {}, "source": f"{HEADING}\n\n{ABOUT_THE_END}"}
    if rest and digest(heading) not in have:
        into.cells.append(_own(heading))
    into.cells.extend(_own(cell) for cell in rest)
    return len(rest)


def _added_cells(notebook: Notebook) -> list[Cell]:
    """The cells that a learner added to a copy."""
    return [cell for cell, name in zip(notebook.cells, _course_ids(notebook), strict=True) if name is None]


class _Target:
    """A notebook into which cells of an earlier copy are brought."""

    def __init__(self, notebook: Notebook, earlier: Notebook) -> None:
        self.notebook = notebook
        self.cells = notebook.cells
        self.added: dict[int, list[Cell]] = {}
        made = dict(notebook.mark.cells) if notebook.mark else {}
        # Cells that are as the course made them may be replaced. A learner may have worked in the others.
        self.untouched = {
            index for index, cell in enumerate(self.cells) if made.get(str(cell.get("id"))) == digest(cell)
        }
        self.learners = {digest(cell) for cell in _added_cells(notebook)}
        # In another notebook, and where the cells were numbered again, an id does not say where a cell has gone.
        is_same = earlier.mark is not None and notebook.mark is not None and earlier.mark.of == notebook.mark.of
        texts = {text for _, text in earlier.mark.cells} if earlier.mark else set()
        self.ids = {
            str(cell.get("id")): index for index, cell in enumerate(self.cells) if is_same and digest(cell) not in texts
        }

    def has(self, cell: Cell) -> bool:
        """Whether the learner added a cell with this text here too."""
        return digest(cell) in self.learners

    def place_of(self, exercise: str | None, name: str | None, made: str) -> int | None:
        """Find the cell here that another version's cell has become: by its exercise, its text as made, or its id."""
        if exercise is not None:
            same = [index for index, cell in enumerate(self.cells) if exercise_of(cell) == exercise]
            if same:
                return next((index for index in same if self.cells[index].get("id") == name), same[0])
        for index, cell in enumerate(self.cells):
            if digest(cell) == made:
                return index
        return self.ids.get(name or "")

    def may_replace(self, place: int, exercise: str | None, made: str | None) -> bool:
        """Whether a learner's cell may take the place of a cell here."""
        if place not in self.untouched:
            return False
        cell = self.cells[place]
        return exercise_of(cell) == exercise if exercise else digest(cell) == made

    def replace(self, place: int, cell: Cell) -> None:
        """Put a learner's cell in the place of one of the course's."""
        keeps = {"id": self.cells[place]["id"]} if "id" in self.cells[place] else {}
        self.cells[place] = _own(cell) | keeps
        self.untouched.discard(place)

    def add(self, cell: Cell, behind: int) -> None:
        """Add a learner's cell behind another."""
        self.added.setdefault(behind, []).append(_own(cell))

    def write(self) -> None:
        """Put the added cells between the others."""
        cells = list(self.added.get(-1, []))
        for index, cell in enumerate(self.cells):
            cells += [cell, *self.added.get(index, [])]
        self.notebook.json["cells"] = cells


def _course_ids(notebook: Notebook) -> list[str | None]:
    """For each cell of a copy, the id of the cell as the course made it; None for a cell that the learner added.

    A program that does not know ids leaves them out. Then an unchanged cell is known by its text.
    """
    made = dict(notebook.mark.cells) if notebook.mark else {}
    free = dict(made)
    names: list[str | None] = [free.pop(str(cell.get("id")), None) and str(cell["id"]) for cell in notebook.cells]
    by_text = {text: name for name, text in free.items()}
    for index, cell in enumerate(notebook.cells):
        if names[index] is None:
            names[index] = by_text.pop(digest(cell), None)
    return names


def _own(cell: Cell) -> Cell:
    """A learner's cell without its outputs, and with an id of its own."""
    own = copy.deepcopy(cell)
    remove_outputs(own)
    own["id"] = uuid4().hex[:8]
    return own
