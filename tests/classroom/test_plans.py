"""The plans in class/README.md: what they name exists, and their minutes are those of the notebooks and exercises."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from course_lib.classroom.teaching.lesson import read_lesson

CLASS = Path(__file__).resolve().parents[2] / "class"
PAGE = (CLASS / "README.md").read_text(encoding="utf-8")
# How long each plan is, in minutes: what its heading and the sentence below it promise.
LENGTHS = {"90 minutes": 90, "Half a day": 240, "One day": 480, "Day 1": 420, "Day 2": 420, "Day 3": 420}
DAYS = ("Day 1", "Day 2", "Day 3")
WEEKS = 12
NOTEBOOK = re.compile(r"\[(\d\d)\]\(\.\./notebooks/\1_\w+\.ipynb\)")


class Block(NamedTuple):
    """A row of a plan: when it begins, how long it takes, its notebooks, and the exercises that everybody builds."""

    start: str
    minutes: int
    notebooks: list[int]
    exercises: list[str]


def rows_below(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without the table's own head."""
    section = re.split(r"^#{2,4} ", PAGE.split(f"# {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines[2:]]


def exercises_in(cell: str, notebooks: list[int]) -> list[str]:
    if cell == "all":
        return [exercise.name for number in notebooks for exercise in read_lesson(number).exercises]
    return re.findall(r"`(\w+)`", cell)


def blocks_of(plan: str) -> list[Block]:
    blocks = []
    for start, minutes, what, exercises in rows_below(plan):
        notebooks = [int(number) for number in NOTEBOOK.findall(what)]
        blocks.append(Block(start, int(minutes), notebooks, exercises_in(exercises, notebooks)))
    return blocks


def minutes_of(names: list[str], notebooks: list[int]) -> int:
    """How long exercises of these notebooks take. Fails for a name that none of them has."""
    minutes = {exercise.name: exercise.minutes for number in notebooks for exercise in read_lesson(number).exercises}
    assert set(names) <= set(minutes), f"{set(names) - set(minutes)} should be exercises of notebooks {notebooks}"
    return sum(minutes[name] for name in names)


@pytest.mark.parametrize("plan", LENGTHS)
def test_a_plan_takes_as_long_as_it_says(plan: str):
    assert sum(block.minutes for block in blocks_of(plan)) == LENGTHS[plan]


@pytest.mark.parametrize("plan", LENGTHS)
def test_each_block_begins_when_the_one_before_it_ends(plan: str):
    passed = 0
    for block in blocks_of(plan):
        assert block.start == f"{passed // 60}:{passed % 60:02d}"
        passed += block.minutes


@pytest.mark.parametrize("plan", LENGTHS)
def test_a_block_takes_at_least_as_long_as_its_exercises(plan: str):
    for block in blocks_of(plan):
        assert block.minutes >= minutes_of(block.exercises, block.notebooks), block


@pytest.mark.parametrize("plan", LENGTHS)
def test_a_notebook_of_which_everything_is_built_gets_its_own_time(plan: str):
    minutes, built = defaultdict(int), defaultdict(set)
    for block in blocks_of(plan):
        for number in block.notebooks if block.exercises else []:
            minutes[number] += block.minutes
            built[number].update(block.exercises)
    for number, names in built.items():
        lesson = read_lesson(number)
        if names == {exercise.name for exercise in lesson.exercises}:
            assert minutes[number] >= lesson.minutes, f"notebook {number:02d} takes {lesson.minutes} minutes"


@pytest.mark.parametrize("plan", [plan for plan in LENGTHS if plan != "90 minutes"])
def test_nobody_works_for_more_than_two_hours_and_a_half_without_a_break(plan: str):
    rows = rows_below(plan)
    since = 0
    for _, minutes, what, _ in rows:
        since = 0 if what in ("*Break*", "*Lunch*") else since + int(minutes)
        assert since <= 150, what


def test_a_term_has_twelve_classes_of_ninety_minutes():
    rows = rows_below("A term")
    assert [int(row[0]) for row in rows] == list(range(1, WEEKS + 1))
    assert all(int(row[1]) == 90 for row in rows)


def test_a_week_has_time_for_its_exercises_a_sheet_and_a_question():
    for _, minutes, what, in_class, at_home, minutes_at_home in rows_below("A term"):
        notebooks = [int(number) for number in NOTEBOOK.findall(what)]
        assert minutes_of(exercises_in(in_class, notebooks), notebooks) + 20 <= int(minutes), what
        assert minutes_of(exercises_in(at_home, notebooks), notebooks) <= int(minutes_at_home), what


def test_a_term_gives_each_notebook_its_own_time_and_every_exercise_once():
    given = [
        name
        for _, _, what, in_class, at_home, _ in rows_below("A term")
        for name in exercises_in(f"{in_class} {at_home}", [])
    ]
    expected = [each.name for number in (*range(10), 11, 17) for each in read_lesson(number).exercises]
    assert sorted(given) == sorted(expected)


def test_three_days_build_everything_up_to_the_translator():
    built = {name for day in DAYS for block in blocks_of(day) for name in block.exercises}
    assert built >= {each.name for number in range(8) for each in read_lesson(number).exercises}


def test_every_link_to_a_notebook_or_a_lesson_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 60
    for link in links:
        if "/" in link:  # The other pages of this folder are written with what they describe.
            assert (CLASS / link).is_file(), link
