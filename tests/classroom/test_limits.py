"""The processes of a member are found, measured and stopped."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from course_lib.classroom import limits
from course_lib.classroom.accounts import is_root
from course_lib.classroom.limits import Limits
from tests.classroom.server import reachable_python

UID = 61183
pytestmark = [
    pytest.mark.skipif(not is_root(), reason="only root can start a process as another user"),
    pytest.mark.skipif(reachable_python() is None, reason="other users can reach no Python"),
]


@contextmanager
def running(*megabytes: int, member: str = "") -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a user whom nobody else is, each with so much memory, as if a member's server had started them."""
    code = "import sys; held = b'x' * (int(sys.argv[1]) * 1_000_000); print('ready', flush=True); input()"
    python = reachable_python()
    assert python is not None
    processes = [
        subprocess.Popen(
            [python, "-c", code, str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"JUPYTERHUB_USER": member},
            user=UID,
            group=UID,
            extra_groups=[],
        )
        for size in megabytes
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="shared memory is known on Linux only")
def test_only_the_largest_process_is_stopped_and_only_above_the_limit():
    with running(20, 60) as (small, large):
        assert limits.stop_the_largest(UID, 200_000_000, server=small.pid) is None
        assert limits.stop_the_largest(UID, 50_000_000, server=small.pid).pid == large.pid
        assert large.wait(10) != 0
        assert small.poll() is None


def test_the_server_is_not_stopped_while_a_kernel_can_be():
    with running(60, 20) as (server, kernel):
        assert limits.stop_the_largest(UID, 50_000_000, server=server.pid).pid == kernel.pid
        kernel.wait(10)
        assert limits.stop_the_largest(UID, 50_000_000, server=server.pid).pid == server.pid


def test_all_processes_of_a_user_are_stopped_and_no_others():
    with running(1, 1) as processes:
        limits.stop_all(UID)
        assert [process.wait(10) < 0 for process in processes] == [True, True]
        assert psutil.Process().is_running()
        assert [*limits.processes_of(UID)] == []


def test_what_an_account_runs_besides_its_members_server_is_neither_counted_nor_stopped():
    with running(60) as (besides,), running(20, 30, member="ana") as (server, kernel):
        assert {process.pid for process in limits.processes_of(UID, "ana")} == {server.pid, kernel.pid}
        assert limits.stop_the_largest(UID, 100_000_000, server=server.pid, member="ana") is None
        assert limits.stop_the_largest(UID, 40_000_000, server=server.pid, member="ana").pid == kernel.pid
        limits.stop_all(UID, "ana")
        assert server.wait(10) < 0
        assert besides.poll() is None


def test_a_process_gets_its_limits_before_it_starts():
    chosen = Limits(memory=300_000_000, cpu_seconds=1, processes=50, file_bytes=1000)
    code = "x = bytearray(10**9)"
    ran = subprocess.run([sys.executable, "-c", code], preexec_fn=lambda: limits.apply(chosen), capture_output=True)
    assert b"MemoryError" in ran.stderr
    began = time.process_time()
    ran = subprocess.run([sys.executable, "-c", "while True: pass"], preexec_fn=lambda: limits.apply(chosen))
    assert ran.returncode < 0
    assert time.process_time() - began < 1
