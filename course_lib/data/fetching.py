"""Keep data sets in a folder on this computer, fetch those that are missing, and notice those that are damaged.

A data set's folder appears complete or not at all, whatever fails on the way. It has a list of its files with their
hashes, and the table of data sets has the hash of that list: so each byte that is read is the byte that was meant.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import platformdirs
from filelock import FileLock
from tqdm import tqdm

from course_lib.data.archives import BadArchive, unpack
from course_lib.data.downloading import DownloadFailed, download
from course_lib.data.errors import DataBroken, DataError, DataMissing, Offline
from course_lib.data.places import place
from course_lib.data.sets import SETS
from course_lib.data.sources import DataSet, Source
from course_lib.network.stick import hash_of
from course_lib.network.troubles import Kind

CONTENTS = "contents.json"
"""The file in each data set's folder that lists the others, with their sizes and hashes."""

ALWAYS_HASHED = 32_000_000
"""In bytes. Files up to this size are read whole before they are first used, which takes less than 0.1 s."""

_ERRORS: dict[Kind, type[DataError]] = {
    "pip": DataError,
    "unreachable": Offline,
    "missing": DataMissing,
    "no build": DataMissing,
    "broken off": DataBroken,
    "another file": DataBroken,
}


def cache_folder() -> Path:
    """The folder for data sets: the path in ``COURSE_DATA``, or else a folder in the platform's cache.

    A relative path starts in the course's folder.
    """
    chosen = os.environ.get("COURSE_DATA")
    return place(chosen) if chosen else platformdirs.user_cache_path("transformer-course", appauthor=False)


def present(name: str) -> bool:
    """Whether a data set is on this computer and not damaged, as far as `path` would notice.

    Raises:
        DataMissing: no data set has this name.
    """
    return _damage(_find(name), ALWAYS_HASHED) is None


def damage(name: str) -> str | None:
    """What is wrong with a data set that is on this computer, after every byte of it has been read.

    Returns:
        A clause such as "tales.tab is not what it was", or None if nothing is wrong.

    Raises:
        DataMissing: it is not on this computer yet, or no data set has this name.
    """
    data_set = _find(name)
    if not _folder(data_set).exists():
        raise _not_here(data_set)
    return _damage(data_set)


def path(name: str) -> Path:
    """The folder of a data set that is on this computer.

    Files of up to 32 MB are compared with their hashes, once in a process; of larger ones only the size is.

    Raises:
        DataMissing: it is not on this computer yet, or no data set has this name.
        DataBroken: some of its files are missing or damaged.
    """
    data_set = _find(name)
    folder = _folder(data_set)
    found = _damage(data_set, ALWAYS_HASHED)
    if found is None:
        return folder
    if folder.exists():
        raise DataBroken(
            f"The data set {name!r} in {folder} is damaged ({found}): run `python3 course.py data {name}` once with a "
            "network to replace it."
        )
    raise _not_here(data_set)


def fetch(name: str) -> Path:
    """The folder of a data set, which is downloaded first if it is not on this computer, or is damaged.

    A progress bar on standard error shows the download. Two processes may call this at the same time: one downloads,
    the other waits. If it fails, the cache folder is left unchanged.

    Raises:
        DataMissing: no data set has this name, or no server has its files.
        DataBroken: the download broke off, or is not the file that was requested.
        Offline: the server could not be reached, or refused.
        DataError: the disk is full or read-only, or pip failed in another way.
    """
    data_set = _find(name)
    folder = _folder(data_set)
    if _damage(data_set) is None:
        return folder
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        bar = _progress_bar(data_set)
        with bar, FileLock(cache / f".{name}.lock"):
            if _damage(data_set) is None:  # another process was faster
                return folder
            for left_over in cache.glob(f".{name}~*"):  # by one that was killed
                shutil.rmtree(left_over, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f".{name}~", dir=cache) as working_folder:
                _put_in_place(_collect(data_set, Path(working_folder), bar), folder, Path(working_folder))
    except DownloadFailed as failure:
        raise _explain(data_set, failure) from failure
    except OSError as error:
        raise _cannot_write(data_set, error.strerror or str(error)) from error
    return folder


def _find(name: str) -> DataSet:
    if name not in SETS:
        raise DataMissing(f"There is no data set {name!r}: choose one of {', '.join(SETS)}.")
    return SETS[name]


def folder_name(name: str) -> str:
    """The name of a data set's folder. Another version of the course, which keeps other files, has another one.

    Raises:
        DataMissing: no data set has this name.
    """
    return f"{name}-{_find(name).contents_sha256[:8]}"


def _folder(data_set: DataSet) -> Path:
    return cache_folder() / folder_name(data_set.name)


