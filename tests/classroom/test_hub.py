"""What is seen to before a hub starts: ports, the proxy, the disk, what an earlier one left, and isolation."""

import errno
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from course_lib import cli, data
from course_lib.classroom import accounts, hub, proxy
from course_lib.classroom.passwords import read_passwords
from course_lib.classroom.room import ClassError, Room, open_room
from course_lib.data.fetching import folder_name

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of students, on a computer with a proxy where all would start but the hub itself."""
    monkeypatch.setattr(accounts, "REGISTER", tmp_path / "register")
    monkeypatch.setattr(proxy, "find_proxy", lambda folder: "/bin/true")
    monkeypatch.setattr(proxy, "why_no_node", lambda: None)
    monkeypatch.setattr(hub, "require_reachable", lambda room: None)
    monkeypatch.setattr(hub, "is_root", lambda: True)
    monkeypatch.setattr(hub, "serve", lambda room: 0)
    monkeypatch.setattr(data, "SETS", {})
    file = tmp_path / "students.txt"
    file.write_text("ana\nben\n")
    return file


@pytest.fixture(autouse=True)
def _same_umask() -> Any:
    before = os.umask(0o022)
    yield
    os.umask(before)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def start(names: Path, *words: str) -> int:
    """Start the class beside the list of students."""
    folder = ["--folder", str(names.parent / "room"), "--ip=127.0.0.1", f"--port={free_port()}"]
    return cli.main(["class", "start", "--students", str(names), *folder, *words])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The error, which is one sentence."""
    errors = capsys.readouterr().err
    assert errors.startswith("✗ ")
    assert errors.endswith(".\n")
    assert errors.count("\n") == 1
    return errors[2:-1]


def test_a_start_prepares_everything_and_again_keeps_it(names: Path, capsys: pytest.CaptureFixture[str]):
    assert start(names) == 0
    folder = names.parent / "room"
    first = read_passwords(folder / "passwords.csv")
    config = folder / "jupyterhub_config.py"
    assert f"The passwords are in {folder / 'passwords.csv'}" in capsys.readouterr().out
    config.write_text(config.read_text() + "# mine\n")
    assert start(names) == 0
    assert read_passwords(folder / "passwords.csv") == first
    assert config.read_text().endswith("# mine\n")
    for secret in (config, folder / "passwords.csv", folder / "class.json"):
        assert secret.stat().st_mode & 0o077 == 0, secret


