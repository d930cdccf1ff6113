"""Nothing that a learner wrote is lost in a crash, by a second notebook, an update of the course, or a reset."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course_lib.exercises.keeping import store

ROOT = Path(__file__).parents[3]
RIGHT = "import torch\n\n\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n"
# No byte of these may change. Most are no text in UTF-8.
CONTENTS = {
    "latin-1": "# caf\xe9\nx = 1\n".encode("latin-1"),
    "UTF-16": "x = 'wörk'\n".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbfx = 1\n",
    "CRLF": b"x = 1\r\ny = 2\r\n",
    "mixed line ends": b"x = 1\r\ny = 2\rz = 3\n",
    "no final newline": b"x = 1",
    "nothing": b"",
    "every byte": bytes(range(256)),
}


def contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*.py")}


def former(name: str) -> list[bytes]:
    return [path.read_bytes() for path in store.former_versions(name)]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process, which loads no more of the course than the folder needs."""
    load_store = f"""if True:
        import importlib.util, os, sys
        from pathlib import Path
        spec = importlib.util.spec_from_file_location("store", {str(ROOT / "course_lib/exercises/keeping/store.py")!r})
        store = sys.modules["store"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(store)
    """
    return subprocess.run(
        [sys.executable, "-c", load_store + code, *arguments], capture_output=True, text=True, check=False
    )


