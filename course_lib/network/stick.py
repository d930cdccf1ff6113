"""The folder that `course.py bundle` makes, from which a computer without a network installs the course: a stick.

Beside `course.py` it has the packages in `wheels`, the data sets in `data`, a list of what it is for, and hashes of all
files. It may be a USB stick, or a copy of one on a computer's own disk.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

WHEELS = "wheels"
DATA = "data"
CONTENTS = "bundle.json"
"""For which computers the folder is, and which wheels are for which of them."""
HASHES = "SHA256SUMS"
"""The SHA-256 of every other file, in the format of the program `sha256sum`."""

FORMAT = 1

SYSTEMS: Mapping[str, tuple[str, str]] = {
    "linux": ("Linux", "x86_64"),
    "linux-arm": ("Linux", "aarch64"),
    "macos": ("Darwin", "arm64"),
    "windows": ("Windows", "AMD64"),
}
"""The systems for which PyTorch has builds, each with what Python's `platform` calls the system and the processor."""


class BadStick(Exception):
    """The folder cannot be used on this computer. The message is one sentence that says why and what to do."""


def this_system() -> str | None:
    """Give the name of this computer's system, or None if it is not among the known ones."""
    found = (platform.system(), platform.machine())
    return next((name for name, system in SYSTEMS.items() if system == found), None)


def read_contents(folder: Path) -> dict[str, Any] | None:
    """Read for which computers a folder is and what it has, or None if `course.py bundle` did not make it."""
    try:
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_whole = isinstance(contents, dict) and contents.get("format") == FORMAT
    return contents if is_whole else None


def pip_options(folder: Path, extras: Iterable[str]) -> list[str]:
    """Give the options that let pip install the course from a folder alone, once its packages have been verified.

    Args:
        folder: The folder of the course.
        extras: The extras of pyproject.toml that are to be installed.

    Returns:
        The options. There are none if the folder has no packages, or not those of the extras: pip then uses the
        network as usual.

    Raises:
        BadStick: The folder has no packages for this Python, or some are missing or damaged.
    """
    contents = read_contents(folder)
    wheels = (folder / WHEELS).resolve()
    if contents is None or not wheels.is_dir() or not {*extras} <= {*contents["extras"]}:
        return []
    here = f"{this_system()} {sys.version_info[0]}.{sys.version_info[1]}"
    if here not in contents["targets"]:
        raise BadStick(
            f"The packages in the folder {WHEELS} are for {describe(contents['targets'])}, and this is "
            f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.system()} ({platform.machine()}): start "
            f"course.py with another Python, or delete the folder {WHEELS} to install from the network."
        )
    needed = {f"{WHEELS}/{name}" for name in contents["targets"][here]}
    damaged = next(damaged_files(folder, needed), None)
    if damaged:
        raise BadStick(f"The file {damaged}: copy the whole folder again, then run the same command again.")
    # Unlike a path in a variable such as PIP_FIND_LINKS, an address may come from a path with a space.
    return ["--no-index", "--find-links", wheels.as_uri()]


def describe(targets: Iterable[str]) -> str:
    """Name systems and versions of Python in words.

    >>> describe(["linux 3.11", "linux 3.12", "windows 3.12"])
    'linux with Python 3.11 or 3.12, and windows with Python 3.12'
    """
    versions: dict[str, list[str]] = {}
    for target in targets:
        system, _, python = target.partition(" ")
        versions.setdefault(system, []).append(python)
    systems = [f"{system} with Python {' or '.join(pythons)}" for system, pythons in versions.items()]
    return ", and ".join(systems)


def damaged_files(folder: Path, names: set[str] | None = None) -> Iterator[str]:
    """Compare files with the hashes that were noted when the folder was made.

    Args:
        folder: The folder.
        names: The paths of the files in the folder. All that are listed if None.

    Yields:
        A clause about each file that is missing, damaged or not listed, such as "wheels/a.whl is damaged".
    """
    try:
        noted = read_hashes(folder)
    except OSError:
        yield f"{HASHES} is missing"
        return
    for name in sorted(noted if names is None else names):
        if name not in noted:
            yield f"{name} is not in the list {HASHES}"
            continue
        try:
            if hash_of(folder / name) != noted[name]:
                yield f"{name} is damaged"
        except OSError:
            yield f"{name} is missing or cannot be read"


def read_hashes(folder: Path) -> dict[str, str]:
    """Read the noted hash of each file, by its path in the folder."""
    lines = (folder / HASHES).read_text(encoding="utf-8").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines) if name}


def hash_of(file: Path) -> str:
    """Give the SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
