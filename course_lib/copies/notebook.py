"""Notebooks as the course copies them: their cells, and which of them a learner changed.

A copy says in its own metadata which notebook it was made from, and gives a digest of each of its cells as it was made.
So it can be told at any time, whatever happened to other files, whether a learner has worked in it, and in which cells.
Outputs, execution counts and all other metadata do not count, nor white space at the ends of lines, nor the empty cell
that Jupyter adds after the last one.
"""

import copy
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

Cell = dict[str, Any]
# The key in a notebook's metadata.
MARK = "course_copy"
# The tag of a cell whose code tells the answer to a guess. Copies have such cells folded, and no tag.
TELLS_THE_ANSWER = "tells-the-answer"
DECORATOR = re.compile(r"^@exercise\(\s*[\"']?(\w+)", re.MULTILINE)
BARE_DECORATOR = re.compile(r"^@exercise\s*(?:#.*)?\n(?:@.*\n)*(?:def|class)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Mark:
    """What a copy says about itself.

    Attributes:
        of: the name of the notebook that it was made from, such as "01_attention".
        cells: the id and the digest of each of its cells, as it was made.
    """

    of: str
    cells: tuple[tuple[str, str], ...]


class Notebook:
    """A notebook as the dictionary that its file holds, in the format 4 of Jupyter.

    Raises ValueError, with the second half of a sentence, for content that is no such notebook.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self.json: Any = json.loads(content)
        except (ValueError, RecursionError):
            raise ValueError("it is not a whole notebook") from None
        if not isinstance(self.json, dict) or self.json.get("nbformat") != 4 or not _has_cells(self.json):
            raise ValueError("it is not a notebook of Jupyter's format 4")
        if not isinstance(self.json.get("metadata"), dict):
            self.json["metadata"] = {}

    @property
    def cells(self) -> list[Cell]:
        """The cells, as they are in the file."""
        return self.json["cells"]  # type: ignore[no-any-return]

    @property
    def mark(self) -> Mark | None:
        """What it says about itself as a copy; None if the course did not make it."""
        try:
            mark = self.json["metadata"][MARK]
            return Mark(str(mark["of"]), tuple((str(name), str(digest)) for name, digest in mark["cells"]))
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def fingerprint(self) -> list[str]:
        """The digests of all cells but empty ones: equal for two notebooks with the same sources."""
        return [digest(cell) for cell in self.cells if not is_blank(cell)]

    @property
    def is_untouched(self) -> bool:
        """Whether a copy has the sources with which it was made, and no answer.

        It may have been made with answers, from a notebook of the course in which the learner had worked.
        """
        is_as_made = self.mark is not None and self.fingerprint == [made for _, made in self.mark.cells]
        return is_as_made and not any(map(is_answered, self.cells))

    def is_made_from(self, original: "Notebook") -> bool:
        """Whether a copy was made from a notebook as it is now."""
        return self.mark is not None and original.fingerprint == [made for _, made in self.mark.cells]

    def copy(self, name: str) -> "Notebook":
        """A copy for a learner, as `for_learners` makes it, that says it was made from this notebook with this name."""
        made = self.for_learners()
        cells = [[str(cell.get("id", "")), digest(cell)] for cell in made.cells if not is_blank(cell)]
        made.json["metadata"][MARK] = {"of": name, "cells": cells}
        return made

    def for_learners(self) -> "Notebook":
        """The notebook without outputs, and with the cells folded whose code tells the answer to a guess."""
        made = copy.copy(self)
        made.json = copy.deepcopy(self.json)
        for cell in made.cells:
            remove_outputs(cell)
            _fold_if_it_tells_the_answer(cell)
        return made

    def content(self) -> bytes:
        """The content of its file, laid out as Jupyter does it."""
        return (json.dumps(self.json, ensure_ascii=False, indent=1) + "\n").encode("utf-8", errors="replace")


def _fold_if_it_tells_the_answer(cell: Cell) -> None:
    """Hide the source of a cell with that tag: JupyterLab shows three dots in its place, and runs it as any other."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(tags, list) or TELLS_THE_ANSWER not in tags:
        return
    metadata["jupyter"] = {"source_hidden": True}
    metadata["tags"] = [tag for tag in tags if tag != TELLS_THE_ANSWER]
    if not metadata["tags"]:
        del metadata["tags"]


def _has_cells(notebook: dict[str, Any]) -> bool:
    cells = notebook.get("cells")
    return isinstance(cells, list) and all(
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and (
            isinstance(cell.get("source"), str)
            or (isinstance(cell.get("source"), list) and all(isinstance(line, str) for line in cell["source"]))
        )
        for cell in cells
    )


def source(cell: Cell) -> str:
    """A cell's text."""
    return "".join(cell["source"])


def is_blank(cell: Cell) -> bool:
    """Whether there is nothing in a cell."""
    return not source(cell).strip()


def digest(cell: Cell) -> str:
    """A digest of a cell's kind and text. White space at the ends of lines and of the text does not count."""
    text = "\n".join(line.rstrip() for line in source(cell).strip().splitlines())
    return hashlib.sha256(f"{cell['cell_type']}\n{text}".encode("utf-8", errors="replace")).hexdigest()[:16]


def exercise_of(cell: Cell) -> str | None:
    """The name of the exercise that a cell answers, or None."""
    if cell["cell_type"] != "code":
        return None
    match = DECORATOR.search(source(cell)) or BARE_DECORATOR.search(source(cell))
    return match[1] if match else None


def is_answered(cell: Cell) -> bool:
    """Whether a cell answers an exercise. The course's own only raise NotImplementedError."""
    return exercise_of(cell) is not None and "NotImplementedError" not in source(cell)


def exercises(notebook: Notebook) -> set[str]:
    """The names of a notebook's exercises."""
    return {name for cell in notebook.cells if (name := exercise_of(cell))}


def remove_outputs(cell: Cell) -> None:
    """Remove what a run left in a cell."""
    if cell["cell_type"] == "code":
        cell["outputs"] = []
        cell["execution_count"] = None
    if isinstance(cell.get("metadata"), dict):
        cell["metadata"].pop("execution", None)
