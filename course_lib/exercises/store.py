"""The folder `my_transformer/`, where a learner's parts are saved: a Python package with one file for each part.

Nothing that a learner wrote is ever deleted. A file is replaced in one step, so that a crash leaves either the old or
the new one whole, and what is replaced or no longer passes is moved to `former/`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from course_lib.data.atomic import write_atomically

LOCK_SECONDS = 10


def folder() -> Path:
    """The folder of the learner's parts: the path in COURSE_WORK, or else `my_transformer` beside `notebooks/`."""
    return Path(os.environ.get("COURSE_WORK") or Path(__file__).parents[2] / "my_transformer")


def part_file(name: str) -> Path:
    """The file of a part."""
    return folder() / f"{name}.py"


def display_path(path: Path) -> str:
    """A path inside the folder as the learner sees it, written alike on every system."""
    return path.relative_to(folder().parent).as_posix()


def read(name: str) -> str | None:
    """The saved source of a part, or None."""
    return part_file(name).read_text(encoding="utf-8", errors="replace") if part_file(name).exists() else None


def former_versions(name: str) -> list[Path]:
    """The former versions of a part, oldest first."""
    return sorted((folder() / "former").glob(f"{name}_[0-9]*.py"))


def save(name: str, source: str) -> None:
    """Save a part's source, and move the version that it replaces to `former/`.

    Raises OSError if the folder cannot be written to, or another notebook keeps it locked for too long.
    """
    with _locked():
        old = read(name)
        if old not in (None, source):
            _write(_next_former(name), str(old))
        if old != source:
            _write(part_file(name), source)


def set_aside(name: str) -> Path:
    """Move a part to `former/`, and return its new path. Raises OSError as `save` does."""
    with _locked():
        return part_file(name).replace(_next_former(name))


@contextmanager
def _locked() -> Iterator[None]:
    """Lock the folder against other notebooks while it changes, then list its parts in its `__init__.py`."""
    with FileLock(f"{folder()}.lock", timeout=LOCK_SECONDS):
        (folder() / "former").mkdir(parents=True, exist_ok=True)
        yield
        names = sorted({path.stem for path in folder().glob("*.py")} - {"__init__"})
        lines = [f"from .{name} import {name}\n" for name in names]
        _write(folder() / "__init__.py", '"""Your parts of the Transformer."""\n\n' + "".join(lines))


def _next_former(name: str) -> Path:
    earlier = former_versions(name)
    number = int(earlier[-1].stem.rpartition("_")[2]) + 1 if earlier else 1
    return folder() / "former" / f"{name}_{number:03}.py"


def _write(path: Path, text: str) -> None:
    write_atomically(path, text.encode("utf-8"))
