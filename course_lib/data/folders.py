"""Folders in which a learner works: locked while the course changes them, with numbered former versions of files."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from course_lib.data.atomic import remove_unfinished, write_atomically

FORMER = "former"


class FolderError(Exception):
    """A folder cannot be changed. The message is the second half of a sentence that says why."""


@contextmanager
def locked(folder: Path, seconds: float) -> Iterator[None]:
    """Lock a folder against other notebooks and commands while it changes. It is made first, and tidied.

    Args:
        folder: the folder; former versions are in `former/` in it.
        seconds: how long to wait for another one.

    Raises FolderError if the wait is too long, and for whatever the operating system refuses to do meanwhile.
    """
    try:
        for each in (folder, folder / FORMER):
            each.mkdir(mode=0o755, parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=seconds):
            remove_unfinished(folder)
            remove_unfinished(folder / FORMER)
            yield
    except Timeout:
        raise FolderError(kept_locked(folder, seconds)) from None
    except OSError as error:
        raise FolderError(why_not_written(error, folder.name)) from error


def kept_locked(folder: Path, seconds: float) -> str:
    """Say that another program does not let go of a folder, as the second half of a sentence."""
    return f"another notebook or command has kept {folder.name} locked for {seconds:g} seconds"


def why_not_written(error: OSError, name: str) -> str:
    """Say why something with this name could not be written, as the second half of a sentence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    return f"{name} cannot be written to ({error.strerror or error})"


def former_versions(file: Path) -> list[Path]:
    """The numbered versions of a file in `former/` beside it, oldest first: `softmax_001.py` for `softmax.py`."""
    # On some systems, letters of another case name the same file.
    numbered = re.compile(rf"{re.escape(file.stem)}_([0-9]+){re.escape(file.suffix)}", re.IGNORECASE)
    try:
        files = [(numbered.fullmatch(path.name), path) for path in (file.parent / FORMER).iterdir()]
    except OSError:
        return []
    return [path for _, path in sorted((int(match[1]), path) for match, path in files if match)]


def place_in_former(file: Path, content: bytes) -> Path:
    """The path in `former/` of a version that is kept there already, or else the next path."""
    versions = former_versions(file)
    for path in reversed(versions):
        with suppress(OSError):  # one that cannot be read
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                return path
    number = int(versions[-1].stem.rpartition("_")[2]) + 1 if versions else 1
    return file.parent / FORMER / f"{file.stem}_{number:03}{file.suffix}"


def keep(file: Path, content: bytes) -> Path:
    """Keep a version of a file in `former/`, once, and return its path. Raises OSError if it cannot be written."""
    path = place_in_former(file, content)
    if not path.exists():
        write_atomically(path, content)
    return path
