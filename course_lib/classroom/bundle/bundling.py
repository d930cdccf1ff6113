"""Make one folder from which computers without a network install and run the course, and check such a folder.

The folder appears step by step: first the list of what it will have, then each wheel, data set and file of the course.
Whatever stops the work, the next run finds by their hashes what is there already, and fetches only the rest.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.specifiers import SpecifierSet

from course_lib import data
from course_lib.classroom.bundle import wheels
from course_lib.classroom.bundle.errors import BundleError
from course_lib.classroom.bundle.targets import Target
from course_lib.classroom.bundle.wheels import Wheel
from course_lib.data.atomic import write_atomically
from course_lib.data.downloading import DownloadFailed, download
from course_lib.data.places import COURSE
from course_lib.data.sources import Source
from course_lib.network import stick

COURSE_FILES = (
    "course.py",
    "course_lib",
    "notebooks",
    "docs",
    "class",
    "pyproject.toml",
    "environment.yml",
    "README.md",
    "LICENSE",
    "LICENSE-prose.md",
)
"""What a learner needs of the course's folder. Nothing else is copied, such as answers, environments and notes."""

LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
EXTRAS = ("bundle",)
"""The extras that can be installed from a bundle: so `course.py bundle --check` runs without a network too."""

FIRST_LINES = "READ_ME_FIRST.txt"
_LOCK = ".bundle.lock"
# In bytes, for what pip needs beside the files themselves.
_MARGIN = 50e6

Progress = Callable[[int], None]
"""Is told how many further bytes have come."""


@dataclass(frozen=True)
class Bundle:
    """What a folder is to have.

    Attributes:
        folder: The folder.
        requirements: What is to be installed from it.
        wheels: The wheels for each target.
        sources: The files of the data sets.
    """

    folder: Path
    requirements: tuple[str, ...]
    wheels: dict[Target, tuple[Wheel, ...]]
    sources: tuple[Source, ...]

    @property
    def all_wheels(self) -> dict[Wheel, Target]:
        """Each wheel once, with a target on which it runs."""
        return {wheel: target for target, chosen in reversed(self.wheels.items()) for wheel in chosen}

    @property
    def size_bytes(self) -> int:
        """The size of all wheels whose sizes are known, of the data and of the course."""
        return sum(wheel.size or 0 for wheel in self.all_wheels) + sum(each.size_bytes for each in self.sources)


