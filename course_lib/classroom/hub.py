"""Make a class, or change one, and run its hub until it is stopped."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from course_lib import data
from course_lib.classroom import proxy
from course_lib.classroom.accounts import is_root, make_homes, with_accounts
from course_lib.classroom.limits import stop_all
from course_lib.classroom.room import NAME, SETTINGS, ClassError, Room, open_room
from course_lib.data.atomic import write_atomically
from course_lib.data.fetching import folder_name
from course_lib.data.folders import why_not_written
from course_lib.data.places import COURSE, place

TEACHER = "teacher"
# In bytes: below this, starting the hub is refused, since students could no longer save.
DISK_SPACE = 200e6


def make_room(folder: str, students: Sequence[str] | None, teacher: str | None, settings: dict[str, Any]) -> Room:
    """Make a class, or change the one in a folder, and save it.

    Args:
        folder: where the class is; a relative path starts in the course's folder.
        students: the students' user names; None leaves them as they are.
        teacher: the teacher's; None leaves it as it is.
        settings: the settings to change.

    Raises ClassError if there are no students, a name is wrong, or the folder cannot be written to.
    """
    where = place(folder)
    known = (where / SETTINGS).exists() or students is None
    room = open_room(folder) if known else Room(where, TEACHER, ())
    room = replace(
        room,
        teacher=room.teacher if teacher is None else teacher,
        students=room.students if students is None else tuple(students),
        settings=room.settings | settings,
    )
    if not NAME.fullmatch(room.teacher):
        raise ClassError(
            f"{room.teacher!r} cannot be the teacher's user name: take up to 32 of a to z, 0 to 9, - and _, with a "
            "letter first."
        )
    if room.teacher in room.students:
        raise ClassError(f"`{room.teacher}` is the teacher and a student: choose another name with --teacher.")
    room = with_accounts(room).save()
    try:
        room.folder.chmod(0o711)
        make_homes(room)
    except OSError as error:
        raise ClassError(
            f"The home folders cannot be made, because {why_not_written(error, room.homes.name)}: free some space, or "
            "choose another folder with --folder."
        ) from error
    return room


def prepare(room: Room) -> Iterator[str]:
    """See that the hub can run: isolation, disk, ports, proxy and database. Yields what the teacher should know.

    Raises ClassError if it cannot run.
    """
    from course_lib.classroom.configuration import FILE, TEXT
    from course_lib.classroom.passwords import make_passwords, password_file

    settings = room.all_settings
    yield from _isolation(settings)
    free = shutil.disk_usage(room.folder).free
    if free < DISK_SPACE:
        raise ClassError(
            f"The disk is too full for a class: only {free / 1e6:.0f} MB are free in {room.folder}, so free some space."
        )
    stop_left_over(room)
    require_port(settings["ip"], settings["port"])
    replace(room, settings=room.settings | inner_ports(settings)).save()
    if proxy.find_proxy(room.folder) is None:
        yield f"Installing {proxy.NAME} into {room.folder / 'proxy'}."
        proxy.install_proxy(room.folder)
    reason = proxy.why_no_node()
    if reason:
        raise ClassError(reason)
    if settings["login"] == "pam":
        require_accounts(room)
    if is_root() and settings["spawner"] == "simple":
        require_reachable(room)
    yield from _database(room)
    yield from share_data(room)
    if settings["login"] in ("passwords", "shared"):
        make_passwords(room, settings.get("password") if settings["login"] == "shared" else None)
        yield f"The passwords are in {password_file(room)}, one for each member."
    if not (room.folder / FILE).exists():
        write_atomically(room.folder / FILE, TEXT.format(folder=str(room.folder)).encode())
    if not settings["certificate"]:
        yield (
            "Without a certificate (--certificate and --key), passwords and answers cross the network in the clear: "
            "use a network that you trust."
        )


def _isolation(settings: dict[str, Any]) -> Iterator[str]:
    """Say how far members are kept apart, and refuse to start a class in which they are not, unless that is chosen."""
    if sys.platform == "win32":
        raise ClassError("JupyterHub does not run on Windows: use a computer with Linux, or Linux in WSL.")
    if settings["login"] == "pam" and not is_root():
        raise ClassError(
            "--login pam needs root, which alone may check passwords of accounts and start servers for them: start the "
            "class with sudo, or use --login passwords."
        )
    if settings["login"] == "shared":
        yield "All students have one password, so each can log in as another: use it only where that does no harm."
    if settings["spawner"] != "simple" or is_root():
        return
    if not settings["one_account"]:
        raise ClassError(
            "All servers would run as your own account, so that students could read and change each other's files and "
            "yours: start the class with sudo, or add --one-account to accept that."
        )
    yield (
        "All servers run as your own account: each student can read and change the files of all others, and yours, and "
        "their memory is limited per process only."
    )


def stop_left_over(room: Room) -> None:
    """Stop the programs that a killed hub of this class left, so that its port is free. Servers keep running."""
    if is_root() and room.all_settings["login"] != "pam":
        for uid in (uid for name, uid in room.uids.items() if name not in room.members):
            stop_all(uid)
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(room.hub) and any(
                name in word for word in process.cmdline() for name in (proxy.NAME, "jupyterhub_idle_culler")
            ):
                process.terminate()
                process.wait(5)
        except psutil.Error:
            continue


def port_is_free(ip: str, port: int) -> bool:
    """Whether a server could listen there."""
    try:
        with socket.create_server((ip, port), reuse_port=False):
            return True
    except OSError:
        return False


def require_port(ip: str, port: int) -> None:
    """Refuse a port on which another program listens, or that is none.

    Raises ClassError if it is.
    """
    if not 1 <= port <= 65535:
        raise ClassError(f"--port should be from 1 to 65535, but is {port}.")
    if not port_is_free(ip, port):
        raise ClassError(
            f"Port {port} is in use, or only root may open it: stop the program there, or choose another with --port."
        )


def inner_ports(settings: dict[str, Any]) -> dict[str, int]:
    """The ports of the hub and of the proxy's own interface, on this computer only; others if they are in use."""
    chosen = {}
    for name in ("hub_port", "proxy_port"):
        if port_is_free("127.0.0.1", settings[name]) and settings[name] != settings["port"]:
            chosen[name] = settings[name]
            continue
        with socket.create_server(("127.0.0.1", 0)) as server:
            chosen[name] = server.getsockname()[1]
    return chosen


