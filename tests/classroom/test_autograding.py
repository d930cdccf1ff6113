"""Assignments are made, released, handed in, collected, graded and given back with nbgrader, end to end."""

import csv
import io
import os
from pathlib import Path

import pytest

from course_lib.classroom.grading import assignments, progress
from course_lib.classroom.room import ClassError
from course_lib.cli import main
from course_lib.copies.notebook import Notebook, exercise_of
from tests.classroom import handed_in
from tests.classroom.handed_in import NAME

pytest.importorskip("nbgrader", reason="nbgrader is not installed: `pip install --editable .[class]`")

from course_lib.classroom import autograding
from course_lib.classroom.grading import grades  # they need nbgrader

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Grading needs a system that can fork a process.")

HOSTILE_CELL = """\
@exercise("{0}")
def {0}(*arguments):
    import os
    os._exit(0)
"""


def submissions() -> dict[str, Notebook]:
    """Five students: right, wrong, two mistakes at once, hostile, empty."""
    names = [each.name for each in assignments.find_assignment(NAME).exercises]
    forged = handed_in.notebook({name: HOSTILE_CELL.format(name) for name in names})
    for cell in forged.cells:  # it says itself that all is right
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "13 of 13 points"}]
    return {
        "ada": handed_in.solved(),
        "ben": handed_in.solved({"attend_one_query": handed_in.RAW_SCORES, "mix_values": handed_in.NOT_SUMMED}),
        "cleo": handed_in.solved({"scaled_dot_product_attention": handed_in.SCALE_MISSING_AND_MASK_INVERTED}),
        "dan": forged,
        "eve": handed_in.notebook(),
    }


POINTS = {"ada": 13, "ben": 10, "cleo": 10, "dan": 0, "eve": 0}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> autograding.Desk:
    """A desk with the work of five students, released, handed in and collected by nbgrader's exchange, and graded."""
    folder = tmp_path_factory.mktemp("class")
    grading, exchange = folder / "grading", folder / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    assignments.prepare(grading)
    settings = grading / assignments.CONFIGURATION
    settings.write_text(settings.read_text() + f"c.Exchange.root = {str(exchange)!r}\n")
    desk = autograding.Desk(grading)
    desk.assign("1")
    with pytest.MonkeyPatch.context() as patch:
        assert desk._call("release_assignment", NAME)["success"]
        for student, made in submissions().items():
            hand_in(desk, folder / student, student, made, patch)
        assert desk._call("collect", NAME)["success"]
    graded = {each.student: each for each in desk.grade(NAME)}
    assert {name: each.problem for name, each in graded.items()} == dict.fromkeys(POINTS, "")
    assert {name: (each.score, each.most) for name, each in graded.items()} == {
        name: (given, 13) for name, given in POINTS.items()
    }
    return desk


def hand_in(desk: autograding.Desk, home: Path, student: str, made: Notebook, patch: pytest.MonkeyPatch) -> None:
    """Fetch the released notebook as a student, answer its exercises in it, and hand it in with nbgrader."""
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange import ExchangeFactory

    (home / NAME).mkdir(parents=True)
    config = desk.course.config.copy()
    config.CourseDirectory.root = str(home)
    config.CourseDirectory.assignment_id = NAME
    config.CourseDirectory.student_id = student
    config.Exchange.assignment_dir = str(home)
    config.Exchange.cache = str(home / ".cache")
    released = Notebook((desk.grading / "release" / NAME / f"{NAME}.ipynb").read_bytes())
    answers = {exercise_of(cell): cell["source"] for cell in made.cells if exercise_of(cell)}
    for cell in released.cells:
        if exercise_of(cell) in answers:
            cell["source"] = answers[exercise_of(cell)]
    handed_in.write(home / NAME / f"{NAME}.ipynb", released)
    patch.chdir(home)
    factory = ExchangeFactory(config=config)
    course = CourseDirectory(config=config)
    factory.Submit(coursedir=course, authenticator=Authenticator(config=config), config=config).start()


