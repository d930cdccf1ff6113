"""Confine a process in which a student's answer runs: limits, a hook on Python's own events, and Linux's Landlock.

Nothing here can be undone by the process itself. `confine` is called once, in a process made for one answer.

Landlock is the part of Linux's kernel (5.13 and later) with which a process gives up rights to files for itself:
https://docs.kernel.org/userspace-api/landlock.html. It also holds for code that Python does not see, such as torch's
own. Elsewhere, and on older kernels, the hook is all there is.
"""

import ctypes
import os
import struct
import sys
import sysconfig
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MEMORY = 1_500_000_000  # bytes, beside what Python and torch take

# Python's events (https://docs.python.org/3/library/audit_events.html) that no exercise causes, by how they begin.
FORBIDDEN = (
    "ctypes.",
    "ftplib.",
    "gc.get_",
    "http.",
    "os.chmod",
    "os.chown",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pty.",
    "resource.",
    "shutil.",
    "signal.",
    "smtplib.",
    "socket.",
    "subprocess.",
    "sys.addaudithook",
    "urllib.",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Numbers of the system calls, alike on all processors, and of the rights that each version of Landlock knows.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_SET_NO_NEW_PRIVILEGES = 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # how many there are from each version on
_NETWORK_FROM, _SCOPES_FROM = 4, 6


def confine(readable: Iterable[str | Path], cpu_seconds: int, forbidden_imports: tuple[str, ...] = ()) -> None:
    """Confine this process for good: it cannot write files, start programs, use the network or signal other processes.

    Args:
        readable: the folders that it may read.
        cpu_seconds: the processor time that it has.
        forbidden_imports: packages that cannot be imported any more, unless they are loaded already.
    """
    _limit(cpu_seconds)
    landlock(readable)
    sys.addaudithook(_hook(forbidden_imports))


def _limit(cpu_seconds: int) -> None:
    """Limit processor time, memory, and the size of files to nothing, where the system has such limits."""
    import resource

    used = int(time.process_time())
    memory = _memory_in_use() + MEMORY
    for name, value, at_most in (
        (resource.RLIMIT_CPU, used + cpu_seconds, used + cpu_seconds + 1),  # first a signal that says why, then the end
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with suppress(ValueError, OSError):  # macOS does not let a process limit its memory
            resource.setrlimit(name, (value, at_most))


def _memory_in_use() -> int:
    return int(psutil.Process().memory_info().vms)


def _hook(forbidden_imports: tuple[str, ...]):  # type: ignore[no-untyped-def]
    """Make a hook that raises PermissionError at each event that no exercise causes."""
    begins, writing = FORBIDDEN, WRITING  # what it needs is in its own cells, out of reach for other code

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            flags = arguments[2] if len(arguments) > 2 else 0
            if isinstance(flags, int) and flags & writing:
                raise PermissionError("an answer may not write files")
        elif event == "import":
            if forbidden_imports and str(arguments[0]).startswith(forbidden_imports):
                raise ImportError(f"an answer may not import {arguments[0]}")
        elif event.startswith(begins):
            raise PermissionError(f"an answer may not do this ({event})")

    return hook


def landlock(readable: Iterable[str | Path]) -> bool:
    """Give up all rights to files but reading in some folders, to the network, and to signal other processes.

    Returns whether the kernel could do so; on other systems nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= version)) - 1
    attributes = [rights]
    if version >= _NETWORK_FROM:
        attributes.append(0b11)  # to listen and to connect
    if version >= _SCOPES_FROM:
        attributes.append(0b11)  # abstract sockets and signals stay within this process
    content = struct.pack(f"={len(attributes)}Q", *attributes)
    ruleset = libc.syscall(_CREATE_RULESET, content, len(content), 0)
    if ruleset < 0:
        return False
    for folder in dict.fromkeys(map(str, readable)):
        _allow_reading(libc, ruleset, folder)
    libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    failed: int = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return failed == 0


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    with suppress(OSError):  # it does not exist
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rights = _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0)  # noqa: PTH112
        libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, opened), 0)
        os.close(opened)


def folders_of_python() -> Sequence[str]:
    """The folders from which Python and its packages load what they need, without the course's own.

    Not all of /etc and /usr, where a class may keep what its students must not read.
    """
    of_python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    packages = [path for path in sys.path if path and Path(path).name in ("site-packages", "dist-packages")]
    of_system = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/proc", "/sys", "/dev"]
    return [*of_python, *packages, *of_system, "/etc/ld.so.cache", "/etc/localtime"]
