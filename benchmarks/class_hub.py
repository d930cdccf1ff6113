"""Measure how long a hub takes to start, and until 20 students who come at once have a running kernel.

Run with `python -m benchmarks.class_hub` as root on Linux, where configurable-http-proxy is installed. Each student
logs in through the proxy, starts a server, starts a kernel in it, and waits until it has loaded the course. The
processor time is given too, which other programs on the machine disturb less than the elapsed time.
"""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor

import psutil

from course_lib.classroom.limits import own_memory, processes_of
from course_lib.classroom.room import open_room
from tests.classroom.server import RunningHub, open_folder, python_for_all, running_hub, why_no_hub
from tests.classroom.visitor import Visitor

UP, ALL_READY = 10, 180  # seconds


def work(hub: RunningHub, name: str, began: float) -> tuple[float, float, float]:
    """Log in, and start a kernel. Gives the seconds until the server, the kernel and the course in it were there."""
    visitor = Visitor(hub.address, name, hub.passwords()[name])
    visitor.log_in()
    visitor.start_server()
    server = time.monotonic() - began
    kernel = visitor.start_kernel()
    said = visitor.run("print(6 * 7)", kernel, seconds=600)
    assert said == "42\n", said
    running = time.monotonic() - began
    said = visitor.run("from course_lib import yours; print(yours.softmax.__name__)", kernel, seconds=600)
    assert said == "softmax\n", said
    return server, running, time.monotonic() - began


def worked(process: psutil.Process) -> float:
    """The seconds of processor time of a process and of the children that it waited for."""
    return sum(process.cpu_times()[:4])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=20)
    students = [f"student{number:02}" for number in range(1, parser.parse_args().students + 1)]
    reason = why_no_hub()
    if reason:
        print(f"Nothing is measured, because {reason}.")
        return 1
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start")
    with open_folder() as folder:
        python_for_all(folder)
        began = time.monotonic()
        with running_hub(folder, *students) as hub:
            up = time.monotonic() - began
            process = psutil.Process(hub.process.pid)
            starting = sum(map(worked, [process, *process.children()]))
            print(f"the hub was ready after {up:.1f} s (target {UP}), {starting:.1f} s of processor time", flush=True)
            began = time.monotonic()
            with ThreadPoolExecutor(len(students)) as pool:
                times = [*pool.map(lambda name: work(hub, name, began), students)]
            servers, kernels, courses = (max(column) for column in zip(*times, strict=True))
            uids = open_room(hub.room).uids
            processes = [process for name in students for process in processes_of(uids[name])]
            memory, seconds = sum(map(own_memory, processes)), sum(map(worked, processes))
    print(
        f"{len(students)} students had a server after {servers:.0f} s, a running kernel after {kernels:.0f} s "
        f"(target {ALL_READY}) and the course loaded in it after {courses:.0f} s; load {os.getloadavg()[0]:.1f}\n"
        f"each student took {seconds / len(students):.1f} s of processor time, and "
        f"{memory / len(students) / 1e6:.0f} MB of memory of their own"
    )
    return int(up > UP or kernels > ALL_READY)


if __name__ == "__main__":
    raise SystemExit(main())
