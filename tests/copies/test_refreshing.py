"""A learner's answers, notes and experiments reach the newest version of a notebook, and the earlier copy is kept."""

import re
from pathlib import Path

import pytest

from course_lib.copies import making
from course_lib.copies.merging import ABOUT_THE_END, HEADING
from course_lib.copies.refreshing import refresh
from course_lib.data.folders import FolderError
from tests.copies.course import ANSWER, STUB, Course, code, first_version, markdown, script, tagged

END = f"{HEADING}\n\n{ABOUT_THE_END}"


def second_version() -> list[dict]:
    """The same exercises, with other prose, another stub, other ids from the second cell on, and a new cell."""
    return [
        markdown("01-00", "# 01 · Attention, second edition"),
        markdown("01-01", "A new bridge."),
        code("01-02", "import torch"),
        code("01-03", STUB.format("scores").replace("(x)", "(x, y=0)")),
        markdown("01-04", "An explanation."),
        code("01-05", "scores([1, 2])"),
        code("01-06", STUB.format("weights")),
        markdown("01-07", "The very end."),
    ]


def test_an_answer_takes_the_place_of_the_stub_and_the_earlier_copy_is_kept(course: Course):
    course.answer("01_attention", 2, "scores")
    earlier = (course.copies / "01_attention.ipynb").read_bytes()
    course.publish("01_attention", *second_version())
    (said,) = refresh()
    assert said.startswith("my_course/01_attention.ipynb is the newest version, with your answer to scores. Your earl")
    assert said.endswith(" Your earlier copy is my_course/former/01_attention_001.ipynb.")
    expected = ["".join(cell["source"]) for cell in second_version()]
    expected[3] = ANSWER.format("scores")
    assert course.sources("01_attention") == expected
    assert [path.read_bytes() for path in course.former("01_attention")] == [earlier]
    assert making.outdated() == []
    assert refresh() == ["Your copies are the newest versions already."]
    assert making.update() == []
    assert course.sources("01_attention") == expected


def test_a_cell_that_was_unfolded_is_brought_nowhere_and_is_folded_again(course: Course):
    tells = tagged(code("01-08", "assert scores([1, 2]) == [1, 2]"), "tells-the-answer")
    course.publish("01_attention", *first_version(), tells)
    making.update()
    course.answer("01_attention", 2, "scores")
    course.work("01_attention", lambda cells: cells[-1].update(metadata={}))
    course.publish("01_attention", *second_version(), tells)
    (said,) = refresh()
    assert said.startswith("my_course/01_attention.ipynb is the newest version, with your answer to scores. Your earl")
    assert [cell["metadata"] for cell in course.read("01_attention")["cells"]] == [
        *({} for _ in second_version()),
        {"jupyter": {"source_hidden": True}},
    ]


def test_what_was_brought_survives_the_next_update_too(course: Course):
    course.answer("01_attention", 2, "scores")
    course.work("01_attention", lambda cells: cells.insert(3, markdown("note", "My note.")))
    course.publish("01_attention", *second_version())
    refresh()
    course.answer("01_attention", 7, "weights")
    course.publish("01_attention", *first_version())
    making.update()
    assert "is the newest version, with your answers to scores, weights and 1 other cell of yours." in refresh()[0]
    expected = ["".join(cell["source"]) for cell in first_version()]
    expected[2], expected[5] = ANSWER.format("scores"), ANSWER.format("weights")
    expected.insert(3, "My note.")
    assert course.sources("01_attention") == expected
    assert len(course.former("01_attention")) == 2


@pytest.mark.parametrize("written", ["@exercise('scores')", "@exercise( scores )", "@exercise", "@exercise  # mine"])
def test_an_answer_is_recognized_however_its_decorator_is_written(course: Course, written: str):
    answer = f"# first a remark\n{written}\ndef scores(x):\n    return x"
    course.work("01_attention", lambda cells: cells[2].update(source=answer))
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention")[3] == answer


def test_an_answer_without_its_decorator_comes_along(course: Course):
    answer = "def scores(x):\n    return x"
    course.work("01_attention", lambda cells: cells[2].update(source=answer))
    course.publish("01_attention", *second_version()[:3], code("01-03", STUB.format("scores")))
    refresh()
    assert course.sources("01_attention")[3] == answer


