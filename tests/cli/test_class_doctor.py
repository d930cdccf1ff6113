"""What the doctor says about the server of a class."""

import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from course_lib import cli
from course_lib.classroom import accounts, hub, proxy
from course_lib.classroom.room import Room
from course_lib.cli import class_doctor, doctor
from course_lib.cli.doctor import Finding


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "not" / "yet", "teacher", (), {"ip": "127.0.0.1"})


def test_a_port_is_free_or_in_use(room: Room):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        room.settings["port"] = port
        (busy,) = class_doctor.port(room)
    (free,) = class_doctor.port(room)
    assert (busy.fine, busy.needed) == (False, True)
    assert f"Port {port} is in use" in busy.sentence
    assert free == Finding(True, f"Port {port} is free for the hub.")


@pytest.mark.parametrize(
    ("free", "fine", "said"),
    [
        (7e9, True, "30 students may write 7.0 GB, and 7.0 GB are free."),
        (6e9, False, "30 students may write 7.0 GB, and 6.0 GB are free: free 1.0 GB, or name another disk with "),
    ],
)
def test_the_disk_is_compared_with_what_students_write(
    room: Room, monkeypatch: pytest.MonkeyPatch, free: float, fine: bool, said: str
):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    (finding,) = class_doctor.disk_of_class(30, room)
    assert finding.fine == fine
    assert finding.sentence.startswith(said)


@pytest.mark.parametrize(("free", "fine"), [(6e9, True), (5.9e9, False)])
def test_the_memory_is_compared_with_what_each_student_takes(monkeypatch: pytest.MonkeyPatch, free: float, fine: bool):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    # Ten times twice 200 MB and 100 MB are 5 GB, and the hub takes another.
    (finding,) = class_doctor.memory_of_class(10, kernel=200_000_000, server=100_000_000)
    assert finding.fine == fine
    assert "10 take 6.0 GB with the hub" in finding.sentence
    advice = "." if fine else ": at most 9 students can work here at once."
    assert finding.sentence.endswith(f"GB are free{advice}")


@pytest.mark.parametrize(("cores", "fine"), [(4, True), (3, False), (None, False)])
def test_few_cores_are_reported_but_do_not_stop_a_class(monkeypatch: pytest.MonkeyPatch, cores: int | None, fine: bool):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    (finding,) = class_doctor.cores_of_class(30)
    assert (finding.fine, finding.needed) == (fine, fine)
    assert fine or "so use 4 cores or fewer students." in finding.sentence


def test_the_memory_of_a_process_is_its_own():
    small = class_doctor.own_memory("")
    large = class_doctor.own_memory("held = b'x' * 100_000_000")
    assert 90e6 < large - small < 130e6


def test_code_that_fails_is_no_measurement():
    with pytest.raises(OSError, match=r"measured: ModuleNotFoundError: No module named .no_such."):
        class_doctor.own_memory("import no_such")


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_users_need_root_and_a_course_that_they_can_reach(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, "closed_folder", lambda *paths: None)
    monkeypatch.setattr(accounts, "is_root", lambda: True)
    (reachable,) = class_doctor.users(30, room)
    assert reachable == Finding(True, "Every Unix user can reach the course and its Python.")
    monkeypatch.setattr(accounts, "is_root", lambda: False)
    monkeypatch.setattr(hub, "closed_folder", lambda *paths: Path("/root"))
    too_many, shared, closed = class_doctor.users(1000, room)
    assert "not 1000: use several servers." in too_many.sentence
    assert "start the class with `sudo " in shared.sentence
    assert "because /root is closed to others" in closed.sentence


def test_node_and_the_proxy_are_looked_for(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxy, "why_no_node", lambda: "Node.js is missing.")
    assert [*class_doctor.proxy_program(room)] == [Finding(False, "Node.js is missing.")]
    monkeypatch.setattr(proxy, "why_no_node", lambda: None)
    monkeypatch.setattr(proxy, "node_version", lambda: "20.1.0")
    for found, npm, last in (
        ("/bin/proxy", None, "configurable-http-proxy is installed."),
        (None, "/bin/npm", "configurable-http-proxy will be installed by `"),
        (None, None, "configurable-http-proxy is missing, and so is npm: run `sudo apt install npm`."),
    ):
        monkeypatch.setattr(proxy, "find_proxy", lambda folder, found=found: found)
        monkeypatch.setattr(shutil, "which", lambda name, npm=npm: npm)
        node, program = class_doctor.proxy_program(room)
        assert node == Finding(True, "Node.js 20.1.0 runs the hub's proxy.")
        assert program.sentence.startswith(last)
        assert program.fine == bool(found or npm)


def test_the_doctor_examines_a_class_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def examine_class(number: int, room: Room) -> list[Finding]:
        return [Finding(False, f"{number} students.")]

    monkeypatch.setattr(doctor, "examine", lambda root: iter([Finding(True, "The learner.")]))
    monkeypatch.setattr(class_doctor, "examine_class", examine_class)
    assert cli.main(["doctor"]) == 0
    assert "students" not in capsys.readouterr().out
    assert cli.main(["doctor", "--class", "30"]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["✓ The learner.", "✗ 30 students."]
    assert cli.main(["doctor", "--class", "0"]) == 1
    assert capsys.readouterr().err == "✗ --class should be the number of students, 1 or more, but is 0.\n"
