"""The processes in which students' answers run: a nursery, and from it a new process for each answer and each task.

The nursery has loaded Python, torch and the course, which takes seconds, and has run no answer. For each task it forks
a process, which reads an order in JSON from a socket, confines itself, runs one answer, writes one message of JSON to
the socket, and ends. So nothing that an answer does reaches the next one. `grading` explains what this is good for.
"""

import gc
import inspect
import json
import linecache
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch

from course_lib.classroom.grading import confinement, messages
from course_lib.exercises import mistakes
from course_lib.exercises.cases import Case, in_float32, is_fractional
from course_lib.exercises.catalogue import all_exercises, find
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging import recognition
from course_lib.exercises.judging.outcomes import run

LENGTH = struct.Struct("!I")  # of a message, before it
SECONDS_TO_SEARCH = (
    2.0  # of computing time, for what explains a wrong answer; a notebook, where somebody waits, has less
)
COURSE_CODE = "the course's own code was called"
FORK, KILL = b"f", b"k"


def serve(control: socket.socket) -> None:
    """Be the nursery: for each socket that comes, fork a process that answers on it, and end it when told so."""
    all_exercises()
    tempfile.gettempdir()  # torch asks for it when it loads some of its parts, and finds it by writing a file
    torch.set_num_threads(1)
    gc.freeze()
    pid = 0
    while True:
        word, sockets, _, _ = socket.recv_fds(control, 1, 1)
        if word == FORK:
            pid = os.fork()
            if pid == 0:
                control.close()
                _answer(socket.socket(fileno=sockets[0]))
            os.close(sockets[0])
            control.sendall(b".")
        elif word == KILL:
            for kill in (os.kill, os.killpg):
                with suppress(OSError):  # it has ended
                    kill(pid, signal.SIGKILL)
            control.sendall(LENGTH.pack(os.waitpid(pid, 0)[1]))
        else:
            os._exit(0)  # The grader has ended.


def _answer(channel: socket.socket) -> None:
    """Be the process of one answer: carry out the order on the channel, whatever happens, and end."""
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # What an answer prints or asks for concerns nobody.
            os.dup2(nowhere, standard)
        os.environ.clear()
        order = json.loads(_receive(channel))
        task = {"words": _words, "outcomes": _outcomes}[order["task"]]
        content = json.dumps(task(order)).encode("utf-8", errors="replace")
        if len(content) > messages.MOST_BYTES:
            content = json.dumps({"error": "its results are too large"}).encode()
        channel.sendall(LENGTH.pack(len(content)) + content)
    finally:
        os._exit(0)


def _receive(channel: socket.socket) -> bytes:
    length = LENGTH.unpack(_exactly(channel, LENGTH.size))[0]
    return _exactly(channel, length)


