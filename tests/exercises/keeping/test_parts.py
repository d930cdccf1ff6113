"""Saved parts: which version the course uses, what it says, and that no saved file locks anybody out."""

import errno
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from course_lib import yours
from course_lib.exercises.catalogue import find
from course_lib.exercises.keeping import parts, separate_check, store

Cell = Callable[[str], tuple[Any, str]]
RIGHT = "import torch\n\n\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n"
WRONG = RIGHT.replace("(x, dim)\n", "(x, 0)\n")
CELL = '@exercise("softmax")\ndef softmax(x, dim):\n    return torch.softmax(x, dim)\n'
SPLIT_HEADS = "def split_heads(x, heads):\n    return x.unflatten(-1, (heads, -1)).transpose(1, 2)\n"


def write(work: Path, name: str, source: str | bytes) -> None:
    """Write a part's file by hand."""
    work.mkdir(exist_ok=True)
    (work / f"{name}.py").write_bytes(source.encode() if isinstance(source, str) else source)


def restart() -> None:
    parts.forget_loaded()


def files(work: Path) -> dict[str, bytes]:
    return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*") if path.is_file()}


def problem(name: str) -> str:
    """The sentences about a part's file that is not used, which are also given as a warning, once."""
    with pytest.warns(UserWarning, match="is not used") as told:
        found = parts.part(name)
    assert [str(each.message) for each in told] == [found.problem]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts.part(name)
    return found.problem


# By hand


def test_a_right_edit_by_hand_is_used_and_kept_when_the_old_cell_runs_again(cell: Cell, work: Path):
    cell(CELL)
    by_hand = RIGHT + "\n# changed by hand\n"
    write(work, "softmax", by_hand)
    assert parts.part("softmax").implementation.__module__ == "my_transformer.softmax"
    _, shown = cell(CELL)
    assert "That file held another version, which is now in my_transformer/former/softmax_002.py." in shown
    assert (work / "former" / "softmax_002.py").read_text() == by_hand
    _, shown = cell(CELL)
    assert "another version" not in shown


def test_a_cell_that_replaces_its_own_earlier_version_does_not_speak_of_another(cell: Cell, work: Path):
    cell(CELL)
    _, shown = cell(CELL.replace("    return", "    # better\n    return"))
    assert "Saved in my_transformer/softmax.py. From here on the course uses your version." in shown
    assert "another version" not in shown


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (WRONG, "it does not pass as it is in the file. "),
        ("def softmax(x, dim:\n", "Python cannot read it ("),
        (RIGHT.encode("utf-16"), "Python cannot read it ("),
        ("something_else = 1\n", "it defines no `softmax`."),
        ("import sys\nsys.exit(0)\n", "it raises SystemExit (0)."),
        ("raise KeyboardInterrupt\n", "it raises KeyboardInterrupt."),
        ("def f():\n    f()\n\n\nf()\n", "it raises RecursionError ("),
        ("class Odd(BaseException):\n    def __str__(self):\n        raise OSError\n\n\nraise Odd\n", "it raises Odd"),
    ],
)
def test_a_breaking_edit_stays_in_its_file_and_the_version_that_passed_is_used(
    work: Path, source: str | bytes, reason: str
):
    store.save("softmax", RIGHT, parts.checked_with())
    write(work, "softmax", source)
    before = files(work)
    said = problem("softmax")
    assert said.startswith(f"my_transformer/softmax.py is not used, because {reason}")
    assert said.endswith(
        " The course uses your last version that passed, my_transformer/former/softmax_001.py, instead."
    )
    part = parts.part("softmax")
    assert part.is_yours
    assert part.implementation(torch.zeros(2), 0).tolist() == [0.5, 0.5]
    assert {**files(work), store.RECORDS: b""} == {**before, store.RECORDS: b""}
    restart()
    assert problem("softmax") == said


def test_a_file_that_never_passed_stays_and_the_courses_version_is_used(work: Path):
    write(work, "softmax", WRONG)
    assert problem("softmax").endswith(" The course uses its own version instead.")
    assert parts.part("softmax").implementation is find("softmax").reference
    assert parts.part("softmax").note == "not used: my_transformer/softmax.py"
    assert store.read("softmax") == WRONG.encode()


def test_a_file_that_was_repaired_is_used_again(work: Path):
    store.save("softmax", RIGHT, parts.checked_with())
    write(work, "softmax", WRONG)
    problem("softmax")
    write(work, "softmax", RIGHT + "# repaired\n")
    part = parts.part("softmax")
    assert (part.is_yours, part.problem, part.note) == (True, "", "saved in my_transformer/softmax.py")
    assert store.former_versions("softmax")[-1].read_text() == RIGHT + "# repaired\n"


def test_an_edit_by_hand_that_passed_is_not_lost_when_the_next_edit_breaks_it(work: Path):
    store.save("softmax", RIGHT, parts.checked_with())
    write(work, "softmax", RIGHT + "# by hand\n")
    parts.part("softmax")
    write(work, "softmax", WRONG)
    assert "my_transformer/former/softmax_002.py" in problem("softmax")
    assert (work / "former" / "softmax_002.py").read_text() == RIGHT + "# by hand\n"


