"""Read and write files in a student's home folder, though the grader may do more than the student.

A student could put a link to somebody else's file, or to the gradebook, where their own notebook or a folder is
expected. So no link is followed, nothing but a plain file is opened, and no more is read than a notebook needs.
"""

import errno
import os
import secrets
import stat
import sys
from pathlib import Path

from course_lib.classroom.room import ClassError

LARGEST = 20_000_000
_NO_LINK = 0 if sys.platform == "win32" else os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_of_student(home: Path, *parts: str) -> bytes | None:
    """The content of a file in a student's home folder; None if there is none.

    Args:
        home: the student's home folder.
        parts: the path from there, one name each: "my_course", "01_attention.ipynb".

    Raises ClassError if it is a link, is reached through one, is no plain file, or is larger than 20 MB.
    """
    shown = _shown(home, parts)
    if sys.platform == "win32":
        raise ClassError("A class runs on Linux: this computer has Windows.")
    opened = [os.open(home, _NO_LINK | os.O_DIRECTORY)]
    try:
        for part in parts[:-1]:
            opened.append(os.open(part, _NO_LINK | os.O_DIRECTORY, dir_fd=opened[-1]))
        opened.append(os.open(parts[-1], _NO_LINK, dir_fd=opened[-1]))
        about = os.fstat(opened[-1])
        if not stat.S_ISREG(about.st_mode):
            raise ClassError(f"{shown} is no plain file: ask the student to replace it.")
        # A second name for somebody else's file is a link too.
        if about.st_nlink > 1 and about.st_uid != os.fstat(opened[0]).st_uid:
            raise ClassError(f"{shown} belongs to somebody else: ask the student to replace it by their own.")
        with os.fdopen(opened.pop(), "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClassError(
            f"{shown} is not read, because it is a link or cannot be opened ({error.strerror}): ask the student to "
            "replace it by a plain file."
        ) from error
    finally:
        for number in opened:
            os.close(number)
    if len(content) > LARGEST:
        raise ClassError(f"{shown} is larger than {LARGEST // 1_000_000} MB: ask the student to clear its outputs.")
    return content


def write_for_student(home: Path, content: bytes, *parts: str) -> None:
    """Put a file into a student's home folder, as the student's own. What was there under this name is replaced.

    Args:
        home: the student's home folder.
        content: what the file is to hold.
        parts: the path from there, one name each: "my_course", "feedback", "01_attention.html". Missing folders are
            made.

    Raises ClassError if a folder on the way is a link or something else, and OSError if the disk refuses the file.
    """
    shown = _shown(home, parts)
    if sys.platform == "win32":
        raise ClassError("A class runs on Linux: this computer has Windows.")
    opened = [os.open(home, _NO_LINK | os.O_DIRECTORY)]
    owner = os.fstat(opened[0])
    try:
        for part in parts[:-1]:
            opened.append(_open_folder(part, opened[-1], owner))
        # Written under another name first, so that nobody ever finds half a file.
        unfinished = f".{parts[-1]}.{secrets.token_hex(8)}"
        only_new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        number = os.open(unfinished, only_new, 0o600, dir_fd=opened[-1])
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                _give(number, owner)
            os.replace(unfinished, parts[-1], src_dir_fd=opened[-1], dst_dir_fd=opened[-1])
        except BaseException:
            os.unlink(unfinished, dir_fd=opened[-1])
            raise
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
            raise
        raise ClassError(
            f"{shown} is not written, because a link or something else is in its place or in that of its folder: ask "
            "the student to move it away."
        ) from error
    finally:
        for each in opened:
            os.close(each)


def _open_folder(name: str, inside: int, owner: os.stat_result) -> int:
    """Open a folder by name, and make it first if it is missing. Raises NotADirectoryError for a link, too."""
    assert sys.platform != "win32"
    try:
        os.mkdir(name, 0o700, dir_fd=inside)
    except FileExistsError:
        return os.open(name, _NO_LINK | os.O_DIRECTORY, dir_fd=inside)
    number = os.open(name, _NO_LINK | os.O_DIRECTORY, dir_fd=inside)
    _give(number, owner)
    return number


def _give(number: int, owner: os.stat_result) -> None:
    """Give an open file or folder to the owner of a home folder, where this process may do so."""
    assert sys.platform != "win32"
    if os.geteuid() == 0:
        os.fchown(number, owner.st_uid, owner.st_gid)


def _shown(home: Path, parts: tuple[str, ...]) -> str:
    """The path as a message shows it. Raises ClassError for parts that lead elsewhere."""
    shown = "/".join((home.name, *parts))
    if any(part in ("", ".", "..") or "/" in part for part in parts) or not parts:
        raise ClassError(f"{shown} is no path in a home folder: give names of folders and a file.")
    return shown
