"""Grade answers with the course's own check, in processes that an answer can leave in no way that changes a grade.

How a grade comes about. The answer's source is taken from the submitted notebook; no cell is executed as it stands,
and what the notebook says about its own results does not count. A new process checks the answer as a notebook does,
and names its mistakes. What that process says is only believed if it says that the answer is wrong. If it says that
the answer is right, a second new process calls the answer in every case, and in the same cases with other numbers that
are drawn afresh, and sends back what the answer returned. This module, in the grader's process, compares that with
what the reference returns. Full points are given only for the right numbers.

What is defended, and how:

- An answer that forges its result: it exits with status 0, prints, patches `torch.allclose`, the check or the whole
  course, leaves threads or exit handlers behind, or writes to the grader's socket. The grade is decided in another
  process, and a message that holds no right numbers is worth nothing. The course's numbers are never in the answer's
  process, and a table of the known cases fails on the drawn ones.
- An answer that is the course's own function, under whatever name. Importing it is refused by reading the source; and
  in the second process the reference, and all other solutions to that exercise, raise an error when they are called.
- An answer that writes to the gradebook or another file, reads other students' files, starts programs, uses the
  network, or ends other processes: on Linux the kernel refuses it (Landlock), and elsewhere a hook does that sees what
  Python code does, but not what compiled code does.
- An answer that never ends, or takes all memory or floods its output: processor time, elapsed time, memory and the
  size of its message are limited. Each answer has a process of its own, so that the next one starts fresh.

What is not defended:

- The course is open. `solution("softmax")` shows a solution to everybody, and who types it in has a right answer.
- In exercises without fractions in their arguments, such as those that count words, no numbers can be drawn. A table
  of the results in the course's own cases passes there.
- What the check says beyond numbers, such as that a class trains, comes from the process of the answer. Code that
  returns the right numbers and patches the check can hide such a flaw.
- Code that reads its process's memory may find the course's helper functions, which are not themselves solutions.
- Without Landlock (macOS, Windows, Linux before 5.13), compiled code that an answer calls can write files.
- Faults in the kernel, in Python or in torch. Grade a class that you do not trust at all in a virtual machine.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from course_lib.classroom.grading import answering, messages
from course_lib.classroom.grading.submissions import Submitted, answers, course_imports
from course_lib.copies.notebook import Notebook, source
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.outcomes import Outcome, difference, run

CPU_SECONDS = 10  # for one task of one answer
SECONDS = 60.0  # for one task of one answer, on a machine that may be busy
SECONDS_TO_START = 180.0
PROGRAM = """\
import sys, json
sys.path[:] = json.loads(sys.argv[2])
from course_lib.classroom.grading import answering
answering.main()
"""

COURSE_CODE = (
    "Your answer calls the course's own `{name}` instead of computing it. Write it yourself, with torch and, if you "
    "like, `yours` for the parts of earlier exercises."
)
OTHER_NUMBERS = (
    "Your answer returns the right results for the numbers in the notebook and in the check, but not for others. "
    "Compute them from the arguments."
)


class GradingError(Exception):
    """Nothing can be graded. The message is a sentence that says why."""


@dataclass(frozen=True)
class Grade:
    """What an answer is worth, and why.

    Attributes:
        exercise: the name of the exercise.
        status: "right", "wrong", "not answered", "missing" (its cell is gone), or "refused" (it does not count).
        paragraphs: what the student reads.
        mistakes: the sentences of the known mistakes in the answer.
    """

    exercise: str
    status: str
    paragraphs: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether it gets its points."""
        return self.status == "right"


