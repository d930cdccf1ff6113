"""Notes for the teacher of a lesson, as Markdown: what happens when, what goes wrong, what to discuss.

Times, guesses and answers come from the notebook; minutes, hints and mistakes from the exercises; the rest from the
lesson's page in `class/lessons`, which teachers write by hand.
"""

import re
from pathlib import Path

from course_lib.classroom.teaching.lesson import Guess, Lesson, Section
from course_lib.data.places import COURSE
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.mistakes import Mistake
from course_lib.pictures.figures.map import MAP_PARTS

PAGES = "class/lessons"
# Where fewer mistakes have been published, others are shown up to this number; the check names them all.
MISTAKES_SHOWN = 2
_NUMBER = re.compile(r"−?[\d.,]+")


def teachers_page(lesson: Lesson) -> Path:
    """The page about a lesson that teachers write by hand."""
    return COURSE / PAGES / f"{lesson.file}.md"


def notes(lesson: Lesson) -> str:
    """Return the notes for the teacher of a lesson, as Markdown."""
    title = f"# {lesson.number:02d} · {lesson.title}: notes for the teacher"
    page = teachers_page(lesson)
    by_hand = page.read_text(encoding="utf-8").partition("\n")[2].strip() if page.is_file() else ""
    exercises = "\n\n".join(_exercise(number, each) for number, each in enumerate(lesson.exercises, start=1))
    made_from = (
        f"*Made from `notebooks/{lesson.file}.ipynb`, from its exercises in `course_lib/lessons`, and from "
        f"`{PAGES}/{lesson.file}.md`. Change it there.*"
    )
    blocks = [
        title,
        f"> {lesson.promise}",
        _head(lesson),
        _way(lesson),
        by_hand,
        "## The exercises",
        exercises,
        made_from,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(lesson: Lesson) -> str:
    rest = lesson.minutes - lesson.exercise_minutes
    names = {part.id: part.full_name for part in MAP_PARTS}
    many = "exercise" if len(lesson.exercises) == 1 else f"{len(lesson.exercises)} exercises"
    rows = {
        "Time": f"{lesson.minutes} minutes: {lesson.exercise_minutes} for the {many}, {rest} to read, guess and run",
        "They need": lesson.needs,
        "They will have": lesson.gives,
        "On the map": ", ".join(names[part] for part in lesson.on_map),
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in rows.items())])


def _way(lesson: Lesson) -> str:
    """What happens in which section: exercises with their minutes, guesses with their answers."""
    minutes = {exercise.name: exercise.minutes for exercise in lesson.exercises}
    rows = [_row(section, minutes) for section in lesson.sections]
    return "\n".join(
        [
            "## On the way",
            "",
            "| section | exercise | what learners guess | what comes out |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _row(section: Section, minutes: dict[str, int]) -> str:
    exercises = ", ".join(f"`{name}`, {minutes[name]} min" for name in section.exercises)
    asked = "<br>".join(_cell(guess.question) for guess in section.guesses)
    answers = "<br>".join(_cell(_answer(guess)) for guess in section.guesses)
    return f"| {_cell(section.title)} | {exercises} | {asked} | {answers} |"


def _answer(guess: Guess) -> str:
    if not guess.answer:
        return "see the next cell"
    return f"about {guess.answer}" if guess.varies and _NUMBER.fullmatch(guess.answer) else guess.answer


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _exercise(number: int, exercise: Exercise) -> str:
    stars = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    hints = [f"{n}. {hint}" for n, hint in enumerate(exercise.hints, start=1)]
    published = [mistake for mistake in exercise.mistakes if mistake.seen]
    others = [mistake for mistake in exercise.mistakes if not mistake.seen][: max(0, MISTAKES_SHOWN - len(published))]
    left = len(exercise.mistakes) - len(published) - len(others)
    mistakes = [_mistake(mistake) for mistake in (*published, *others)]
    more = [f"- The check names {left} more."] if left else []
    return "\n".join(
        [
            f"### {number} · `{exercise.name}` · {stars} · {exercise.minutes} minutes",
            "",
            "The hints, one after the other:",
            "",
            *hints,
            "",
            "What goes wrong, in the words of the check:",
            "",
            *mistakes,
            *more,
        ]
    )


def _mistake(mistake: Mistake) -> str:
    return f"- {mistake.message}" + (f" ([seen here]({mistake.seen}))" if mistake.seen else "")
