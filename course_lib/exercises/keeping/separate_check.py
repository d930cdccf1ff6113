"""Check saved parts in another process, in which they may loop, print, exit or crash without doing harm.

The other process reads one line of JSON, and writes one for each event: the check of a part starts or ends. If nothing
happens for too long, or the process ends, the part whose check started last is the cause. The parts that are left are
then checked by another process.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import psutil

# A check takes well under a second. These limits are for one part.
CPU_SECONDS = 10.0
SECONDS = 30.0
SECONDS_TO_START = 120.0  # to load PyTorch and the course

# sys.path is that of the learner's notebook, so that modules beside it are found.
PROGRAM = """\
import json, sys
order = json.loads(sys.stdin.readline())
sys.path[:] = order["path"]
from course_lib.exercises.keeping import separate_check
separate_check.answer(order)
"""


@dataclass(frozen=True)
class Verdict:
    """The result of a check of a saved part.

    Attributes:
        reason: the second half of a sentence that says why it is not used; "" if it passed.
        is_at_fault: whether the part itself is wrong. Otherwise it might pass in another place or at another time.
    """

    reason: str = ""
    is_at_fault: bool = True


# A version of a part: its name, and the digest of its source.
Version = tuple[str, str]


def check_separately(sources: Mapping[Version, bytes], known: Mapping[Version, Verdict]) -> dict[Version, Verdict]:
    """Check saved versions of parts, each for a limited time.

    Args:
        sources: the source of each version.
        known: verdicts on versions that these may use.

    Returns a verdict for each of the sources, and for other versions that they used.
    """
    verdicts: dict[Version, Verdict] = {}
    while left := {version: source for version, source in sources.items() if version not in verdicts}:
        verdicts |= _run(left, {**known, **verdicts})
    return verdicts


def _run(sources: Mapping[Version, bytes], known: Mapping[Version, Verdict]) -> dict[Version, Verdict]:
    """Check versions in one process, until all have a verdict or one of them stops it, which then has one too."""
    order = {
        "path": sys.path,
        "sources": [(version, source.decode("latin-1")) for version, source in sources.items()],
        "known": [(version, asdict(verdict)) for version, verdict in known.items()],
    }
    with subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Small tensors are fastest on one thread, and then the seconds of all threads are those of one.
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        # Ctrl-C is for the notebook or the command alone, which then ends this process.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:
        try:
            verdicts = _follow(process, order)
        finally:
            process.kill()
    if not verdicts:  # It has not come to the first one.
        return dict.fromkeys(sources, Verdict("it could not be checked", is_at_fault=False))
    return verdicts


def _follow(process: subprocess.Popen[bytes], order: Mapping[str, Any]) -> dict[Version, Verdict]:
    """Give a process its order, and collect its verdicts until it ends or takes too long."""
    assert process.stdin is not None
    with suppress(OSError):  # It has ended already, which is seen below.
        process.stdin.write(json.dumps(order).encode("ascii") + b"\n")
        process.stdin.flush()
    events: queue.Queue[list[Any] | None] = queue.Queue()
    threading.Thread(target=_read_events, args=(process, events), daemon=True).start()
    verdicts: dict[Version, Verdict] = {}
    under_way: list[Version] = []
    seconds_before, cpu_before = time.monotonic(), 0.0
    while True:
        try:
            event = events.get(timeout=0.1)
        except queue.Empty:
            stopped_by = _too_long(
                time.monotonic() - seconds_before, _cpu_seconds(process) - cpu_before, starts=not under_way
            )
            if stopped_by is None:
                continue
            break
        if event is None:
            status = process.wait()
            # Some systems kill a process if memory is short.
            stopped_by = Verdict(f"it ended Python with status {status} when it was checked", status >= 0)
            break
        kind, (name, digest), verdict = event
        if kind == "start":
            under_way.append((name, digest))
        else:
            under_way.remove((name, digest))
            verdicts[name, digest] = Verdict(**verdict)
        seconds_before, cpu_before = time.monotonic(), _cpu_seconds(process)
    return verdicts | dict.fromkeys(under_way[-1:], stopped_by)


def _too_long(seconds: float, cpu_seconds: float, starts: bool) -> Verdict | None:
    """The verdict on a version whose check takes too long; None while there is time left."""
    if starts:
        return Verdict() if seconds > SECONDS_TO_START else None
    if cpu_seconds > CPU_SECONDS:
        return Verdict(f"it was still running after {CPU_SECONDS:.0f} seconds")
    if seconds > SECONDS:
        # The computer may have been busy with something else.
        return Verdict(f"its check was not finished after {SECONDS:.0f} seconds", is_at_fault=False)
    return None


def _read_events(process: subprocess.Popen[bytes], events: "queue.Queue[list[Any] | None]") -> None:
    assert process.stdout is not None
    with suppress(ValueError):  # The pipe was closed, or the last line was cut off.
        for line in process.stdout:
            events.put(json.loads(line))
    events.put(None)


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    with suppress(psutil.Error):
        times = psutil.Process(process.pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def answer(order: Mapping[str, Any]) -> None:
    """Be the other process: check the versions that the order names, and end."""
    from course_lib.exercises.keeping import parts

    orders, events = os.dup(0), os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # What the parts print or ask for concerns nobody.
        os.dup2(nowhere, standard)
    threading.Thread(target=_end_with_parent, args=(orders,), daemon=True).start()

    def tell(kind: str, version: Version, verdict: Verdict) -> None:
        events.write(json.dumps([kind, version, asdict(verdict)]) + "\n")
        events.flush()

    sources = {(name, digest): source.encode("latin-1") for (name, digest), source in order["sources"]}
    known = {(name, digest): Verdict(**verdict) for (name, digest), verdict in order["known"]}
    parts.answer_order(sources, known, tell)
    # A part may have started a thread that does not end.
    os._exit(0)


def _end_with_parent(orders: int) -> None:
    """End this process when the one that started it ends, and with it the pipe from it."""
    os.read(orders, 1)
    os._exit(0)
