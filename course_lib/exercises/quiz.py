"""Questions to click at the end of a notebook. Each answer opens to a reply; a wrong one names the misunderstanding.

    quiz(1)

No kernel and no script is needed to click: the replies are in the page, behind the answers.
"""

import tomllib
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from course_lib.exercises.reports import in_code_font
from course_lib.pictures.look import LOOK_CSS


@dataclass(frozen=True)
class Question:
    """A question, its answers with their replies, and which of the answers is right.

    Text in `backticks` is set as code. Raises ValueError where no answer is the right one, or there is only one.
    """

    text: str
    right: str
    replies: dict[str, str]

    def __post_init__(self) -> None:
        if self.right not in self.replies or len(self.replies) < 2:
            raise ValueError(f"{self.right!r} should be one of at least two answers, but they are {[*self.replies]}")


@dataclass(frozen=True, repr=False)
class Quiz:
    """Some questions, shown one below the other."""

    questions: tuple[Question, ...]

    def __repr__(self) -> str:
        return "\n".join(
            f"{number}. {question.text}\n" + "\n".join(f"   - {answer}" for answer in question.replies)
            for number, question in enumerate(self.questions, start=1)
        )

    def _repr_html_(self) -> str:
        blocks = (_question_html(number, question) for number, question in enumerate(self.questions, start=1))
        return f'<style>{LOOK_CSS}</style>\n<div class="course-report course-quiz">{"".join(blocks)}</div>'


def _question_html(number: int, question: Question) -> str:
    answers = (
        f"<details><summary>{in_code_font(answer)}</summary>"
        f"<p>{'✓ Right.' if answer == question.right else '✗ No.'} {in_code_font(reply)}</p></details>"
        for answer, reply in question.replies.items()
    )
    return f"<p><strong>{escape(str(number))}. {in_code_font(question.text)}</strong></p>{''.join(answers)}"


def quiz(notebook: int) -> Quiz:
    """The questions of a notebook, from `quiz.toml` in its folder of `course_lib/lessons`.

    Raises ValueError for a notebook without questions.
    """
    for lesson in files("course_lib.lessons").iterdir():
        file = lesson / "quiz.toml"
        if lesson.name.startswith(f"l{notebook:02d}_") and file.is_file():
            questions = tomllib.loads(file.read_text(encoding="utf-8"))["question"]
            return Quiz(tuple(Question(**each) for each in questions))
    raise ValueError(f"there are no questions for a notebook {notebook:02d}")
