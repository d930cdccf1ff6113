"""What the course needs of a computer, looked at piece by piece. `course.py doctor` prints it."""

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

MEMORY = 4e9
DISK = 1e9
# Tokens a second through the attention of `speed`, on the computer whose minutes the notebooks give.
COURSE_SPEED = 45_000
LAB_EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        fine: whether it is as it should be.
        sentence: what was found and, where it is not fine, what to do.
        needed: whether the course cannot run where it is not fine.
    """

    fine: bool
    sentence: str
    needed: bool = True


def examine(root: Path) -> Iterator[Finding]:
    """Look at this computer, and at the Python that runs this, for the course that lies in `root`.

    A finding is yielded as soon as it is made. The last, the speed, takes some ten seconds.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    looks: list[Callable[[], Iterator[Finding]]] = [
        lambda: python(settings["requires-python"]),
        lambda: packages(settings["dependencies"]),
        computer,
        lambda: disk(root),
        data_sets,
        explorers,
        speed,
    ]
    for look in looks:
        try:
            yield from look()
        except (ImportError, OSError) as error:
            yield Finding(
                False,
                f"Something of the course is broken ({error}): delete the folder .venv, then run "
                "`python3 course.py lab`, which makes it anew.",
            )


def python(needed: str) -> Iterator[Finding]:
    """Hold this Python against the range that the course needs, such as ">=3.11,<3.15"."""
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    fine = SpecifierSet(needed).contains(version, prereleases=True)
    advice = "is in the course's range" if fine else "is outside the course's range: install Python 3.13"
    yield Finding(fine, f"Python {version} {advice} ({needed}).")


def packages(needed: list[str]) -> Iterator[Finding]:
    """Hold each installed package against its range, such as "torch>=2.6,<2.14"."""
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
        yield Finding(False, f"{sentence} are few: {advice}.", needed=False)


def disk(root: Path) -> Iterator[Finding]:
    """Measure the room that is left where the course lies."""
    free = shutil.disk_usage(root).free
    if free >= DISK:
        yield Finding(True, f"{free / 1e9:.1f} GB are free on the disk.")
    else:
        yield Finding(
            False, f"{free / 1e9:.1f} GB are free on the disk: make room for {DISK / 1e9:.0f} GB.", needed=False
        )


def data_sets() -> Iterator[Finding]:
    """Look which data sets are here."""
    from course_lib import data

    for name in data.SETS:
        if data.present(name):
            yield Finding(True, f"The data set {name} is here.")
        else:
            yield Finding(
                False, f"The data set {name} is not here yet: run `python3 course.py data {name}`.", needed=False
            )


def explorers() -> Iterator[Finding]:
    """Look whether JupyterLab can show the course's explorers."""
    importlib.import_module("anywidget")
    folder = Path(sys.prefix, "share", "jupyter", "labextensions")
    missing = [name for name in LAB_EXTENSIONS if not (folder / name / "package.json").exists()]
    if missing:
        yield Finding(
            False,
            f"The explorers cannot be shown, since JupyterLab lacks {' and '.join(missing)}: delete the folder .venv, "
            "then run `python3 course.py lab`, which makes it anew.",
        )
    else:
        yield Finding(True, "The explorers are ready: JupyterLab has what shows them.")


def speed(seconds: float = 4.0) -> Iterator[Finding]:
    """Measure how fast this computer multiplies matrices, and runs attention forwards and backwards.

    Args:
        seconds: how long each of the two is measured.
    """
    import torch

    from course_lib.transformer.attention import MultiHeadAttention

    size = 1024
    matrix = torch.full((size, size), 0.01)
    products = _runs_a_second(lambda: matrix @ matrix, seconds)

    batch, length, d_model = 16, 64, 256
    attention = MultiHeadAttention(d_model, heads=4)
    tokens = torch.full((batch, length, d_model), 0.01)
    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # As the course's trainings do: a second one gains little, and waits for busy cores.
    try:
        passes = _runs_a_second(lambda: attention(tokens, tokens, tokens).sum().backward(), seconds)
    finally:
        torch.set_num_threads(cores)
    tokens_a_second = batch * length * passes

    reading = (
        f"{products * 2 * size**3 / 1e9:.0f} GFLOP/s in products of matrices and {tokens_a_second:,.0f} tokens/s "
        "through attention forwards and backwards"
    )
    ratio = tokens_a_second / COURSE_SPEED
    if ratio >= 0.8:
        yield Finding(True, f"{reading}: the minutes that the notebooks give will do.")
    else:
        advice = f"unless other programs are busy, expect {1 / ratio:.1f} times the minutes that the notebooks give"
        yield Finding(ratio >= 0.5, f"{reading}: {advice}.", needed=False)


def _runs_a_second(run: Callable[[], object], seconds: float) -> float:
    """Measure how often a second `run` could be done: its fastest time counts, since other programs only slow it."""
    fastest, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        run()
        fastest = min(fastest, time.perf_counter() - start)
    return 1 / fastest
