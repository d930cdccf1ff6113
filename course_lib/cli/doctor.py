"""Say whether the course runs on this computer, or what to fix.

With --class and a number, it also says whether this computer can be the server of so many students.
"""

import argparse
import importlib
import os
import platform
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.cli.common import ROOT, CommandError, shell_command

EXTRAS = ()
# In bytes.
MEMORY = 4e9
DISK_SPACE = 1e9
# Tokens per second through the attention of `speed`, on the computer on which the notebooks' minutes were measured.
COURSE_SPEED = 45_000
LAB_EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager")


@dataclass(frozen=True)
class Finding:
    """The result of one examination.

    Attributes:
        fine: Whether everything is as it should be.
        sentence: What was seen and, if it is not fine, what to do.
        needed: Whether the course cannot run if it is not fine.
    """

    fine: bool
    sentence: str
    needed: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number of students of a class."""
    parser.add_argument("--class", type=int, dest="students", metavar="N", help="examine the server of N students too")
    parser.add_argument("--folder", default="my_class", metavar="FOLDER", help="the folder of the class (my_class)")


def run(arguments: argparse.Namespace) -> int:
    """Print each finding, and whether the course can run."""
    if arguments.students is not None and arguments.students < 1:
        raise CommandError(f"--class should be the number of students, 1 or more, but is {arguments.students}.")
    healthy = True
    for finding in _findings(arguments):
        print(f"{'✓' if finding.fine else '✗'} {finding.sentence}", flush=True)
        healthy = healthy and (finding.fine or not finding.needed)
    if healthy:
        print("The course will run on this computer.")
        return 0
    print("The course will not run yet: fix what is marked with ✗.")
    return 1


def _findings(arguments: argparse.Namespace) -> Iterator["Finding"]:
    """Examine this computer for a learner, and for a class if that is asked for."""
    yield from examine(ROOT)
    if arguments.students is None:
        return
    from course_lib.classroom.room import ClassError, Room, open_room
    from course_lib.cli.class_doctor import examine_class
    from course_lib.data.places import place

    try:
        room = open_room(arguments.folder)
    except ClassError:
        room = Room(place(arguments.folder), "teacher", ())
    try:
        yield from examine_class(arguments.students, room)
    except (ImportError, OSError) as error:
        yield Finding(False, f"The class cannot be examined further ({error}): {_repair(ROOT)}.")


def examine(root: Path) -> Iterator[Finding]:
    """Examine this computer, and the Python that runs this, for the course in the folder `root`.

    Each finding is yielded as soon as it is known. The last, the speed, takes about ten seconds.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    examinations: list[Callable[[], Iterator[Finding]]] = [
        lambda: python(settings["requires-python"]),
        lambda: packages(settings["dependencies"]),
        computer,
        lambda: disk(root),
        data_sets,
        learners_parts,
        explorers,
        speed,
    ]
    for examination in examinations:
        try:
            yield from examination()
        except (ImportError, OSError) as error:
            yield Finding(
                False,
                f"Part of the installation is broken ({error}): {_repair(root)}.",
            )


def python(needed: str) -> Iterator[Finding]:
    """Compare this Python with the range that the course needs, such as ">=3.11,<3.15"."""
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    fine = SpecifierSet(needed).contains(version, prereleases=True)
    advice = "is in the course's range" if fine else "is outside the course's range: install Python 3.13"
    yield Finding(fine, f"Python {version} {advice} ({needed}).")


def packages(needed: list[str]) -> Iterator[Finding]:
    """Compare each installed package with its range, such as "torch>=2.6,<2.14"."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    for text in needed:
        requirement = Requirement(text)
        ranges = text.removeprefix(requirement.name)
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            state = "is not installed"
        else:
            if requirement.specifier.contains(installed, prereleases=True):
                yield Finding(True, f"{requirement.name} {installed} is in its range ({ranges}).")
                continue
            state = f"{installed} is outside its range ({ranges})"
        yield Finding(False, f"{requirement.name} {state}: run `{sys.executable} -m pip install '{text}'`.")


def computer() -> Iterator[Finding]:
    """Count cores and memory."""
    import psutil

    cores = os.cpu_count() or 1
    memory = psutil.virtual_memory().total
    sentence = f"{cores} {'core' if cores == 1 else 'cores'} and {memory / 1e9:.1f} GB of memory"
    if cores >= 2 and memory >= MEMORY:
        yield Finding(True, f"{sentence} are enough.")
    else:
        advice = f"the course is made for 2 cores and {MEMORY / 1e9:.0f} GB, so close other programs, and be patient"
        yield Finding(False, f"{sentence} are not much: {advice}.", needed=False)


def disk(root: Path) -> Iterator[Finding]:
    """Measure the free disk space where the course is."""
    free = shutil.disk_usage(root).free
    if free >= DISK_SPACE:
        yield Finding(True, f"{free / 1e9:.1f} GB are free on the disk.")
    else:
        yield Finding(
            False, f"Only {free / 1e9:.1f} GB are free on the disk: free {DISK_SPACE / 1e9:.0f} GB.", needed=False
        )


def data_sets() -> Iterator[Finding]:
    """See which of the notebooks' data sets have been downloaded, and read every byte of them."""
    from course_lib import data

    for name in (name for name, about in data.SETS.items() if about.notebooks):
        remedy = f"run `{shell_command('data', name)}`"
        try:
            damage = data.damage(name)
        except data.DataMissing:
            yield Finding(False, f"The data set {name} is not downloaded: {remedy}.", needed=False)
            continue
        if damage:
            yield Finding(False, f"The data set {name} is damaged ({damage}): {remedy}.", needed=False)
        else:
            yield Finding(True, f"The data set {name} is downloaded.")


