"""Bring along the parts that an earlier edition of the course saved in `my_transformer/`, beside `notebooks/`."""

import errno
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from course_lib.copies import making
from course_lib.data import places
from course_lib.data.atomic import remove_unfinished, write_atomically
from course_lib.data.folders import FORMER, FolderError, keep, kept_locked, locked

LOCK_SECONDS = 10.0


def bring_parts_along() -> str:
    """Move `my_transformer/` into `my_course/`, and return a sentence that says so; "" if there is nothing to move.

    If both exist, the files that `my_course/my_transformer/` lacks are moved there. Of a file that it has with another
    content, the earlier one is kept in its `former/`. Nothing is moved if COURSE_WORK names another folder.

    Raises FolderError if it cannot be moved. The course uses it where it is then.
    """
    old, new = places.place("my_transformer"), making.folder() / "my_transformer"
    if os.environ.get("COURSE_WORK") or not old.is_dir():
        return ""
    with locked(making.folder(), LOCK_SECONDS):
        for folder in (old, old / FORMER):
            remove_unfinished(folder)
        if not os.path.lexists(new):
            try:
                _rename(old, new)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise FolderError(f"{old.name} cannot be moved ({error.strerror})") from error
                _copy_to_another_disk(old, new)
        if old.is_dir() and new.is_dir() and old.samefile(new):
            if old.is_symlink():
                old.unlink()
            return ""
        if old.is_dir():
            with locked(new, LOCK_SECONDS):
                _merge(old, new)
        if old.is_dir() and any(old.iterdir()):
            raise FolderError(f"{', '.join(sorted(path.name for path in old.iterdir()))} cannot be moved")
    return f"Your parts are in {making.shown(new)} now."


def _rename(old: Path, new: Path) -> None:
    """Rename the folder in one step, while no notebook saves into it. A link goes on to the same place."""
    if old.is_symlink():
        target = old.resolve()
        new.symlink_to(target, target_is_directory=True)
        old.unlink()
        return
    lock = FileLock(old / ".lock", timeout=LOCK_SECONDS)
    try:
        with lock:
            if sys.platform != "win32":
                old.rename(new)
    except Timeout:
        raise FolderError(kept_locked(old, LOCK_SECONDS)) from None
    if sys.platform == "win32":
        old.rename(new)  # Windows renames no folder with an open file in it.


def _copy_to_another_disk(old: Path, new: Path) -> None:
    """Copy the folder completely or not at all. The old one stays; `_merge` removes what is equal."""
    unfinished = new.with_name(".my_transformer.copying")
    with suppress(FileNotFoundError):
        shutil.rmtree(unfinished)
    try:
        shutil.copytree(old, unfinished, symlinks=True)
    except shutil.Error as error:  # a list of errors, each with the two paths and the reason
        raise FolderError(f"not everything can be copied to the other disk ({error.args[0][0][2]})") from error
    for path in unfinished.rglob("*"):
        if path.is_file() and not path.is_symlink() and sys.platform != "win32":
            with path.open("rb") as file:
                os.fsync(file.fileno())
    unfinished.rename(new)


def _merge(old: Path, new: Path) -> None:
    """Move what is in one folder into another, file by file, and remove the folders that are empty then.

    What neither is a file nor a folder stays, and so does a folder where the other one has a file.
    """
    for path in sorted(old.iterdir()):
        target = new / path.name
        if path.is_symlink():
            if not os.path.lexists(target):
                inside = path.resolve().is_relative_to(places.place("my_transformer").resolve())
                target.symlink_to(path.readlink() if inside else path.resolve())
                path.unlink()
        elif path.name == "__pycache__" and path.is_dir():
            shutil.rmtree(path)
        elif path.is_dir():
            if target.is_dir() or not os.path.lexists(target):
                target.mkdir(exist_ok=True)
                _merge(path, target)
        elif path.name == ".lock":
            path.unlink()
        elif path.is_file():
            _move_file(path, target)
    with suppress(OSError):
        old.rmdir()


def _move_file(file: Path, target: Path) -> None:
    """Move a file to another place or, if there is another file already, into `former/` there."""
    content = file.read_bytes()
    if not os.path.lexists(target):
        write_atomically(target, content)
        shutil.copystat(file, target)
    elif not target.is_file() or target.read_bytes() != content:
        keep(_unnumbered(target), content)  # A version in `former/` gets another number there.
    file.unlink()


def _unnumbered(file: Path) -> Path:
    """The file of which one in `former/` is a numbered version; any other file itself."""
    stem, _, number = file.stem.rpartition("_")
    if file.parent.name == FORMER and stem and number.isdecimal():
        return file.parent.parent / f"{stem}{file.suffix}"
    return file
