"""The folder `my_course/my_transformer/`, where a learner's parts are saved: a package with one file for each part.

Nothing that a learner wrote is ever deleted. A file is replaced in one step, so that a crash leaves either the old or
the new one whole. `former/` has a numbered copy, byte for byte, of each version that passed and of each file that was
replaced or moved aside. Only a file with the name of an exercise is a part; other files in the folder are left alone.
"""

import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from course_lib.data import folders, places
from course_lib.data.atomic import write_atomically
from course_lib.data.folders import FolderError as FolderError

LOCK_SECONDS = 10.0
RECORDS = ".checks.json"

# The package's `__init__.py`. It looks for the parts in the folder, so that it always fits the files.
PACKAGE = '''\
"""Your parts of the Transformer, such as `from my_transformer import softmax`.

The course wrote this file. If you change it, the course leaves it as it is.
"""

from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent


def __getattr__(name):
    """Load a part when it is first used, so that a file with an error in it does not stop the others."""
    if not (FOLDER / f"{name}.py").is_file():
        raise AttributeError(f"there is no part {name!r} in {FOLDER}")
    module = import_module(f"{__name__}.{name}")
    globals()[name] = getattr(module, name, module)
    return globals()[name]


def __dir__():
    return sorted(file.stem for file in FOLDER.glob("*.py") if file.stem.isidentifier() and file.stem != "__init__")


__all__ = __dir__()
'''
# What earlier versions of the course wrote in its place.
LISTED_PARTS = re.compile(rb'"""Your parts of the Transformer."""\s*(from \.[^\r\n]+ import [^\r\n]+\s*)*')


@dataclass(frozen=True)
class Record:
    """What the course knows of a part's versions, each of which is named by its digest.

    Attributes:
        saved: the version that was last saved from a cell. Another one in the file was put there by hand.
        passed: the version that passed last.
        passed_with: the versions of the course and its libraries with which it passed.
        failed: the version that failed last.
        failed_with: the versions of the course and its libraries with which it failed.
        reason: why it failed.
    """

    saved: str = ""
    passed: str = ""
    passed_with: str = ""
    failed: str = ""
    failed_with: str = ""
    reason: str = ""


def folder() -> Path:
    """The folder of the learner's parts: the path in COURSE_WORK, or else `my_course/my_transformer`.

    A relative path starts in the course's folder.
    """
    return places.parts_folder()


def part_file(name: str) -> Path:
    """The file of a part."""
    return folder() / f"{name}.py"


def display_path(path: Path) -> str:
    """A path inside the folder as the learner sees it, written alike on every system."""
    start = folder().parent
    if not os.environ.get("COURSE_WORK") and start.is_relative_to(places.start()):
        start = places.start()
    return path.relative_to(start).as_posix()


def read(name: str) -> bytes | None:
    """The saved source of a part, or None. Raises OSError if there is one that cannot be read."""
    return _content(part_file(name))


def digest(content: bytes) -> str:
    """The digest by which records name a version."""
    return hashlib.sha256(content).hexdigest()


def former_versions(name: str) -> list[Path]:
    """The numbered versions of a part in `former/`, oldest first."""
    return folders.former_versions(part_file(name))


def former_version(name: str, version: str) -> Path | None:
    """The newest file in `former/` that holds the version of a part with this digest, or None."""
    for path in reversed(former_versions(name)):
        with suppress(OSError):
            if digest(path.read_bytes()) == version:
                return path
    return None


def save(name: str, source: str, checked_with: str = "") -> Path | None:
    """Save a part's source from a cell. The version that it replaces is kept in `former/`, and a copy of the new one.

    Args:
        name: the part's name.
        source: its new source.
        checked_with: the versions of the course and its libraries with which it passed; "" if it was not checked.

    Returns the path of the version that was replaced, if that one was not saved from a cell but changed by hand.

    Raises FolderError if the folder cannot be written to, or another notebook keeps it locked for too long.
    """
    content = source.encode("utf-8")
    replaced = None
    with _locked(LOCK_SECONDS):
        old, record = read(name), records().get(name, Record())
        if old is not None and old != content:
            kept = _keep(name, old)
            replaced = None if digest(old) == record.saved else kept
        _keep(name, content)
        if old != content:
            _write(part_file(name), content)
        if checked_with:
            record = replace(record, passed=digest(content), passed_with=checked_with)
        _write_record(name, replace(record, saved=digest(content)))
    return replaced