def _repair(root: Path, *packages: str) -> str:
    """Say how to repair the Python that runs this. Only a `.venv` that the course made may be deleted."""
    if Path(sys.prefix).resolve() == (root / ".venv").resolve() and (root / ".venv" / "made-by-course.json").is_file():
        return f"delete the folder .venv, then run `{shell_command('lab')}`, which makes it again"
    what = f"--force-reinstall {' '.join(packages)}" if packages else f'--editable "{root}"'
    return f'run `"{sys.executable}" -m pip install {what}`'


def learners_parts() -> Iterator[Finding]:
    """See whether the learner's folder can be written to, and which files in it are not used. None is changed."""
    from course_lib.exercises import all_exercises
    from course_lib.exercises.keeping import parts, store

    folder = store.folder()
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Finding(
            False,
            f"Your parts cannot be saved, because {folder} cannot be written to.",
            needed=False,
        )
    if not folder.is_dir():
        return
    found = [parts.look_at(exercise.name) for exercise in all_exercises()]
    count = sum(part.is_yours for part in found)
    yield Finding(True, f"{folder.name} holds {count} {'part' if count == 1 else 'parts'} of yours.")
    for part in found:
        if part.problem:
            yield Finding(False, part.problem, needed=False)


def explorers() -> Iterator[Finding]:
    """See whether JupyterLab can show the course's explorers."""
    importlib.import_module("anywidget")
    folder = Path(sys.prefix, "share", "jupyter", "labextensions")
    missing = [name for name in LAB_EXTENSIONS if not (folder / name / "package.json").exists()]
    if missing:
        yield Finding(
            False,
            f"The explorers cannot be shown, because JupyterLab lacks {' and '.join(missing)}: "
            f"{_repair(ROOT, 'anywidget', 'jupyterlab_widgets')}.",
        )
    else:
        yield Finding(True, "JupyterLab can show the explorers.")


def speed(seconds: float = 4.0) -> Iterator[Finding]:
    """Measure how fast this computer multiplies matrices, and runs attention forward and backward.

    Args:
        seconds: How long to measure each of the two.
    """
    import torch

    from course_lib.transformer.attention import MultiHeadAttention

    size = 1024
    matrix = torch.full((size, size), 0.01)
    products_per_second = _runs_per_second(lambda: matrix @ matrix, seconds)

    batch, length, d_model = 16, 64, 256
    attention = MultiHeadAttention(d_model, heads=4)
    tokens = torch.full((batch, length, d_model), 0.01)
    cores = torch.get_num_threads()
    # As in the course's training runs: a second thread gains little, and waits when the cores are busy.
    torch.set_num_threads(1)
    try:
        passes_per_second = _runs_per_second(lambda: attention(tokens, tokens, tokens).sum().backward(), seconds)
    finally:
        torch.set_num_threads(cores)
    tokens_per_second = batch * length * passes_per_second

    measured = (
        f"{products_per_second * 2 * size**3 / 1e9:.0f} GFLOP/s in matrix products and {tokens_per_second:,.0f} "
        "tokens/s through attention, forward and backward"
    )
    ratio = tokens_per_second / COURSE_SPEED
    if ratio >= 0.8:
        yield Finding(True, f"{measured}: the minutes given in the notebooks apply.")
    else:
        advice = f"unless other programs are busy, expect {1 / ratio:.1f} times the minutes given in the notebooks"
        yield Finding(ratio >= 0.5, f"{measured}: {advice}.", needed=False)


def _runs_per_second(action: Callable[[], object], seconds: float) -> float:
    """Measure how often per second an action can run. The fastest run counts, as other programs only slow it down."""
    fastest, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        action()
        fastest = min(fastest, time.perf_counter() - start)
    return 1 / fastest
