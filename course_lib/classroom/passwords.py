"""A password for each member, in a file that the teacher prints and cuts into slips."""

from __future__ import annotations

import csv
import io
import secrets
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from course_lib.classroom.room import ClassError, Room
from course_lib.data.atomic import write_atomically
from course_lib.data.folders import why_not_written

# Without letters and digits that look alike on paper. Ten of them make about 49 bits.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
LENGTH = 10


def password_file(room: Room) -> Path:
    """The file of the passwords."""
    return room.folder / "passwords.csv"


def read_passwords(file: Path) -> dict[str, str]:
    """The passwords by name; none if there is no file.

    Raises ClassError if the file is damaged.
    """
    try:
        rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))
        if rows.fieldnames != ["name", "password"]:
            raise ValueError("other columns")
        return {row["name"].strip(): row["password"].strip() for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise ClassError(
            f"{file} cannot be read: correct it, with `name,password` in its first line, or delete it to have new "
            "passwords made."
        ) from error


def make_passwords(room: Room, shared: str | None = None) -> None:
    """Write a password for each member who has none. Those of former members are kept.

    Args:
        room: the class.
        shared: one password for all students; the teacher has another.

    Raises ClassError if the file cannot be read or written.
    """
    file = password_file(room)
    earlier = read_passwords(file)
    found = dict(earlier)
    for name in room.members:
        if shared and name != room.teacher:
            found[name] = shared
        elif not found.get(name):
            found[name] = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    if found == earlier:
        return
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("name", "password"), *found.items()])
    try:
        write_atomically(file, text.getvalue().encode())
        file.chmod(0o600)
    except OSError as error:
        raise ClassError(
            f"The passwords cannot be saved, because {why_not_written(error, file.name)}: free some space, or choose "
            "another folder with --folder."
        ) from error


class PasswordList(Authenticator):  # type: ignore[misc]
    """Let in whoever knows the password that stands beside their name. The file is read again at each login."""

    file = Unicode(help="The file of the passwords.").tag(config=True)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:  # noqa: ARG002
        """The name, or None if the password is another."""
        name = data["username"]
        wanted = read_passwords(Path(self.file)).get(name) or secrets.token_hex()
        return name if secrets.compare_digest(data["password"].encode(), wanted.encode()) else None
