"""Unix users for the members of a class, without accounts: each gets a number that no account of the computer has.

Where the hub runs as root, each member's server, terminal and kernels run as that number, and the kernel of the
operating system keeps them from the files of all others. Nothing is written to /etc/passwd.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from course_lib.classroom.room import SETTINGS, ClassError, Room
from course_lib.data.atomic import write_atomically

# The documentation of systemd, "Users, Groups, UIDs and GIDs on systemd systems", lists these as used by nobody.
UIDS = range(60578, 61184)
REGISTER = Path("/var/lib/transformer-course")
LOCK_SECONDS = 10.0


def is_root() -> bool:
    """Whether this process may act as any user."""
    return sys.platform != "win32" and os.geteuid() == 0


def with_accounts(room: Room) -> Room:
    """The class with a number for each member, which no account and no other class of this computer has.

    A number that a member has already stays. What other classes have is in a register, from which a class is dropped
    when its folder is gone. Without root, nobody runs as a number, and the class is given back as it is.

    Raises ClassError if there are more members than free numbers, or the register cannot be used.
    """
    if sys.platform == "win32" or not is_root():
        return room
    import pwd

    accounts = {entry.pw_uid for entry in pwd.getpwall()}
    try:
        REGISTER.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(REGISTER / ".lock", timeout=LOCK_SECONDS):
            others = _of_other_classes(REGISTER / "users.json", room)
            taken = accounts | {int(number) for number in others}
            uids = {name: number for name, number in (_owners(room.homes) | room.uids).items() if number in UIDS}
            uids = {name: number for name, number in uids.items() if number not in taken}
            free = iter(sorted(set(UIDS) - taken - set(uids.values())))
            for name in room.members:
                if name not in uids:
                    uids[name] = next(free)
            mine = {str(number): str(room.folder) for number in uids.values()}
            write_atomically(REGISTER / "users.json", json.dumps(others | mine, indent=1).encode())
    except StopIteration:
        raise ClassError(
            f"All {len(UIDS)} Unix users for members of classes are given away: delete the folder of a class that is "
            "over, then retry."
        ) from None
    except (OSError, ValueError, Timeout) as error:
        raise ClassError(f"The register of Unix users in {REGISTER} cannot be used ({error}): correct it.") from error
    return replace(room, uids=uids)


def _of_other_classes(file: Path, room: Room) -> dict[str, str]:
    """The numbers that other classes have, each with the folder of its class."""
    if not file.exists():
        return {}
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return {
        number: folder
        for number, folder in found.items()
        if Path(folder) != room.folder and Path(folder, SETTINGS).exists()
    }


def _owners(homes: Path) -> dict[str, int]:
    """The owners of the home folders."""
    return {folder.name: folder.stat().st_uid for folder in homes.iterdir()} if homes.is_dir() else {}


def make_homes(room: Room) -> None:
    """Make the home folders that are missing. Each can be opened by its owner alone.

    Raises OSError if one cannot be made.
    """
    room.homes.mkdir(mode=0o711, parents=True, exist_ok=True)
    room.homes.chmod(0o711)
    for folder in (room.grading, room.hub):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    for name in room.members:
        home = room.home(name)
        # It stays, with all that is in it, if it was made before.
        if not home.is_dir():
            home.mkdir(mode=0o700)
        if sys.platform != "win32" and name in room.uids and is_root() and home.stat().st_uid != room.uids[name]:
            _give(home, room.uids[name])


def _give(home: Path, uid: int) -> None:
    """Give a home folder with all that is in it to a Unix user. Links are given, not followed."""
    assert sys.platform != "win32"
    for folder, _, names in os.walk(home, topdown=False):
        for path in (*(Path(folder, name) for name in names), Path(folder)):
            os.chown(path, uid, uid, follow_symlinks=False)