def test_added_cells_stay_behind_the_cell_that_they_followed(course: Course):
    def add(cells: list[dict]) -> None:
        cells.insert(6, code("b", "weights([1])", "shown"))
        cells.insert(3, code("twice", "1 + 1"))
        cells.insert(2, code("twice-too", "1 + 1"))
        cells.insert(0, markdown("a", "Read in the train."))

    course.work("01_attention", add)
    course.publish("01_attention", *second_version())
    assert "with 4 other cells of yours." in refresh()[0]
    sources = course.sources("01_attention")
    assert sources[0] == "Read in the train."
    assert sources[sources.index("import torch") + 1] == "1 + 1"
    stubs = [number for number, source in enumerate(sources) if source.startswith("@exercise")]
    assert [sources[number + 1] for number in stubs] == ["1 + 1", "weights([1])"]
    assert all(cell.get("outputs", []) == [] for cell in course.read("01_attention")["cells"])
    ids = [cell["id"] for cell in course.read("01_attention")["cells"]]
    assert len(set(ids)) == len(ids)


def test_a_cell_of_the_course_that_only_the_learner_changed_stays_changed(course: Course):
    course.work("01_attention", lambda cells: cells[4].update(source="scores([3, 4])"))
    course.work("01_attention", lambda cells: cells[3].update(source="An explanation. I see."))
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention")[4:6] == ["An explanation. I see.", "scores([3, 4])"]


def test_what_has_lost_its_place_goes_to_the_end_under_a_heading(course: Course):
    def change(cells: list[dict]) -> None:
        cells[6]["source"] = "The end. Mine."
        cells[5]["source"] = ANSWER.format("weights")
        cells.insert(5, code("mine", "scores([5])"))

    course.work("01_attention", change)
    course.publish("01_attention", *second_version()[:5])
    assert "with 3 other cells of yours at its end." in refresh()[0]
    assert course.sources("01_attention")[5:] == [END, "scores([5])", ANSWER.format("weights"), "The end. Mine."]
    course.publish("01_attention", *second_version()[:4], markdown("01-04", "An explanation. Newer."))
    refresh()
    assert course.sources("01_attention").count(END) == 1
    assert len(course.sources("01_attention")) == 9


def test_a_deleted_cell_of_the_course_comes_back_and_an_unchanged_stub_is_the_new_one(course: Course):
    course.work("01_attention", lambda cells: cells.pop(3))
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention") == ["".join(cell["source"]) for cell in second_version()]


def test_a_second_attempt_in_a_cell_of_its_own_stays_behind_the_first(course: Course):
    again = ANSWER.format("scores") + " again"
    course.answer("01_attention", 2, "scores")
    course.work("01_attention", lambda cells: cells.insert(3, code("again", again)))
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention")[3:5] == [ANSWER.format("scores"), again]


def test_an_answer_in_a_new_cell_takes_the_place_of_a_stub_that_was_deleted(course: Course):
    course.work("01_attention", lambda cells: cells.insert(2, code("new", ANSWER.format("scores"))))
    course.work("01_attention", lambda cells: cells.pop(3))
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention")[3] == ANSWER.format("scores")
    assert len(course.sources("01_attention")) == 8


def test_a_notebook_without_ids_is_brought_along_by_its_texts(course: Course):
    def forget_ids(cells: list[dict]) -> None:
        cells[2]["source"] = ANSWER.format("scores")
        cells.insert(4, markdown("", "My note."))
        for cell in cells:
            del cell["id"]

    course.work("01_attention", forget_ids)
    course.publish("01_attention", *second_version())
    refresh()
    assert course.sources("01_attention")[3:6] == [ANSWER.format("scores"), "An explanation.", "My note."]
    assert len({cell["id"] for cell in course.read("01_attention")["cells"]}) == 9
    assert len(course.sources("01_attention")) == 9


def test_pictures_that_the_learner_attached_come_along(course: Course):
    picture = {"a.png": {"image/png": "AAAA"}}
    note = markdown("note", "![mine](attachment:a.png)") | {"attachments": picture}
    course.work("01_attention", lambda cells: cells.append(note))
    course.publish("01_attention", *second_version()[:7])
    refresh()
    assert course.read("01_attention")["cells"][-1]["attachments"] == picture


def test_an_untouched_copy_is_replaced_and_a_missing_one_made(course: Course):
    course.publish("01_attention", *second_version())
    assert "my_course/01_attention.ipynb is the newest version." in refresh(["01"])[0]
    assert course.sources("01_attention")[1] == "A new bridge."
    (course.copies / "00_start.ipynb").unlink()
    assert refresh(["0"]) == ["my_course/00_start.ipynb is the newest version."]


