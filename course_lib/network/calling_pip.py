"""Call pip in a process of its own, watch what it does, and read what it says."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from course_lib.network import run_pip

# pip then asks no questions, and does not look for a newer pip.
QUIETLY = ("--no-input", "--disable-pip-version-check")


def pip_words(*words: str) -> list[str]:
    """Give the words that run this Python's pip in such a way that it ends with this process."""
    return [sys.executable, "-P", run_pip.__file__, *words, *QUIETLY]


def temporary_files_in(folder: Path) -> dict[str, str]:
    """Give this process's environment, changed so that pip's temporary files are in a folder and go with it."""
    return os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def markers_of_another_computer(markers: Mapping[str, str]) -> dict[str, str]:
    """Give the environment variable that lets pip evaluate markers such as `os_name == "nt"` for another computer."""
    return {run_pip.MARKERS: json.dumps(dict(markers))}


def call(words: list[str], environment: Mapping[str, str], folder: Path, look: Callable[[], None]) -> tuple[int, str]:
    """Run pip, which ends with this process, and look five times a second at what it does.

    Returns:
        Its exit status, and what it printed.
    """
    output = folder / "output.txt"
    with (
        output.open("wb") as file,
        subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            while process.poll() is None:
                look()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.2)
        finally:
            process.kill()
    return process.returncode, output.read_text(encoding="utf-8", errors="replace")
