"""Wheels for other computers: which ones pip would install there, and whether a folder has all of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from course_lib.classroom.bundle.errors import BundleError
from course_lib.classroom.bundle.targets import Target
from course_lib.data.downloading import size_of
from course_lib.network import calling_pip
from course_lib.network.cpu_builds import CPU_INDEX, responds
from course_lib.network.stick import hash_of
from course_lib.network.troubles import diagnose, last_error

SOURCE_ONLY = ("seqeval",)
"""Packages of which the index has the source alone. It is plain Python, so that one wheel serves every computer."""

# In bytes, of the wheels that one call of pip downloads. What it has is kept when it ends.
BATCH = 50e6
LARGEST_BATCH = 16


@dataclass(frozen=True)
class Wheel:
    """A wheel to download.

    Attributes:
        name: The name of the file.
        url: Where it is. Empty if it was built here from a source.
        sha256: The hash of the file.
        size: The size in bytes, or None if the index does not say.
    """

    name: str
    url: str
    sha256: str
    size: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def build(requirements: Sequence[str], folder: Path, working_folder: Path) -> list[Wheel]:
    """Build wheels of the required packages that have none, in a folder.

    Raises:
        BundleError: There is no network, or a package is not plain Python.
    """
    sources = [need for need in requirements if canonicalize_name(Requirement(need).name) in SOURCE_ONLY]
    if sources:
        words = ["wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder), *sources]
        _call_pip(words, working_folder, what=f"The package {sources[0]}")
    built = [Wheel(file.name, "", hash_of(file), file.stat().st_size) for file in sorted(folder.glob("*.whl"))]
    for wheel in built:
        if not wheel.name.endswith("-none-any.whl"):
            raise BundleError(f"The package {wheel.name} would serve this computer only: please report this.")
    return built


def choose(requirements: Sequence[str], target: Target, built: Path, working_folder: Path) -> list[Wheel]:
    """Let pip choose the wheels that it would install on another computer. None is downloaded.

    Args:
        requirements: What is to be installed, such as "torch>=2.6,<2.14".
        target: The other computer.
        built: A folder with wheels that no index has.
        working_folder: A folder for temporary files.

    Raises:
        BundleError: There is no network, or no wheel for this computer, or only PyTorch's build with CUDA.
    """
    report = working_folder / "report.json"
    options = [option for platform in target.platforms for option in ("--platform", platform)]
    if target.system == "linux" and responds(CPU_INDEX, seconds=3):
        options += ["--extra-index-url", CPU_INDEX]
    words = ["install", "--dry-run", "--ignore-installed", "--only-binary=:all:", "--report", str(report), *options]
    words += ["--implementation", "cp", "--python-version", target.python, "--find-links", str(built), *requirements]
    _call_pip(words, working_folder, target, what=f"The packages for {target.description}")
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    names = {canonicalize_name(item["metadata"]["name"]) for item in installed}
    if any(name.startswith(("nvidia-", "cuda-")) for name in names):
        raise BundleError(
            f"For {target.description} only PyTorch's build with CUDA was found, about 3 GB, since PyTorch's index of "
            "CPU builds does not respond: try again later, or name a folder that has the CPU build in PIP_FIND_LINKS."
        )
    return [_read(item["download_info"], built) for item in installed]


def _read(download_info: dict[str, Any], built: Path) -> Wheel:
    """Read pip's report of a wheel."""
    url = download_info["url"]
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    file = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
    sha256 = hash_of(file) if file else download_info["archive_info"].get("hashes", {}).get("sha256")
    if not sha256:
        raise BundleError(f"The package index gives no SHA-256 of {name}: use another index (PIP_INDEX_URL).")
    if file:
        return Wheel(name, "" if file.parent == built else url, sha256, file.stat().st_size)
    return Wheel(name, url, sha256)


def with_sizes(wheels: Iterable[Wheel]) -> list[Wheel]:
    """Ask the servers for the sizes of those wheels whose sizes are unknown, several at a time."""

    def ask(wheel: Wheel) -> Wheel:
        return wheel if wheel.size is not None else replace(wheel, size=size_of(wheel.url))

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(ask, wheels))


