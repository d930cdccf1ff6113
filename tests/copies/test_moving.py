"""Parts that an earlier edition saved in `my_transformer/` are brought along, however that is interrupted."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from course_lib.copies import moving
from course_lib.data.folders import FolderError
from course_lib.exercises.keeping import store
from tests.copies.course import Course, script

FILES = {
    "softmax.py": b"softmax = 'mine'\n",
    "notes.txt": b"\xff no text",
    "guesses.json": b"{}",
    ".checks.json": b"{}",
    "__init__.py": b"# mine\n",
    "former/softmax_001.py": b"softmax = 'first'\n",
    "former/softmax_002.py": b"softmax = 'mine'\n",
    "drafts/split_heads.py": b"draft\n",
}


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def old(empty_course: Course) -> Path:
    """The folder of an earlier edition, full of parts."""
    fill(empty_course.folder / "my_transformer", FILES)
    return empty_course.folder / "my_transformer"


@pytest.fixture
def new(empty_course: Course) -> Path:
    return empty_course.copies / "my_transformer"


def test_the_folder_of_an_earlier_edition_is_moved_once(old: Path, new: Path):
    assert store.folder() == old
    assert store.read("softmax") == FILES["softmax.py"]
    assert moving.bring_parts_along() == "Your parts are in my_course/my_transformer now."
    assert not old.exists()
    assert files_in(new) == FILES
    assert store.folder() == new
    assert store.display_path(store.part_file("softmax")) == "my_course/my_transformer/softmax.py"
    assert moving.bring_parts_along() == ""


def test_without_such_a_folder_nothing_is_made(empty_course: Course):
    assert moving.bring_parts_along() == ""
    assert not empty_course.copies.exists()


def test_with_course_work_the_parts_stay_where_they_are(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSE_WORK", str(old))
    assert moving.bring_parts_along() == ""
    assert files_in(old) == FILES
    assert not new.exists()
    assert store.display_path(store.part_file("softmax")) == "my_transformer/softmax.py"


def test_if_both_exist_the_present_one_stays_and_what_differs_is_kept(old: Path, new: Path):
    present = {
        "softmax.py": b"softmax = 'newer'\n",
        "__init__.py": b"# mine\n",
        "former/softmax_001.py": b"softmax = 'newer'\n",
        "drafts/split_heads.py": b"newer draft\n",
        "notes.txt/a": b"a folder\n",
    }
    fill(new, present)
    moving.bring_parts_along()
    assert not old.exists()
    found = files_in(new)
    assert present.items() <= found.items()
    assert set(FILES.values()) <= set(found.values())
    assert [path.read_bytes() for path in store.former_versions("softmax")] == [
        b"softmax = 'newer'\n",
        b"softmax = 'first'\n",
        b"softmax = 'mine'\n",
    ]
    assert found["guesses.json"] == b"{}"


def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no folder be renamed into another one, as between two disks."""
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path.parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)


def test_the_folder_is_brought_along_to_another_disk(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch):
    other_disk(monkeypatch)
    moving.bring_parts_along()
    assert not old.exists()
    assert files_in(new) == FILES
    assert [path.name for path in new.parent.iterdir() if "copying" in path.name] == []