@dataclass(frozen=True)
class Missing:
    """What a folder does not have yet.

    Attributes:
        wheels: The missing and damaged wheels, each with a target on which it runs.
        sources: The missing and damaged files of the data sets.
    """

    wheels: dict[Wheel, Target]
    sources: tuple[Source, ...]

    @property
    def size_bytes(self) -> int:
        """The size of the download, as far as the servers say the sizes."""
        return sum(wheel.size or 0 for wheel in self.wheels) + sum(source.size_bytes for source in self.sources)

    @property
    def unknown_sizes(self) -> int:
        """The number of wheels whose size no server says."""
        return sum(wheel.size is None for wheel in self.wheels)


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Make or open the folder of a bundle, keep other runs out of it, and give a folder for temporary files in it.

    Raises:
        BundleError: The folder has something else in it, cannot be written to, or another run is at work in it.
    """
    for name in COURSE_FILES:
        if folder == COURSE or COURSE / name in (folder, *folder.parents):
            raise BundleError(f"The bundle would be inside of what it copies, {COURSE / name}: name another folder.")
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"{folder} is a file: name a new folder.")
    try:
        if folder.exists() and any(file.name != _LOCK for file in folder.iterdir()) and not is_bundle(folder):
            raise BundleError(f"{folder} is not empty, and was not made by this command: name a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
        try:
            for left_over in folder.glob(".unfinished-*"):  # by a run that was killed
                shutil.rmtree(left_over, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as working_folder:
                yield Path(working_folder)
        finally:
            lock.release()
            (folder / _LOCK).unlink(missing_ok=True)
    except Timeout:
        raise BundleError(f"Another run is filling {folder}: wait until it has finished.") from None
    except OSError as error:
        raise BundleError(f"{folder} cannot be written to ({error.strerror or error}): name another folder.") from error


def is_bundle(folder: Path) -> bool:
    """Whether a folder was made by this module, finished or not."""
    return (folder / stick.CONTENTS).is_file()


def requirements() -> tuple[str, ...]:
    """What is installed from a bundle: the course's packages, those that build it, and those of the bundle's extras."""
    table = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))
    optional = table["project"].get("optional-dependencies", {})
    extras = [need for extra in EXTRAS for need in optional.get(extra, [])]
    return tuple(dict.fromkeys([*table["project"]["dependencies"], *table["build-system"]["requires"], *extras]))


def pythons() -> tuple[str, ...]:
    """The versions of Python on which the course runs, such as "3.11"."""
    table = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))
    range_ = SpecifierSet(table["project"]["requires-python"])
    return tuple(version for version in (f"3.{minor}" for minor in range(100)) if range_.contains(version))


def noted(folder: Path, targets: Sequence[Target]) -> Bundle | None:
    """Read what an earlier run decided that the folder is to have, or None if it decided for something else.

    Args:
        folder: The folder of the bundle.
        targets: The computers for which it is to be.
    """
    contents = stick.read_contents(folder)
    if contents is None or contents["requirements"] != [*requirements()]:
        return None
    if [*contents["targets"]] != [target.name for target in targets]:
        return None
    all_wheels = {row["name"]: Wheel(**row) for row in contents["wheels"]}
    chosen = {target: tuple(all_wheels[name] for name in contents["targets"][target.name]) for target in targets}
    built = [wheel for wheel in all_wheels.values() if not wheel.url]
    if not all(_is_here(folder / stick.WHEELS / wheel.name, wheel.sha256) for wheel in built):
        return None  # Only building them again can replace them, and gives another hash.
    return Bundle(folder, requirements(), chosen, _sources())


def decide(folder: Path, targets: Sequence[Target], working_folder: Path, say: Callable[[str], None]) -> Bundle:
    """Decide what the folder is to have, with the package index, and note it in the folder.

    Args:
        folder: The folder of the bundle.
        targets: The computers for which it is to be.
        working_folder: A folder for temporary files.
        say: Is told what is being done, in sentences.

    Raises:
        BundleError: There is no network, or no wheel of a package for a target.
    """
    needs = requirements()
    built_folder = working_folder / "built"
    built_folder.mkdir()
    built = wheels.build(needs, built_folder, working_folder)
    chosen = {}
    for target in targets:
        say(f"Choosing the packages for {target.description} ...")
        chosen[target] = wheels.choose(needs, target, built_folder, working_folder)
    sized = {wheel.name: wheel for wheel in wheels.with_sizes({each for row in chosen.values() for each in row})}
    bundle = Bundle(
        folder,
        needs,
        {target: tuple(sized[wheel.name] for wheel in row) for target, row in chosen.items()},
        _sources(),
    )
    for wheel in built:
        _move(built_folder / wheel.name, folder / stick.WHEELS / wheel.name)
    contents = {
        "format": stick.FORMAT,
        "requirements": needs,
        "extras": EXTRAS,
        "targets": {target.name: [wheel.name for wheel in row] for target, row in bundle.wheels.items()},
        "wheels": [wheel.as_json() for wheel in sorted(sized.values(), key=lambda wheel: wheel.name)],
    }
    write_atomically(folder / stick.CONTENTS, json.dumps(contents, indent=1).encode())
    return bundle


def _sources() -> tuple[Source, ...]:
    """The files of all data sets that notebooks use, each once."""
    used = [source for about in data.SETS.values() if about.notebooks for source in about.sources]
    return tuple({source.filename: source for source in used}.values())


def missing(bundle: Bundle) -> Missing:
    """See which wheels and data the folder does not have, or has damaged. Every byte of it is read."""
    return Missing(
        {
            wheel: target
            for wheel, target in bundle.all_wheels.items()
            if not _is_here(bundle.folder / stick.WHEELS / wheel.name, wheel.sha256)
        },
        tuple(
            source
            for source in bundle.sources
            if not _is_here(bundle.folder / stick.DATA / source.filename, source.sha256)
        ),
    )


def _is_here(file: Path, sha256: str) -> bool:
    try:
        return stick.hash_of(file) == sha256
    except OSError:
        return False


def require_space(bundle: Bundle, needed: Missing) -> None:
    """Refuse to begin if the disk is too full.

    Raises:
        BundleError: It is.
    """
    sizes = [wheel.size or 0 for wheel in needed.wheels] + [source.size_bytes for source in needed.sources]
    # pip briefly stores what one call downloads twice.
    space = sum(sizes) + max(sizes, default=0) + _MARGIN
    free = shutil.disk_usage(bundle.folder).free
    if free < space:
        raise BundleError(
            f"The disk is too full: {free / 1e6:,.0f} MB are free in {bundle.folder}, and {space / 1e6:,.0f} MB are "
            "needed, so free some space or name a folder on another disk."
        )


def fill(bundle: Bundle, needed: Missing, working_folder: Path, progress: Progress) -> None:
    """Fetch what is missing, copy the course, and write the list of hashes.

    Raises:
        BundleError: There is no network, the disk is full, or what came is not what was expected.
    """
    for target in bundle.wheels:
        for batch in wheels.batches(wheel for wheel, first in needed.wheels.items() if first == target):
            _fetch_wheels(bundle, batch, target, working_folder, progress)
    for source in needed.sources:
        _fetch_source(bundle, source, working_folder, progress)
    _remove_others(bundle.folder / stick.WHEELS, {wheel.name for wheel in bundle.all_wheels})
    _copy_course(bundle.folder)
    write_atomically(bundle.folder / FIRST_LINES, first_lines(bundle).encode())
    _write_hashes(bundle)
    for target in bundle.wheels:
        for problem in wheels.problems(bundle.requirements, target, *_wheels_of(bundle, target)):
            raise BundleError(f"The bundle is not complete, because {problem}: please report this.")


def _fetch_wheels(bundle: Bundle, batch: list[Wheel], target: Target, working_folder: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=working_folder) as own_folder, _counted(progress) as count:
        came = wheels.download(batch, target, Path(own_folder), count)
        count(sum(wheel.size or 0 for wheel in batch))
        for wheel in batch:
            _move(came / wheel.name, bundle.folder / stick.WHEELS / wheel.name)


def _fetch_source(bundle: Bundle, source: Source, working_folder: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=working_folder) as own_folder, _counted(progress) as count:
        try:
            came = download(source, Path(own_folder) / "download", count)
        except DownloadFailed as failure:
            raise BundleError(
                f"{source.filename} could not be fetched from {failure.place}, because {failure.trouble.reason}: "
                f"{failure.trouble.remedy}, then run the same command again."
            ) from failure
        _move(came, bundle.folder / stick.DATA / source.filename)


@contextmanager
def _counted(progress: Progress) -> Iterator[Progress]:
    """Turn how many bytes of a file have come so far into how many further bytes have come."""
    so_far = 0

    def count(size: int) -> None:
        nonlocal so_far
        progress(max(0, size - so_far))
        so_far = max(so_far, size)

    yield count


def _move(file: Path, target: Path) -> None:
    """Move a file to its place on the same disk in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove the files that an earlier bundle in the same folder had."""
    for file in folder.glob("*"):
        if file.name not in names and file.is_file():
            file.unlink()


def _copy_course(folder: Path) -> None:
    """Copy the course, and remove what an earlier copy had beyond it."""
    files = {file.relative_to(COURSE).as_posix(): file for file in _course_files(COURSE)}
    for name, file in files.items():
        content = file.read_bytes()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            write_atomically(folder / name, content)
    for file in _course_files(folder):
        if file.relative_to(folder).as_posix() not in files:
            file.unlink()


def _course_files(folder: Path) -> Iterator[Path]:
    """The files of the course in a folder, without what Python and JupyterLab put among them."""
    for name in COURSE_FILES:
        for file in [folder / name] if (folder / name).is_file() else (folder / name).rglob("*"):
            if file.is_file() and not {*LEFT_OUT} & {*file.relative_to(folder).parts}:
                yield file


def first_lines(bundle: Bundle) -> str:
    """The five lines that a learner reads first."""
    computers = stick.describe(target.name for target in bundle.wheels)
    return (
        "1. Copy this whole folder to your computer. From then on you need neither the stick nor a network.\n"
        f"2. You need Python. This folder is for {computers}.\n"
        "3. Open a terminal in the copied folder and run: python3 course.py data   (on Windows: py course.py data)\n"
        "4. Start the course with: python3 course.py lab   (on Windows: py course.py lab)\n"
        "5. If something does not work, run: python3 course.py doctor   The file README.md says more.\n"
    )


def _write_hashes(bundle: Bundle) -> None:
    """Write the hashes of all files of the bundle. Those of wheels and data are known."""
    hashes = {f"{stick.WHEELS}/{wheel.name}": wheel.sha256 for wheel in bundle.all_wheels}
    hashes |= {f"{stick.DATA}/{source.filename}": source.sha256 for source in bundle.sources}
    others = [*_course_files(bundle.folder), bundle.folder / FIRST_LINES, bundle.folder / stick.CONTENTS]
    hashes |= {file.relative_to(bundle.folder).as_posix(): stick.hash_of(file) for file in others}
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items())]
    write_atomically(bundle.folder / stick.HASHES, "".join(lines).encode())


def _wheels_of(bundle: Bundle, target: Target) -> tuple[Path, list[str]]:
    return bundle.folder / stick.WHEELS, [wheel.name for wheel in bundle.wheels[target]]


def check(folder: Path) -> Iterator[str]:
    """Check a bundle: that each file is what it was, and that each target has wheels of all packages that it needs.

    Yields:
        A clause about each problem.

    Raises:
        BundleError: The folder is no bundle, or it is not finished.
    """
    contents = stick.read_contents(folder)
    if contents is None:
        raise BundleError(f"{folder} is not a bundle of the course: name the folder that this command has made.")
    if not (folder / stick.HASHES).is_file():
        raise BundleError(f"The bundle {folder} is not finished: run the command without --check to finish it.")
    found = [*stick.damaged_files(folder)]
    yield from found
    for name, chosen in contents["targets"].items():
        present = [wheel for wheel in chosen if not any(f"{stick.WHEELS}/{wheel} " in clause for clause in found)]
        if present == chosen:
            target = Target(*name.split(" "))
            yield from wheels.problems(contents["requirements"], target, folder / stick.WHEELS, chosen)
