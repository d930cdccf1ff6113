"""Under tests/notebooks/offline a process has no network, and every attempt to use it is recorded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OFFLINE = Path(__file__).parent / "offline"
IN_A_CHILD = "import socket; socket.getaddrinfo('course.invalid', 443)"


def run_offline(source: str, log: Path) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"PYTHONPATH": str(OFFLINE), "NETWORK_LOG": str(log)}
    return subprocess.run([sys.executable, "-c", source], env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("attempt", "host"),
    [
        # 192.0.2.1 and .invalid are reserved by RFC 5737 and RFC 2606, so that no host responds.
        ("socket.create_connection(('192.0.2.1', 80), timeout=1)", "192.0.2.1"),
        ("socket.getaddrinfo('course.invalid', 443)", "course.invalid"),
        ("socket.gethostbyname('course.invalid')", "course.invalid"),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))", "192.0.2.1"),
        ("socket.socket().connect_ex(('192.0.2.1', 80))", "192.0.2.1"),
        ("urllib.request.urlopen('http://course.invalid/data.zip', timeout=1)", "course.invalid"),
        (f"subprocess.run([sys.executable, '-c', {IN_A_CHILD!r}], check=True)", "course.invalid"),
    ],
)
def test_every_network_access_is_refused_with_a_sentence_and_recorded(attempt: str, host: str, tmp_path: Path):
    log = tmp_path / "network.log"
    result = run_offline(f"import socket, subprocess, sys, urllib.request\n{attempt}", log)
    assert result.returncode != 0
    assert "The network is off in this test" in result.stderr
    assert host in log.read_text(encoding="utf-8")


def test_an_attempt_whose_error_is_suppressed_is_still_recorded(tmp_path: Path):
    log = tmp_path / "network.log"
    source = "import socket\ntry:\n    socket.getaddrinfo('course.invalid', 80)\nexcept OSError:\n    print('offline')"
    assert run_offline(source, log).stdout == "offline\n"
    assert log.exists()


def test_the_local_machine_is_still_reachable(tmp_path: Path):
    log = tmp_path / "network.log"
    source = """
import socket
for family, host in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost")]:
    server = socket.create_server((host, 0), family=family)
    client = socket.create_connection(server.getsockname(), timeout=5)
    client.close(), server.close()
socket.getaddrinfo(None, 80), socket.getaddrinfo("::1", 80)
print("reached")
"""
    result = run_offline(source, log)
    assert result.stdout == "reached\n", result.stderr
    assert not log.exists()
