"""Notebook 13 without its data, network and mirror: templates of the course's own carry it, and it says so."""

from pathlib import Path

import nbformat
import pytest

from course_lib import data
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "13_named_entities.ipynb"


def test_without_data_network_and_mirror_it_runs_to_the_end_and_says_what_takes_its_place(tmp_path: Path):
    variables = kernels.environment(tmp_path, data=tmp_path / "empty") | {"COURSE_MIRROR": ""}
    run = kernels.execute(nbformat.read(NOTEBOOK, as_version=4), tmp_path, variables)
    outputs = [output for cell in run.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.get("text", "") for output in outputs)
    for name in ("entities", "entity-templates", "pretrained-encoder"):
        assert f"The data set '{name}' is not on this computer yet" in printed
    assert "templates with made-up names take the place of Wikipedia's sentences" in printed
    assert "Greatest difference below 1e-12 in 200 random cases: True" in printed
    assert not kernels.network_log(tmp_path).exists()


def test_the_tests_can_do_without_what_comes_from_the_web_but_not_without_what_pip_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert set(kernels.missing(NOTEBOOK)) >= {"entities", "entity-templates"}
    unreachable = {"entities"}

    def fetch(name: str) -> None:
        if name in unreachable:
            raise data.Offline(f"{name} is out of reach")

    monkeypatch.setattr(data, "fetch", fetch)
    monkeypatch.setattr(kernels, "NOTEBOOKS", [NOTEBOOK])
    kernels.prepare()
    unreachable.add("entity-templates")
    with pytest.raises(data.Offline, match="entity-templates"):
        kernels.prepare()
