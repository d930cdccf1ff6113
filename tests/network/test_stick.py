"""Whether the packages in the course's folder serve the computer that finds them, and whether they are whole."""

import json
import sys
from pathlib import Path

import pytest

from course_lib.network import stick
from tests.data.places import sha256, write

HERE = f"linux {sys.version_info.major}.{sys.version_info.minor}"
WHEEL = "course_toys-1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stick for Linux with this Python, on a Linux."""
    monkeypatch.setattr(stick.platform, "system", lambda: "Linux")
    monkeypatch.setattr(stick.platform, "machine", lambda: "x86_64")
    folder = tmp_path / "a stick"
    write(folder, "course.py", b"the course")
    write(folder / "wheels", WHEEL, b"a wheel")
    describe(folder, HERE)
    lines = [f"{sha256(b'a wheel')}  wheels/{WHEEL}", f"{sha256(b'the course')}  course.py", ""]
    write(folder, "SHA256SUMS", "\n".join(lines).encode())
    return folder


def describe(folder: Path, *targets: str) -> None:
    contents = {"format": 1, "extras": ["bundle"], "targets": {target: [WHEEL] for target in targets}}
    write(folder, "bundle.json", json.dumps(contents).encode())


def refusal(folder: Path) -> str:
    with pytest.raises(stick.BadStick) as raised:
        stick.pip_options(folder, ())
    sentence = str(raised.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("extras", [(), ("bundle",)])
def test_pip_uses_the_folder_alone_also_if_its_path_has_a_space(folder: Path, extras: tuple[str, ...]):
    options = stick.pip_options(folder, extras)
    assert options == ["--no-index", "--find-links", (folder / "wheels").resolve().as_uri()]
    assert " " not in options[-1]


def test_the_network_is_used_for_extras_that_the_folder_lacks_and_by_a_course_without_wheels(folder: Path):
    assert stick.pip_options(folder, ("test",)) == []
    (folder / "wheels").rename(folder / "removed")
    assert stick.pip_options(folder, ()) == []
    (folder / "bundle.json").write_text("[")
    (folder / "removed").rename(folder / "wheels")
    assert stick.pip_options(folder, ()) == []


@pytest.mark.parametrize("target", ["linux 3.9", "windows 3.12", HERE.replace("linux", "linux-arm")])
def test_another_computer_is_told_for_which_ones_the_packages_are(folder: Path, target: str):
    describe(folder, target)
    sentence = refusal(folder)
    assert sentence.startswith(f"The packages in the folder wheels are for {stick.describe([target])}, and this is ")
    assert sentence.endswith("or delete the folder wheels to install from the network.")


def test_a_damaged_a_missing_and_an_unlisted_wheel_are_named(folder: Path):
    (folder / "wheels" / WHEEL).write_bytes(b"a whee")
    assert refusal(folder).startswith(f"The file wheels/{WHEEL} is damaged: copy the whole folder again")
    (folder / "wheels" / WHEEL).unlink()
    assert refusal(folder).startswith(f"The file wheels/{WHEEL} is missing or cannot be read: copy")
    (folder / "SHA256SUMS").write_text("")
    assert refusal(folder).startswith(f"The file wheels/{WHEEL} is not in the list SHA256SUMS: copy")
    (folder / "SHA256SUMS").unlink()
    assert refusal(folder).startswith("The file SHA256SUMS is missing: copy")


def test_other_files_of_the_folder_may_change_before_the_installation(folder: Path):
    write(folder, "course.py", b"the course, changed")
    assert stick.pip_options(folder, ()) != []
    assert [*stick.damaged_files(folder)] == ["course.py is damaged"]