def import_package(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Import `my_transformer` as m in a new process without the course, and run code."""
    without_path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", f"import my_transformer as m\n{code}"]
    return subprocess.run(
        command, cwd=folder.parent, env=without_path, capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_a_saved_part_can_be_read_again(work: Path):
    assert store.read("softmax") is None
    store.save("softmax", RIGHT)
    assert (work / "softmax.py").read_text(encoding="utf-8") == RIGHT
    assert store.read("softmax") == RIGHT.encode()


def test_each_version_is_kept_and_saving_one_again_adds_none(work: Path):
    for source in ("one = 1\n", "two = 2\n", "two = 2\n", "three = 3\n", "one = 1\n"):
        store.save("softmax", source)
    assert store.read("softmax") == b"one = 1\n"
    assert former("softmax") == [b"one = 1\n", b"two = 2\n", b"three = 3\n"]


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_replaced_file_is_kept_byte_for_byte(work: Path, content: bytes):
    work.mkdir()
    (work / "softmax.py").write_bytes(content)
    assert store.save("softmax", RIGHT) == work / "former" / "softmax_001.py"
    assert former("softmax")[0] == content


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_file_that_is_moved_aside_is_kept_byte_for_byte(work: Path, content: bytes):
    work.mkdir()
    (work / "softmax.py").write_bytes(content)
    assert store.set_aside("softmax") == work / "former" / "softmax_001.py"
    assert former("softmax") == [content]
    assert store.set_aside("softmax") is None


def test_numbers_of_former_versions_are_sorted_as_numbers_and_never_given_twice(work: Path):
    (work / "former").mkdir(parents=True)
    for number in (2, 999, 1000, 10_000):
        (work / "former" / f"softmax_{number:03}.py").write_text(f"version = {number}\n")
    assert [path.name for path in store.former_versions("softmax")][-2:] == ["softmax_1000.py", "softmax_10000.py"]
    store.save("softmax", "new = 1\n")
    store.save("softmax", "new = 2\n")
    assert [path.name for path in store.former_versions("softmax")][-2:] == ["softmax_10001.py", "softmax_10002.py"]
    assert former("softmax")[:4] == [f"version = {number}\n".encode() for number in (2, 999, 1000, 10_000)]


def test_other_files_in_the_folder_of_former_versions_are_ignored(work: Path):
    (work / "former" / "softmax_001").mkdir(parents=True)
    others = ["softmax_2_old.py", "softmax_.py", "softmax_-1.py", "softmax_1.5.py", "softmax_x.py", "log_softmax_7.py"]
    for name in others:
        (work / "former" / name).write_text(name)
    store.save("softmax", RIGHT)
    assert store.former_versions("softmax") == [work / "former" / "softmax_001.py"]
    assert all((work / "former" / name).read_text() == name for name in others)


def test_ten_thousand_former_versions_are_no_reason_to_wait(work: Path):
    (work / "former").mkdir(parents=True)
    for number in range(1, 10_001):
        (work / "former" / f"softmax_{number:03}.py").write_text(f"version = {number}\n")
    began = time.process_time()
    store.save("softmax", RIGHT)
    assert time.process_time() - began < 2  # about 0.3 on the computer on which this was written
    assert store.former_versions("softmax")[-1].name == "softmax_10001.py"


def test_only_a_version_that_was_not_saved_from_a_cell_is_reported_as_replaced(work: Path):
    assert store.save("softmax", "one = 1\n") is None
    assert store.save("softmax", "two = 2\n") is None
    (work / "softmax.py").write_text("by_hand = 3\n")
    replaced = store.save("softmax", "two = 2\n")
    assert replaced is not None
    assert replaced.read_text() == "by_hand = 3\n"
    assert store.read("softmax") == b"two = 2\n"
    assert store.save("softmax", "one = 1\n") is None


def test_damaged_records_do_no_harm(work: Path):
    for damage in (b"", b"[1, 2]", b'{"softmax": 1}', b'{"softmax": {"passed": [1], "other": 2}}', b"\xff\xfe{", b"{"):
        store.save("softmax", RIGHT)
        (work / store.RECORDS).write_bytes(damage)
        store.records()
        store.save("softmax", "other = 1\n")
        assert store.records()["softmax"].saved == store.digest(b"other = 1\n")


# The package


def test_the_package_loads_each_part_when_it_is_first_used(work: Path):
    store.save("softmax", "def softmax():\n    return 'mine'\n")
    store.save("split_heads", "raise RuntimeError('broken')\n")
    code = """if True:
        import sys
        print(dir(m), "my_transformer.softmax" in sys.modules)
        from my_transformer import softmax
        print(softmax(), m.softmax is softmax, hasattr(m, "no_such_part"))
        try:
            m.split_heads
        except RuntimeError as error:
            print(error)
    """
    shown = import_package(work, code)
    assert shown.stdout.splitlines() == ["['softmax', 'split_heads'] False", "mine True False", "broken"], shown.stderr


FOREIGN = ["notes.py", "random.py", "my notes.py", "split_heads-Copy1.py", "softmax (copy).py", "2try.py", "class.py"]


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_foreign_file_does_not_disturb_the_package(work: Path, foreign: str):
    work.mkdir()
    (work / foreign).write_bytes(b"\xff this is no Python")
    (work / "drafts").mkdir()
    (work / "drafts" / "softmax.py").write_text("def softmax(: draft")
    store.save("softmax", "def softmax():\n    return 'mine'\n")
    shown = import_package(work, "print(m.softmax())")
    assert shown.stdout == "mine\n", shown.stderr
    assert (work / foreign).read_bytes() == b"\xff this is no Python"
    assert (work / "drafts" / "softmax.py").read_text() == "def softmax(: draft"


@pytest.mark.parametrize("content", [b"# mine\n", b"\xffmine", store.PACKAGE.encode() + b"# and mine\n"])
def test_an_init_file_that_the_learner_wrote_stays_as_it_is(work: Path, content: bytes):
    work.mkdir()
    (work / "__init__.py").write_bytes(content)
    store.save("softmax", RIGHT)
    store.set_aside("softmax")
    assert (work / "__init__.py").read_bytes() == content


def test_an_init_file_that_an_earlier_course_wrote_is_replaced(work: Path):
    work.mkdir()
    for content in (
        b"",
        b'"""Your parts of the Transformer."""\n\n',
        b'"""Your parts of the Transformer."""\n\nfrom .softmax import softmax\nfrom .a-Copy1 import a-Copy1\n',
    ):
        (work / "__init__.py").write_bytes(content)
        store.save("softmax", RIGHT)
        assert (work / "__init__.py").read_text(encoding="utf-8") == store.PACKAGE


# Crashes, and several processes


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_crash_in_the_middle_of_a_write_loses_nothing(work: Path, at: int):
    store.save("softmax", "old = 1\n")
    (work / "softmax.py").write_text("by_hand = 1\n")
    # The process dies when it would rename a finished file: the replaced version, the new one, the part, the record.
    crash = """
        replace, calls = Path.replace, []
        def replace_or_die(self, target):
            calls.append(target)
            os._exit(9) if len(calls) == int(sys.argv[1]) else replace(self, target)
        Path.replace = replace_or_die
        store.save("softmax", "new = 2\\n")
    """
    assert python(crash, str(at)).returncode == 9
    assert store.read("softmax") == (b"by_hand = 1\n" if at < 4 else b"new = 2\n")
    assert {b"old = 1\n", b"by_hand = 1\n"} <= contents(work)
    assert list(work.rglob("*.unfinished"))
    store.save("split_heads", "other = 1\n")
    assert not list(work.rglob("*.unfinished"))
    store.save("softmax", "new = 2\n")
    assert store.read("softmax") == b"new = 2\n"
    assert {b"old = 1\n", b"by_hand = 1\n"} <= contents(work)


def test_two_notebooks_that_write_at_once_lose_no_version(work: Path):
    write = """
        for number in range(30):
            store.save("softmax", f"writer, number = {sys.argv[1]}, {number}\\n")
    """
    threads = [threading.Thread(target=python, args=(write, str(writer))) for writer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    versions = {f"writer, number = {writer}, {number}\n".encode() for writer in range(2) for number in range(30)}
    assert set(former("softmax")) == versions
    assert store.read("softmax") in versions
    assert not list(work.rglob("*.unfinished"))


# A folder that cannot be changed


def test_waiting_too_long_for_the_lock_raises_an_error(work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with store._locked(10):
            inside.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    for change in (lambda: store.save("softmax", RIGHT), lambda: store.set_aside("softmax")):
        with pytest.raises(
            store.FolderError, match=r"^another notebook or command has kept my_transformer locked for 0.1 s"
        ):
            change()
    done.set()
    holder.join()


@pytest.mark.parametrize("breaks", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.mkdir"])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "my_transformer cannot be written to (Read-only file system)"),
    ],
)
def test_a_full_or_read_only_disk_is_said_in_half_a_sentence(
    work: Path, monkeypatch: pytest.MonkeyPatch, breaks: str, number: int, words: str
):
    store.save("softmax", "old = 1\n")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(breaks, fail)
        with pytest.raises(store.FolderError) as raised:
            store.save("softmax", RIGHT)
    assert str(raised.value) == words
    assert store.read("softmax") == b"old = 1\n"
    store.save("softmax", RIGHT)
    assert store.read("softmax") == RIGHT.encode()
    assert not list(work.rglob("*.unfinished"))


@pytest.mark.parametrize("where", ["my_course/my_transformer", "mine", "~/mine", ""])
def test_the_folder_does_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("COURSE_WORK", where)
    expected = {"mine": ROOT / "mine", "~/mine": tmp_path / "home" / "mine"}
    assert store.folder() == expected.get(where, ROOT / "my_course" / "my_transformer")
    monkeypatch.delenv("COURSE_WORK")
    assert store.folder() == ROOT / "my_course" / "my_transformer"


# A class server


pytest_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


@pytest_posix
@pytest.mark.parametrize("which", ["softmax.py", "."])
def test_a_file_or_folder_that_everybody_can_write_to_is_unsafe(work: Path, which: str):
    store.save("softmax", RIGHT)
    assert store.why_unsafe(work / "softmax.py") == ""
    (work / which).chmod(0o777)
    said = store.why_unsafe(work / "softmax.py")
    assert said.startswith("everybody on this computer can write to my_transformer")
    assert f"`chmod -R o-w {work}`" in said
    if which == ".":
        work.chmod(0o1777)
        assert store.why_unsafe(work / "softmax.py") == ""


@pytest_posix
@pytest.mark.skipif(getattr(os, "getuid", lambda: 1)() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user_is_unsafe(work: Path):
    store.save("softmax", RIGHT)
    os.chown(work / "softmax.py", 12345, -1)
    assert "my_transformer/softmax.py belongs to another user" in store.why_unsafe(work / "softmax.py")


@pytest_posix
def test_the_course_makes_files_that_not_everybody_can_write_to(work: Path):
    before = os.umask(0)
    try:
        store.save("softmax", RIGHT)
    finally:
        os.umask(before)
    assert store.why_unsafe(work / "softmax.py") == ""
    assert store.why_unsafe(store.former_versions("softmax")[0]) == ""