@pytest.mark.parametrize(
    "source", ["import no_such_module\n" + RIGHT, RIGHT.replace(":\n", ":\n    import no_such_module\n\n")]
)
def test_a_module_that_is_missing_here_is_no_fault_of_the_part(work: Path, source: str):
    write(work, "softmax", source)
    said = problem("softmax")
    assert said.startswith("my_transformer/softmax.py stays as it is, but is not used here, because it ")
    assert "No module named 'no_such_module'" in said
    assert said.endswith(" The course uses its own version instead.")
    assert store.read("softmax") == source.encode()
    assert not (work / store.RECORDS).exists()  # It might pass tomorrow.


def test_a_part_that_another_notebook_changed_is_read_from_its_file(work: Path):
    store.save("softmax", RIGHT)
    first = parts.part("softmax").implementation
    assert parts.part("softmax").implementation is first
    store.save("softmax", RIGHT + "# better\n")
    assert parts.part("softmax").implementation is not first


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_file_with_a_byte_order_mark_or_windows_line_ends_is_a_part(work: Path, encoding: str):
    write(work, "softmax", RIGHT.replace("\n", "\r\n").encode(encoding))
    assert parts.part("softmax").is_yours


def test_parts_that_use_each_other_in_a_circle_get_the_courses_version(work: Path):
    write(work, "softmax", "from course_lib.yours import attention_weights\n" + RIGHT)
    write(
        work,
        "attention_weights",
        "from course_lib.yours import softmax\n\n\ndef attention_weights(scores):\n    return softmax(scores, -1)\n",
    )
    assert parts.part("softmax").is_yours
    assert parts.part("attention_weights").is_yours
    restart()
    assert parts.part("attention_weights").is_yours


# Only looking


def test_looking_at_the_parts_changes_no_file(work: Path):
    write(work, "softmax", RIGHT)
    write(work, "split_heads", "raise RuntimeError('broken')\n")
    write(work, "notes", "raise RuntimeError('not a part')\n")
    before = files(work)
    report = repr(yours.report())
    assert "✓ yours        ●○○  10 minutes  saved\n" in report
    assert (
        "my_transformer/split_heads.py is not used, because it raises RuntimeError (broken). The course uses" in report
    )
    assert files(work) == before


def test_a_version_that_passed_is_not_checked_again(work: Path, monkeypatch: pytest.MonkeyPatch):
    write(work, "softmax", RIGHT)
    write(work, "split_heads", "raise RuntimeError\n")
    parts.part("softmax")
    problem("split_heads")
    restart()
    monkeypatch.setattr(parts, "examine", lambda *_: pytest.fail("checked again"))
    assert parts.part("softmax").is_yours
    assert "RuntimeError" in problem("split_heads")


def test_a_version_is_checked_again_with_another_course(work: Path, monkeypatch: pytest.MonkeyPatch):
    write(work, "softmax", WRONG)
    with monkeypatch.context() as patch:
        patch.setattr(parts, "checked_with", lambda: "an older course")
        store.save("softmax", WRONG, "an older course")
        assert parts.part("softmax").is_yours
    restart()
    assert "it does not pass" in problem("softmax")
    assert store.read("softmax") == WRONG.encode()


# A folder that cannot be changed


