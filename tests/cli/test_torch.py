"""Which build of PyTorch is installed."""

import http.server
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from course_lib.network import cpu_builds
from tests.cli.workplace import Workplace


def test_without_a_gpu_the_cpu_build_is_installed_if_its_index_responds_within_three_seconds(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    monkeypatch.setattr(cpu_builds, "responds", lambda url, seconds: asked.append((url, seconds)) or True)
    linux.course.prepare_venv()
    assert asked == [("https://download.pytorch.org/whl/cpu", 3)]
    (call,) = linux.pip_calls
    assert call[call.index("--extra-index-url") + 1] == "https://download.pytorch.org/whl/cpu"


def test_if_that_index_does_not_respond_the_build_with_cuda_is_announced(
    linux: Workplace, capsys: pytest.CaptureFixture[str]
):
    linux.course.prepare_venv()
    assert all("--extra-index-url" not in call for call in linux.pip_calls)
    assert "does not respond, so pip may choose the build with CUDA, about 3 GB." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "machine", "nvidia"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "arm64", False)],
)
def test_other_computers_get_the_build_that_pip_chooses(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, nvidia: bool
):
    monkeypatch.setattr(linux.course.platform, "system", lambda: system)
    monkeypatch.setattr(linux.course.platform, "machine", lambda: machine)
    monkeypatch.setattr(linux.course, "has_nvidia", lambda: nvidia)
    monkeypatch.setattr(cpu_builds, "responds", lambda url, seconds: True)
    linux.course.prepare_venv()
    (call,) = linux.pip_calls
    assert "--extra-index-url" not in call


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


@pytest.fixture
def web() -> Iterator[tuple[str, threading.Event]]:
    """Give the address of a local web server that responds once the event is set."""
    may_respond = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            may_respond.wait(10)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            return

    server = Web(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", may_respond
    may_respond.set()
    server.shutdown()
    server.server_close()


def test_a_responding_page_is_distinguished_from_a_hanging_one_and_a_missing_one(web: tuple[str, threading.Event]):
    address, may_respond = web
    start = time.monotonic()
    assert not cpu_builds.responds(address, seconds=0.1)
    assert time.monotonic() - start < 30
    assert not cpu_builds.responds("http://127.0.0.1:9/", seconds=1)
    may_respond.set()
    assert cpu_builds.responds(address, seconds=5)
