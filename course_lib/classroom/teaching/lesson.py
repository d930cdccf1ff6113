"""A lesson as its notebook says: how long it takes, its sections, its exercises, its guesses and their answers."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from course_lib.copies import making
from course_lib.copies.notebook import DECORATOR
from course_lib.data import places
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise

_HEADING = re.compile(r"^(#{2,3}) (.+)$", re.MULTILINE)
_CALL = {name: re.compile(rf'\b{name}\(\s*"(\d\d [^"]+)"') for name in ("guess", "reveal")}
_NOW = re.compile(r"\b(?:strip\(.*?now=|today = )(\([^)]*\)|\"\w+\")")


class UnknownLesson(ValueError):
    """There is no such lesson. The message is one sentence that says which there are."""


@dataclass(frozen=True)
class Guess:
    """A question that learners answer before they see the result.

    Attributes:
        question: the question, followed by the choices or the unit in brackets.
        answer: what the committed run of the notebook gave; "" where it says so in a table or a picture only.
        varies: whether the answer comes from a training or a clock, so that it differs a little from run to run.
    """

    question: str
    answer: str
    varies: bool


@dataclass(frozen=True)
class Section:
    """What stands under one heading of a notebook: exercises, by name, and guesses."""

    title: str
    exercises: tuple[str, ...]
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class Lesson:
    """One notebook, as a teacher sees it.

    Attributes:
        number: its number, from 0.
        file: the name of its file without the ending, such as "01_attention".
        title: its heading without the number.
        promise: the sentence below the heading.
        minutes: how long it takes, exercises included.
        needs: what it builds on.
        gives: what learners have after it.
        sections: the sections that have an exercise or a guess.
        on_map: the parts of the map that it is about.
        exercises: its exercises.
    """

    number: int
    file: str
    title: str
    promise: str
    minutes: int
    needs: str
    gives: str
    sections: tuple[Section, ...]
    on_map: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    @property
    def exercise_minutes(self) -> int:
        """How many of its minutes belong to exercises."""
        return sum(exercise.minutes for exercise in self.exercises)


def find_lesson(word: str) -> Lesson:
    """Look a lesson up by a word from a command line: "3", "03" or "03_tokens".

    Raises UnknownLesson if there is none.
    """
    names = [file.stem for file in _files()]
    if name := making.name_of(word, names):
        return read_lesson(int(name[:2]))
    raise UnknownLesson(f"There is no lesson {word!r}: choose a number from {names[0][:2]} to {names[-1][:2]}.")


def all_lessons() -> list[Lesson]:
    """All lessons, in order."""
    return [read_lesson(int(file.stem[:2])) for file in _files()]


@cache
def read_lesson(number: int) -> Lesson:
    """Read a lesson from its notebook.

    Raises UnknownLesson if there is no notebook with this number.
    """
    file = next((file for file in _files() if int(file.stem[:2]) == number), None)
    if file is None:
        raise UnknownLesson(f"There is no lesson {number}: choose a number from 0 to {len(_files()) - 1}.")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    head = _source(cells[0])
    return Lesson(
        number=number,
        file=file.stem,
        title=_first(r"^# \d\d · (.+)$", head),
        promise=_first(r"^\*\*(.+)\*\*$", head),
        minutes=int(_first(r"^\| Time \| (\d+) minutes \|$", head)),
        needs=_first(r"^\| You need \| (.+) \|$", head),
        gives=_first(r"^\| You will have \| (.+) \|$", head),
        sections=_sections(cells),
        on_map=_on_map(cells, number),
        exercises=tuple(exercise for exercise in all_exercises() if exercise.notebook == number),
    )


def _files() -> list[Path]:
    return sorted(places.notebooks_folder().glob("[0-9][0-9]_*.ipynb"))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the notebook's first cell has no line like {pattern}: {text[:80]!r}")
    return found.group(1)


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _outputs(cell: dict[str, Any]) -> str:
    """All that a cell printed or showed, as text."""
    shown = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ()))
    return "\n".join("".join(text) for text in shown)


def _sections(cells: list[dict[str, Any]]) -> tuple[Section, ...]:
    answers = _answers(cells)
    found: list[tuple[str, list[str], list[Guess]]] = [("At the beginning", [], [])]
    for cell in cells[1:]:
        source = _source(cell)
        if cell["cell_type"] == "markdown":
            found += [(title.strip(), [], []) for _, title in _HEADING.findall(source)]
            continue
        found[-1][1].extend(DECORATOR.findall(source))
        for name in _CALL["guess"].findall(source):
            asked = re.search(r"^Guess first: (.+)$", _outputs(cell), re.MULTILINE)
            if asked:
                found[-1][2].append(Guess(asked.group(1), *answers.get(name, ("", False))))
    return tuple(Section(title, tuple(names), tuple(guesses)) for title, names, guesses in found if names or guesses)


def _answers(cells: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """Each guess's answer in the committed run, and whether its cell's output may differ from run to run."""
    answers: dict[str, tuple[str, bool]] = {}
    for cell in cells:
        for name in _CALL["reveal"].findall(_source(cell)):
            said = re.search(r"^(?:It is (.+)\.|The answer is “(.+)”\.)$", _outputs(cell), re.MULTILINE)
            if said:
                varies = "nbval-ignore-output" in cell["metadata"].get("tags", ())
                answers[name] = (said.group(1) or said.group(2), varies)
    return answers


def _on_map(cells: list[dict[str, Any]], number: int) -> tuple[str, ...]:
    """The parts that the notebook's strip lights; those of its exercises where it has none."""
    for cell in cells:
        if cell["cell_type"] == "code" and (now := _NOW.search(_source(cell))):
            return tuple(re.findall(r"\w+", now.group(1)))
    parts = [exercise.on_map for exercise in all_exercises() if exercise.notebook == number and exercise.on_map]
    return tuple(dict.fromkeys(parts))
