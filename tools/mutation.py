"""Plant faults in the library, one at a time, and name the test that fails for each. The faults are in `tools/faults`.

Run all with `python -m tools.mutation`, or some with `python -m tools.mutation transformer/cache rotary`: those in a
file or a room, and those with such words in their phrase. `--sample 200` tries so many of them, drawn at random. The
exit status is 1 if a fault survives, or if the text that it replaces does not occur exactly once in its file.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from tools.faults import FAULTS, ROOT, Fault, source_of

SECONDS_FOR_ONE = 240


def room_tests(file: str) -> list[Path]:
    """The tests that are run for a fault in a file of the library: those of its room, the file's own first.

    In `pretrained`, where each file of tests reads large models of its own, only the file's own tests are run.
    """
    room, name = file.rsplit("/", 1)
    own = ROOT / "tests" / room / f"test_{name}.py"
    if room == "pretrained":
        return [own]
    return sorted((ROOT / "tests" / room).glob("test_*.py"), key=lambda test: (test != own, test))


@dataclass
class FirstFailure:
    """Record the first test that fails, and errors before any test runs."""

    test: str | None = None
    broken: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.test is None:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(report.longreprtext.strip().splitlines()[-1])


def run_tests(file: str, source: str) -> FirstFailure:
    """Run the tests for `file` on a copy of the library in which `file` has this source.

    The copy stays imported in this process, so call this in a separate process.
    """
    torch.set_num_threads(1)
    # Studies refuse to start processes from a process that Python started; some tests let them.
    multiprocessing.parent_process = lambda: None
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    failure = FirstFailure()
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "course_lib"
        shutil.copytree(ROOT / "course_lib", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / f"{file}.py").write_text(source, encoding="utf-8")
        sys.path.insert(0, folder)
        # Tests may start Python, which would look for the library in the present folder first.
        os.environ.update(PYTHONSAFEPATH="1", PYTHONPATH=os.pathsep.join((folder, str(ROOT))))
        loaded = importlib.import_module("course_lib").__file__
        if loaded is None or Path(loaded).parent != package:
            raise RuntimeError(f"the tests should run on {package}, but run on {loaded}")
        with (
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            options = [
                "-x",
                "-q",
                "--noconftest",
                "--import-mode=append",
                "-p",
                "no:cacheprovider",
                "-o",
                "addopts=",
                "--rootdir",
                str(ROOT),
            ]
            for test in room_tests(file):
                if failure.test is None and not failure.broken:
                    pytest.main([*options, str(test)], plugins=[failure])
    return failure


def verdict(fault: Fault) -> tuple[Fault, bool, str]:
    """The fault, whether a test caught it, and the name of that test or another outcome."""
    try:
        failure = run_tests(fault.file, fault.plant(source_of(fault.file)))
    except LookupError as error:
        return fault, False, str(error)
    if failure.broken:
        return fault, False, f"BROKEN, not tested: {failure.broken[0]}"
    return (fault, True, failure.test.split("::")[1]) if failure.test else (fault, False, "SURVIVED")


def failing_without_a_fault(file: str) -> str | None:
    """The test of `file` that fails even without a fault; None if all pass, as they should."""
    failure = run_tests(file, source_of(file))
    return failure.test or (failure.broken[0] if failure.broken else None)


def in_a_process(context: Any, work: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own, and give what it returns.

    Raises:
        TimeoutError: it took longer than `SECONDS_FOR_ONE`.
        EOFError: the process ended without a result.
    """
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send_result, args=(sending, work, arguments))
    process.start()
    sending.close()
    try:
        with receiving:
            if not receiving.poll(SECONDS_FOR_ONE):
                raise TimeoutError(f"{work.__name__} took longer than {SECONDS_FOR_ONE} s for {arguments}")
            return receiving.recv()
    finally:
        process.kill()
        process.join()


def _send_result(sending: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sending.send(work(*arguments))


def is_selected(fault: Fault, word: str) -> bool:
    """Whether a word of the command line is the fault's room or file, or occurs in its phrase."""
    return word in (fault.file, *fault.file.split("/")) or word in fault.phrase


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults in these rooms or files, or with such words")
    parser.add_argument("--jobs", type=int, default=1, help="how many faults are tested at once")
    parser.add_argument("--sample", type=int, help="try only so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    arguments = parser.parse_args()
    chosen = [fault for fault in FAULTS if not arguments.words or any(is_selected(fault, w) for w in arguments.words)]
    if arguments.sample is not None:
        chosen = random.Random(arguments.seed).sample(chosen, min(arguments.sample, len(chosen)))

    start = time.perf_counter()
    # A forked process has already imported torch and transformers; on other systems each process imports them again.
    on_linux = sys.platform == "linux"
    context = multiprocessing.get_context("fork") if on_linux else multiprocessing.get_context("spawn")
    if on_linux:
        for name in ("bert", "gpt2", "llama", "marian", "olmo"):
            importlib.import_module(f"transformers.models.{name}.modeling_{name}")
    # Most files of one room have the same tests.
    for file in {frozenset(room_tests(fault.file)): fault.file for fault in chosen}.values():
        if fails := in_a_process(context, failing_without_a_fault, file):
            print(f"Without any fault, this fails: {fails}")
            return 1
    survivors = 0
    with ThreadPoolExecutor(arguments.jobs) as threads:
        for fault, caught, result in threads.map(partial(in_a_process, context, verdict), chosen):
            survivors += not caught
            print(f"{fault.file:21}  {fault.phrase:55}  {result}", flush=True)
    print(f"{len(chosen)} faults, {survivors} not caught, {time.perf_counter() - start:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
