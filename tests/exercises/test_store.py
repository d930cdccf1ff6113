"""Nothing that a learner wrote is lost in a crash, by a second notebook, an update of the course, or a reset."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from course_lib.exercises import parts, store
from course_lib.exercises.catalogue import find

ROOT = Path(__file__).parents[2]
RIGHT = "import torch\n\n\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n"


def everything_in(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))


def test_a_saved_part_can_be_read_again(work: Path):
    assert store.read("softmax") is None
    store.save("softmax", RIGHT)
    assert (work / "softmax.py").read_text(encoding="utf-8") == RIGHT
    assert store.read("softmax") == RIGHT
    assert (work / "__init__.py").read_text(encoding="utf-8").endswith("\nfrom .softmax import softmax\n")


def test_a_former_version_is_kept_and_saving_the_same_one_again_adds_none(work: Path):
    for source in ("one = 1\n", "two = 2\n", "two = 2\n", "three = 3\n"):
        store.save("softmax", source)
    assert store.read("softmax") == "three = 3\n"
    assert [path.read_text(encoding="utf-8") for path in store.former_versions("softmax")] == ["one = 1\n", "two = 2\n"]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_crash_in_the_middle_of_a_write_loses_nothing(work: Path, at: int):
    store.save("softmax", "old = 1\n")
    # The process dies when it would rename a finished file: the former version, the new one, or the list of parts.
    crash = f"""if True:
        import os
        from pathlib import Path
        import importlib.util
        spec = importlib.util.spec_from_file_location("store", {str(ROOT / "course_lib/exercises/store.py")!r})
        store = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(store)
        replace, calls = Path.replace, []
        def replace_or_die(self, target):
            calls.append(target)
            os._exit(9) if len(calls) == {at} else replace(self, target)
        Path.replace = replace_or_die
        store.save("softmax", "new = 2\\n")
    """
    assert subprocess.run([sys.executable, "-c", crash], check=False).returncode == 9
    assert store.read("softmax") == ("old = 1\n" if at < 3 else "new = 2\n")
    assert "old = 1\n" in everything_in(work)
    store.save("softmax", "new = 2\n")
    assert store.read("softmax") == "new = 2\n"
    assert "old = 1\n" in everything_in(work)
    assert "from .softmax import softmax" in (work / "__init__.py").read_text(encoding="utf-8")


def test_two_notebooks_that_write_at_once_lose_no_version(work: Path):
    write = f"""if True:
        import importlib.util, sys
        spec = importlib.util.spec_from_file_location("store", {str(ROOT / "course_lib/exercises/store.py")!r})
        store = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(store)
        for number in range(30):
            store.save("softmax", f"writer, number = {{sys.argv[1]}}, {{number}}\\n")
    """
    writers = [subprocess.Popen([sys.executable, "-c", write, str(writer)]) for writer in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    versions = {path.read_text(encoding="utf-8") for path in [work / "softmax.py", *store.former_versions("softmax")]}
    assert versions == {f"writer, number = {writer}, {number}\n" for writer in range(2) for number in range(30)}
    assert not list(work.rglob("*.unfinished"))


def test_waiting_too_long_for_the_lock_raises_an_error(work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with store._locked():
            inside.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    with pytest.raises(OSError, match="could not be acquired"):
        store.save("softmax", RIGHT)
    done.set()
    holder.join()


def test_saved_source_that_no_longer_passes_is_set_aside_with_a_warning(work: Path):
    wrong = RIGHT.replace("(x, dim)\n", "(x, 0)\n")
    store.save("softmax", wrong)
    with pytest.warns(UserWarning, match=r"set aside in my_transformer/former, .*first axis"):
        part = parts.part("softmax")
    assert not part.is_yours
    assert part.implementation is find("softmax").reference
    assert part.note == "an earlier one of yours: my_transformer/former/softmax_001.py"
    assert (work / "former" / "softmax_001.py").read_text(encoding="utf-8") == wrong
    assert "softmax" not in (work / "__init__.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", ["import no_such_module\n", "def softmax(x, dim:\n", "something_else = 1\n"])
def test_saved_source_that_no_longer_imports_is_set_aside_with_a_warning(work: Path, source: str):
    store.save("softmax", source)
    with pytest.warns(UserWarning, match="set aside"):
        assert not parts.part("softmax").is_yours
    assert source in everything_in(work)


def test_a_part_that_another_notebook_changed_is_read_from_its_file(work: Path):
    store.save("softmax", RIGHT)
    first = parts.part("softmax").implementation
    assert parts.part("softmax").implementation is first
    store.save("softmax", RIGHT + "# better\n")
    assert parts.part("softmax").implementation is not first


def test_the_folder_is_beside_the_notebooks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COURSE_WORK", raising=False)
    assert store.folder() == ROOT / "my_transformer"
