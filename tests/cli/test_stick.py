"""course.py in a folder that `course.py bundle` made: it installs from the folder, and says why if it cannot."""

import json
import sys
from pathlib import Path

import pytest

from course_lib.network import cpu_builds
from tests.cli.workplace import Workplace, setup_error
from tests.data.places import sha256, write

HERE = f"linux {sys.version_info.major}.{sys.version_info.minor}"


def put_wheels_beside(folder: Path, target: str) -> None:
    write(folder / "wheels", "torch.whl", b"torch")
    write(folder, "SHA256SUMS", f"{sha256(b'torch')}  wheels/torch.whl\n".encode())
    contents = {"format": 1, "extras": [], "targets": {target: ["torch.whl"]}}
    write(folder, "bundle.json", json.dumps(contents).encode())


def test_pip_gets_the_folder_and_no_index_is_asked(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(cpu_builds, "responds", lambda url, seconds: pytest.fail("the network was asked"))
    put_wheels_beside(linux.folder, HERE)
    linux.course.prepare_venv()
    (call,) = linux.pip_calls
    assert call[call.index("--no-index") + 1 :][:2] == ["--find-links", (linux.folder / "wheels").resolve().as_uri()]
    assert "The packages come from wheels, without a network." in capsys.readouterr().out
    assert linux.course.is_ready(())


def test_what_the_folder_does_not_have_comes_from_the_network(linux: Workplace):
    put_wheels_beside(linux.folder, HERE)
    linux.course.prepare_venv("test")
    assert "--no-index" not in linux.pip_calls[0]


def test_another_computer_and_a_damaged_package_are_refused_before_anything_is_made(linux: Workplace):
    put_wheels_beside(linux.folder, "windows 3.12")
    assert "are for windows with Python 3.12, and this is" in setup_error(linux.course, linux.course.prepare_venv)
    put_wheels_beside(linux.folder, HERE)
    (linux.folder / "wheels" / "torch.whl").write_bytes(b"tor")
    assert "wheels/torch.whl is damaged: copy" in setup_error(linux.course, linux.course.prepare_venv)
    assert not linux.course.VENV.exists()