def test_a_port_in_use_is_refused(names: Path, capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert start(names, f"--port={port}") == 1
    assert said(capsys).startswith(f"Port {port} is in use, or only root may open it: ")


def test_inner_ports_that_are_in_use_are_replaced_in_silence(names: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        chosen = hub.inner_ports({"port": 1, "hub_port": port, "proxy_port": port})
    assert port not in chosen.values()
    assert len({*chosen.values()}) == 2


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_a_number_that_is_no_port_is_refused(names: Path, capsys: pytest.CaptureFixture[str], port: int):
    assert start(names, f"--port={port}") == 1
    assert said(capsys) == f"--port should be from 1 to 65535, but is {port}."


def test_without_node_the_sentence_says_how_to_get_it(
    names: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.undo()
    monkeypatch.setattr(accounts, "REGISTER", names.parent / "register")
    monkeypatch.setattr(hub, "is_root", lambda: True)
    monkeypatch.setenv("PATH", str(names.parent))
    assert start(names) == 1
    assert said(capsys).startswith("Node.js is missing, with which the hub's proxy runs: install version 20 or newer")
    assert open_room(names.parent / "room").students == ("ana", "ben")


def answering(monkeypatch: pytest.MonkeyPatch, **answers: subprocess.CompletedProcess[str]) -> None:
    """Let programs answer without running: by the last part of their name."""
    monkeypatch.setattr(proxy.shutil, "which", lambda name: f"/bin/{name}" if name in answers else None)
    monkeypatch.setattr(proxy.subprocess, "run", lambda words, **options: answers[Path(words[0]).name])


def test_an_old_node_a_missing_npm_and_its_failure_get_one_sentence_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old, new = (subprocess.CompletedProcess([], 0, version) for version in ("v12.22.0\n", "v20.1.0\n"))
    failing = subprocess.CompletedProcess([], 1, "", "npm error code ENOTFOUND\nnpm error network\n")
    for answers, expected in (
        ({"node": old}, "Node.js 12.22.0 is too old for the hub's proxy: install version 20 or newer."),
        ({"node": new}, "npm is missing, which installs the hub's proxy: run `sudo apt install npm`, then retry."),
        ({"node": new, "npm": failing}, "npm could not install configurable-http-proxy (code ENOTFOUND): check the"),
    ):
        answering(monkeypatch, **answers)
        with pytest.raises(ClassError) as raised:
            proxy.install_proxy(tmp_path)
        assert str(raised.value).startswith(expected)


def test_the_proxy_of_the_class_comes_before_the_one_on_the_path(tmp_path: Path):
    own = tmp_path / "proxy" / "node_modules" / ".bin" / proxy.NAME
    own.parent.mkdir(parents=True)
    own.touch()
    assert proxy.find_proxy(tmp_path) == str(own)
    assert proxy.proxy_command(Room(tmp_path, "teacher", ())) == [str(own)]


def test_a_full_disk_is_refused_before_anything_starts(
    names: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e6))
    assert start(names) == 1
    assert said(capsys).startswith("The disk is too full for a class: only 1 MB are free in ")


def test_a_disk_that_is_full_when_data_is_copied_leaves_no_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = tmp_path / "cache"
    source.mkdir()
    (source / "a").write_text("x")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(data, "path", lambda name: source)
    monkeypatch.setattr(shutil, "copytree", full)
    room = Room(tmp_path / "room", "teacher", ())
    with pytest.raises(ClassError, match=r"The data set \w+ cannot be copied to the class, because the disk is full"):
        list(hub.share_data(room))
    assert [*room.folder.rglob("*.unfinished")] == []


def test_data_sets_are_copied_once_for_all_to_read_and_missing_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name, missing = [name for name, about in data.SETS.items() if about.notebooks][:2]
    source = tmp_path / "cache"
    (source / "part").mkdir(parents=True, mode=0o700)
    (source / "part" / "text").write_text("x")
    (source / "part" / "text").chmod(0o600)

    def path(wanted: str) -> Path:
        if wanted == name:
            return source
        raise data.DataMissing("It is not here.")

    monkeypatch.setattr(data, "path", path)
    room = Room(tmp_path / "room", "teacher", ())
    room.folder.mkdir()
    (sentence,) = hub.share_data(room)
    copied = room.data / folder_name(name) / "part" / "text"
    assert copied.read_text() == "x"
    assert (copied.stat().st_mode & 0o777, copied.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert missing in sentence
    assert f"lack {name}" not in sentence


def test_without_root_a_class_is_refused_unless_one_account_for_all_is_accepted(
    names: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(hub, "is_root", lambda: False)
    assert start(names) == 1
    assert said(capsys).startswith("All servers would run as your own account, so that students could read and change ")
    assert start(names, "--one-account") == 0
    assert "each student can read and change the files of all others, and yours" in capsys.readouterr().out


def test_without_root_nobody_can_log_in_with_an_account(
    names: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(hub, "is_root", lambda: False)
    assert start(names, "--login", "pam", "--one-account") == 1
    assert said(capsys).startswith("--login pam needs root, which alone may check passwords of accounts and start ")


def test_what_is_not_safe_is_said(names: Path, capsys: pytest.CaptureFixture[str]):
    assert start(names, "--login", "shared", "--password", "workshop") == 0
    output = capsys.readouterr().out
    assert "All students have one password, so each can log in as another" in output
    assert (
        "Without a certificate (--certificate and --key), passwords and answers cross the network in the cl" in output
    )
    assert read_passwords(names.parent / "room" / "passwords.csv")["ana"] == "workshop"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--login", "shared"], "--login shared needs the students' password: give it with --password."),
        (["--key", __file__], "--certificate and --key go together: give both."),
        (["--key", __file__, "--certificate", "/none"], "There is no file /none: correct --certificate and --key."),
        (["--memory", "0.1"], "--memory should be 0.5 or more, but is 0.1."),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    names: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
):
    assert start(names, *words) == 1
    assert said(capsys) == expected
    assert not (names.parent / "room").exists()


def test_with_pam_a_member_without_an_account_is_named(names: Path, capsys: pytest.CaptureFixture[str]):
    assert start(names, "--login", "pam", "--teacher", "root") == 1
    assert said(capsys).startswith("`ana` has no account on this computer, which --login pam needs: ")


def test_with_pam_a_member_without_a_home_folder_is_named(
    names: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    import pwd

    for name in ("teacher", "ana"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_dir=str(tmp_path / name)))
    assert start(names, "--login", "pam") == 1
    assert said(capsys).startswith(f"The account of `ben` has no home folder {tmp_path / 'ben'}: make it, ")


def test_a_damaged_database_of_the_hub_is_kept_aside(names: Path, capsys: pytest.CaptureFixture[str]):
    start(names)
    file = names.parent / "room" / "hub" / "jupyterhub.sqlite"
    file.write_bytes(b"no database at all" * 1000)
    assert start(names) == 0
    assert "The hub's database was damaged, so a new one is made" in capsys.readouterr().out
    assert not file.exists()
    assert file.with_name("jupyterhub_001.sqlite").read_bytes().startswith(b"no database")


def test_a_sound_database_stays(names: Path):
    start(names)
    file = names.parent / "room" / "hub" / "jupyterhub.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE t (x)")
    assert start(names) == 0
    assert file.exists()


def test_a_second_hub_of_the_same_class_is_refused(names: Path, capsys: pytest.CaptureFixture[str]):
    start(names)
    capsys.readouterr()
    with hub.only_hub(open_room(names.parent / "room")):
        assert start(names) == 1
    assert "is running already: stop it there first." in said(capsys)


def test_what_a_killed_hub_left_is_stopped_and_nothing_else(names: Path, tmp_path: Path):
    start(names)
    room = open_room(tmp_path / "room")
    code = "import sys; print('ready', flush=True); sys.stdin.read()"

    def process(folder: Path, name: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", code, name]
        begun = subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert begun.stdout is not None
        assert begun.stdout.readline() == "ready\n"
        return begun

    left, elsewhere, other = process(room.hub, proxy.NAME), process(tmp_path, proxy.NAME), process(room.hub, "other")
    try:
        hub.stop_left_over(room)
        left.wait(10)
        assert (elsewhere.poll(), other.poll()) == (None, None)
    finally:
        for each in (left, elsewhere, other):
            each.kill()
            each.communicate()


def test_a_folder_that_is_closed_to_others_is_found(tmp_path: Path):
    closed = tmp_path / "closed"
    (closed / "course").mkdir(parents=True)
    for folder in (tmp_path, closed):
        folder.chmod(0o755)
    assert hub.closed_folder(closed / "course") != closed
    closed.chmod(0o700)
    assert hub.closed_folder(closed / "course") in (closed, *closed.parents)
    (tmp_path / "link").symlink_to(closed / "course")
    assert hub.closed_folder(tmp_path / "link") is not None
