"""What the processes of one member of a class may use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Limits:
    """Limits for one member.

    Attributes:
        memory: bytes for all processes together, and for each one alone.
        cpu_seconds: how long one process may compute.
        processes: how many processes and threads a member may have; None if they are not limited.
        file_bytes: the size of one file.
        idle_seconds: after how long without use a server is stopped.
    """

    memory: int = 2_000_000_000
    cpu_seconds: int = 2 * 60 * 60
    processes: int | None = 400
    file_bytes: int = 2_000_000_000
    idle_seconds: int = 60 * 60


def apply(limits: Limits) -> None:
    """Limit this process and all that it will start. It is called in a new process, before another program runs."""
    assert sys.platform != "win32"
    import resource

    chosen = {
        # It counts what a process writes to, unlike the address space, of which PyTorch reserves many times more.
        resource.RLIMIT_DATA: limits.memory,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    if limits.processes is not None:
        chosen[resource.RLIMIT_NPROC] = limits.processes
    for kind, most in chosen.items():
        resource.setrlimit(kind, (most, most))


def processes_of(uid: int, member: str | None = None) -> Iterator[psutil.Process]:
    """The processes that run as a Unix user.

    Args:
        uid: the user.
        member: give only what this member's server started, since their account may run other programs as well.
    """
    for process in psutil.process_iter():
        try:
            if process.uids().real != uid:
                continue
            # JupyterHub tells each server whose it is, and what a server starts inherits that.
            if member is None or process.environ().get("JUPYTERHUB_USER") == member:
                yield process
        except psutil.Error:
            continue


def own_memory(process: psutil.Process) -> int:
    """The bytes that a process has for itself, without what it shares, such as the code of PyTorch."""
    try:
        memory = process.memory_info()
        return int(memory.rss - getattr(memory, "shared", 0))
    except psutil.Error:
        return 0


def stop_the_largest(uid: int, memory: int, server: int, member: str | None = None) -> psutil.Process | None:
    """Kill the largest process of a Unix user if all together have more than this memory.

    Args:
        uid: the user.
        memory: in bytes.
        server: the process that is killed only if it is alone.
        member: count only what this member's server started.

    Returns the process that was killed. If it is a kernel, JupyterLab says so and starts another.
    """
    sizes = {process: own_memory(process) for process in processes_of(uid, member)}
    if sum(sizes.values()) <= memory:
        return None
    largest = max(sizes, key=lambda process: (process.pid != server or len(sizes) == 1, sizes[process]))
    try:
        largest.kill()
    except psutil.Error:
        return None
    return largest


def stop_all(uid: int, member: str | None = None) -> None:
    """Kill all processes of a Unix user, or those that a member's server started, also if it left them behind."""
    for process in processes_of(uid, member):
        try:
            process.kill()
        except psutil.Error:
            continue
