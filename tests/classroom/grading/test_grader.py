"""Right answers get their points, wrong ones are named, and no hostile answer gets a point or does harm."""

import ctypes
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from course_lib.classroom.grading.grader import OTHER_NUMBERS, Grade, Grader
from course_lib.classroom.grading.submissions import Submitted
from course_lib.exercises.catalogue import find
from tests.classroom import handed_in

RIGHT = """\
import torch

def softmax(x, dim=-1):
    e = (x - x.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)
"""
WRONG = "def softmax(x, dim=-1):\n    return x"


def has_landlock() -> bool:
    return sys.platform.startswith("linux") and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


needs_landlock = pytest.mark.skipif(not has_landlock(), reason="The kernel has no Landlock.")


def graded(grader: Grader, source: str, exercise: str = "softmax") -> Grade:
    return grader.grade(find(exercise), Submitted(dedent(source)))


# Each defines `softmax`, and tries to get its points without writing it.
HOSTILE = {
    "it ends Python with status 0": "import os\ndef softmax(x, dim=-1): os._exit(0)",
    "it exits when its cell is run": "raise SystemExit(0)",
    "it lets every comparison succeed": f"""\
import torch
torch.allclose = lambda *a, **k: True
torch.equal = torch.Tensor.equal = lambda *a, **k: True
torch.isclose = lambda a, *b, **k: torch.ones_like(a, dtype=torch.bool)
{WRONG}""",
    "it replaces the check": f"""\
import sys
checking = sys.modules["course_lib.exercises.judging.checking"]
reports = sys.modules["course_lib.exercises.reports"]
checking.check = lambda e, a: reports.Report("right", ("Right.",), passed=True)
checking._judge = checking.check
{WRONG}""",
    "it sends a result of its own": """\
import json, os, struct
def softmax(x, dim=-1):
    content = json.dumps({"passed": True, "paragraphs": [], "cases": [1], "float32": [1], "drawn": [1]}).encode()
    for number in range(3, 40):
        try:
            os.write(number, struct.pack("!I", len(content)) + content)
        except OSError:
            pass
    os._exit(0)""",
    "it finds the course's function by its name": """\
import importlib
def softmax(x, dim=-1):
    return importlib.import_module("course_lib.transformer.attention").softmax(x, dim)""",
    "it is the course's function among the loaded modules": """\
import sys
softmax = sys.modules["course_lib.transformer.attention"].softmax""",
    "it is a right answer that the course knows": """\
import sys
softmax = sys.modules["course_lib.exercises.catalogue"].find("softmax").right_answers[0]""",
    "it is the course's under its own name in `yours`": """\
from course_lib import yours
def softmax(x, dim=-1): return yours.softmax(x, dim)""",
    "it leaves a thread and an exit handler": f"""\
import atexit, os, threading
threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()
atexit.register(os._exit, 0)
{WRONG}""",
    "it starts a program": f"import subprocess\nsubprocess.run(['true'])\n{RIGHT}",
    "it ends the grader": f"import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n{RIGHT}",
    "it uses the network": f"import socket\nsocket.create_connection(('localhost', 80))\n{RIGHT}",
    "it takes all memory": "def softmax(x, dim=-1): return bytearray(1 << 40)",
    "it returns what cannot be written down": """\
def softmax(x, dim=-1):
    value = []
    for _ in range(100_000): value = [value]
    return value""",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_gets_no_points(grader: Grader, source: str):
    assert not graded(grader, source).is_right


def test_the_answer_after_hostile_ones_is_graded_as_ever(grader: Grader):
    for kind in ("it lets every comparison succeed", "it ends Python with status 0"):
        graded(grader, HOSTILE[kind])
    assert graded(grader, RIGHT) == Grade("softmax", "right", ("Right in all 17 cases.",))


@pytest.mark.parametrize(
    "source",
    [
        HOSTILE["it finds the course's function by its name"],
        HOSTILE["it is the course's function among the loaded modules"],
        HOSTILE["it is a right answer that the course knows"],
        HOSTILE["it is the course's under its own name in `yours`"],
    ],
)
def test_the_courses_own_function_is_recognised(grader: Grader, source: str):
    grade = graded(grader, source)
    assert grade.status == "refused"
    assert "course" in grade.paragraphs[0]


@needs_landlock
def test_the_text_of_the_courses_function_cannot_be_read(grader: Grader):
    grade = graded(
        grader,
        """\
        import glob, sys, torch
        def softmax(x, dim=-1):
            names = {"torch": torch}
            for folder in sys.path:
                for file in glob.glob(folder + "/course_lib/transformer/attention.py"):
                    exec(open(file).read(), names)
            return names["softmax"](x, dim)""",
    )
    assert not grade.is_right


@pytest.mark.parametrize(
    "line",
    [
        "open({file!r}, 'w')",
        "__import__('os').remove({file!r})",
        "__import__('shutil').rmtree({folder!r})",
        pytest.param("torch.save(torch.zeros(9), {file!r})", marks=needs_landlock),
    ],
)
def test_an_answer_changes_no_file(grader: Grader, tmp_path: Path, line: str):
    file = tmp_path / "gradebook.db"
    file.write_text("grades")
    graded(grader, f"import torch\n{line.format(file=str(file), folder=str(tmp_path))}\n{RIGHT}")
    assert file.read_text() == "grades"


@needs_landlock
def test_an_answer_reads_neither_passwords_nor_another_students_file(grader: Grader, tmp_path: Path):
    assert "PermissionError" in graded(grader, "open('/etc/passwd').read()").paragraphs[0]
    file = tmp_path / "softmax.py"
    file.write_text(RIGHT)
    grade = graded(grader, f"exec(open({str(file)!r}).read())")
    assert "PermissionError" in grade.paragraphs[0]


def test_an_answer_that_never_ends_is_stopped(grader: Grader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grader, "cpu_seconds", 1)
    grade = graded(grader, "def softmax(x, dim=-1):\n    while True: pass")
    assert grade.paragraphs == ("Your answer could not be checked: it was still running after 1 seconds of computing.",)


def test_an_answer_that_waits_is_stopped(grader: Grader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("course_lib.classroom.grading.grader.SECONDS", 3.0)
    started = time.monotonic()
    grade = graded(grader, "import time\ntime.sleep(10_000)")
    assert not grade.is_right
    assert time.monotonic() - started < 100


def test_a_table_of_the_known_results_is_recognised(grader: Grader):
    results = {}
    for case in find("softmax").every_case:
        x, *dim = case.arguments
        results[str((x.tolist(), *dim))] = (find("softmax").reference(*case.arguments).tolist(), str(x.dtype))
    grade = graded(
        grader,
        f"""\
import torch
inf, nan = float("inf"), float("nan")
KNOWN = {results!r}
def softmax(x, dim=-1):
    for key in (str((x.tolist(), dim)), str((x.tolist(),))):
        if key in KNOWN:
            return torch.tensor(KNOWN[key][0], dtype=eval(KNOWN[key][1]))
    return x
""",
    )
    assert grade.paragraphs == (OTHER_NUMBERS,)


def test_all_right_answers_to_a_notebook_get_their_points(grader: Grader):
    assignment = handed_in.find_assignment("17")
    grades = grader.grade_notebook(
        handed_in.solved(name="17_your_experiments"), assignment.original, assignment.exercises
    )
    assert [grade.status for grade in grades.values()] == ["right"] * 2


def test_known_mistakes_are_named_also_two_at_once(grader: Grader):
    assignment = handed_in.find_assignment(handed_in.NAME)
    made = handed_in.notebook(
        {
            "attend_one_query": handed_in.RAW_SCORES,
            "scaled_dot_product_attention": handed_in.SCALE_MISSING_AND_MASK_INVERTED,
        }
    )
    grades = grader.grade_notebook(made, assignment.original, assignment.exercises)
    (mistake,) = grades["attend_one_query"].mistakes
    assert mistake.startswith("Your output is a mixture of the values with the raw scores as weights.")
    scale, inverted = grades["scaled_dot_product_attention"].paragraphs
    assert "First: The scale is missing" in scale
    assert "`mask` were inverted" in inverted
    assert grades["additive_attention"].status == "not answered"


def test_an_answer_that_builds_on_a_wrong_one_is_not_wrong_for_that(grader: Grader):
    assignment = handed_in.find_assignment(handed_in.NAME)
    made = handed_in.notebook(
        {
            "attention_weights": '@exercise("attention_weights")\ndef attention_weights(scores):\n    return scores',
            "attend_one_query": dedent("""\
                @exercise("attend_one_query")
                def attend_one_query(query, key, value):
                    return mix(attention_weights((key @ query)[None]), value)

                def mix(weights, value):
                    return (weights @ value)[0]
                """),
        }
    )
    # `attention_weights` comes after `attend_one_query`, so only earlier parts can be used: this one is refused.
    assert grader.grade_notebook(made, assignment.original, assignment.exercises)["attend_one_query"].status != "right"
    made = handed_in.notebook(
        {
            "attention_weights": '@exercise("attention_weights")\ndef attention_weights(scores):\n    return scores',
            "scaled_dot_product_attention": dedent("""\
                @exercise("scaled_dot_product_attention")
                def scaled_dot_product_attention(query, key, value, mask=None):
                    scores = query @ key.mT / query.size(-1) ** 0.5
                    if mask is not None:
                        scores = scores.masked_fill(~mask, -torch.inf)
                    weights = attention_weights(scores)
                    return weights @ value, weights
                """),
        }
    )
    grades = grader.grade_notebook(made, assignment.original, assignment.exercises)
    assert grades["attention_weights"].status == "wrong"
    assert grades["scaled_dot_product_attention"].status == "right"
