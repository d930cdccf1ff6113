"""Processes for the runs of a study: as many as there are cores, each on one thread, that end with their starter."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection


def cores() -> int:
    """How many processes can compute at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Give an executor of so many processes. Where an error or Ctrl-C ends the block, they end at once, whatever
    they are doing.

    They also end if the process that started them is killed, and leave Ctrl-C to it.
    """
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        # What takes long to load, once for all processes. Adam needs the last one.
        context.set_forkserver_preload(["course_lib.experiments.running", "torch._dynamo"])
    reader, writer = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(reader,))
    try:
        yield executor
    except BaseException:
        writer.close()  # Each process sees this, and ends at once.
        raise
    finally:
        executor.shutdown(cancel_futures=True)
        writer.close()
        reader.close()


def is_worker() -> bool:
    """Whether this process was started by another one of Python's, such as to import a script again."""
    return multiprocessing.parent_process() is not None


def _begin(alive: Connection) -> None:
    """Prepare a new process: it leaves Ctrl-C to its starter, and ends when that closes its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_starter, args=(alive,), daemon=True).start()


def _end_with_starter(alive: Connection) -> None:
    try:
        alive.recv()
    except (EOFError, OSError):
        os._exit(0)
