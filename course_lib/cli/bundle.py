"""Make a folder from which computers without a network install.

It has the packages for the chosen systems and versions of Python, the data sets and the course. Put it on USB sticks,
or on a server of the class: on a copy of it, `course.py lab` and all other commands need no network. If the command is
stopped, the same command goes on where it was. An example: bundle /media/stick/course --system linux macos windows
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib.cli.common import CommandError, shell_command
from course_lib.network.stick import SYSTEMS, this_system

if TYPE_CHECKING:
    from course_lib.classroom.bundle.bundling import Bundle, Missing
    from course_lib.classroom.bundle.targets import Target

EXTRAS = ("bundle",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder, the computers for which it is, and a choice to check it only."""
    parser.add_argument("folder", metavar="FOLDER", help="a new folder, or one that this command has made")
    parser.add_argument("--system", nargs="+", metavar="NAME", help=f"{', '.join(SYSTEMS)}; otherwise this computer's")
    parser.add_argument("--python", nargs="+", metavar="X.Y", help="versions of Python; otherwise this one's")
    parser.add_argument("--check", action="store_true", help="check the folder, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Make or check a bundle."""
    from course_lib.classroom.bundle.errors import BundleError
    from course_lib.data.places import place

    folder = place(arguments.folder).resolve()
    try:
        return _check(folder) if arguments.check else _make(folder, _targets(arguments.system, arguments.python))
    except BundleError as error:
        raise CommandError(str(error)) from error


def _targets(systems: Sequence[str] | None, pythons: Sequence[str] | None) -> "list[Target]":
    """The computers for which the bundle is to be, each once.

    Raises:
        CommandError: A system or a version of Python is unknown.
    """
    from course_lib.classroom.bundle import bundling
    from course_lib.classroom.bundle.targets import Target

    here = this_system()
    if systems is None and here is None:
        raise CommandError(
            f"This computer ({platform.system()} on {platform.machine()}) is none for which bundles are made: choose "
            f"with --system among {', '.join(SYSTEMS)}."
        )
    for system in systems or ():
        if system not in SYSTEMS:
            raise CommandError(f"There is no system `{system}`: choose among {', '.join(SYSTEMS)}.")
    known = bundling.pythons()
    for python in pythons or ():
        if python not in known:
            raise CommandError(f"The course does not run on Python `{python}`: choose among {', '.join(known)}.")
    chosen = pythons or [f"{sys.version_info[0]}.{sys.version_info[1]}"]
    # In the order of the tables, so that the same choice in other words is the same bundle.
    return [
        Target(system, python)
        for system in SYSTEMS
        for python in known
        if system in (systems or {here}) and python in chosen
    ]


def _make(folder: Path, targets: "list[Target]") -> int:
    """Make or finish a bundle, and print what is done."""
    from tqdm import tqdm

    from course_lib.classroom.bundle import bundling

    with bundling.opened(folder) as working_folder:
        bundle = bundling.noted(folder, targets) or bundling.decide(folder, targets, working_folder, _say)
        needed = bundling.missing(bundle)
        _say(_describe(bundle, needed))
        bundling.require_space(bundle, needed)
        nowhere = sys.stderr is None  # as in a program without a terminal on Windows
        with tqdm(total=needed.size_bytes, unit="B", unit_scale=True, leave=False, disable=nowhere) as bar:
            bundling.fill(bundle, needed, working_folder, bar.update)
    print(f"✓ {folder} is complete: {_size(folder)} MB. Its file {bundling.FIRST_LINES} says how to use it.")
    return 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _describe(bundle: "Bundle", needed: "Missing") -> str:
    """Say what the bundle will have, and how much of it is still to be downloaded."""
    computers = " and ".join(target.description for target in bundle.wheels)
    what = f"{len(bundle.all_wheels)} packages for {computers}, and data in {len(bundle.sources)} files"
    size = f"{bundle.size_bytes / 1e6:,.0f} MB"
    if not needed.wheels and not needed.sources:
        return f"The bundle has {what}: {size}. Nothing has to be downloaded."
    unknown = f", and {needed.unknown_sizes} files whose size the server does not say" if needed.unknown_sizes else ""
    return f"The bundle has {what}: {size}. To be downloaded: {needed.size_bytes / 1e6:,.0f} MB{unknown}."


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:,.0f}"


def _check(folder: Path) -> int:
    """Check a bundle, and print each problem."""
    from course_lib.classroom.bundle import bundling
    from course_lib.network import stick

    problems = [*bundling.check(folder)]
    for problem in problems:
        print(f"✗ {problem}.", flush=True)
    if problems:
        print(f"The bundle is not usable: run `{shell_command('bundle', str(folder))}` with a network to repair it.")
        return 1
    contents = stick.read_contents(folder)
    assert contents is not None
    files = len(stick.read_hashes(folder))
    print(f"✓ All {files:,} files are as they were made, for {stick.describe(contents['targets'])}.")
    return 0
