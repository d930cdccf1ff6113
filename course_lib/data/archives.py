"""Unpack a few files of an archive without trusting it: wheels and zip files, tar files of every compression."""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

# In bytes. No archive of the course unpacks to more than this, even where little of it is kept.
LARGEST_ARCHIVE = 2_000_000_000
_ZIP = (".zip", ".whl")
_SUFFIXES = (*_ZIP, ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# RuntimeError: a file in a zip file is encrypted, or packed by a method that Python does not know.
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
)


class BadArchive(Exception):
    """An archive cannot be read, lacks a file, or would do harm. The message is a clause that says so."""


@dataclass(frozen=True)
class _Member:
    """A file in an archive, or something like a link. Folders are left out."""

    name: str
    size: int
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def is_archive(filename: str) -> bool:
    """Whether a file of this name is an archive that `unpack` can read."""
    return filename.endswith(_SUFFIXES)


def unpack(archive: Path, inside: str, keep: tuple[str, ...], target: Path, largest: int = LARGEST_ARCHIVE) -> None:
    """Copy some files of an archive into a folder, with their paths.

    Nothing else is written: no path that leaves the folder, no link, and no more bytes than `largest`.

    Args:
        archive: the archive, whose name says of what kind it is.
        inside: the folder in the archive to which the patterns and the copied paths are relative. The way there may
            lead through archives inside the archive.
        keep: patterns of paths, such as ``"films/*.txt"``, where ``*`` stands for any characters but ``/``.
        target: an existing folder.
        largest: how many bytes may be copied in all.

    Raises:
        BadArchive: the archive is damaged, lacks a file for one of the patterns, or would do harm.
        OSError: a file cannot be written.
    """
    outer, inner, rest = _split_at_archive(inside)
    if inner:
        nested = target.with_name(f"{target.name}-{inner}")
        with _members(archive) as members:
            found = [member for member in members if member.name == f"{outer}{inner}"]
            if not found:
                raise BadArchive(f"{archive.name} lacks {outer}{inner}")
            _copy(found[0], nested, LARGEST_ARCHIVE)
        unpack(nested, rest, keep, target, largest)
        nested.unlink()
        return
    unmatched = set(keep)
    prefix = f"{inside}/" if inside else ""
    with _members(archive) as members:
        for member in members:
            path = member.name.removeprefix(prefix)
            patterns = {pattern for pattern in keep if member.name.startswith(prefix) and _matches(path, pattern)}
            if patterns:
                unmatched -= patterns
                largest -= _copy(member, target / path, largest)
    if unmatched:
        raise BadArchive(f"{archive.name} lacks {prefix}{min(unmatched)}")


def _split_at_archive(inside: str) -> tuple[str, str, str]:
    """Split ``"a/b.zip/c"`` into ``"a/"``, ``"b.zip"`` and ``"c"``; without an archive on the way, all are empty."""
    parts = inside.split("/")
    for number, part in enumerate(parts):
        if is_archive(part):
            return "".join(f"{folder}/" for folder in parts[:number]), part, "/".join(parts[number + 1 :])
    return "", "", ""


def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    """Open an archive and go through its members, each of which is checked. Errors of reading become BadArchive."""
    try:
        if archive.name.endswith(_ZIP):
            with zipfile.ZipFile(archive) as zip_file:
                yield _checked(_members_of_zip(zip_file), archive)
        else:
            with tarfile.open(archive) as tar_file:
                yield _checked(_members_of_tar(tar_file), archive)
    except _UNREADABLE as error:
        raise BadArchive(f"{archive.name} cannot be unpacked ({error})") from error


def _members_of_zip(zip_file: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zip_file.infolist():
        if not info.is_dir():
            kind = stat.S_IFMT(info.external_attr >> 16)
            yield _Member(_name(info.filename), info.file_size, kind in (0, stat.S_IFREG), partial(zip_file.open, info))


def _members_of_tar(tar_file: tarfile.TarFile) -> Iterator[_Member]:
    for info in tar_file:
        if not info.isdir():
            yield _Member(_name(info.name), info.size, info.isreg(), partial(tar_file.extractfile, info))


def _name(path: str) -> str:
    """A path in an archive without the "./" that many tar files put before it."""
    return str(PurePosixPath(path))


def _checked(members: Iterator[_Member], archive: Path) -> Iterator[_Member]:
    """Pass on the members of an archive that is neither too large nor tries to write outside of its folder."""
    unpacked = 0
    for member in members:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or any(letter in member.name for letter in "\\:\0"):
            raise BadArchive(f"{archive.name} has a path that leaves its folder, {member.name!r}")
        unpacked += member.size
        if unpacked > LARGEST_ARCHIVE:
            raise BadArchive(f"{archive.name} would unpack to more than {LARGEST_ARCHIVE / 1e9:.0f} GB")
        yield member


def _copy(member: _Member, target: Path, largest: int) -> int:
    """Copy a member to a new file, and give its size."""
    if not member.is_file:
        raise BadArchive(f"{member.name} is a link or a device, and not a file")
    if target.exists():
        raise BadArchive(f"{member.name} is there twice")
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    source = member.open()
    assert source is not None
    with source, target.open("xb") as file:
        while chunk := source.read(1 << 20):
            size += len(chunk)
            if size > largest:
                raise BadArchive(f"{member.name} is larger than it should be")
            file.write(chunk)
    return size
