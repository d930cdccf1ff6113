"""What is said about a failed download, from the words of the real pip and others."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.network.troubles import diagnose, last_error
from tests.data.places import Web, web_server


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def words_of_pip(folder: Path, *words: str, **variables: str) -> str:
    """What the real pip says, on the screen and in its log, when it cannot download the package course-toys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PIP_")
        and not name.lower().endswith("_proxy")
        and "CERT" not in name
        and "CA_BUNDLE" not in name
    }
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input", "--retries=1"]
    command += ["--disable-pip-version-check"]
    command += ["--timeout=3", "--log", str(log), "--dest", str(folder), *words, "course-toys==1.0"]
    ran = subprocess.run(
        command,
        env=kept | {"PIP_CONFIG_FILE": os.devnull} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    return ran.stdout + ran.stderr + (log.read_text(encoding="utf-8") if log.exists() else "")


def reason(output: str) -> str:
    trouble = diagnose(output, "/some/python")
    assert trouble is not None
    return f"{trouble.kind}: {trouble.reason}: {trouble.remedy}"


def test_a_proxy_that_wants_a_password_is_told_from_a_missing_network(tmp_path: Path, web: Web) -> None:
    output = words_of_pip(tmp_path, PIP_INDEX_URL="https://elsewhere.invalid/simple", HTTPS_PROXY=web.address)
    assert "proxy asks for a user name and a password (407): set HTTPS_PROXY to http://USER:PASSW" in reason(output)


def test_a_filter_in_a_proxy_is_told_from_a_missing_package(tmp_path: Path, web: Web) -> None:
    web.asked_as_proxy = 403
    output = words_of_pip(tmp_path, PIP_INDEX_URL="https://elsewhere.invalid/simple", HTTPS_PROXY=web.address)
    assert "or a filter in this network, forbids the download (403)" in reason(output)


def test_a_proxy_that_does_not_answer_is_named(tmp_path: Path) -> None:
    variables = {"PIP_INDEX_URL": "https://elsewhere.invalid/simple", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert "unreachable: the network's proxy does not answer" in reason(words_of_pip(tmp_path, **variables))


def test_a_name_that_is_not_found_is_named(tmp_path: Path) -> None:
    output = words_of_pip(tmp_path, PIP_INDEX_URL="https://nowhere.invalid/simple")
    assert "it cannot find the server's name (DNS)" in reason(output)


def test_a_server_without_the_secure_protocol_is_named(tmp_path: Path, web: Web) -> None:
    output = words_of_pip(tmp_path, PIP_INDEX_URL=f"{web.address.replace('http:', 'https:')}/simple")
    assert "the secure connection failed" in reason(output)


def test_a_certificate_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    variables = {"PIP_INDEX_URL": "https://nowhere.invalid/simple", "PIP_CERT": "/nowhere.pem"}
    assert "the certificate file that PIP_CERT or a similar setting names" in reason(
        words_of_pip(tmp_path, **variables)
    )


def test_a_forbidden_index_is_told_from_a_missing_package(tmp_path: Path) -> None:
    assert "missing: pip may use no package index (PIP_NO_INDEX)" in reason(words_of_pip(tmp_path, PIP_NO_INDEX="1"))


def test_an_address_without_the_secure_protocol_that_pip_does_not_trust_is_named(tmp_path: Path, web: Web) -> None:
    output = words_of_pip(tmp_path, PIP_INDEX_URL="http://elsewhere.invalid/simple")
    assert "name its host in PIP_TRUSTED_HOST" in reason(output)


def test_an_option_that_an_old_pip_does_not_know_means_that_it_is_too_old(tmp_path: Path) -> None:
    output = words_of_pip(tmp_path, "--option-of-the-future")
    assert "pip: this Python's pip is too old: run `/some/python -m pip install --upgrade pip`" in reason(output)


def test_a_further_index_that_forbids_what_it_lacks_is_not_the_cause(tmp_path: Path, web: Web) -> None:
    web.files["/simple/course-toys/"] = b"nothing for this computer"
    web.statuses["/cpu/course-toys/"] = 403
    extra = web.address.replace("127.0.0.1", "localhost")
    output = words_of_pip(
        tmp_path,
        PIP_INDEX_URL=f"{web.address}/simple",
        PIP_EXTRA_INDEX_URL=f"{extra}/cpu",
        PIP_TRUSTED_HOST="localhost",
    )
    assert "/cpu/course-toys/" in web.asked
    assert "no build: pip's package index does not have course-toys for this computer" in reason(output)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "full disk"),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/ada/.venv/lib'", "full disk"),
        ("OSError: [WinError 112] There is not enough space on the disk", "full disk"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "PIP_CERT"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "in time"),
        ("ERROR: Download failed because not enough bytes were received (5/9)", "broken off"),
        ("ProtocolError: ('Connection broken: IncompleteRead(9 bytes read, 5 more expected)'", "broken off"),
        ("ProtocolError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "broken off"),
        ("ERROR: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url", "unreachable"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "another file"),
        ("/usr/bin/python3: No module named pip", "-m ensurepip"),
        ("<urlopen error [Errno 8] nodename nor servname provided, or not known>", "DNS"),
        ("<urlopen error [WinError 10061] No connection could be made: actively refused it>", "does not answer"),
        ("Missing dependencies for SOCKS support.", "proxy"),
    ],
)
def test_the_words_of_other_systems_and_versions_are_known(words: str, expected: str) -> None:
    assert expected in reason(f"Collecting async-timeout\nCollecting pysocks\n{words}\nnote: more words\n")


def test_an_attempt_that_was_repeated_is_not_the_cause_if_another_is_named() -> None:
    output = (
        "WARNING: Retrying after connection broken by 'ProxyError'\n"
        "Could not fetch URL https://x/cpu/numpy/: 403 Client Error: Forbidden - skipping\n"
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    )
    assert reason(output).startswith("full disk")
    assert reason(output.splitlines()[0]).startswith("unreachable: the network's proxy")


@pytest.mark.parametrize("words", ["", "error: subprocess-exited-with-error", "Collecting async-timeout"])
def test_unknown_words_are_not_explained(words: str) -> None:
    assert diagnose(words, "/some/python") is None


@pytest.mark.parametrize(
    ("output", "last"),
    [
        ("ERROR: a hint\nERROR: the reason.\nnote: words after it", "ERROR: the reason"),
        (
            "2026-11-29T01:29:36,907 ERROR: the reason\n2026-11-29T01:29:36,907 Removed build tracker",
            "ERROR: the reason",
        ),
        ("just words\n", "just words"),
        ("", "no message"),
    ],
)
def test_the_last_error_is_given_without_its_time(output: str, last: str) -> None:
    assert last_error(output) == last
