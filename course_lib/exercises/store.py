"""The folder `my_transformer/`, where a learner's parts are kept: a Python package with one file for each part.

Nothing that a learner wrote is ever deleted. A file is replaced in one step, so that a crash leaves the old one or the
new one whole, and what is replaced or no longer passes is kept in `former/`.
"""

import os
from pathlib import Path

from filelock import FileLock

LOCK_SECONDS = 10


def folder() -> Path:
    """The folder of the learner's parts: `my_transformer` beside `notebooks/`, or what COURSE_WORK says."""
    return Path(os.environ.get("COURSE_WORK") or Path(__file__).parents[2] / "my_transformer")


def shown(path: Path) -> str:
    """A path inside the folder in the words for the learner, the same on every system."""
    return path.relative_to(folder().parent).as_posix()


def read(name: str) -> str | None:
    """The source that is kept of a part, or None."""
    path = folder() / f"{name}.py"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else None


def former(name: str) -> list[Path]:
    """The former versions of a part, the latest last."""
    return sorted((folder() / "former").glob(f"{name}_[0-9]*.py"))


def keep(name: str, source: str) -> Path:
    """Keep a part's source, and in `former/` what it replaces. Returns its file.

    Raises OSError where the folder cannot be written, or another notebook holds it for long.
    """
    path = folder() / f"{name}.py"
    with _lock():
        old = read(name)
        if old != source:
            (folder() / "former").mkdir(parents=True, exist_ok=True)
            if old is not None:
                _write(_next_former(name), old)
            _write(path, source)
            _list_parts()
    return path


def set_aside(name: str) -> Path:
    """Move a part to `former/`, and return where it is now. Raises OSError as `keep` does."""
    with _lock():
        (folder() / "former").mkdir(exist_ok=True)
        place = (folder() / f"{name}.py").replace(_next_former(name))
        _list_parts()
    return place


def _lock() -> FileLock:
    return FileLock(f"{folder()}.lock", timeout=LOCK_SECONDS)


def _next_former(name: str) -> Path:
    number = int(former(name)[-1].stem.rpartition("_")[2]) + 1 if former(name) else 1
    return folder() / "former" / f"{name}_{number:03}.py"


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _list_parts() -> None:
    names = sorted(path.stem for path in folder().glob("*.py") if path.stem != "__init__")
    lines = [f"from .{name} import {name}\n" for name in names]
    _write(folder() / "__init__.py", '"""Your parts of the Transformer."""\n\n' + "".join(lines))
