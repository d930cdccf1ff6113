"""pip ends with the program that started it, however that ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from course_lib.network import run_pip
from tests.cli.workplace import ROOT
from tests.data.places import Web, web_server

WHEEL = "course_toys-1.0-py3-none-any.whl"
START_PIP = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("course", sys.argv[1])
course = importlib.util.module_from_spec(spec)
spec.loader.exec_module(course)
course.PYTHON = sys.executable
sys.exit(course.run_pip(*sys.argv[2:]))
"""


def start(web: Web, folder: Path) -> subprocess.Popen[bytes]:
    """Start a program that runs course.py's pip, which downloads a file from a server that pauses."""
    words = ["download", "--isolated", "--no-deps", "--no-cache-dir", "--index-url", f"{web.address}/simple"]
    words += ["--disable-pip-version-check", "--dest", str(folder), "course-toys"]
    return subprocess.Popen(
        [sys.executable, "-c", START_PIP, str(ROOT / "course.py"), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_pip_ends_when_its_starter_ends(tmp_path: Path, how: str) -> None:
    with web_server() as web:
        web.add_package(WHEEL, bytes(1000))
        web.pause = 60
        starter = start(web, tmp_path)
        while f"/files/{WHEEL}" not in web.asked:
            assert starter.poll() is None
            time.sleep(0.05)
        (pip,) = psutil.Process(starter.pid).children()
        starter.send_signal(getattr(signal, how))
        starter.wait(timeout=60)
        with contextlib.suppress(psutil.NoSuchProcess):
            pip.wait(timeout=60)
        assert not psutil.pid_exists(pip.pid) or pip.status() == psutil.STATUS_ZOMBIE


def test_pip_itself_ends_with_its_own_status_and_words() -> None:
    for words, status, said in [(["--version"], 0, "pip "), (["no-such-command"], 1, "unknown command")]:
        with subprocess.Popen(
            [sys.executable, "-P", run_pip.__file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as pip:
            assert pip.stdout is not None
            output = pip.stdout.read()
            assert pip.wait(timeout=60) == status
        assert said in output
        assert "Fatal" not in output
