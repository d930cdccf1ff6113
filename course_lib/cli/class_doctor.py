"""What `doctor --class N` examines beyond what every learner needs: whether this computer can be the server of a class.

The memory of one student is measured: a kernel that has loaded the course and translated, and a server of JupyterHub.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib.cli.common import ROOT, shell_command
from course_lib.cli.doctor import Finding, packages

if TYPE_CHECKING:
    from course_lib.classroom.room import Room

# In bytes: what a student's copies, parts, experiments and checkpoints take; the data sets, and a margin.
DISK_OF_STUDENT, DISK_OF_CLASS = 0.2e9, 1e9
# In bytes: the hub, its proxy and the system.
MEMORY_OF_HUB = 1e9
# How many times the memory of a kernel that has only translated is needed by one that trains.
TRAINING = 2
STUDENTS_PER_CORE = 8
KERNEL = """
import ipykernel.kernelapp, matplotlib.pyplot
from course_lib import yours
from course_lib.pretrained.translator import load_translator
load_translator().translate("the old detective did not find the small key")
"""
SERVER = """
import jupyterhub.singleuser, jupyterlab.labapp, nbconvert
"""
# What a process has for itself, without the code that it shares with the others.
OWN_MEMORY = """
import psutil
memory = psutil.Process().memory_info()
print(memory.rss - getattr(memory, "shared", 0))
"""


def examine_class(students: int, room: "Room") -> Iterator[Finding]:
    """Examine this computer for a class of so many students, in a folder that exists or does not yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lacking = [each for each in packages(project["optional-dependencies"]["class"]) if not each.fine]
    yield from lacking
    if not lacking:
        yield Finding(True, "The packages of a class are installed.")
    yield from port(room)
    yield from users(students, room)
    yield from proxy_program(room)
    yield from disk_of_class(students, room)
    yield from cores_of_class(students)
    if not lacking:
        yield from memory_of_class(students, own_memory(KERNEL), own_memory(SERVER))


def port(room: "Room") -> Iterator[Finding]:
    """See whether the port of the hub is free."""
    from course_lib.classroom.hub import require_port
    from course_lib.classroom.room import ClassError

    settings = room.all_settings
    try:
        require_port(settings["ip"], settings["port"])
    except ClassError as error:
        yield Finding(False, f"{error}")
    else:
        yield Finding(True, f"Port {settings['port']} is free for the hub.")


def users(students: int, room: "Room") -> Iterator[Finding]:
    """See whether each student can have a Unix user of their own, who can run the course."""
    from course_lib.classroom.accounts import UIDS, is_root
    from course_lib.classroom.hub import closed_folder

    if sys.platform == "win32":
        yield Finding(False, "JupyterHub does not run on Windows: use a computer with Linux, or Linux in WSL.")
        return
    if students >= len(UIDS):
        yield Finding(False, f"A class can have {len(UIDS) - 1} students, not {students}: use several servers.")
    if not is_root():
        yield Finding(
            False,
            "Without root, all students would share your account and could change each other's files: start the class "
            f"with `sudo {shell_command('class', 'start')}`.",
            needed=False,
        )
    closed = closed_folder(ROOT / "course.py", Path(sys.executable), Path(sys.base_prefix, "bin"), room.homes)
    if closed:
        yield Finding(
            False,
            f"Students cannot reach the course or its Python, because {closed} is closed to others: move both, for "
            "example to /opt/course with the Python of the system.",
        )
    else:
        yield Finding(True, "Every Unix user can reach the course and its Python.")


def proxy_program(room: "Room") -> Iterator[Finding]:
    """See whether Node.js and the proxy are there."""
    from course_lib.classroom import proxy

    reason = proxy.why_no_node()
    if reason:
        yield Finding(False, reason)
        return
    yield Finding(True, f"Node.js {proxy.node_version()} runs the hub's proxy.")
    if proxy.find_proxy(room.folder):
        yield Finding(True, f"{proxy.NAME} is installed.")
    elif shutil.which("npm"):
        yield Finding(True, f"{proxy.NAME} will be installed by `{shell_command('class', 'start')}`.")
    else:
        yield Finding(False, f"{proxy.NAME} is missing, and so is npm: run `sudo apt install npm`.")


def disk_of_class(students: int, room: "Room") -> Iterator[Finding]:
    """Compare the free disk space with what the students will write."""
    existing = next(each for each in (room.folder, *room.folder.parents) if each.exists())
    free, needed = shutil.disk_usage(existing).free, DISK_OF_CLASS + students * DISK_OF_STUDENT
    sentence = f"{students} students may write {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free"
    if free >= needed:
        yield Finding(True, f"{sentence}.")
    else:
        yield Finding(False, f"{sentence}: free {(needed - free) / 1e9:.1f} GB, or name another disk with --folder.")


def cores_of_class(students: int) -> Iterator[Finding]:
    """Compare the cores with the students: when all train at once, each has to wait."""
    cores = os.cpu_count() or 1
    enough = -(-students // STUDENTS_PER_CORE)
    share = f"{students} students share {cores} {'core' if cores == 1 else 'cores'}"
    if cores >= enough:
        yield Finding(True, f"{share}, which is enough while not all train at once.")
    else:
        advice = f"training will take long when many train at once, so use {enough} cores or fewer students"
        yield Finding(False, f"{share}: {advice}.", needed=False)


def own_memory(code: str) -> int:
    """Run code in a new Python, and measure the memory that it has for itself, in bytes."""
    ran = subprocess.run(
        [sys.executable, "-c", code + OWN_MEMORY], capture_output=True, text=True, cwd=ROOT, check=False
    )
    try:
        return int(ran.stdout.split()[-1])
    except (ValueError, IndexError) as error:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise OSError(f"the memory of a kernel cannot be measured: {last}") from error


def memory_of_class(students: int, kernel: int, server: int) -> Iterator[Finding]:
    """Compare the memory with what the students need, from what one kernel and one server take, in bytes."""
    import psutil

    free = psutil.virtual_memory().available
    each = TRAINING * kernel + server
    needed = MEMORY_OF_HUB + students * each
    sentence = (
        f"One student takes {each / 1e9:.1f} GB of memory (a kernel with the course {kernel / 1e6:.0f} MB, twice that "
        f"in training, and a server {server / 1e6:.0f} MB), {students} take {needed / 1e9:.1f} GB with the hub, and "
        f"{free / 1e9:.1f} GB are free"
    )
    if free >= needed:
        yield Finding(True, f"{sentence}.")
    else:
        most = max(0, int((free - MEMORY_OF_HUB) / each))
        yield Finding(False, f"{sentence}: at most {most} students can work here at once.")