@pytest.mark.parametrize("name", ["01_attention", "1", "01", "01_attention.ipynb", "my_course/01_attention.ipynb"])
def test_only_the_named_notebook_is_refreshed(course: Course, name: str):
    for notebook, cell, exercise in (("00_start", 1, "softmax"), ("01_attention", 2, "scores")):
        course.answer(notebook, cell, exercise)
    course.publish("00_start", markdown("00-00", "# 00, newer"), code("00-01", STUB.format("softmax")))
    course.publish("01_attention", *second_version())
    assert len(refresh([name, name])) == 1
    assert making.outdated() == ["00_start"]


def test_a_name_of_no_notebook_is_refused(course: Course):
    with pytest.raises(ValueError, match=r"no notebook `attention`: choose among 00_start, 01_attention\.$"):
        refresh(["attention"])


@pytest.mark.parametrize("content", [b"{", b'{"nbformat": 4, "cells": []}'])
def test_a_file_that_is_no_copy_is_refused_and_kept(course: Course, content: bytes):
    (course.copies / "01_attention.ipynb").write_bytes(content)
    with pytest.raises(ValueError, match=r"^my_course/01_attention\.ipynb stays as it is, because .+\.$"):
        refresh(["01_attention"])
    assert (course.copies / "01_attention.ipynb").read_bytes() == content


# Notebooks with new names


def divide(course: Course) -> None:
    """An update that makes two notebooks of one, with other ids."""
    course.withdraw("01_attention")
    course.publish(
        "02_scores",
        markdown("02-00", "# 02 · Scores"),
        code("02-01", STUB.format("scores")),
        markdown("02-02", "An explanation."),
        code("02-03", STUB.format("mask")),
    )
    course.publish("03_weights", markdown("03-00", "# 03 · Weights"), code("03-01", STUB.format("weights")))
    making.update()


def answer_all(course: Course) -> bytes:
    course.answer("01_attention", 2, "scores")
    course.answer("01_attention", 5, "weights")
    course.work("01_attention", lambda cells: cells[6].update(source="The end. Mine."))
    course.work("01_attention", lambda cells: cells.insert(4, markdown("n", "A note on scores.")))
    course.work("01_attention", lambda cells: cells.insert(6, markdown("n2", "A note on what is gone.")))
    return (course.copies / "01_attention.ipynb").read_bytes()


@pytest.mark.parametrize("names", [[], ["01_attention"], ["02_scores"], ["3"]])
def test_the_answers_of_a_divided_notebook_reach_both_parts(course: Course, names: list[str]):
    earlier = answer_all(course)
    divide(course)
    (said,) = refresh(names)
    assert said.endswith("Your earlier copy is my_course/former/01_attention_001.ipynb.")
    assert course.sources("02_scores") == [
        "# 02 · Scores",
        ANSWER.format("scores"),
        "An explanation.",
        "A note on scores.",
        STUB.format("mask"),
        END,
        "A note on what is gone.",
        "The end. Mine.",
    ]
    assert course.sources("03_weights") == ["# 03 · Weights", ANSWER.format("weights")]
    assert not (course.copies / "01_attention.ipynb").exists()
    assert [path.read_bytes() for path in course.former("01_attention")] == [earlier]
    assert refresh() == ["Your copies are the newest versions already."]


def test_an_answer_that_the_learner_gave_in_the_new_notebook_stays(course: Course):
    answer_all(course)
    divide(course)
    newer = ANSWER.format("scores") + ", newer"
    course.work("02_scores", lambda cells: cells[1].update(source=newer))
    refresh()
    assert course.sources("02_scores")[1] == newer
    assert ANSWER.format("scores") not in course.sources("02_scores")
    assert course.sources("03_weights")[1] == ANSWER.format("weights")


def test_an_answer_whose_exercise_is_in_another_notebook_now_goes_there(course: Course):
    answer_all(course)
    course.publish("01_attention", *second_version()[:6])
    course.publish("02_weights", markdown("02-00", "# 02 · Weights"), code("02-01", STUB.format("weights")))
    making.update()
    (said,) = refresh()
    assert said.startswith("my_course/01_attention.ipynb is the newest version, with your answer to scores")
    assert "my_course/02_weights.ipynb is the newest version, with your answer to weights." in said
    assert course.sources("02_weights")[1] == ANSWER.format("weights")
    assert ANSWER.format("weights") not in course.sources("01_attention")