def batches(wheels: Iterable[Wheel]) -> Iterator[list[Wheel]]:
    """Divide wheels into those that one call of pip downloads, the small ones first."""
    batch: list[Wheel] = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.size or 0):
        batch.append(wheel)
        if len(batch) == LARGEST_BATCH or sum(each.size or 0 for each in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def download(wheels: Sequence[Wheel], target: Target, working_folder: Path, progress: Any) -> Path:
    """Let pip download wheels that it chose, and give the folder in which they are.

    Args:
        wheels: The wheels, which all run on the target.
        target: The computer for which they are.
        working_folder: An empty folder.
        progress: Is told how many bytes have come so far.

    Raises:
        BundleError: There is no network, or what came is something else.
    """
    came = working_folder / "came"
    required = working_folder / "requirements.txt"
    lines = [f"{parse_wheel_filename(each.name)[0]} @ {each.url} --hash=sha256:{each.sha256}\n" for each in wheels]
    required.write_text("".join(lines), encoding="utf-8")
    options = [option for platform in target.platforms for option in ("--platform", platform)]
    words = ["download", "--no-deps", "--require-hashes", "--no-cache-dir", "--only-binary=:all:", *options]
    words += ["--implementation", "cp", "--python-version", target.python]
    words += ["--requirement", str(required), "--dest", str(came)]

    def look() -> None:
        # pip first collects the wheels in a folder of its own, then copies them.
        files = [file for file in working_folder.rglob("*.whl") if came not in file.parents]
        progress(sum(_size(file) for file in files))

    _call_pip(words, working_folder, target, look, what=f"The packages for {target.description}")
    for wheel in wheels:
        if hash_of(came / wheel.name) != wheel.sha256:
            raise BundleError(f"What came for {wheel.name} is another file: run the same command again.")
    return came


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # pip has just moved it
        return 0


def _call_pip(
    words: list[str], working_folder: Path, target: Target | None = None, look: Any = lambda: None, *, what: str
) -> None:
    """Call pip, and turn its failure into a sentence."""
    log = working_folder / "pip.log"
    log.unlink(missing_ok=True)
    environment = calling_pip.temporary_files_in(working_folder)
    if target:
        environment |= calling_pip.markers_of_another_computer(target.markers)
    words = calling_pip.pip_words(*words, "--retries=2", "--log", str(log))
    status, output = calling_pip.call(words, environment, working_folder, look)
    if status == 0:
        return
    if log.is_file():
        output += log.read_text(encoding="utf-8", errors="replace")
    trouble = diagnose(output, words[0])
    if trouble is None:
        raise BundleError(f"{what} could not be fetched, and pip's last message was: {last_error(output)}.")
    raise BundleError(
        f"{what} could not be fetched, because {trouble.reason}: {trouble.remedy}, then run the same command again."
    )


def problems(requirements: Sequence[str], target: Target, folder: Path, names: Iterable[str]) -> Iterator[str]:
    """See whether wheels are all that pip needs on another computer, from what they say of themselves.

    Args:
        requirements: What is to be installed there.
        target: The computer.
        folder: The folder of the wheels.
        names: The files that are for this computer.

    Yields:
        A clause about each wheel that is of no use there, and each requirement that no wheel satisfies.
    """
    found: dict[NormalizedName, tuple[Version, Metadata]] = {}
    for name in names:
        package, version, _, tags = parse_wheel_filename(name)
        try:
            metadata = _metadata_of(folder / name)
        except (OSError, zipfile.BadZipFile, StopIteration, ValueError):
            yield f"{name} cannot be read"
            continue
        if not tags & target.tags:
            yield f"{name} does not run on {target.description}"
        elif metadata.requires_python and not metadata.requires_python.contains(f"{target.python}.0"):
            yield f"{name} needs Python {metadata.requires_python}, not {target.python}"
        else:
            found[package] = (version, metadata)
    asked: set[tuple[NormalizedName, str]] = set()
    open_needs = [(Requirement(need), "") for need in requirements]
    while open_needs:
        need, extra = open_needs.pop()
        if need.marker and not need.marker.evaluate({**target.markers, "extra": extra}):
            continue
        package = canonicalize_name(need.name)
        if package not in found:
            yield f"{need.name} is missing for {target.description}"
            continue
        version, metadata = found[package]
        if not need.specifier.contains(version, prereleases=True):
            yield f"{package} {version} is not {need.specifier} for {target.description}"
        for each in {"", *need.extras} - {extra for name, extra in asked if name == package}:
            asked.add((package, each))
            open_needs += [(further, each) for further in metadata.requires_dist or []]


def _metadata_of(wheel: Path) -> Metadata:
    """Read what a wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Metadata.from_email(archive.read(name), validate=False)
