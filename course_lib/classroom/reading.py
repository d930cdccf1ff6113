"""Read a file that a student wrote, though the reader may read more than the student.

A student could put a link to somebody else's file, or to the gradebook, where their own notebook is expected. So no
link is followed, nothing but a plain file is opened, and no more is read than a notebook needs.
"""

import os
import stat
import sys
from pathlib import Path

from course_lib.classroom.room import ClassError

LARGEST = 20_000_000


def read_of_student(home: Path, *parts: str) -> bytes | None:
    """The content of a file in a student's home folder; None if there is none.

    Args:
        home: the student's home folder.
        parts: the path from there, one name each: "my_course", "01_attention.ipynb".

    Raises ClassError if it is a link, is reached through one, is no plain file, or is larger than 20 MB.
    """
    shown = "/".join((home.name, *parts))
    if any(part in ("", ".", "..") or "/" in part for part in parts) or not parts:
        raise ClassError(f"{shown} is no path in a home folder: give names of folders and a file.")
    if sys.platform == "win32":
        raise ClassError("A class runs on Linux: this computer has Windows.")
    nofollow = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    opened = [os.open(home, nofollow | os.O_DIRECTORY)]
    try:
        for part in parts[:-1]:
            opened.append(os.open(part, nofollow | os.O_DIRECTORY, dir_fd=opened[-1]))
        opened.append(os.open(parts[-1], nofollow, dir_fd=opened[-1]))
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