class Grader:
    """Grades answers, one after the other. Use it in a `with` statement, which ends its processes.

    Attributes:
        cpu_seconds: the processor time that one task of one answer has.

    Raises GradingError if it cannot start.
    """

    cpu_seconds = CPU_SECONDS

    def __init__(self) -> None:
        if not hasattr(os, "fork"):
            raise GradingError("Grading needs Linux or macOS: start it there, or in WSL on Windows.")
        self._seed = secrets.randbits(32)
        self._expected: dict[str, _Expected] = {}
        self._control, theirs = socket.socketpair()
        with theirs:
            self._nursery = subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM, str(theirs.fileno()), json.dumps(sys.path)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        self._control.settimeout(SECONDS_TO_START)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._nursery.wait(timeout=5)
        self._nursery.kill()
        self._nursery.wait()

    def grade_notebook(
        self, submission: Notebook, original: Notebook, exercises: Iterable[Exercise]
    ) -> dict[str, Grade]:
        """Grade the answers to some exercises in a student's notebook, by name.

        Takes the student's notebook, the course's, and the exercises that it asks.
        """
        exercises = list(exercises)
        submitted = answers(submission, original, exercises)
        given = sorted(modules_given(original))
        right: dict[str, str] = {}
        grades = {}
        for exercise in exercises:
            grade = self.grade(exercise, submitted[exercise.name], right, given)
            if grade.is_right:
                right[exercise.name] = submitted[exercise.name].source
            grades[exercise.name] = grade
        return grades

    def grade(
        self,
        exercise: Exercise,
        submitted: Submitted,
        parts: Mapping[str, str] | None = None,
        given: Iterable[str] = (),
    ) -> Grade:
        """Grade one answer.

        Args:
            exercise: what it answers.
            submitted: the answer.
            parts: the sources of the student's right answers to earlier exercises.
            given: modules of the course that the answer may import.
        """
        if submitted.status:
            return Grade(exercise.name, submitted.status, (submitted.reason,))
        order = {
            "exercise": exercise.name,
            "source": submitted.source,
            "parts": dict(parts or {}),
            "given": list(given),
            "seed": self._seed,
            "cpu_seconds": self.cpu_seconds,
        }
        said = self._carry_out(order | {"task": "words"})
        match said:
            case {"passed": True}:
                return self._verify(exercise, order)
            case {"passed": False, "paragraphs": list(paragraphs)}:
                kept = tuple(str(each)[:2000] for each in paragraphs[:10])
                if any(map(_is_about_course_code, kept)):
                    return _called_course_code(exercise)
                return Grade(exercise.name, "wrong", kept, known_mistakes(exercise, "\n".join(kept)))
        return _stopped(exercise, said)

    def _verify(self, exercise: Exercise, order: Mapping[str, Any]) -> Grade:
        """Decide on an answer that its own process calls right."""
        said = self._carry_out({**order, "task": "outcomes"})
        expected = self._expected_of(exercise)
        try:
            match said:
                case {"cases": list(cases), "float32": list(single), "drawn": list(drawn)}:
                    got, got_single, got_drawn = (_decoded(each) for each in (cases, single, drawn))
                case _:
                    return _stopped(exercise, said)
            return expected.judge(exercise, got, got_single, got_drawn)
        except (messages.Unreadable, RecursionError):
            return Grade(exercise.name, "refused", ("Your answer's process sent no results that could be read.",))

    def _expected_of(self, exercise: Exercise) -> "_Expected":
        if exercise.name not in self._expected:
            self._expected[exercise.name] = _Expected(exercise, self._seed)
        return self._expected[exercise.name]

    def _carry_out(self, order: Mapping[str, Any]) -> Any:
        """Let a new process carry out an order, and return its message, or {"error": why there is none}."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._tell(answering.FORK, [theirs.fileno()])
            content = b""
            reason = ""
            try:
                ours.settimeout(SECONDS)
                written = json.dumps(order).encode()
                ours.sendall(answering.LENGTH.pack(len(written)) + written)
                content, reason = _read_message(ours, time.monotonic() + SECONDS)
            except OSError:
                reason = "it ended Python"
            status = answering.LENGTH.unpack(self._tell(answering.KILL, []))[0]
        if reason:
            return {"error": _about_status(reason, status, self.cpu_seconds)}
        try:
            return messages.read(content)
        except messages.Unreadable:
            return {"error": "its process sent no results that could be read"}

    def _tell(self, word: bytes, sockets: list[int]) -> bytes:
        """Give the nursery a word, and return what it answers. Raises GradingError if it has ended."""
        try:
            socket.send_fds(self._control, [word], sockets)
            answer = self._control.recv(answering.LENGTH.size)
        except OSError:
            answer = b""
        if not answer:
            raise GradingError(
                "The process from which answers are started has ended: run the same command again, and `doctor` if it "
                "happens again."
            )
        return answer


@dataclass(frozen=True)
class _Drawn:
    """A case with drawn numbers: its position, and what is right there."""

    position: int
    expected: Outcome


class _Expected:
    """What the reference returns in an exercise's cases, and in those with drawn numbers in which answers agree."""

    def __init__(self, exercise: Exercise, seed: int) -> None:
        def outcome(solution: Any, arguments: tuple[Any, ...]) -> Outcome:
            return run(exercise.adapt(solution), arguments)

        self.in_cases = [outcome(exercise.reference, case.arguments) for case in exercise.every_case]
        self.in_float32 = [
            None if arguments is None else outcome(exercise.reference, arguments)
            for arguments in map(answering.singles, exercise.every_case)
        ]
        self.drawn = []
        for position, case in enumerate(exercise.every_case):
            arguments = answering.drawn(case, seed)
            if arguments is None:
                continue
            expected = outcome(exercise.reference, arguments)
            # Where right answers differ, such as for weights that do not add up to 1, the numbers mean nothing.
            if expected.error is None and all(
                outcome(each, arguments).matches(expected, exercise.returns, exact=False)
                for each in exercise.right_answers
            ):
                self.drawn.append(_Drawn(position, expected))

    def judge(
        self, exercise: Exercise, got: list[Outcome | None], single: list[Outcome | None], drawn: list[Outcome | None]
    ) -> Grade:
        """Decide on the outcomes of an answer that calls itself right."""
        count = len(exercise.every_case)
        if not len(got) == len(single) == len(drawn) == count or None in got:
            raise messages.Unreadable
        for position, case in enumerate(exercise.every_case):
            outcome, expected = got[position], self.in_cases[position]
            assert outcome is not None
            if outcome.matches(expected, exercise.returns, exact=not case.in_float64):
                continue
            right, in_single = self.in_float32[position], single[position]
            if right and in_single and in_single.matches(right, exercise.returns, exact=False):
                continue
            return _differs(exercise, outcome, expected)
        wrong = 0
        for each in self.drawn:
            outcome = drawn[each.position]
            wrong += outcome is None or not outcome.matches(each.expected, exercise.returns, exact=False)
        if self.drawn and 2 * wrong > len(self.drawn):
            return Grade(exercise.name, "refused", (OTHER_NUMBERS,))
        return Grade(exercise.name, "right", (f"Right in all {count} cases.",))


