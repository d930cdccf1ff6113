"""`course.py data` with a few data sets, of which one cannot be downloaded and one is damaged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import cli, data
from course_lib.data import tales


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide only a few data sets, of which `words` is present; give the list of those that are requested."""
    asked = []

    def fetch(name: str) -> Path:
        asked.append(name)
        if name == "letters":
            raise data.Offline("No server answers: connect and try again.")
        return Path("cache") / name

    def path(name: str) -> Path:
        if name == "letters":
            raise data.DataMissing("It is not here.")
        if name == "shreds":
            raise data.DataBroken("It is damaged.")
        return Path("cache") / name

    def damage(name: str) -> str | None:
        if name == "letters":
            raise data.DataMissing("It is not here.")
        return "shreds.txt is not what it was" if name == "shreds" else None

    def about(*notebooks: int) -> SimpleNamespace:
        return SimpleNamespace(
            description="Some words", size_bytes=38_107_331, licence="CC0", origin="a shelf", notebooks=notebooks
        )

    sets = {"letters": about(3, 12), "words": about(6), "shreds": about(7), "numbers": about()}
    monkeypatch.setattr(data, "SETS", sets)
    monkeypatch.setattr(data, "path", path)
    monkeypatch.setattr(data, "damage", damage)
    monkeypatch.setattr(data, "fetch", fetch)
    return asked


def described(name: str, state: str, notebooks: str) -> str:
    return f"{name}: Some words\n  38.1 MB, {state}\n  notebooks: {notebooks}\n  licence: CC0\n  origin: a shelf\n"


def test_each_data_set_is_listed_with_its_size_notebooks_licence_and_origin_and_whether_it_is_present(
    asked: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["data", "--list"]) == 0
    assert capsys.readouterr().out == "".join(
        [
            described("letters", "not downloaded yet", "03, 12"),
            described("words", "downloaded", "06"),
            described("shreds", "damaged", "07"),
            described("numbers", "downloaded", "none, only a benchmark uses it"),
        ]
    )
    assert asked == []


def test_only_the_named_data_sets_are_listed(asked: list[str], capsys: pytest.CaptureFixture[str]):
    assert cli.main(["data", "words", "--list"]) == 0
    assert capsys.readouterr().out == described("words", "downloaded", "06")


def test_every_data_set_of_the_notebooks_is_downloaded_even_if_another_one_fails(
    asked: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["data"]) == 1
    assert asked == ["letters", "words", "shreds"]
    shreds = Path("cache") / "shreds"
    assert capsys.readouterr().out.splitlines() == [
        "✗ No server answers: connect and try again.",
        f"✓ words is in {Path('cache') / 'words'}.",
        f"✓ shreds was damaged (shreds.txt is not what it was), and has been downloaded again to {shreds}.",
    ]


def test_only_the_named_data_set_is_downloaded(asked: list[str]):
    assert cli.main(["data", "words"]) == 0
    assert asked == ["words"]


def test_a_name_that_does_not_exist_is_refused_before_anything_is_downloaded(
    asked: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["data", "words", "wrods"]) == 1
    assert capsys.readouterr().err == "✗ There is no data set `wrods`: choose among letters, words, shreds, numbers.\n"
    assert asked == []


def test_damaged_tales_are_noticed_before_they_are_read_and_downloaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    stick = Path(data.fetch("tales"))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    copy = tmp_path / stick.name
    shutil.copytree(stick, copy)
    content = (copy / "grimm-tales.tab").read_bytes()
    for damaged in (content[: len(content) // 2], b"\xff" + content[1:], content[:5_000].replace(b"\t", b'"')):
        (copy / "grimm-tales.tab").write_bytes(damaged.ljust(len(content)))
        with pytest.raises(data.DataBroken, match=r"grimm-tales\.tab is not what it was.*course\.py data tales"):
            tales.load()
    assert cli.main(["data", "tales"]) == 0
    said = f"✓ tales was damaged (grimm-tales.tab is not what it was), and has been downloaded again to {copy}.\n"
    assert capsys.readouterr().out == said
    assert len(tales.load()) == 54


def test_the_list_of_data_sets_does_not_load_torch(tmp_path: Path):
    source = "import sys; from course_lib import cli; cli.main(['data', '--list']); print('torch' in sys.modules)"
    variables = os.environ | {"COURSE_DATA": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    ran = subprocess.run([sys.executable, "-c", source], env=variables, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "False"
