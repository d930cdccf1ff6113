"""Files that are written completely or not at all."""

import glob
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psutil

SECONDS_IN_A_DAY = 24 * 60 * 60


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file completely or not at all. A missing folder is created.

    The content is written to a temporary file beside it, which then replaces it in one step. If anything goes wrong
    before that, the path still holds its former content. Temporary files of the same file are removed if the process
    that wrote them was killed.

    Raises OSError if the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(path.parent, path.name)
    unfinished = path.with_name(f".{path.name}.{_process(os.getpid())}.{uuid4().hex}.unfinished")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path, name: str | None = None) -> None:
    """Remove the temporary files that killed processes left in a folder: those of one file, or all of them.

    The files of processes that are still running stay. Whether a process of another computer is running cannot be
    seen, so its files stay for a day.
    """
    pattern = f".{'*' if name is None else glob.escape(name)}.*.unfinished"
    for unfinished in folder.glob(pattern):
        with suppress(OSError):  # another process was faster
            written_by = unfinished.name.split(".")[-3]
            number = written_by.rpartition("-")[2]
            is_ours = number.isdecimal() and written_by == _process(int(number))
            is_abandoned = is_ours and not psutil.pid_exists(int(number))
            if is_abandoned or time.time() - unfinished.stat().st_mtime > SECONDS_IN_A_DAY:
                unfinished.unlink()


def _process(number: int) -> str:
    """The name of a process of this computer in the names of files."""
    computer = "".join(letter for letter in platform.node() if letter.isalnum())
    return f"{computer}-{number}"