def require_reachable(room: Room) -> None:
    """Let a student's Unix user start the course's Python, and see that it can.

    Raises ClassError if it cannot.
    """
    assert sys.platform != "win32"
    home = room.home(room.members[-1])
    uid = home.stat().st_uid
    code = "import course_lib.data.places, jupyterhub, os; os.chdir(os.environ['HOME'])"
    closed = closed_folder(Path(sys.executable), COURSE, Path(sys.base_prefix), room.homes)
    try:
        ran = subprocess.run(
            [sys.executable, "-P", "-c", code],
            user=uid,
            group=uid,
            extra_groups=[],
            cwd="/",
            env=os.environ | {"HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = ran.stderr.strip().splitlines()[-1] if ran.returncode and ran.stderr.strip() else ""
        fine = ran.returncode == 0
    except OSError as error:
        fine, said = False, str(error)
    if not fine:
        where = f"the folder {closed} is closed to others" if closed else said
        raise ClassError(
            f"Students cannot run the course, because {where}: have the course and its Python where every user may "
            "read, for example in /opt/course with the Python of the system."
        )


def closed_folder(*paths: Path) -> Path | None:
    """The first folder on the way to these paths that other users cannot go through; None if there is none."""
    for path in paths:
        for each in (path, path.resolve()):
            for folder in reversed(each.parents):
                if folder.exists() and not folder.stat().st_mode & 0o001:
                    return folder
    return None


def require_accounts(room: Room) -> None:
    """Refuse a class with PAM if a member has no account on this computer, or the account has no home folder.

    Raises ClassError if one has none.
    """
    for name in room.members:
        home = room.home(name)
        if not home.is_dir():
            raise ClassError(
                f"The account of `{name}` has no home folder {home}: make it, for example with `sudo mkhomedir_helper "
                f"{name}`."
            )


def share_data(room: Room) -> Iterator[str]:
    """Copy the data sets that are on this computer to where students can read them, and say which are missing.

    Raises ClassError if they cannot be copied.
    """
    missing = []
    for name in (name for name, about in data.SETS.items() if about.notebooks):
        target = room.data / folder_name(name)
        if target.is_dir():
            continue
        try:
            source = data.path(name)
        except data.DataError:
            missing.append(name)
            continue
        try:
            _copy_for_all(source, target)
        except OSError as error:
            raise ClassError(
                f"The data set {name} cannot be copied to the class, because {why_not_written(error, target.name)}: "
                "free some space."
            ) from error
    if missing:
        yield (f"The students will lack {', '.join(missing)}: run `course.py data`, then start the class again.")


def _copy_for_all(source: Path, target: Path) -> None:
    """Copy a folder, completely or not at all, so that everybody can read it."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        shutil.copytree(source, unfinished, copy_function=shutil.copyfile)
        for path in (target.parent, unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _database(room: Room) -> Iterator[str]:
    """Take former members out of JupyterHub's database. A damaged one is moved aside, since no work is in it."""
    file = room.hub / "jupyterhub.sqlite"
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file)) as database:
            damaged = database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
            if not damaged:
                _forget_former_members(database, room)
    except sqlite3.DatabaseError:
        damaged = True
    if damaged:
        number = 1
        while (aside := file.with_name(f"jupyterhub_{number:03}.sqlite")).exists():
            number += 1
        file.replace(aside)
        yield f"The hub's database was damaged, so a new one is made; the earlier one is {aside}."


def _forget_former_members(database: sqlite3.Connection, room: Room) -> None:
    """Delete the users who are no members any more, with their tokens and whatever a browser knows of them."""
    if database.execute("SELECT name FROM sqlite_master WHERE name = 'users'").fetchone():
        database.execute("PRAGMA foreign_keys = ON")
        marks = ", ".join("?" * len(room.members))
        database.execute(f"DELETE FROM users WHERE name NOT IN ({marks})", room.members)
        database.commit()


@contextmanager
def only_hub(room: Room) -> Iterator[None]:
    """Keep a second hub for the same class out.

    Raises ClassError if there is one.
    """
    try:
        with FileLock(room.hub / ".lock", timeout=0):
            yield
    except Timeout:
        raise ClassError(f"The hub of {room.folder} is running already: stop it there first.") from None


def serve(room: Room) -> int:
    """Run JupyterHub in this process until it is stopped. Its messages go into `hub/hub.log`.

    Returns the exit status.
    """
    from course_lib.classroom.app import run_hub

    return run_hub(room)
