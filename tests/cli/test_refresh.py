"""`course.py refresh` says in sentences what it did, or why it could not."""

import pytest

from course_lib import cli
from course_lib.copies import making
from tests.copies.course import ANSWER, Course, code, first_version, markdown


def test_refresh_brings_the_answers_and_says_so(course: Course, capsys: pytest.CaptureFixture[str]):
    course.answer("01_attention", 2, "scores")
    course.publish("01_attention", markdown("01-x", "New."), *first_version())
    assert cli.main(["refresh", "01_attention"]) == 0
    said, errors = capsys.readouterr()
    assert said.startswith("my_course/01_attention.ipynb is the newest version, with your answer to scores. Your ear")
    assert errors == ""
    assert ANSWER.format("scores") in course.sources("01_attention")
    assert cli.main(["refresh"]) == 0
    assert capsys.readouterr().out == "Your copies are the newest versions already.\n"


def test_a_wrong_name_and_a_folder_that_cannot_be_changed_get_one_sentence(
    course: Course,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    assert cli.main(["refresh", "attention"]) == 1
    assert capsys.readouterr().err.startswith("✗ There is no notebook `attention`: choose among 00_start, 01_att")
    (course.copies / ".lock").unlink(missing_ok=True)
    (course.copies / ".lock").mkdir()
    assert cli.main(["refresh"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("✗ Your notebooks stay as they are, because my_course cannot be written to (")
    assert len(said.splitlines()) == 1


def test_progress_says_that_a_newer_version_exists(course: Course, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["progress"]) == 0
    assert "newer version" not in capsys.readouterr().out
    course.answer("01_attention", 2, "scores")
    course.publish("01_attention", markdown("01-x", "New."), *first_version())
    assert making.update() == []
    assert cli.main(["progress"]) == 0
    assert "\n\nThe course has a newer version of 01_attention: `" in capsys.readouterr().out


def test_reset_of_a_notebook_gives_a_new_copy_and_keeps_the_old_one(
    course: Course,
    capsys: pytest.CaptureFixture[str],
):
    course.answer("01_attention", 2, "scores")
    assert cli.main(["reset", "my_course/01_attention.ipynb", "1"]) == 0
    expected = "my_course/01_attention.ipynb is as new. What you wrote is in my_course/former/01_attention_001.ipynb.\n"
    assert capsys.readouterr() == (expected, "")
    assert course.sources("01_attention") == ["".join(cell["source"]) for cell in first_version()]
    assert ANSWER.format("scores").splitlines()[-1] in course.former("01_attention")[0].read_text("utf-8")
    (course.copies / "01_attention.ipynb").write_text("{")
    assert cli.main(["reset", "01_attention"]) == 1
    assert (
        capsys.readouterr().err
        == "✗ my_course/01_attention.ipynb stays as it is, because it is not a whole notebook.\n"
    )


@pytest.mark.parametrize("opened", [False, True])
def test_reset_of_an_untouched_copy_says_so_and_keeps_no_second_one(
    course: Course, capsys: pytest.CaptureFixture[str], opened: bool
):
    if opened:  # and saved in JupyterLab, which lays the file out in another way
        course.work("01_attention", lambda cells: cells.append(code("random", "")))
    assert cli.main(["reset", "1"]) == 0
    assert capsys.readouterr().out == (
        "my_course/01_attention.ipynb is as new. There was nothing of yours in it, so no earlier copy is kept.\n"
    )
    assert course.former("01_attention") == []
    assert course.sources("01_attention") == ["".join(cell["source"]) for cell in first_version()]


def test_reset_of_a_copy_that_was_only_run_keeps_its_outputs(course: Course, capsys: pytest.CaptureFixture[str]):
    course.run("01_attention")
    ran = (course.copies / "01_attention.ipynb").read_bytes()
    assert cli.main(["reset", "1"]) == 0
    assert capsys.readouterr().out == (
        "my_course/01_attention.ipynb is as new. There were no changes of yours in it. The earlier copy is "
        "my_course/former/01_attention_001.ipynb.\n"
    )
    assert [path.read_bytes() for path in course.former("01_attention")] == [ran]


def test_reset_of_an_older_untouched_copy_keeps_it(course: Course, capsys: pytest.CaptureFixture[str]):
    course.publish("01_attention", markdown("01-x", "New."), *first_version())
    assert cli.main(["reset", "1"]) == 0
    assert "There were no changes of yours in it. The earlier copy is my_course/f" in capsys.readouterr().out
    assert course.sources("01_attention")[0] == "New."
    assert len(course.former("01_attention")) == 1


def test_reset_of_a_copy_that_is_missing_makes_it(course: Course, capsys: pytest.CaptureFixture[str]):
    (course.copies / "01_attention.ipynb").unlink()
    assert cli.main(["reset", "1"]) == 0
    assert capsys.readouterr().out == "my_course/01_attention.ipynb is as new.\n"