def feedback(desk: autograding.Desk, student: str) -> str:
    return (desk.grading / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


def test_the_released_notebook_has_each_exercise_and_its_points_and_no_solution(desk: autograding.Desk):
    released = Notebook((desk.grading / "release" / NAME / f"{NAME}.ipynb").read_bytes())
    marks = [cell["metadata"]["nbgrader"] for cell in released.cells if "nbgrader" in cell["metadata"]]
    assert [mark["grade_id"] for mark in marks if mark["solution"]] == [
        each.name for each in assignments.find_assignment(NAME).exercises
    ]
    assert [mark["points"] for mark in marks if mark["grade"]] == [2, 1, 1, 1, 2, 3, 3]
    assert all(mark["locked"] for mark in marks if mark["grade"])
    stubs = [cell["source"] for cell in released.cells if exercise_of(cell)]
    assert all("".join(each).rstrip().endswith("raise NotImplementedError") for each in stubs)


def test_feedback_names_the_mistakes_in_the_courses_words(desk: autograding.Desk):
    assert "Your output is a mixture of the values with the raw scores as weights." in feedback(desk, "ben")
    assert "The scale is missing" in feedback(desk, "cleo")
    assert "mask</code> were inverted" in feedback(desk, "cleo")
    assert "it ended Python" in feedback(desk, "dan")
    assert "Not answered." in feedback(desk, "eve")
    assert "13 of 13 points" not in feedback(desk, "dan")


def test_grades_and_mistakes_are_exported(desk: autograding.Desk):
    rows = list(csv.DictReader(io.StringIO(grades.as_csv(desk.grading, None))))
    points = {name: sum(float(row["points"]) for row in rows if row["student"] == name) for name in POINTS}
    assert points | {"eve": 0} == POINTS
    (row,) = [row for row in rows if row["student"] == "ben" and row["exercise"] == "attend_one_query"]
    assert (row["status"], row["points"], row["of"], row["notebook"]) == ("wrong", "0", "2", "01")
    assert row["mistakes"].startswith("Your output is a mixture of the values with the raw scores as weights.")


def test_the_teachers_view_has_what_was_graded(desk: autograding.Desk):
    found = {each.student: each for each in progress.standings(desk.grading, None)}
    assert found["ben"].stopped_at == {"attend_one_query", "mix_values"}
    assert len(found["ada"].right) == 7
    assert found["eve"].furthest is None


def test_points_that_a_teacher_changes_are_exported_and_kept_when_graded_again(desk: autograding.Desk):
    from nbgrader.api import Gradebook

    with Gradebook(desk.course.db_url) as gradebook:
        gradebook.find_grade("mix_values_check", NAME, NAME, "eve").manual_score = 0.5
        gradebook.db.commit()
    (again,) = desk.grade(NAME, ["eve"])
    assert again.score == 0.5


@pytest.mark.parametrize("damage", ["changed", "deleted", "answer deleted"])
def test_changed_and_deleted_cells_are_put_back(desk: autograding.Desk, damage: str):
    name = "00_start_here"
    desk.assign(name)
    made = assignments.source_notebook(assignments.find_assignment(name))
    cells = made.json["cells"]
    (answer,) = [cell for cell in cells if exercise_of(cell)]
    answer["source"] = handed_in.cell("softmax")
    (locked,) = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    if damage == "changed":
        cells.append({"cell_type": "markdown", "id": "own", "metadata": {}, "source": "<script>stolen()</script>"})
        locked["source"] = "print('all points')"
        locked["metadata"]["nbgrader"] |= {"points": 100, "locked": False}
    else:
        cells.remove(locked if damage == "deleted" else answer)
    student = f"fay{['changed', 'deleted', 'answer deleted'].index(damage)}"
    handed_in.write(desk.grading / "submitted" / student / name / f"{name}.ipynb", made)
    (graded,) = desk.grade(name, [student])
    assert (graded.score, graded.most, graded.problem) == (0 if damage == "answer deleted" else 2, 2, "")
    page = (desk.grading / "feedback" / student / name / f"{name}.html").read_text(encoding="utf-8")
    assert "<script>stolen" not in page
    if damage == "answer deleted":
        assert "The cell of the exercise <code>softmax</code> is missing" in page


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"nbformat": 3}', b"\xff\xfe"])
def test_what_is_no_notebook_is_not_graded_and_stays_as_it_is(desk: autograding.Desk, content: bytes):
    file = desk.grading / "submitted" / "gus" / NAME / f"{NAME}.ipynb"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    (graded,) = desk.grade(NAME, ["gus"])
    assert graded.score is None
    assert graded.problem.startswith(f"submitted/gus/{NAME}/{NAME}.ipynb is not graded, because it is not a")
    assert file.read_bytes() == content


def test_a_full_disk_is_said_and_the_former_results_stay(desk: autograding.Desk, monkeypatch: pytest.MonkeyPatch):
    before = (desk.grading / "autograded" / "ada" / NAME / f"{NAME}.ipynb").read_bytes()

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("nbconvert.writers.FilesWriter.write", full)
    (graded,) = desk.grade(NAME, ["ada"])
    assert "the disk is full" in graded.problem
    assert (desk.grading / "autograded" / "ada" / NAME / f"{NAME}.ipynb").read_bytes() == before


def test_unknown_assignments_and_students_are_refused_in_one_sentence(desk: autograding.Desk):
    with pytest.raises(ClassError, match="There is no notebook `99`: choose among 00_start_here"):
        list(desk.grade("99"))
    with pytest.raises(ClassError, match="02_multi_head is no assignment of this class yet"):
        list(desk.grade("02_multi_head"))
    with pytest.raises(ClassError, match=f"There is no submission of {NAME} by `zoe`"):
        list(desk.grade(NAME, ["zoe"]))


def test_settings_that_python_cannot_read_are_refused_in_one_sentence(tmp_path: Path):
    (tmp_path / assignments.CONFIGURATION).write_text("c = (")
    with pytest.raises(ClassError, match=r"nbgrader_config.py in .* cannot be used \(SyntaxError"):
        autograding.Desk(tmp_path)


def test_a_class_without_a_hub_is_graded_by_three_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    copies, folder = tmp_path / "copies", tmp_path / "class"
    handed_in.write(copies / "ada.ipynb", handed_in.solved(name="00_start_here"))
    handed_in.write(copies / "ben" / "00_start_here.ipynb", handed_in.notebook(name="00_start_here"))
    handed_in.write(copies / "Dr No.ipynb", handed_in.notebook(name="00_start_here"))
    table = tmp_path / "grades.csv"
    where = ["--folder", str(folder)]
    assert main(["class", "assign", "0", *where]) == 0
    assert main(["class", "collect", "0", "--from", str(copies), *where]) == 1
    assert main(["class", "grade", "0", *where]) == 0
    assert main(["class", "grades", "--csv", str(table), *where]) == 0
    assert main(["class", "overview", "--once", *where]) == 0
    shown = capsys.readouterr().out
    assert "✓ 00_start_here is an assignment: 1 exercises, 2 points." in shown
    assert "✗ Dr No.ipynb was not collected: give it a student's name" in shown
    assert "✓ Collected 00_start_here of 2 students." in shown
    assert "✓ ada: 2 of 2 points" in shown
    assert "✓ ben: 0 of 2 points" in shown
    assert table.read_text().splitlines()[1] == "ada,00,softmax,,right,2,2,"
    assert "ada" in (folder / "grading" / "overview.html").read_text()
