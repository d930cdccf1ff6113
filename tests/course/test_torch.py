"""Which PyTorch is taken, and what is said of it before."""

import http.server
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.course.workplace import Workplace, load_door, reported


def test_without_a_gpu_pytorchs_own_index_is_taken_where_it_answers_in_three_seconds(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked = []
    monkeypatch.setattr(linux.door, "answers", lambda url, seconds: asked.append((url, seconds)) or True)
    linux.finds = reported(linux.folder, torch=191_800_000, sympy=5)
    linux.door.prepare()
    assert asked == [("https://download.pytorch.org/whl/cpu", 3)]
    for call in linux.pip_calls:
        assert call[call.index("--extra-index-url") + 1] == "https://download.pytorch.org/whl/cpu"
    assert "It takes PyTorch 2.13.0, the build without CUDA, 191.8 MB." in capsys.readouterr().out


def test_where_that_index_does_not_answer_the_cuda_build_is_announced_with_its_size(
    linux: Workplace, capsys: pytest.CaptureFixture[str]
):
    linux.finds = reported(linux.folder, torch=500_000_000, nvidia_cudnn=1_000_000_000, triton=200_000_000, sympy=9)
    linux.door.prepare()
    assert all("--extra-index-url" not in call for call in linux.pip_calls)
    said = capsys.readouterr().out
    assert "It takes PyTorch 2.13.0, the CUDA build, 1.7 GB." in said
    assert "did not answer within three seconds" in said


@pytest.mark.parametrize(
    ("system", "machine", "nvidia"),
    [("Linux", "x86_64", True), ("Linux", "aarch64", False), ("Darwin", "arm64", False)],
)
def test_other_computers_take_what_pip_finds(
    linux: Workplace, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, nvidia: bool
):
    monkeypatch.setattr(linux.door.platform, "system", lambda: system)
    monkeypatch.setattr(linux.door.platform, "machine", lambda: machine)
    monkeypatch.setattr(linux.door, "has_nvidia", lambda: nvidia)
    monkeypatch.setattr(linux.door, "answers", lambda url, seconds: True)
    assert linux.door.why_unusable()
    linux.door.prepare()
    assert all("--extra-index-url" not in call for call in linux.pip_calls)


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


@pytest.fixture
def web() -> Iterator[tuple[str, threading.Event]]:
    """Give the address of a web server on this machine, which answers from when the event is set."""
    may_answer = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            may_answer.wait(10)
            self.send_response(200)
            self.end_headers()

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1234567")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            return

    server = Web(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", may_answer
    may_answer.set()
    server.shutdown()
    server.server_close()


def test_a_page_that_answers_is_told_from_one_that_hangs_and_one_that_is_not_there(
    tmp_path: Path, web: tuple[str, threading.Event]
):
    door: Any = load_door(tmp_path)
    address, may_answer = web
    start = time.monotonic()
    assert not door.answers(address, seconds=0.1)
    assert time.monotonic() - start < 5
    assert not door.answers("http://127.0.0.1:9/", seconds=1)
    may_answer.set()
    assert door.answers(address, seconds=5)


def test_the_size_of_a_download_is_asked_for_without_downloading_it(tmp_path: Path, web: tuple[str, threading.Event]):
    door: Any = load_door(tmp_path)
    address, _ = web
    assert door.download_size([address, address, "http://127.0.0.1:9/"]) == 2 * 1_234_567
