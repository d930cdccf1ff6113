"""What each command of the door does."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.course.workplace import Workplace, stopped

TOGETHER = ["--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder"]


def test_without_a_command_each_is_listed_with_its_help(place: Workplace, capsys: pytest.CaptureFixture[str]):
    assert place.door.main([]) == 0
    listed = capsys.readouterr().out.splitlines()
    names = [re.fullmatch(r"py(thon3)? course\.py (\w+) {2,}[A-Z].+", line)[2] for line in listed]
    assert names == list(place.door.COMMANDS)
    assert names[:4] == ["lab", "test", "doctor", "data"]
    assert place.door.main(["--help"]) == 0
    assert place.door.main(["labb"]) == 2


def test_a_trouble_is_one_line_on_standard_error(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(place.door, "why_not_here", lambda *facts: "It cannot be: do that.")
    assert place.door.main(["lab"]) == 1
    assert capsys.readouterr() == ("", "✗ It cannot be: do that.\n")


def test_control_c_ends_in_a_sentence(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(place.door.COMMANDS, "lab", interrupted)
    assert place.door.main(["lab"]) == 130
    assert capsys.readouterr().err == "Stopped. The same command goes on from here.\n"


def test_lab_opens_notebook_00_and_hands_on_what_follows(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    started = []
    monkeypatch.setattr(place.door, "become", lambda *words: started.extend(map(str, words)) or 0)
    assert place.door.main(["lab", "--no-browser", "--port", "9999"]) == 0
    assert started[:3] == [str(place.door.PYTHON), "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={place.folder / 'notebooks'}" in started
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in started
    assert started[-3:] == ["--no-browser", "--port", "9999"]


def test_jupyterlab_is_told_not_to_ask_about_news_nor_to_look_for_updates(place: Workplace):
    place.door.prepare()
    settings = place.door.VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    told = json.loads(settings.read_text(encoding="utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert told == {"fetchNews": "false", "checkForUpdates": False}


def run_tests(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, failing: str, *arguments: str
) -> tuple[int, list[Any]]:
    """Run `course.py test` with every check but one passing; give its exit status and the checks that ran."""
    ran = []

    def run(words: list[str], **options: Any) -> SimpleNamespace:
        ran.append(words[2:])
        return SimpleNamespace(returncode=int(words[2] == failing))

    monkeypatch.setattr(place.door, "prepare", lambda *extras: ran.append(extras))
    monkeypatch.setattr(place.door.subprocess, "run", run)
    return place.door.main(["test", *arguments]), ran


def test_test_installs_what_tests_need_and_runs_every_check(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    status, ran = run_tests(place, monkeypatch, "nothing")
    assert (status, ran) == (
        0,
        [("test",), ["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", *TOGETHER]],
    )
    assert capsys.readouterr().out.splitlines()[-1] == "✓ Every check passes."


@pytest.mark.parametrize(
    ("failing", "named"), [("ruff", "style and the layout"), ("mypy", "types"), ("pytest", "tests")]
)
def test_one_check_that_fails_fails_the_command_and_the_others_still_run(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: str, named: str
):
    status, ran = run_tests(place, monkeypatch, failing)
    assert (status, len(ran)) == (1, 5)
    assert capsys.readouterr().out.splitlines()[-1] == f"✗ Not all is well: look above at the {named}."


def test_with_more_words_only_pytest_runs_and_is_handed_them(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    status, ran = run_tests(place, monkeypatch, "nothing", "-k", "attention")
    assert (status, ran[1:]) == (0, [["pytest", "-k", "attention"]])
    assert "The tests that you chose pass." in capsys.readouterr().out


def test_the_doctor_of_a_course_that_is_not_installed_says_what_to_run(place: Workplace):
    sentence = stopped(place.door, lambda: place.door.doctor([]))
    assert re.search(r"not installed, since there is none yet: run `py(thon3)? course.py lab`", sentence)
    assert not place.door.VENV.exists()


@pytest.mark.parametrize(("needed", "status", "verdict"), [(True, 1, "will not run yet"), (False, 0, "will run")])
def test_the_doctor_fails_only_for_what_the_course_cannot_run_without(
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    needed: bool,
    status: int,
    verdict: str,
):
    from course_lib.cli import doctor

    findings = [doctor.Finding(True, "This is fine."), doctor.Finding(False, "That is not.", needed)]
    monkeypatch.setattr(place.door, "inside", lambda: True)
    monkeypatch.setattr(doctor, "examine", lambda root: iter(findings))
    assert place.door.doctor([]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["✓ This is fine.", "✗ That is not."]
    assert verdict in lines[2]


@pytest.fixture
def sets(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let there be two data sets, of which one cannot be fetched; give the list of those that were asked for."""
    from course_lib import data

    asked = []

    def fetch(name: str) -> Path:
        asked.append(name)
        if name == "letters":
            raise data.Offline("no package index answers: connect and try again")
        return Path("cache") / name

    about = SimpleNamespace(description="Some words", size_bytes=38_107_331, licence="CC0", source="a shelf")
    monkeypatch.setattr(place.door, "inside", lambda: True)
    monkeypatch.setattr(data, "SETS", {"letters": about, "words": about})
    monkeypatch.setattr(data, "present", lambda name: name == "words")
    monkeypatch.setattr(data, "fetch", fetch)
    return asked


@pytest.mark.parametrize("name", ["data", "progress", "reset"])
def test_a_command_that_needs_the_library_starts_again_in_the_folders_own_python(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, name: str
):
    happened = []
    monkeypatch.setattr(place.door, "prepare", lambda: happened.append("prepared"))
    monkeypatch.setattr(place.door, "become", lambda *words: happened.append(words) or 7)
    assert place.door.main([name, "more", "words"]) == 7
    assert happened == ["prepared", (place.door.PYTHON, place.door.__file__, name, "more", "words")]


def test_data_lists_each_set_with_its_size_licence_and_source_and_whether_it_is_here(
    place: Workplace, sets: list[str], capsys: pytest.CaptureFixture[str]
):
    assert place.door.data(["--list"]) == 0
    said = capsys.readouterr().out
    assert said.split("words:")[0].replace("\n ", "") == (
        "letters: Some words 38.1 MB, not here yet licence: CC0 source: a shelf\n"
    )
    assert "38.1 MB, here" in said.split("words:")[1]
    assert sets == []


def test_data_fetches_every_set_and_one_that_fails_does_not_keep_the_next_from_coming(
    place: Workplace, sets: list[str], capsys: pytest.CaptureFixture[str]
):
    assert place.door.data([]) == 1
    assert sets == ["letters", "words"]
    said = capsys.readouterr().out.splitlines()
    assert said == ["✗ no package index answers: connect and try again", f"✓ words is in {Path('cache') / 'words'}"]


def test_data_fetches_only_what_is_named_and_refuses_a_name_that_it_does_not_know(place: Workplace, sets: list[str]):
    assert place.door.data(["words"]) == 0
    sentence = stopped(place.door, lambda: place.door.data(["words", "wrods"]))
    assert sentence == "There is no data set `wrods`: choose among letters, words."
    assert sets == ["words"]
