"""The questions at the end of the notebooks: what is shown, and that each wrong answer has a reply of its own."""

import re
from pathlib import Path

import pytest

from course_lib import lessons
from course_lib.exercises.quiz import Question, Quiz, quiz

NOTEBOOKS = sorted(int(file.parent.name[1:3]) for file in Path(lessons.__path__[0]).glob("*/quiz.toml"))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_has_four_questions_whose_answers_and_replies_all_differ(notebook: int) -> None:
    questions = quiz(notebook).questions
    assert len(questions) == 4
    for question in questions:
        assert len(question.replies) >= 3
        assert len(set(question.replies.values())) == len(question.replies)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_right_answer_is_not_always_in_the_same_position(notebook: int) -> None:
    assert len({[*question.replies].index(question.right) for question in quiz(notebook).questions}) > 1


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_questions_and_replies_are_sentences(notebook: int) -> None:
    for question in quiz(notebook).questions:
        assert re.search(r"[?.]$", question.text)
        assert all(reply.endswith(".") and reply[0] == reply[0].upper() for reply in question.replies.values())


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_nothing_is_marked_up_in_a_way_that_is_not_shown(notebook: int) -> None:
    for question in quiz(notebook).questions:
        for text in (question.text, *question.replies, *question.replies.values()):
            assert not re.search(r"\*\w|\w\*|__|\]\(", re.sub(r"`[^`]*`", "", text)), text


def test_replies_are_hidden_behind_answers_and_say_whether_these_are_right() -> None:
    shown = Quiz((Question("Is 1 < 2?", "yes", {"no": "Count with `len`.", "yes": "It is."}),))._repr_html_()
    assert "<summary>no</summary><p>✗ No. Count with <code>len</code>.</p></details>" in shown
    assert "<summary>yes</summary><p>✓ Right. It is.</p></details>" in shown
    assert "1. Is 1 &lt; 2?" in shown


def test_the_text_alone_gives_no_reply_away() -> None:
    assert "Count" not in repr(Quiz((Question("Is 1 < 2?", "yes", {"no": "Count.", "yes": "It is."}),)))


def test_a_question_without_its_right_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="'maybe' should be one of at least two answers"):
        Question("Is it?", "maybe", {"yes": "It is.", "no": "It is not."})


def test_a_notebook_without_questions_is_refused() -> None:
    with pytest.raises(ValueError, match="no questions for a notebook 77"):
        quiz(77)
