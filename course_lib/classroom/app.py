"""JupyterHub, run in this process with its messages in a file, and a sentence when it is ready."""

from __future__ import annotations

import os
import platform
import re
import signal
import sys
from pathlib import Path
from typing import TextIO

from jupyterhub.app import JupyterHub

from course_lib.classroom.configuration import FILE
from course_lib.classroom.room import ClassError, Room


class ClassHub(JupyterHub):  # type: ignore[misc]
    """JupyterHub, which says on the terminal when it is ready."""

    terminal: TextIO

    async def start(self) -> None:
        await super().start()
        self.terminal.write(f"✓ The hub is ready at {shown_address(self.bind_url)}: Ctrl-C stops it.\n")
        self.terminal.flush()


def shown_address(bind_url: str) -> str:
    """The address for a browser: where the hub listens on all of them, it has the computer's name."""
    return re.sub(r"(?<=://)(\*|0\.0\.0\.0|\[::\]|)(?=:|/|$)", platform.node() or "localhost", bind_url)


def run_hub(room: Room) -> int:
    """Run the hub of a class until it is stopped, and return 0.

    Raises ClassError if it cannot start; the message has the last words of its log.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # So the programs that the hub starts obey it too.
    file = room.hub / "hub.log"
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    with file.open("ab", buffering=0) as log:
        before = file.stat().st_size
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    ClassHub.terminal = terminal
    os.chdir(room.hub)
    try:
        ClassHub.launch_instance([f"--config={room.folder / FILE}"])
    except SystemExit as end:
        if end.code:
            raise ClassError(f"The hub stopped ({last_error(file, before)}): {file} says more.") from end
    finally:
        sys.stdout = terminal
        sys.stderr = terminal
    terminal.write("The hub is stopped. The same command starts it again.\n")
    terminal.flush()
    return 0


def last_error(log: Path, start: int) -> str:
    """The last line of a log that speaks of an error, from a byte on."""
    lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Stop)\b", line)]
    return (errors or lines or ["no message"])[-1].strip().rstrip(".")