def _differs(exercise: Exercise, got: Outcome, expected: Outcome) -> Grade:
    """The grade of an answer that its own process calls right, though its results are not."""
    if got.error is not None:
        if _is_about_course_code(str(got.error)):
            return _called_course_code(exercise)
        words = f"it raises {str(got.error)[:300].rstrip('.')}"
    else:
        words = difference(got.value, expected.value, exercise.returns).rstrip(".") or "it changes its arguments"
    sentence = (
        f"The check was told that your answer is right, but called again without the course's code it is not: {words}."
    )
    return Grade(exercise.name, "refused", (sentence,))


def _called_course_code(exercise: Exercise) -> Grade:
    return Grade(exercise.name, "refused", (COURSE_CODE.format(name=exercise.name),))


def _is_about_course_code(words: str) -> bool:
    """Whether an error says that the course's own code was called, or was to be read."""
    refusals = ("PermissionError", "ImportError", "ModuleNotFoundError", "Permission denied", "KeyError")
    return answering.COURSE_CODE in words or ("course_lib" in words and any(each in words for each in refusals))


def _stopped(exercise: Exercise, said: Any) -> Grade:
    """The grade of an answer whose process sent no result."""
    reason = said.get("error") if isinstance(said, dict) else None
    words = str(reason)[:500] if reason else "its process sent no results that could be read"
    if _is_about_course_code(words):
        return _called_course_code(exercise)
    return Grade(exercise.name, "wrong", (f"Your answer could not be checked: {words}.",))


def known_mistakes(exercise: Exercise, text: str) -> tuple[str, ...]:
    """The sentences of an exercise's known mistakes that a text contains."""
    return tuple(dict.fromkeys(each.message for each in exercise.mistakes if each.message in text))


def _decoded(outcomes: list[Any]) -> list[Outcome | None]:
    return [None if each is None else messages.decode_outcome(each) for each in outcomes]


def _read_message(channel: socket.socket, deadline: float) -> tuple[bytes, str]:
    """Read a message: its content, or why there is none."""
    content = b""
    length = None
    while length is None or len(content) < length:
        left = deadline - time.monotonic()
        if left <= 0:
            return b"", f"it was not finished after {SECONDS:.0f} seconds"
        channel.settimeout(left)
        try:
            part = channel.recv(1 << 16)
        except TimeoutError:
            continue
        if not part:
            return b"", "it ended Python"
        content += part
        if length is None and len(content) >= answering.LENGTH.size:
            length = answering.LENGTH.unpack(content[: answering.LENGTH.size])[0]
            content = content[answering.LENGTH.size :]
            if length > messages.MOST_BYTES:
                return b"", "its results are too large"
    return content[:length], ""


def _about_status(reason: str, status: int, cpu_seconds: int) -> str:
    """Say why a process sent nothing, from what was seen and from how it ended."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return f"it was still running after {cpu_seconds} seconds of computing"
    if reason == "it ended Python" and os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
        return f"it ended Python with {signal.Signals(os.WTERMSIG(status)).name}"
    return reason


def modules_given(original: Notebook) -> set[str]:
    """The modules of the course that a notebook's own cells import, but for those of the exercises."""
    names = {name for cell in original.cells if cell["cell_type"] == "code" for name in course_imports(source(cell))}
    modules = {name.rpartition(".")[0] for name in names} | names
    left_out = ("course_lib.exercises", "course_lib.yours", "course_lib.lessons")
    return {name for name in modules if name != "course_lib" and not name.startswith(left_out)}
