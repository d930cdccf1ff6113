"""Grade 20 submissions of notebook 01 with nbgrader: 15 right and wrong ones, and 5 hostile ones of different kinds.

Run with `python -m benchmarks.class_grading`. It needs the extra `class`. The elapsed time counts, since a teacher
waits for it; processor time is given too, for machines that do something else besides.
"""

import os
import tempfile
import time
from pathlib import Path

from course_lib.classroom.autograding import Desk
from course_lib.copies.notebook import Notebook, exercise_of
from tests.classroom import handed_in
from tests.classroom.grading.test_grader import HOSTILE
from tests.classroom.handed_in import NAME

TARGET = 4 * 60  # seconds
KINDS = (
    "it ends Python with status 0",
    "it lets every comparison succeed",
    "it replaces the check",
    "it sends a result of its own",
    "it finds the course's function by its name",
)


def hostile(kind: str) -> Notebook:
    """A notebook in which every answer tries the same as that kind of `softmax` does."""
    made = handed_in.notebook()
    for cell in made.cells:
        if name := exercise_of(cell):
            text = (
                HOSTILE[kind].replace("softmax", name).replace("x, dim=-1", "*x, **named").replace("(x, dim)", "(*x)")
            )
            cell["source"] = text.replace(f"def {name}", f'@exercise("{name}")\ndef {name}').replace(
                "return x", "return x[0]"
            )
    return made


def submissions() -> dict[str, tuple[Notebook, float]]:
    """The notebooks of 20 students, and the points that each should get."""
    right, wrong = handed_in.solved(), handed_in.solved({"attend_one_query": handed_in.RAW_SCORES})
    two = handed_in.solved(
        {"scaled_dot_product_attention": handed_in.SCALE_MISSING_AND_MASK_INVERTED, "mix_values": handed_in.NOT_SUMMED}
    )
    ordinary = [(right, 13.0)] * 5 + [(wrong, 11.0)] * 5 + [(two, 9.0)] * 4 + [(handed_in.notebook(), 0.0)]
    every = [*ordinary, *((hostile(kind), 0.0) for kind in KINDS)]
    return {f"student{number:02d}": each for number, each in enumerate(every)}


def processor_seconds() -> float:
    """The processor time of this process and of those that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    """Grade the class, and print how long it took and what was graded wrongly."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "grading")
        desk.assign(NAME)
        expected = submissions()
        for student, (made, _) in expected.items():
            handed_in.write(desk.grading / "submitted" / student / NAME / f"{NAME}.ipynb", made)
        started, used = time.monotonic(), processor_seconds()
        results = {each.student: each.score for each in desk.grade(NAME)}
        seconds = time.monotonic() - started
        from course_lib.classroom.autograding import grader

        grader().__exit__()  # so that the time of its processes is known
        used = processor_seconds() - used
    wrong = {name: results.get(name) for name, (_, points) in expected.items() if results.get(name) != points}
    print(f"{len(results)} submissions graded in {seconds:.0f} s, {used:.0f} s of processor time")
    print(f"graded wrongly: {wrong or 'none'}")
    return int(bool(wrong) or min(seconds, used) > TARGET)


if __name__ == "__main__":
    raise SystemExit(main())