def test_a_notebook_of_the_course_in_which_the_learner_worked_gives_a_copy_whose_answers_stay(empty_course: Course):
    cells = first_version()
    cells[2]["source"] = ANSWER.format("scores")
    empty_course.publish("01_attention", *cells)
    making.update()
    assert empty_course.sources("01_attention")[2] == ANSWER.format("scores")
    empty_course.publish("01_attention", *second_version())
    making.update()
    assert empty_course.sources("01_attention")[2] == ANSWER.format("scores")
    assert "with your answer to scores." in refresh()[0]
    assert empty_course.sources("01_attention")[1] == "A new bridge."
    assert empty_course.sources("01_attention")[3] == ANSWER.format("scores")


def test_a_file_in_the_way_of_one_notebook_does_not_keep_the_others_from_being_refreshed(course: Course):
    answer_all(course)
    course.answer("00_start", 1, "softmax")
    divide(course)
    course.publish("00_start", markdown("00-00", "# 00, newer"), code("00-01", STUB.format("softmax")))
    (course.copies / "02_scores.ipynb").write_text("{")
    said = refresh()
    assert [sentence.split()[0] for sentence in said] == ["my_course/00_start.ipynb", "my_course/03_weights.ipynb"]
    assert course.sources("03_weights")[1] == ANSWER.format("weights")
    at_the_end = [ANSWER.format("scores"), "A note on scores.", "A note on what is gone.", "The end. Mine."]
    assert course.sources("03_weights")[-4:] == at_the_end
    assert (course.copies / "02_scores.ipynb").read_text() == "{"


def test_a_copy_whose_only_successor_is_no_notebook_stays_as_it_is(course: Course):
    earlier = answer_all(course)
    course.withdraw("01_attention")
    course.publish("02_all", *second_version())
    (course.copies / "02_all.ipynb").write_text("{")
    expected = (
        "my_course/01_attention.ipynb stays as it is, because of my_course/02_all.ipynb: it is not a whole notebook."
    )
    assert refresh() == [expected]
    assert (course.copies / "01_attention.ipynb").read_bytes() == earlier


# Crashes


CRASH = """
replace, calls = Path.replace, []
def replace_or_die(self, target):
    calls.append(target)
    os._exit(9) if len(calls) == int(sys.argv[1]) else replace(self, target)
Path.replace = replace_or_die
refreshing.refresh()
"""


@pytest.mark.parametrize("at", range(1, 8))
def test_a_crash_in_the_middle_of_a_refresh_loses_nothing(course: Course, at: int):
    answer_all(course)
    course.answer("00_start", 1, "softmax")
    divide(course)
    course.publish("00_start", markdown("00-00", "# 00, newer"), code("00-01", STUB.format("softmax")))
    assert script(course.folder, CRASH, str(at)).returncode == 9
    assert all(re.search(rf"def {name}\(x\):\\n.*# mine", course.everything()) for name in ("softmax", "scores"))
    making.update()
    refresh()
    assert course.sources("00_start")[1] == ANSWER.format("softmax")
    assert course.sources("02_scores").count(ANSWER.format("scores")) == 1
    assert course.sources("02_scores").count("A note on scores.") == 1
    assert course.sources("02_scores").count("A note on what is gone.") == 1
    assert course.sources("02_scores").count("The end. Mine.") == 1
    assert course.sources("03_weights").count(ANSWER.format("weights")) == 1


@pytest.mark.parametrize("at", range(1, 5))
def test_a_crash_while_an_answer_goes_to_another_notebook_loses_nothing(course: Course, at: int):
    answer_all(course)
    course.publish("01_attention", *second_version()[:6])
    course.publish("02_weights", markdown("02-00", "# 02 · Weights"), code("02-01", STUB.format("weights")))
    making.update()
    assert script(course.folder, CRASH, str(at)).returncode == 9
    refresh()
    assert course.sources("01_attention")[3] == ANSWER.format("scores")
    assert course.sources("02_weights") == ["# 02 · Weights", ANSWER.format("weights")]


def test_a_notebook_that_is_saved_again_and_again_is_left_alone(course: Course, monkeypatch: pytest.MonkeyPatch):
    course.answer("01_attention", 2, "scores")
    course.publish("01_attention", *second_version())
    keep, saved = making.keep, []

    def keep_and_save(file: Path, content: bytes) -> Path:
        course.work("01_attention", lambda cells: cells.append(markdown(f"n{len(saved)}", f"Note {len(saved)}.")))
        saved.append(content)
        return keep(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(making, "keep", keep_and_save)
        with pytest.raises(FolderError, match="another program keeps changing 01_attention: save the notebook there"):
            refresh()
    assert course.sources("01_attention")[-1] == "Note 2."
    refresh()
    assert {"Note 0.", "Note 1.", "Note 2.", ANSWER.format("scores")} <= {*course.sources("01_attention")}
