"""The sentence for each installation error: a full disk, no network, and other causes that make pip fail."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.workplace import Workplace, setup_error, subprocess_run
from tests.data.places import web_server


def test_a_full_disk_is_noticed_before_anything_is_made(workplace: Workplace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workplace.course.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2 * 10**9))
    sentence = setup_error(workplace.course, workplace.course.prepare_venv)
    assert sentence.startswith(f"The disk is too full: free 2.5 GB in {workplace.folder}")
    assert sentence.endswith(", then run the same command again.")
    assert not workplace.course.VENV.exists()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "The disk is too full"),
        (errno.EDQUOT, "The disk is too full"),
        (errno.EACCES, "move it to a folder that you own"),
        (errno.EROFS, "move it to a folder that you own"),
    ],
)
def test_a_disk_that_cannot_be_written_to_gets_a_sentence(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
):
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError(number, os.strerror(number), "somewhere")

    monkeypatch.setattr(workplace.course.Path, "mkdir", refuse)
    assert expected in setup_error(workplace.course, workplace.course.prepare_venv)


def real_pip(folder: Path, *words: str, **variables: str) -> str:
    """Give the log of the real pip when it looks for torch and fails, without a network."""
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--retries", "1", *words]
    # The computer's own settings, which may name other indexes, are ignored.
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment = others | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | variables
    ran = subprocess_run(
        [*command, "--log", str(log), "torch>=2.6,<2.14"], env=environment, capture_output=True, check=False
    )
    assert ran.returncode == 1
    return log.read_text(encoding="utf-8")


def test_a_missing_network_is_recognised_in_the_log_of_the_real_pip(workplace: Workplace, tmp_path: Path):
    assert workplace.course.explain(real_pip(tmp_path, PIP_INDEX_URL="http://127.0.0.1:9/simple")) == (
        "The installation failed, because there is no network, or the server does not answer: connect this computer, "
        "then run the same command again."
    )


def test_pips_own_settings_are_named_in_the_log_of_the_real_pip(workplace: Workplace, tmp_path: Path):
    assert "(PIP_NO_INDEX)" in workplace.course.explain(real_pip(tmp_path, PIP_NO_INDEX="1"))


def test_a_computer_without_a_build_of_pytorch_is_told_from_a_filter(workplace: Workplace, tmp_path: Path):
    with web_server() as web:
        web.files["/simple/torch/"] = b'<a href="/torch-2.9.0-cp311-cp311-win_arm64.whl">torch</a>'
        sentence = workplace.course.explain(real_pip(tmp_path, PIP_INDEX_URL=f"{web.address}/simple"))
        assert sentence.startswith("PyTorch has no build for this computer (")
        assert f"with Python {sys.version.split()[0]}): try" in sentence
        (tmp_path / "pip.log").unlink()
        web.statuses["/simple/torch/"] = 403
        sentence = workplace.course.explain(real_pip(tmp_path, PIP_INDEX_URL=f"{web.address}/simple"))
        assert "or a filter in this network, forbids the download (403): try another network" in sentence


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (f"ERROR: Could not install packages due to an OSError: {OSError(errno.ENOSPC, os.strerror(28))}", "too full"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate", "PIP_CERT"),
        ("ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 407 Proxy", "HTTPS_PROXY"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "the server did not answer in time"),
        ("ProtocolError: ('Connection broken: IncompleteRead(9 bytes read)", "the connection broke off"),
        ("ERROR: No matching distribution found for nonsense", "does not have nonsense for this computer"),
        ("ERROR: a hint\nERROR: the reason.\nnote: words after it", "its last message was: ERROR: the reason."),
        ("just words", "its last message was: just words."),
        ("", "its last message was: no message."),
    ],
)
def test_each_error_of_pip_gets_its_sentence(workplace: Workplace, output: str, expected: str):
    sentence = workplace.course.explain(output)
    assert expected in sentence
    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence)


def test_an_installation_without_a_network_stops_with_that_sentence(workplace: Workplace):
    workplace.pip_error = "WARNING: Retrying after connection broken by 'NewConnectionError'"
    assert "there is no network" in setup_error(workplace.course, workplace.course.prepare_venv)


def test_a_python_that_cannot_make_environments_gets_the_name_of_the_missing_package(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
):
    says = (
        "The virtual environment was not created successfully because ensurepip is not\navailable.  On Debian/Ubuntu "
        "systems, you need to install the python3-venv\npackage using the following command.\n"
    )
    failed = subprocess.CompletedProcess([], 1, says)
    monkeypatch.setattr(workplace.course.subprocess, "run", lambda words, **options: failed)
    sentence = setup_error(workplace.course, workplace.course.prepare_venv)
    assert f"`sudo apt install python3.{sys.version_info.minor}-venv`" in sentence
