"""Every notebook gives its committed outputs in a fresh kernel without a network, and follows the course's rules."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from tests.notebooks import kernels, length, rules
from tools import canonical

OF_HONEST_LENGTH = "*.ipynb"
START = kernels.ROOT / "notebooks" / "00_start_here.ipynb"


@pytest.fixture(scope="session")
def data() -> None:
    """Fetch the data that notebooks read, the only step of these tests that needs a network, and only once."""
    kernels.prepare()


@pytest.fixture(params=kernels.NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    return request.param


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def test_a_fresh_run_gives_the_committed_outputs_and_does_not_use_the_network(notebook: Path, data, tmp_path: Path):
    if missing := kernels.missing(notebook):
        pytest.skip(f"{', '.join(missing)} cannot be had here: the notebook uses what takes its place")
    run = kernels.validate(notebook, tmp_path, kernels.environment(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    log = kernels.network_log(tmp_path)
    assert not log.exists(), log.read_text(encoding="utf-8")


def test_the_notebook_is_saved_in_canonical_form(notebook: Path):
    assert canonical.main(["--check", str(notebook)]) == 0


def test_the_notebook_follows_the_rules(notebook: Path):
    assert rules.faults(read(notebook)) == []


@pytest.mark.parametrize(
    "path", sorted((kernels.ROOT / "notebooks").glob(OF_HONEST_LENGTH)), ids=lambda path: path.stem
)
def test_the_notebook_takes_as_long_as_it_says_and_is_short_enough(path: Path):
    assert length.faults(read(path)) == []


def test_the_first_notebook_runs_without_data_or_network_and_says_so(tmp_path: Path):
    committed = canonical.canonical(read(START))
    variables = kernels.environment(tmp_path, data=tmp_path / "empty")
    without_data = canonical.canonical(kernels.execute(committed, tmp_path, variables), committed)
    different = [cell for cell, saved in zip(without_data.cells, committed.cells, strict=True) if cell != saved]
    assert [cell.source for cell in different if rules.IGNORED not in cell.metadata.get("tags", [])] == []
    assert "course.py data" in nbformat.writes(new_notebook(cells=different))


def test_a_notebook_that_uses_the_network_fails_with_a_sentence(sample: NotebookNode, tmp_path: Path):
    sample.cells = sample.cells[:2]
    sample.cells[1].source = "import socket\n\nsocket.getaddrinfo('course.invalid', 443)"
    sample.cells[1].execution_count = 1
    path = tmp_path / "saved" / "sample.ipynb"
    path.parent.mkdir()
    nbformat.write(sample, path)
    run = kernels.validate(path, tmp_path, kernels.environment(tmp_path))
    assert run.returncode == 1
    assert "The network is off in this test, but socket.getaddrinfo was asked for 'course.invalid'" in run.stdout
    assert kernels.network_log(tmp_path).exists()


def test_only_the_cell_whose_output_differs_from_the_committed_one_fails(sample: NotebookNode, tmp_path: Path):
    run = canonical.canonical(kernels.execute(sample, tmp_path, kernels.environment(tmp_path)))
    run.cells[1].outputs[0].data["text/plain"] = "3"
    path = tmp_path / "saved" / "sample.ipynb"
    path.parent.mkdir()
    nbformat.write(run, path)
    report = kernels.validate(path, tmp_path, kernels.environment(tmp_path)).stdout
    assert "Cell 0: Cell outputs differ" in report
    assert "1 failed, 3 passed" in report


def test_a_learners_own_parts_are_neither_read_nor_overwritten(tmp_path: Path):
    command = [sys.executable, "-c", "from course_lib.exercises.keeping import store; print(store.folder())"]
    folder = subprocess.run(
        command, env=kernels.environment(tmp_path), capture_output=True, text=True, check=True
    ).stdout
    assert Path(folder.strip()).is_relative_to(tmp_path)
