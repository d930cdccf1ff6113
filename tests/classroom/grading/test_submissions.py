"""The source of an answer is found in a submitted notebook, whatever a student did to its cells."""

from textwrap import dedent

import pytest

from course_lib.copies.notebook import Notebook, exercise_of
from tests.classroom.handed_in import code, notebook, submitted, with_cells

NAME = "attention_weights"


def answered(text: str) -> Notebook:
    return notebook({NAME: dedent(text)})


def weights_of(made: Notebook) -> object:
    """What the answer's source defines."""
    names: dict = {}
    exec(submitted(made, NAME).source, names)
    return names[NAME]


def test_an_untouched_cell_is_not_answered():
    assert submitted(notebook(), NAME).status == "not answered"


def test_an_emptied_cell_is_missing_unless_its_mark_is_there():
    assert submitted(answered(""), NAME).status == "missing"
    made = notebook()
    for cell in made.cells:
        if exercise_of(cell) == NAME:
            cell["source"], cell["metadata"] = "", {"nbgrader": {"grade_id": NAME}}
    assert submitted(made, NAME).status == "not answered"


def test_helpers_imports_and_constants_of_other_cells_come_along_and_nothing_else():
    made = with_cells(
        answered(f"""\
            @exercise("{NAME}")
            def own(scores):
                return helped(scores, AXIS)
            """),
        code("import math, torch as t\nAXIS = -1\nprint('nothing of this is run')\n1 / 0"),
        code("%time\ndef helped(x, axis):\n    return t.softmax(x * math.pi / math.pi, axis)"),
    )
    source = submitted(made, NAME).source
    assert "print" not in source
    assert "1 / 0" not in source
    assert callable(weights_of(made))


def test_the_answer_in_another_cell_counts_if_the_first_one_is_still_the_stub():
    made = with_cells(notebook(), code(f'@exercise("{NAME}")\ndef {NAME}(scores):\n    return 7'))
    assert weights_of(made)(None) == 7


def test_another_exercises_answer_is_imported_and_not_copied():
    made = answered(f'@exercise("{NAME}")\ndef {NAME}(scores):\n    return mix_values(scores, scores)')
    assert "from course_lib.yours import mix_values" in submitted(made, NAME).source


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("from course_lib.transformer.attention import attention_weights", "course_lib.transformer.attention"),
        ("import course_lib.transformer.attention as a", "course_lib.transformer.attention"),
        ("from course_lib.exercises.catalogue import find", "course_lib.exercises.catalogue"),
        ("frame = __import__('sys')._getframe", "_getframe"),
    ],
)
def test_code_of_the_course_and_the_insides_of_python_are_refused(line: str, word: str):
    answer = submitted(answered(f'@exercise("{NAME}")\ndef {NAME}(scores):\n    {line}\n    return scores'), NAME)
    assert answer.status == "refused"
    assert word in answer.reason


def test_what_the_notebook_itself_imports_from_the_course_is_allowed():
    made = answered(f'@exercise("{NAME}")\ndef {NAME}(scores):\n    return yours.softmax(scores, -1)')
    assert submitted(made, NAME).status == ""


@pytest.mark.parametrize("text", [f"@exercise('{NAME}')\ndef {NAME}(:", f"@exercise('{NAME}')\nx = 1\0"])
def test_what_python_cannot_read_is_wrong_and_says_so(text: str):
    answer = submitted(answered(text), NAME)
    assert answer.status == "wrong"
    assert answer.reason.startswith("Python cannot read")
    assert answer.reason.endswith(".")


def test_a_cell_that_defines_something_else_is_wrong():
    answer = submitted(answered(f'# @exercise("{NAME}")\n@exercise("{NAME}")\ndef other(x):\n    return x'), NAME)
    assert answer.status == ""
    answer = submitted(answered(f"'''\n@exercise('{NAME}')\n'''\nx = 1"), NAME)
    assert answer.reason == f"The cell defines no `{NAME}`."