def test_a_full_other_disk_leaves_everything_where_it_is(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        other_disk(patch)
        patch.setattr(os, "fsync", fail)
        with pytest.raises(FolderError) as raised:
            moving.bring_parts_along()
        assert str(raised.value) == "the disk is full"
    assert files_in(old) == FILES
    assert store.folder() == old
    moving.bring_parts_along()
    assert files_in(new) == FILES


def test_a_folder_that_cannot_be_moved_is_used_where_it_is(old: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(FolderError, match=r"^my_transformer cannot be moved \(Permission denied\)$"):
        moving.bring_parts_along()
    assert store.folder() == old
    assert files_in(old) == FILES


def test_a_notebook_that_saves_at_this_moment_is_waited_for(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(moving, "LOCK_SECONDS", 0.1)
    with FileLock(old / ".lock"), pytest.raises(FolderError, match=r"has kept my_transformer locked for 0\.1 s"):
        moving.bring_parts_along()
    assert files_in(old) == FILES
    assert not new.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
@pytest.mark.parametrize("crash", [False, True])
def test_a_link_goes_on_to_the_same_place(
    empty_course: Course, new: Path, monkeypatch: pytest.MonkeyPatch, crash: bool
):
    fill(empty_course.folder / "elsewhere", FILES)
    old = empty_course.folder / "my_transformer"
    old.symlink_to("elsewhere")
    if crash:
        script_ended = script(empty_course.folder, "Path.unlink = lambda path: os._exit(9)\nmoving.bring_parts_along()")
        assert script_ended.returncode == 9
        assert new.is_symlink()
        assert old.is_symlink()
    moving.bring_parts_along()
    assert not os.path.lexists(old)
    assert new.is_symlink()
    assert files_in(new.resolve()) == FILES
    assert files_in(empty_course.folder / "elsewhere") == FILES


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_in_the_folder_come_along(old: Path, new: Path):
    (old / "link.py").symlink_to("softmax.py")
    (old / "outside").symlink_to(old.parent / "notebooks")
    fill(new, {"other.py": b"other\n"})
    moving.bring_parts_along()
    assert not old.exists()
    assert (new / "link.py").read_bytes() == FILES["softmax.py"]
    assert (new / "outside").samefile(new.parents[1] / "notebooks")


def test_a_file_that_cannot_be_copied_to_the_other_disk_is_named(old: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise shutil.Error([("softmax.py", "x", "[Errno 5] Input/output error: 'softmax.py'")])

    other_disk(monkeypatch)
    monkeypatch.setattr(shutil, "copytree", fail)
    with pytest.raises(FolderError, match=r"^not everything can be copied .* error: 'softmax"):
        moving.bring_parts_along()
    assert files_in(old) == FILES


CRASH = """
import errno, itertools
rename, replace, unlink, calls = Path.rename, Path.replace, Path.unlink, itertools.count(1)
def or_die(change):
    def changed(path, *more, **options):
        os._exit(9) if next(calls) == int(sys.argv[1]) else None
        return change(path, *more, **options)
    return changed
def to_another_disk(path, target):
    if path.parent != Path(target).parent:
        raise OSError(errno.EXDEV, "another disk")
    return rename(path, target)
Path.rename, Path.replace, Path.unlink = or_die(to_another_disk), or_die(replace), or_die(unlink)
moving.bring_parts_along()
"""


@pytest.mark.parametrize("both", [False, True])
def test_a_move_that_is_interrupted_anywhere_loses_nothing_and_is_finished_later(
    empty_course: Course, tmp_path: Path, both: bool
):
    old, new = empty_course.folder / "my_transformer", empty_course.copies / "my_transformer"
    for at in range(1, 40):
        shutil.rmtree(empty_course.copies, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        fill(old, FILES)
        if both:
            fill(new, {"softmax.py": b"newer\n"})
        ended = script(empty_course.folder, CRASH, str(at)).returncode
        assert ended in (0, 9)
        found = {**files_in(old), **files_in(new)} if new.exists() else files_in(old)
        everything = {*files_in(old).values()} | ({*files_in(new).values()} if new.exists() else set())
        assert {*FILES.values()} <= everything
        assert found["softmax.py"] == (b"newer\n" if both else FILES["softmax.py"])
        assert store.read("softmax") == found["softmax.py"]
        moving.bring_parts_along()
        assert not old.exists()
        assert {*FILES.values()} <= {*files_in(new).values()}
        if not ended:
            break
    else:
        pytest.fail("it never came to its end")
    assert at > 8


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount")
def test_a_folder_on_a_disk_that_is_read_only_is_used_where_it_is(empty_course: Course, old: Path, new: Path):
    mount = f'mount --bind "{old}" "{old}" && mount -o remount,ro,bind "{old}" && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    code = f"""
from pathlib import Path
from course_lib.copies import moving
from course_lib.data import places
from course_lib.data.folders import FolderError
places.COURSE = Path({str(empty_course.folder)!r})
try:
    moving.bring_parts_along()
except FolderError as error:
    print(error)
"""
    ran = subprocess.run([*before, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert "cannot be moved (" in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
    assert files_in(old) == FILES
    assert store.read("softmax") == FILES["softmax.py"]
