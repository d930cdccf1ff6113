"""Copies are made without outputs, replaced only where nobody worked, and no file of a learner's is ever lost."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from course_lib.copies import making
from course_lib.data.folders import FolderError
from tests.copies.course import ANSWER, STUB, Course, code, first_version, markdown, script, tagged

NEWER = [*first_version(), markdown("01-07", "One more thing.")]
TELLS = tagged(code("01-08", "assert scores([1, 2]) == [1, 2]"), "nbval-ignore-output", "tells-the-answer")
FOLDED = {"source_hidden": True}


def metadata(course: Course) -> dict[str, dict[str, object]]:
    return {cell["id"]: cell["metadata"] for cell in course.read("01_attention")["cells"]}


def test_each_notebook_is_copied_without_its_outputs(course: Course):
    assert sorted(path.name for path in course.copies.glob("*.ipynb")) == ["00_start.ipynb", "01_attention.ipynb"]
    assert course.sources("01_attention") == ["".join(cell["source"]) for cell in first_version()]
    cells = [cell for cell in course.read("01_attention")["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in cells] == 4 * [([], None)]
    assert course.read("01_attention")["metadata"]["kernelspec"] == {"name": "python3"}


def test_exactly_the_cells_that_tell_an_answer_are_folded_and_learners_see_no_such_tag(course: Course):
    course.publish("01_attention", *NEWER, TELLS, tagged(code("01-09", "1"), "tells-the-answer"))
    making.update()
    nothing = {cell["id"]: {} for cell in NEWER}
    assert metadata(course) == nothing | {
        "01-08": {"tags": ["nbval-ignore-output"], "jupyter": FOLDED},
        "01-09": {"jupyter": FOLDED},
    }


@pytest.mark.parametrize("changed", [{}, {"jupyter": FOLDED}, {"jupyter": {"source_hidden": False}}, {"tags": []}])
def test_folding_and_unfolding_cells_is_no_work(course: Course, changed: dict[str, object]):
    course.publish("01_attention", *first_version(), TELLS)
    making.update()
    course.work("01_attention", lambda cells: [cell.update(metadata=changed) for cell in cells])
    unfolded = (course.copies / "01_attention.ipynb").read_bytes()
    assert making.update() == making.outdated() == []
    assert (course.copies / "01_attention.ipynb").read_bytes() == unfolded
    course.publish("01_attention", *NEWER, TELLS)
    assert making.update() == making.outdated() == []
    assert metadata(course)["01-08"]["jupyter"] == FOLDED


@pytest.mark.parametrize("damaged", [None, [], {"tags": None}, {"tags": "tells-the-answer"}, {"tags": [None, 5]}])
def test_cells_with_damaged_metadata_are_not_folded(course: Course, damaged: object):
    course.publish("01_attention", *first_version(), code("01-08", "1") | {"metadata": damaged})
    making.update()
    assert metadata(course)["01-08"] == damaged


def test_a_second_start_changes_no_byte(course: Course):
    before = {path: path.read_bytes() for path in course.copies.rglob("*") if path.is_file()}
    assert making.update() == []
    assert {path: path.read_bytes() for path in course.copies.rglob("*") if path.is_file()} == before


def test_a_copy_that_was_deleted_is_made_again(course: Course):
    (course.copies / "01_attention.ipynb").unlink()
    making.update()
    assert course.sources("01_attention")[0] == "# 01 · Attention"


def test_an_untouched_copy_is_replaced_after_an_update(course: Course):
    course.publish("01_attention", *NEWER)
    assert making.outdated() == ["01_attention"]
    assert making.update() == []
    assert course.sources("01_attention")[-1] == "One more thing."
    assert making.outdated() == []


def test_a_copy_that_was_only_run_and_saved_counts_as_untouched_and_its_outputs_are_kept(course: Course):
    course.run("01_attention")
    ran = (course.copies / "01_attention.ipynb").read_bytes()
    making.update()
    assert (course.copies / "01_attention.ipynb").read_bytes() == ran
    course.publish("01_attention", *NEWER)
    making.update()
    assert course.sources("01_attention")[-1] == "One more thing."
    assert [path.read_bytes() for path in course.former("01_attention")] == [ran]


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells[2].update(source=ANSWER.format("scores")),
        lambda cells: cells[3].update(source="An explanation. Mine."),
        lambda cells: cells.append(code("x", "1 + 1")),
        lambda cells: cells.pop(4),
        lambda cells: cells.insert(1, cells.pop(3)),
        lambda cells: cells[3].update(cell_type="raw"),
    ],
    ids=["an answer", "a note", "a new cell", "a deleted cell", "a moved cell", "another kind of cell"],
)
def test_a_copy_in_which_the_learner_worked_stays(course: Course, change):
    course.work("01_attention", change)
    worked_in = (course.copies / "01_attention.ipynb").read_bytes()
    course.publish("01_attention", *NEWER)
    assert making.update() == []
    assert (course.copies / "01_attention.ipynb").read_bytes() == worked_in
    assert making.outdated() == ["01_attention"]


def test_new_outputs_in_the_course_are_no_newer_version(course: Course):
    cells = first_version()
    cells[1]["outputs"] = []
    course.publish("01_attention", *cells)
    assert making.outdated() == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not a whole notebook"),
        (b'{"cells": [', "it is not a whole notebook"),
        (b"\xff\xfe\x00", "it is not a whole notebook"),
        (b"[" * 100_000, "it is not a whole notebook"),
        (b"<<<<<<< HEAD\n{}", "it is not a whole notebook"),
        (b"[1]", "it is not a notebook of Jupyter's format 4"),
        (b'{"nbformat": 3, "worksheets": []}', "it is not a notebook of Jupyter's format 4"),
        (b'{"nbformat": 3, "cells": []}', "it is not a notebook of Jupyter's format 4"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "it is not a notebook of Jupyter's"),
        (b'{"nbformat": 4, "cells": []}', "the course did not make it"),
        (b'{"nbformat": 4, "cells": [], "metadata": {"course_copy": {"of": "x"}}}', "the course did not make it"),
        (
            b'{"nbformat": 4, "cells": [], "metadata": {"course_copy": {"of": "00_start", "cells": []}}}',
            "the course did",
        ),
    ],
)
def test_a_file_that_is_no_copy_is_said_in_a_sentence_and_kept(course: Course, content: bytes, why: str):
    file = course.copies / "01_attention.ipynb"
    file.write_bytes(content)
    course.publish("00_start", markdown("00-00", "# 00, newer"))
    (said,) = making.update()
    assert said.startswith(f"my_course/01_attention.ipynb stays as it is, because {why}")
    assert said.endswith(": to have a copy of this notebook, give that file another name.")
    assert file.read_bytes() == content
    assert course.sources("00_start") == ["# 00, newer"]


def test_a_folder_with_a_notebooks_name_or_a_link_to_nothing_is_kept(course: Course):
    for name in ("00_start", "01_attention"):
        (course.copies / f"{name}.ipynb").unlink()
    (course.copies / "00_start.ipynb").mkdir()
    (course.copies / "01_attention.ipynb").symlink_to("elsewhere")
    said = making.update()
    assert said[0].startswith("my_course/00_start.ipynb stays as it is, because it cannot be read (")
    assert said[1].startswith("my_course/01_attention.ipynb stays as it is, because it is a link to nothing")
    assert (course.copies / "00_start.ipynb").is_dir()
    assert (course.copies / "01_attention.ipynb").is_symlink()


def test_other_files_are_left_alone(course: Course):
    others = ["notes.txt", "mine.ipynb", "01_attention-Copy1.ipynb", "former/mine_1.ipynb"]
    for name in others:
        (course.copies / name).write_text(f"{name} is mine")
    (course.copies / "renamed.ipynb").write_bytes((course.copies / "01_attention.ipynb").read_bytes())
    course.publish("01_attention", *NEWER)
    assert making.update() == []
    assert [(course.copies / name).read_text() for name in others] == [f"{name} is mine" for name in others]
    assert (course.copies / "renamed.ipynb").exists()


def test_a_damaged_notebook_of_the_course_is_said_and_the_others_are_copied(empty_course: Course):
    (empty_course.folder / "notebooks" / "00_start.ipynb").write_text("<<<<<<< HEAD")
    (said,) = making.update()
    assert said == "There is no copy of notebooks/00_start.ipynb, because it is not a whole notebook."
    assert empty_course.sources("01_attention")[0] == "# 01 · Attention"


def test_an_untouched_copy_of_a_notebook_with_a_new_name_is_moved_to_the_former_ones(course: Course):
    course.withdraw("01_attention")
    course.publish("02_attention", *first_version())
    assert making.successors() == {}
    making.update()
    assert not (course.copies / "01_attention.ipynb").exists()
    assert len(course.former("01_attention")) == 1
    assert course.sources("02_attention")[0] == "# 01 · Attention"
    assert making.successors() == {}


def test_a_worked_in_copy_of_a_notebook_with_a_new_name_stays_and_its_successors_are_known(course: Course):
    course.answer("01_attention", 2, "scores")
    course.withdraw("01_attention")
    course.publish("02_weights", code("02-00", STUB.format("weights")), code("02-01", STUB.format("mask")))
    course.publish("01_scores", code("01-00", STUB.format("scores")), code("01-01", STUB.format("weights")))
    making.update()
    assert "# mine" in course.sources("01_attention")[2]
    assert making.successors() == {"01_attention": ["01_scores", "02_weights"]}


def test_a_file_that_is_saved_while_it_is_to_be_replaced_stays(course: Course, monkeypatch: pytest.MonkeyPatch):
    course.publish("01_attention", *NEWER)
    keep = making.keep

    def keep_and_save(file: Path, content: bytes) -> Path:
        course.answer("01_attention", 2, "scores")
        return keep(file, content)

    monkeypatch.setattr(making, "keep", keep_and_save)
    making.update()
    assert "# mine" in course.sources("01_attention")[2]


# Crashes, and several processes


CRASH = """
replace, calls = Path.replace, []
def replace_or_die(self, target):
    calls.append(target)
    os._exit(9) if len(calls) == {at} else replace(self, target)
