"""The folder of a class: who is in it, and where everything is.

    my_class/
      class.json              the teacher, the students and the settings
      jupyterhub_config.py    JupyterHub's configuration, written once and then the teacher's to change
      passwords.csv           one password each, to be handed out
      homes/NAME/             the home folder of a student or of the teacher, in it `my_course/`
      grading/                the gradebook and all that grading makes; closed to students
      hub/                    JupyterHub's own database, secrets and log; closed to students
      data/                   the data sets, for all to read
      proxy/                  configurable-http-proxy

A class is changed as a whole: `class.json` is written atomically, so that a stopped command leaves the former class.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from course_lib.classroom.limits import Limits
from course_lib.data.atomic import write_atomically
from course_lib.data.folders import why_not_written
from course_lib.data.places import place

SETTINGS = "class.json"
FORMAT = 1
# Names are parts of paths, of addresses and, with PAM, of accounts.
NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")

# What a class has that was never told otherwise.
DEFAULTS: dict[str, Any] = {
    "ip": "",
    "port": 8000,
    "hub_port": 8081,
    "proxy_port": 8001,
    "login": "passwords",
    "spawner": "simple",
    "one_account": False,
    "memory": Limits().memory,
    "certificate": None,
    "key": None,
    "image": "transformer-course",
}


class ClassError(Exception):
    """Something about a class is not as it should be. The message is one sentence that says what, and what to do."""


@dataclass(frozen=True)
class Room:
    """A class and its folder.

    Attributes:
        folder: the folder of the class.
        teacher: the teacher's user name.
        students: the students' user names, in the order of the list.
        settings: how the hub runs: its port, its authenticator, its spawner, the limits.
        uids: the numbers of the Unix users as which servers run, by name; nobody ever gets another's.
    """

    folder: Path
    teacher: str
    students: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)

    @property
    def members(self) -> tuple[str, ...]:
        """The teacher and the students."""
        return (self.teacher, *self.students)

    @property
    def all_settings(self) -> dict[str, Any]:
        """The settings, with what was never set."""
        return DEFAULTS | self.settings

    @property
    def homes(self) -> Path:
        """The folder of the home folders."""
        return self.folder / "homes"

    @property
    def grading(self) -> Path:
        """The folder of the gradebook."""
        return self.folder / "grading"

    @property
    def hub(self) -> Path:
        """The folder of JupyterHub's own files."""
        return self.folder / "hub"

    @property
    def data(self) -> Path:
        """The folder of the data sets, which students read."""
        return self.folder / "data"

    def home(self, name: str) -> Path:
        """The home folder of a member.

        Raises ClassError if nobody has this name.
        """
        return self.homes / self.require(name)

    def require(self, name: str) -> str:
        """A member's name.

        Raises ClassError if nobody has this name.
        """
        if name not in self.members:
            raise ClassError(
                f"There is no `{name}` in this class: correct the name, or add it to the list of students."
            )
        return name

    def save(self) -> Room:
        """Write `class.json`.

        Raises ClassError if that is not possible; the former one is then still there.
        """
        content = {"format": FORMAT} | {key: value for key, value in asdict(self).items() if key != "folder"}
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_atomically(self.folder / SETTINGS, json.dumps(content, indent=2).encode())
        except OSError as error:
            raise ClassError(
                f"The class cannot be saved, because {why_not_written(error, self.folder.name)}: free some space, or "
                "choose another folder with --folder."
            ) from error
        return self


def open_room(folder: str | Path) -> Room:
    """Read the class in a folder.

    Raises ClassError if there is none, or what is there is no class.
    """
    where = place(folder)
    try:
        content = json.loads((where / SETTINGS).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ClassError(f"The class in {where} was made by another version of the course: use that version.")
        room = Room(where, content["teacher"], (), content["settings"], content["uids"])
        room = replace(room, students=tuple(content["students"]))
    except FileNotFoundError:
        raise ClassError(
            f"There is no class in {where}: make one with `class start --students FILE`, or name its folder with "
            "--folder."
        ) from None
    except OSError as error:
        raise ClassError(f"The class in {where} cannot be read ({error.strerror}): correct its permissions.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClassError(
            f"{where / SETTINGS} is damaged: move it away and run `class start --students FILE` again, which keeps "
            "the home folders."
        ) from error
    return room
