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
from course_lib.classroom.configuration import FILE, TEXT
from course_lib.classroom.hub import closed_folder
from course_lib.classroom.passwords import read_passwords
from course_lib.classroom.room import Room

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
def open_folder(parent: str = "/tmp") -> Iterator[Path]:
    """A temporary folder through which everybody can go, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="class-", dir=parent))
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


def configure_further(folder: Path, lines: str) -> None:
    """Write these lines into the class's configuration, as a teacher does, before the hub starts."""
    room = folder / "room"
    room.mkdir(mode=0o755)
    (room / FILE).write_text(TEXT.format(folder=str(room)) + lines, encoding="utf-8")


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
    with _until_interrupted(started, folder) as hub.process:
        require_known_settings(hub.room)
        yield hub


@contextmanager
def hub_without_proxy(folder: Path, *students: str, port: int, login: str) -> Iterator[Path]:
    """Start the hub of a class alone, as far as logging in needs it: also without root and Node.js.

    Args:
        folder: in it are its room and, if there is one, the teacher's configuration.
        students: who is in the class, besides the teacher.
        port: where the hub can be reached.
        login: how members log in.

    Yields the folder of the class.
    """
    room = Room(folder / "room", "teacher", students, {"login": login, "hub_port": port}).save()
    for needed in (room.hub, room.homes, room.folder / "proxy" / "node_modules" / ".bin"):
        needed.mkdir(parents=True)
    (room.folder / "proxy" / "node_modules" / ".bin" / proxy.NAME).touch()
    with (room.folder / FILE).open("a", encoding="utf-8") as file:
        file.write("c.JupyterHub.proxy_class = 'tests.classroom.no_proxy.NoProxy'\n")
    code = f"from course_lib.classroom import app, room; app.run_hub(room.open_room({str(room.folder)!r}))"
    with _until_interrupted([sys.executable, "-c", code], folder):
        require_known_settings(room.folder)
        yield room.folder


def require_known_settings(room: Path) -> None:
    """Fail if the configuration sets what JupyterHub, the authenticator or the spawner does not have."""
    log = (room / "hub" / "hub.log").read_text(encoding="utf-8")
    assert [line for line in log.splitlines() if "not recognized by" in line] == []


@contextmanager
def _until_interrupted(words: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a hub, wait until it says that it is ready, and stop it with Ctrl-C."""
    output = folder / "output.txt"
    with output.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            words,
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
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