Path.replace = replace_or_die
{action}
"""


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_crash_in_the_middle_of_an_update_loses_nothing(course: Course, at: int):
    course.run("00_start")
    course.run("01_attention")
    ran = [(course.copies / f"{name}.ipynb").read_bytes() for name in ("00_start", "01_attention")]
    course.publish("00_start", markdown("00-00", "# 00, newer"))
    course.publish("01_attention", *NEWER)
    assert script(course.folder, CRASH.format(at=at, action="making.update()")).returncode == 9
    files = {path.read_bytes() for path in course.copies.rglob("*.ipynb")}
    assert set(ran) <= files
    assert all(json.loads(content) for content in files)
    making.update()
    assert course.sources("00_start") == ["# 00, newer"]
    assert course.sources("01_attention")[-1] == "One more thing."
    assert set(ran) <= {path.read_bytes() for path in (course.copies / "former").iterdir()}
    assert not list(course.copies.rglob("*.unfinished"))


def test_two_commands_at_once_do_their_work_one_after_the_other(empty_course: Course):
    with ThreadPoolExecutor() as threads:
        ended = list(threads.map(script, 3 * [empty_course.folder], 3 * ["making.update()"]))
    assert [each.stderr for each in ended] == ["", "", ""]
    assert len(empty_course.sources("01_attention")) == 7
    assert empty_course.former("01_attention") == []


def test_a_folder_that_another_command_keeps_locked_is_said(course: Course, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(making, "LOCK_SECONDS", 0.1)
    with (
        FileLock(course.copies / ".lock"),
        pytest.raises(FolderError, match=r"another notebook or command has kept my_course locked for 0\.1 seconds"),
    ):
        making.update()


@pytest.mark.parametrize("breaks", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.mkdir"])
@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "my_course cannot be written to (Read-only file system)")],
)
def test_a_full_or_read_only_disk_is_said_in_half_a_sentence_and_nothing_is_lost(
    course: Course, monkeypatch: pytest.MonkeyPatch, breaks: str, number: int, words: str
):
    course.run("01_attention")
    ran = (course.copies / "01_attention.ipynb").read_bytes()
    course.publish("01_attention", *NEWER)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(breaks, fail)
        with pytest.raises(FolderError) as raised:
            making.update()
    assert str(raised.value) == words
    assert (course.copies / "01_attention.ipynb").read_bytes() == ran
    making.update()
    assert course.sources("01_attention")[-1] == "One more thing."