def test_an_answer_on_a_full_disk_works_for_this_session(cell: Cell, work: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    part, shown = cell(CELL + "softmax")
    assert "The course uses your version for this session only: the disk is full." in shown
    assert parts.part("softmax").implementation is part
    assert not (work / "softmax.py").exists()


def test_a_locked_folder_hinders_neither_an_answer_nor_a_look(cell: Cell, work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.1)
    write(work, "split_heads", SPLIT_HEADS)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._locked(10):
            inside.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    _, shown = cell(CELL)
    assert "The course uses your version for this session only: another notebook or command has kept" in shown
    assert "2 of " in repr(yours.report())
    assert parts.part("split_heads").is_yours
    assert repr(yours.reset("split_heads")).startswith("Not everything was moved aside, because another notebook")
    done.set()
    holder.join()
    assert repr(yours.reset("split_heads")).startswith("These parts are the course's again.")


def test_a_folder_that_was_deleted_leaves_the_learners_version_for_this_session(cell: Cell, work: Path):
    part, _ = cell(CELL + "softmax")
    for file in sorted(work.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    work.rmdir()
    with pytest.warns(UserWarning, match=r"softmax.py is gone. The course uses your version for this session only"):
        assert parts.part("softmax").implementation is part
    assert not work.exists()
    _, shown = cell(CELL)
    assert "Saved in my_transformer/softmax.py." in shown


def test_a_file_that_cannot_be_read_is_not_used(work: Path):
    (work / "softmax.py").mkdir(parents=True)
    assert problem("softmax").startswith("my_transformer/softmax.py is not used, because it cannot be read (")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_that_everybody_can_write_to_is_not_executed(work: Path, tmp_path: Path):
    write(work, "softmax", f"open({str(tmp_path / 'executed')!r}, 'w')\n" + RIGHT)
    (work / "softmax.py").chmod(0o666)
    assert "because everybody on this computer can write to my_transformer/softmax.py: read" in problem("softmax")
    assert not (tmp_path / "executed").exists()


# Resetting


def test_a_reset_twice_in_one_command_moves_once(work: Path):
    store.save("softmax", RIGHT)
    assert "What you wrote is in my_transformer/former/softmax_001.py." in repr(yours.reset("softmax", "softmax"))
    assert repr(yours.reset("softmax", "softmax")) == "There is nothing of yours to move aside."


def test_a_reset_of_one_part_keeps_another_that_exists_in_this_session_only(cell: Cell, work: Path):
    cell('exercise("softmax")(torch.softmax)')
    store.save("split_heads", SPLIT_HEADS)
    yours.reset("split_heads")
    assert parts.part("softmax").is_yours


def test_an_interrupted_reset_can_be_run_again(work: Path, monkeypatch: pytest.MonkeyPatch):
    store.save("softmax", RIGHT)
    store.save("split_heads", SPLIT_HEADS)
    set_aside = store.set_aside

    def interrupt(name: str) -> Path | None:
        if name == "split_heads":
            raise KeyboardInterrupt
        return set_aside(name)

    with monkeypatch.context() as patch:
        patch.setattr(store, "set_aside", interrupt)
        with pytest.raises(KeyboardInterrupt):
            yours.reset("softmax", "split_heads")
    assert "former/split_heads_001.py" in repr(yours.reset("softmax", "split_heads"))
    assert store.former_versions("softmax")[0].read_text() == RIGHT


# In another process


@pytest.fixture
def separately(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "examine", parts.examine_separately)


HOSTILE = {
    "softmax": ("while True:\n    pass\n", "it was still running after 3 seconds"),
    "mix_values": (
        "def mix_values(weights, values):\n    while True:\n        pass\n",
        "it was still running after 3 seconds",
    ),
    "split_heads": ("import os\nos._exit(7)\n", "it ended Python with status 7 when it was checked"),
    "merge_heads": ("import time\ntime.sleep(1000)\n", "its check was not finished after 12 seconds"),
    "embed": ("input()\n", "it raises EOFError"),
    "gelu": ("raise SystemExit\n", "it raises SystemExit"),
}


def test_no_saved_file_can_stop_the_course(work: Path, separately: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(separate_check, "CPU_SECONDS", 3.0)
    monkeypatch.setattr(separate_check, "SECONDS", 12.0)
    for name, (source, _) in HOSTILE.items():
        write(work, name, source)
    prints = "print('x' * 10_000_000)\nimport sys\nprint('y' * 10_000_000, file=sys.stderr)\n"
    write(
        work,
        "attention_weights",
        prints
        + "from course_lib.yours import softmax\n"
        + ("def attention_weights(scores):\n    return softmax(scores, -1)\n"),
    )
    before = files(work)
    report = repr(yours.report())
    for name, (_, reason) in HOSTILE.items():
        assert f"my_transformer/{name}.py" in report
        assert reason in report
    assert "1 of " in report
    assert parts.look_at("attention_weights").is_yours
    assert files(work) == before


def test_all_files_that_were_changed_are_checked_by_one_process(
    work: Path, separately: None, monkeypatch: pytest.MonkeyPatch
):
    write(work, "softmax", RIGHT)
    write(work, "split_heads", SPLIT_HEADS)
    started = []
    popen = subprocess.Popen

    def count(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(words)
        return popen(*words, **options)

    monkeypatch.setattr(subprocess, "Popen", count)
    assert parts.part("softmax").is_yours
    assert parts.part("split_heads").is_yours
    restart()
    assert parts.part("split_heads").is_yours
    assert len(started) == 1


def test_modules_beside_the_notebook_are_found(
    work: Path, separately: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "beside.py").write_text("from torch import softmax as stable\n")
    monkeypatch.syspath_prepend(tmp_path)
    write(work, "softmax", "from beside import stable\n\n\ndef softmax(x, dim):\n    return stable(x, dim)\n")
    assert parts.part("softmax").is_yours


def test_a_process_that_cannot_start_leaves_the_courses_version(
    work: Path, separately: None, monkeypatch: pytest.MonkeyPatch
):
    write(work, "softmax", RIGHT)
    monkeypatch.setattr(separate_check, "PROGRAM", "import no_such_module")
    assert "because it could not be checked." in problem("softmax")


def is_running(pid: int) -> bool:
    """Whether a process runs. One that nobody has waited for yet is called a zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_other_process_ends_with_the_one_that_started_it(work: Path, tmp_path: Path):
    pid = tmp_path / "pid"
    write(work, "softmax", f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\nwhile True:\n    pass\n")
    starter = subprocess.Popen([sys.executable, "-c", "from course_lib import yours; yours.softmax"])
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    starter.kill()
    starter.wait()
    while is_running(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
