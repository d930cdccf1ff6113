"""The sentence that each trouble gets: a full disk, no network, and what else pip complains of."""

import errno
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.course.workplace import Workplace, reported, stopped, subprocess_run


def test_a_full_disk_is_noticed_before_anything_is_made(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(place.door.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2 * 10**9))
    sentence = stopped(place.door, place.door.prepare)
    assert sentence.startswith(f"The disk is too full: the course needs 2.5 GB free in {place.folder}")
    assert sentence.endswith("make room, then run the same command again.")
    assert not place.door.VENV.exists()


def test_a_disk_too_full_for_the_cuda_build_is_noticed_before_it_is_downloaded(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(linux.door.shutil, "disk_usage", lambda folder: SimpleNamespace(free=3 * 10**9))
    linux.finds = reported(linux.folder, torch=500_000_000, nvidia_cudnn=2_000_000_000)
    assert "the course needs 10.0 GB free" in stopped(linux.door, linux.door.prepare)
    assert ["--dry-run" in call for call in linux.pip_calls] == [True]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "The disk is too full"),
        (errno.EDQUOT, "The disk is too full"),
        (errno.EACCES, "move it to a folder that is yours"),
        (errno.EROFS, "move it to a folder that is yours"),
    ],
)
def test_a_disk_that_takes_no_more_is_a_sentence(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
):
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError(number, os.strerror(number), "somewhere")

    monkeypatch.setattr(place.door.Path, "mkdir", refuse)
    assert expected in stopped(place.door, place.door.prepare)


def real_pip(*words: str, **variables: str) -> str:
    """Give what the real pip says when it looks for torch and fails, without a network."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--retries", "1", *words]
    # None of the computer's own settings, which may know other places to look in.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment = kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | variables
    ran = subprocess_run(
        [*command, "torch>=2.6,<2.14"], env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 1
    return ran.stderr


def test_no_network_is_recognised_in_what_the_real_pip_says(place: Workplace):
    sentence = place.door.explain(real_pip(PIP_INDEX_URL="http://127.0.0.1:9/simple"))
    assert sentence == "There is no network, or it broke off: connect this computer, then run the same command again."


def test_a_computer_without_a_build_of_pytorch_is_recognised_in_what_the_real_pip_says(place: Workplace):
    sentence = place.door.explain(real_pip("--no-index"))
    assert sentence.startswith("PyTorch has no build for this computer (")
    assert f"with Python {sys.version.split()[0]}): try" in sentence


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (f"ERROR: Could not install packages due to an OSError: {OSError(errno.ENOSPC, os.strerror(28))}", "too full"),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/ada/.venv/lib'", "too full"),
        ("OSError: [WinError 112] There is not enough space on the disk", "too full"),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate",
            "certificate that",
        ),
        (
            "pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.",
            "There is no network",
        ),
        (
            "ProtocolError: ('Connection broken: IncompleteRead(9 bytes read)",
            "There is no network",
        ),
        (
            "ProtocolError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by",
            "There is no network",
        ),
        ("error: incomplete-download\n× Download failed because not enough bytes were received", "no network"),
        ("ERROR: a hint\nERROR: the reason.\nnote: words after it", "the last that was heard is: ERROR: the reason."),
        ("just words", "the last that was heard is: just words."),
        ("", "the last that was heard is: nothing."),
    ],
)
def test_each_complaint_of_pip_has_its_sentence(place: Workplace, output: str, expected: str):
    assert expected in place.door.explain(output)


def test_a_look_for_pytorch_that_finds_no_network_stops_with_the_sentence(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
):
    def offline(words: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        if "--dry-run" in words:
            return subprocess.CompletedProcess(words, 1, "", "Retrying after connection broken by 'NewConnectionError'")
        return place.run(words, **options)

    monkeypatch.setattr(place.door.subprocess, "run", offline)
    assert "There is no network" in stopped(place.door, place.door.prepare)


def test_a_python_that_cannot_make_environments_is_told_which_package_brings_that(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
):
    says = (
        "The virtual environment was not created successfully because ensurepip is not\navailable.  On Debian/Ubuntu "
        "systems, you need to install the python3-venv\npackage using the following command.\n"
    )
    failed = subprocess.CompletedProcess([], 1, says)
    monkeypatch.setattr(place.door.subprocess, "run", lambda words, **options: failed)
    sentence = stopped(place.door, place.door.prepare)
    assert f"`sudo apt install python3.{sys.version_info.minor}-venv`" in sentence
