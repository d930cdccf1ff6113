"""A class in a folder of its own that other users can reach, with a Python that they can start, and its running hub."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from course_lib.classroom import proxy
from course_lib.classroom.hub import closed_folder
from course_lib.classroom.passwords import read_passwords

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120


def why_no_hub() -> str | None:
    """Say why no hub can run here that keeps its members apart; None if one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a hub with a Unix user for each student runs as root on Linux"
    if proxy.why_no_node() or shutil.which(proxy.NAME) is None:
        return f"{proxy.NAME} is not installed: run `npm install -g {proxy.RANGE}`"
    if closed_folder(ROOT / "course.py"):
        return f"other users cannot reach {ROOT}"
    if reachable_python() is None:
        return f"other users can reach no Python {sys.version_info[0]}.{sys.version_info[1]}"
    return None


def reachable_python() -> str | None:
    """A Python of this version that every user may start; None if there is none."""
    name = f"python3.{sys.version_info[1]}"
    candidates = [sys.executable, *(str(Path(folder, name)) for folder in ("/usr/bin", "/usr/local/bin", "/opt/bin"))]
    for python in candidates:
        base = Path(python).resolve()
        if base.exists() and closed_folder(Path(python), base, base.parents[1]) is None:
            return python
    return None


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder through which everybody can go, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="class-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def python_for_all(folder: Path) -> str:
    """A Python with the packages of this one that every user may start. Where this one may not, another is made."""
    found = reachable_python()
    assert found is not None
    venv = folder / "venv"
    if found == sys.executable:
        return found
    if venv.exists():
        return str(venv / "bin" / "python")
    subprocess.run([found, "-m", "venv", "--without-pip", str(venv)], check=True)
    lines = [f"import site; site.addsitedir({path!r})" for path in sys.path if path.endswith("site-packages")]
    target = next(venv.glob("lib/python*/site-packages"))
    (target / "packages.pth").write_text("\n".join(lines), encoding="utf-8")
    for name in ("etc", "share"):  # the extensions of JupyterLab
        shutil.rmtree(venv / name, ignore_errors=True)
        (venv / name).symlink_to(Path(sys.prefix, name))
    return str(venv / "bin" / "python")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class RunningHub:
    """A hub that runs, and how to reach it."""

    process: subprocess.Popen[str]

    def __init__(self, folder: Path, port: int, python: str) -> None:
        self.room, self.address, self.python = folder / "room", f"http://127.0.0.1:{port}", python
        self.port = port

    def passwords(self) -> dict[str, str]:
        return read_passwords(self.room / "passwords.csv")


def command(python: str, room: Path, *words: str) -> list[str]:
    return [python, "-m", "course_lib.cli", "class", "start", "--folder", str(room), *words]


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a hub: the course is this checkout, and no data set is on this computer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "JUPYTER"))}
    return kept | {"PYTHONPATH": str(ROOT), "COURSE_DATA": str(folder / "no_data")}


@contextmanager
def running_hub(
    folder: Path, *students: str, port: int | None = None, words: tuple[str, ...] = ()
) -> Iterator[RunningHub]:
    """Start the hub of a class with these students as a teacher does, and stop it as they do, with Ctrl-C."""
    names = folder / "students.txt"
    names.write_text("\n".join(students), encoding="utf-8")
    hub = RunningHub(folder, port or free_port(), python_for_all(folder))
    started = command(hub.python, hub.room, "--students", str(names), "--port", str(hub.port), "--ip=127.0.0.1", *words)
    output = folder / "output.txt"
    with output.open("w", encoding="utf-8") as file:
        process = hub.process = subprocess.Popen(
            started,
            env=surroundings(folder),
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not re.search("^✓ The hub is ready", output.read_text(encoding="utf-8"), re.MULTILINE):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"The hub did not start: {output.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        yield hub
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