def remember_checks(checks: Iterable[tuple[str, bytes, str]], checked_with: str) -> None:
    """Record which versions passed, of which a copy is kept in `former/`, and which failed.

    Args:
        checks: for each version, the part's name, its source, and the reason why it failed; "" if it passed.
        checked_with: the versions of the course and its libraries.

    Raises FolderError if the folder cannot be written to, or is locked just now.
    """
    with _locked(seconds=0):
        for name, source, reason in checks:
            record = records().get(name, Record())
            if reason:
                record = replace(record, failed=digest(source), failed_with=checked_with, reason=reason)
            else:
                _keep(name, source)
                record = replace(record, passed=digest(source), passed_with=checked_with)
            _write_record(name, record)


def set_aside(name: str) -> Path | None:
    """Move a part to `former/`, and return its path there; None if it has no file.

    Raises FolderError as `save` does.
    """
    with _locked(LOCK_SECONDS):
        content = read(name)
        # A copy in `former/` is replaced by the file itself, which has the same content.
        return None if content is None else part_file(name).replace(_place_in_former(name, content))


def records() -> dict[str, Record]:
    """The records of all parts. There are none if their file is missing or damaged, since they only save time."""
    names = {field.name for field in fields(Record)}
    found = {}
    with suppress(OSError, ValueError, AttributeError):
        for part, values in json.loads((folder() / RECORDS).read_bytes()).items():
            found[part] = Record(**{name: str(value) for name, value in values.items() if name in names})
    return found


def why_unsafe(path: Path) -> str:
    """Say why a file in the folder should not be executed, since others may have written it; "" if nobody could.

    Those who can write to the course itself are trusted, because its code is executed anyway. Where the permissions of
    the course's own file say that everybody can write to it, they mean nothing, as on a USB stick.

    Raises OSError if the file does not exist.
    """
    if sys.platform == "win32":
        return ""
    course = Path(__file__).stat()
    for each in (path, *(parent for parent in path.parents if parent.is_relative_to(folder()))):
        status = each.stat()
        if status.st_uid not in (0, os.getuid(), course.st_uid):
            return f"{display_path(each)} belongs to another user: copy what you trust into a file of your own"
        # In a sticky folder, such as /tmp, nobody can replace the files of others.
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_mode & stat.S_IWOTH and not course.st_mode & stat.S_IWOTH and not sticky:
            remedy = f"read your files there, then run `chmod -R o-w {folder()}`"
            return f"everybody on this computer can write to {display_path(each)}: {remedy}"
    return ""


@contextmanager
def _locked(seconds: float) -> Iterator[None]:
    """Lock the folder against other notebooks while it changes. It is made first, and tidied.

    Raises FolderError for whatever the operating system refuses to do meanwhile.
    """
    with folders.locked(folder(), seconds):
        _make_package()
        yield


def _make_package() -> None:
    """Write the folder's `__init__.py`, unless the learner wrote one."""
    file, wanted = folder() / "__init__.py", PACKAGE.encode("utf-8")
    content = _content(file)
    if content != wanted and (not content or LISTED_PARTS.fullmatch(content)):
        _write(file, wanted)


def _keep(name: str, content: bytes) -> Path:
    """Keep a version in `former/`, once, and return its path."""
    path = _place_in_former(name, content)
    if not path.exists():
        _write(path, content)
    return path


def _place_in_former(name: str, content: bytes) -> Path:
    """The path in `former/` of a version that is kept there already, or else the next path."""
    return folders.place_in_former(part_file(name), content)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner, and perhaps their group, can change."""
    write_atomically(path, content)
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        with suppress(OSError):  # Some file systems keep no permissions.
            path.chmod(mode & ~stat.S_IWOTH)


def _write_record(name: str, record: Record) -> None:
    everything: dict[str, Any] = {part: asdict(each) for part, each in records().items()} | {name: asdict(record)}
    _write(folder() / RECORDS, json.dumps(everything, indent=1).encode("utf-8"))