def _exactly(channel: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        part = channel.recv(count - len(content))
        if not part:
            raise EOFError
        content += part
    return content


def _words(order: Mapping[str, Any]) -> dict[str, Any]:
    """What the course's check says to an answer."""
    exercise = find(order["exercise"])
    _lend_parts(exercise, order["parts"])
    confinement.confine([*confinement.folders_of_python(), Path(__file__).parents[2]], order["cpu_seconds"])
    try:
        answer = _define(exercise.name, order["source"])
    except BaseException as error:
        return {"error": f"it raises {_as_words(error)} when its cell is run"}
    recognition.SECONDS_TO_SEARCH = SECONDS_TO_SEARCH
    report = exercise.check(answer)
    return {"passed": report.passed, "paragraphs": [str(each)[:2000] for each in report.paragraphs[:10]]}


def _outcomes(order: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer returns in each case, and in each that was drawn, without the course's own code at hand."""
    exercise = find(order["exercise"])
    adapt, cases = exercise.adapt, exercise.every_case
    drawn_cases = [drawn(case, order["seed"]) for case in cases]
    single_cases = [singles(case) for case in cases]
    _lend_parts(exercise, order["parts"])
    _disarm(exercise)
    _hide_course(order["given"])
    confinement.confine(confinement.folders_of_python(), order["cpu_seconds"], forbidden_imports=("course_lib",))
    try:
        answer = _define(order["exercise"], order["source"])
        function = adapt(answer)
    except BaseException as error:
        return {"error": f"it raises {_as_words(error)} when its cell is run"}

    def outcome(arguments: tuple[Any, ...] | None) -> Any:
        return None if arguments is None else messages.encode_outcome(run(function, arguments))

    return {
        "cases": [outcome(case.arguments) for case in cases],
        "float32": [outcome(arguments) for arguments in single_cases],
        "drawn": [outcome(arguments) for arguments in drawn_cases],
    }


def drawn(case: Case, seed: int) -> tuple[Any, ...] | None:
    """A case's arguments with other fractions: each is multiplied by a random factor from 0.5 to 1.5.

    The same in every process for the same seed. None if there is no fraction in the arguments.
    """
    generator = torch.Generator().manual_seed(seed)

    def other(argument: Any) -> Any:
        if is_fractional(argument):
            factors = torch.rand(argument.shape, generator=generator, dtype=torch.float64) + 0.5
            return (argument.double() * factors).to(argument.dtype)
        if type(argument) in (list, tuple):
            return type(argument)(other(each) for each in argument)
        return argument

    return tuple(other(argument) for argument in case.arguments) if _holds_fractions(case.arguments) else None


def _holds_fractions(argument: Any) -> bool:
    if isinstance(argument, (list, tuple)):
        return any(map(_holds_fractions, argument))
    return is_fractional(argument) and argument.numel() > 0


def singles(case: Case) -> tuple[Any, ...] | None:
    """The arguments of a case in float64 with their numbers in float32; None for other cases."""
    return tuple(map(in_float32, case.arguments)) if case.in_float64 else None


def _define(name: str, source: str) -> Any:
    """Run the source of an answer, and return what it defines under the exercise's name."""
    file = f"<answer to {name}>"
    module = ModuleType("answer")
    sys.modules["answer"] = module
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    return getattr(module, name)


def _as_words(error: BaseException) -> str:
    with suppress(BaseException):
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(".: ")
    return type(error).__name__


class _Parts(ModuleType):
    """Stands for `course_lib.yours`: a student's right answers to earlier exercises, and the course's to the others."""

    def __init__(self, exercise: Exercise, sources: Mapping[str, str]) -> None:
        super().__init__("course_lib.yours")
        place = exercise.notebook, exercise.order
        self.__dict__["_sources"] = dict(sources)
        self.__dict__["_references"] = {
            each.name: each.reference for each in all_exercises() if (each.notebook, each.order) < place
        }
        self.__dict__["_name"] = exercise.name

    def __getattr__(self, name: str) -> Any:
        if name in self._sources:
            vars(self)[name] = _define(name, self._sources[name])
            return vars(self)[name]
        if name in self._references:
            return self._references[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"{COURSE_CODE}: an answer to {self._name} can use `yours` for earlier exercises only")


def _lend_parts(exercise: Exercise, sources: Mapping[str, str]) -> None:
    import course_lib

    parts = _Parts(exercise, sources)
    sys.modules["course_lib.yours"] = parts
    course_lib.yours = parts  # type: ignore[attr-defined]


def _disarm(exercise: Exercise) -> None:
    """Let the course's own answers to an exercise raise an error wherever they are called, in this process only."""
    solutions = [exercise.reference, *exercise.right_answers, *(each.implementation for each in exercise.mistakes)]
    for solution in solutions:
        for function in _functions_of(solution):
            function.__code__ = _refusal(function.__code__)
            function.__doc__ = None
    exercise.right_answers.clear()
    exercise.mistakes.clear()
    mistakes._source.cache_clear()
    linecache.clearcache()


def _functions_of(solution: Any) -> list[FunctionType]:
    """The functions of the course in one of its solutions; none of torch's, which a mistake may be."""
    members = [solution]
    if isinstance(solution, type):
        members = [getattr(each, "fget", each) for each in vars(solution).values()]
    functions = [each for each in map(inspect.unwrap, members) if isinstance(each, FunctionType)]
    return [each for each in functions if each.__module__.startswith("course_lib.")]


def _refusal(code: CodeType) -> CodeType:
    """Code that raises an error, with as many variables of enclosing functions as the code that it replaces."""
    names = [f"enclosing_{i}" for i in range(len(code.co_freevars))]
    body = "".join(f"        {name}\n" for name in names)
    text = (
        f"def around({', '.join(names)}):\n    def refuse(*arguments, **named):\n"
        f"        raise PermissionError({COURSE_CODE!r})\n{body}    return refuse\n"
    )
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    refusal: CodeType = namespace["around"](*names).__code__
    return refusal.replace(co_freevars=code.co_freevars)


def _hide_course(given: list[str]) -> None:
    """Forget all loaded modules of the course but those that the answer's notebook imports itself."""
    kept = {"course_lib", "course_lib.yours"}
    for name in given:
        with suppress(ImportError):
            __import__(name)
        while name:
            kept.add(name)
            name = name.rpartition(".")[0]
    for name in [each for each in sys.modules if each.partition(".")[0] == "course_lib" and each not in kept]:
        del sys.modules[name]


def main() -> None:
    """Start the nursery: `python -m course_lib.classroom.grading.answering NUMBER_OF_ITS_SOCKET`."""
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
