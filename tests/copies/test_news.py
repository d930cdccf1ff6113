"""The learner is told that the course has something newer than a copy of theirs, and what to do."""

from pathlib import Path

import pytest

from course_lib.copies import making
from course_lib.copies.news import news, news_of
from course_lib.exercises import news as page
from tests.copies.course import STUB, Course, code, first_version, markdown

NEWER = [*first_version(), markdown("01-07", "One more thing.")]


@pytest.fixture(autouse=True)
def posix(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("course_lib.copies.news.COMMAND", "python3 course.py refresh")


def test_there_is_no_news_without_an_update_or_without_copies(empty_course: Course):
    assert news() == []
    making.update()
    assert news() == []
    assert news_of(empty_course.copies / "01_attention.ipynb") is None


def test_a_newer_version_is_announced_in_the_terminal_and_on_its_page(course: Course):
    course.answer("01_attention", 2, "scores")
    course.publish("01_attention", *NEWER)
    making.update()
    assert news() == [
        "The course has a newer version of 01_attention: `python3 course.py refresh` brings your answers into it."
    ]
    title, advice = news_of(course.copies / "01_attention.ipynb") or ("", "")
    assert title == "The course has a newer version of this notebook."
    assert advice == (
        "Save it, close its tab, and run `python3 course.py refresh 01_attention` in a terminal. "
        "That brings your answers into the newer version, and keeps this one in `my_course/former`."
    )
    assert news_of(course.copies / "00_start.ipynb") is None


def test_several_newer_versions_are_announced_in_one_sentence(course: Course):
    course.publish("00_start", markdown("00-00", "# 00, newer"))
    course.publish("01_attention", *NEWER)
    (sentence,) = news()
    assert sentence.startswith("The course has newer versions of 00_start and 01_attention: `")
    assert sentence.endswith("` brings your answers into them.")


def test_a_notebook_with_new_names_is_announced(course: Course):
    course.answer("01_attention", 2, "scores")
    course.withdraw("01_attention")
    course.publish("02_scores", code("02-00", STUB.format("scores")))
    course.publish("03_weights", code("03-00", STUB.format("weights")))
    making.update()
    assert news() == [
        "01_attention is now 02_scores and 03_weights: `python3 course.py refresh` brings your answers there."
    ]
    title, advice = news_of(course.copies / "01_attention.ipynb") or ("", "")
    assert title == "This notebook is now 02_scores and 03_weights."
    assert "That brings your answers into the new notebooks, and keeps" in advice


@pytest.mark.parametrize(
    "file", ["notebooks/01_attention.ipynb", "my_course/former/01_attention.ipynb", "x.ipynb", "x"]
)
def test_other_notebooks_have_no_news(course: Course, file: str):
    course.publish("01_attention", *NEWER)
    assert news_of(course.folder / file) is None


class Shell:
    """What `get_ipython()` gives in a notebook."""

    def __init__(self, file: object) -> None:
        self.user_ns = {} if file is None else {"__vsc_ipynb_file__": file}


@pytest.mark.parametrize("where", ["JupyterLab", "VS Code"])
def test_the_first_cell_of_an_older_copy_shows_the_news(course: Course, monkeypatch: pytest.MonkeyPatch, where: str):
    file = str(course.copies / "01_attention.ipynb")
    shown: list[object] = []
    monkeypatch.setattr(page, "display", shown.append)
    monkeypatch.setattr(page, "get_ipython", lambda: Shell(file if where == "VS Code" else None))
    monkeypatch.setenv("JPY_SESSION_NAME", file if where == "JupyterLab" else "")
    page.show_news()
    assert shown == []
    course.publish("01_attention", *NEWER)
    page.show_news()
    (panel,) = shown
    assert repr(panel).startswith("The course has a newer version of this notebook.\nSave it, close its tab, and run `")


@pytest.mark.parametrize("file", [None, "", 5, "no/such/file.ipynb", "\0.ipynb"])
def test_without_a_notebook_nothing_is_shown(course: Course, monkeypatch: pytest.MonkeyPatch, file: object):
    monkeypatch.setattr(page, "display", lambda shown: pytest.fail(f"shown: {shown!r}"))
    monkeypatch.setenv("JPY_SESSION_NAME", "")
    monkeypatch.setattr(page, "get_ipython", lambda: Shell(file))
    page.show_news()
    monkeypatch.setattr(page, "get_ipython", lambda: None)
    monkeypatch.setenv("JPY_SESSION_NAME", str(Path("01_attention.ipynb")))
    page.show_news()