def _not_here(data_set: DataSet) -> DataMissing:
    return DataMissing(
        f"The data set {data_set.name!r} is not on this computer yet: run `python3 course.py data {data_set.name}` "
        "once with a network."
    )


def _damage(data_set: DataSet, largest_hashed: float = float("inf")) -> str | None:
    """What is wrong with a data set's folder, as a clause, or None. Of larger files, only the size is compared."""
    folder = _folder(data_set)
    try:
        listing = (folder / CONTENTS).read_bytes()
        if hashlib.sha256(listing).hexdigest() != data_set.contents_sha256:
            return f"{CONTENTS} is not what it was"
        for name, (size, sha256) in json.loads(listing).items():
            if (folder / name).stat().st_size != size:
                return f"{name} does not have its size"
            if size <= largest_hashed and _sha256(folder / name) != sha256:
                return f"{name} is not what it was"
    except OSError as error:
        name = Path(error.filename).relative_to(folder).as_posix() if error.filename else folder.name
        return f"{name} cannot be read ({error.strerror or error})"
    return None


def _sha256(file: Path) -> str:
    """Hash a file, once in a process unless it changes."""
    status = file.stat()
    changed = max(status.st_mtime, status.st_ctime)
    if time.time() - changed < 2:  # A further change might not be seen in its time.
        return hash_of(file)
    return _hash_once(file, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@functools.cache
def _hash_once(file: Path, *_version: int) -> str:
    return hash_of(file)


def _collect(data_set: DataSet, working_folder: Path, bar: tqdm[None]) -> Path:
    """Download all sources of a data set, and gather what is kept of them in a folder, with its list."""
    whole = working_folder / "whole"
    whole.mkdir()
    before = 0
    for number, source in enumerate(data_set.sources):

        def progress(size: int, before: int = before) -> None:
            bar.update(max(0, before + size - bar.n))

        came = download(source, working_folder / f"download-{number}", progress)
        before += source.size_bytes
        _keep(data_set, source, came, whole)
        shutil.rmtree(came.parent)
    listing = _list(whole)
    sha256 = hashlib.sha256(listing).hexdigest()
    if sha256 != data_set.contents_sha256:
        raise DataBroken(
            f"The data set {data_set.name!r} is not kept, because what was unpacked is not what the course expects "
            f"(the SHA-256 of its list is {sha256}): please report this as a fault of the course."
        )
    (whole / CONTENTS).write_bytes(listing)
    return whole


def _keep(data_set: DataSet, source: Source, came: Path, whole: Path) -> None:
    """Move into the folder what is kept of a downloaded file."""
    if not source.keep:
        came.replace(whole / source.filename)
        return
    try:
        unpack(came, source.inside, source.keep, whole, data_set.kept_bytes)
    except BadArchive as error:
        raise DataBroken(
            f"The data set {data_set.name!r} is not kept, because {error}: please report this as a fault of the course."
        ) from error


def _list(folder: Path) -> bytes:
    """List the files below a folder with their sizes and hashes."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rows = {file.relative_to(folder).as_posix(): (file.stat().st_size, hash_of(file)) for file in files}
    return json.dumps(rows, indent=1, sort_keys=True).encode()


def _progress_bar(data_set: DataSet) -> tqdm[None]:
    nowhere = sys.stderr is None  # as in a program without a terminal on Windows
    return tqdm(desc=data_set.name, total=data_set.size_bytes, unit="B", unit_scale=True, leave=False, disable=nowhere)


def _put_in_place(whole: Path, folder: Path, working_folder: Path) -> None:
    if folder.exists():  # damaged, or it would not have been fetched
        folder.replace(working_folder / "damaged")
    whole.replace(folder)


def _explain(data_set: DataSet, failure: DownloadFailed) -> DataError:
    """Say in one sentence why a data set could not be fetched, and what to do."""
    trouble = failure.trouble
    if trouble.kind == "full disk":
        return _cannot_write(data_set, trouble.reason)
    return _ERRORS[trouble.kind](
        f"The data set {data_set.name!r} could not be fetched from {failure.place}, because {trouble.reason}: "
        f"{trouble.remedy}."
    )


def _cannot_write(data_set: DataSet, reason: str) -> DataError:
    # pip briefly stores the download twice; later the download and the kept files need space.
    needed = data_set.size_bytes + max(data_set.size_bytes, data_set.kept_bytes)
    return DataError(
        f"The data set {data_set.name!r} could not be written to {cache_folder()} ({reason}): it needs "
        f"{needed // 1_000_000 + 1} MB and the right to write there, or set COURSE_DATA to another folder."
    )
