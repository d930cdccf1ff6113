"""Canonical notebooks keep everything that a reader sees, and do not change by a byte when they are run again."""

import base64
import io
from pathlib import Path

import matplotlib.image
import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from tests.notebooks import kernels
from tools import canonical


@pytest.fixture(scope="module")
def no_downloads():
    """Prevent --run from fetching data sets, which the sample notebook does not need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "prepare", lambda: None)
        yield


def picture(pixels: np.ndarray, software: str) -> str:
    file = io.BytesIO()
    matplotlib.image.imsave(file, pixels, metadata={"Software": software})
    return base64.b64encode(file.getvalue()).decode()


def show(notebook: NotebookNode, png: str) -> NotebookNode:
    notebook.cells[3].outputs = [new_output("display_data", {"image/png": png})]
    return notebook


def shown(notebook: NotebookNode) -> str:
    return notebook.cells[3].outputs[0].data["image/png"]


def test_running_an_unchanged_notebook_again_changes_no_byte(sample: NotebookNode, no_downloads, tmp_path: Path):
    path = tmp_path / "sample.ipynb"
    nbformat.write(sample, path)
    assert canonical.main(["--run", str(path)]) == 0
    assert canonical.main(["--check", "--run", str(path)]) == 0

    cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    assert cells["sum"].execution_count == 1
    assert cells["sum"].outputs[0].data == {"text/plain": "2"}
    assert [output.text for output in cells["prints"].outputs] == ["one\nthree\n", "two\n"]
    assert cells["figure"].outputs[0].metadata["image/png"]["alt"] == "A line that falls."
    assert cells["widget"].outputs[0].data == {"text/html": "<p>A slider at 0.</p>", "text/plain": "A slider at 0."}


def test_a_check_writes_nothing_and_fails_if_a_notebook_would_change(sample: NotebookNode, tmp_path: Path, capsys):
    path = tmp_path / "sample.ipynb"
    nbformat.write(sample, path)
    before = path.read_bytes()
    assert canonical.main(["--check", str(path)]) == 1
    assert "sample.ipynb: not canonical" in capsys.readouterr().out
    assert path.read_bytes() == before
    assert canonical.main([str(path)]) == 0
    assert canonical.main(["--check", str(path)]) == 0


def test_a_notebook_with_a_failing_cell_is_not_changed(sample: NotebookNode, no_downloads, tmp_path: Path, capsys):
    path = tmp_path / "sample.ipynb"
    sample.cells[1].source = "1 / 0"
    nbformat.write(sample, path)
    before = path.read_bytes()
    assert canonical.main(["--run", str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_times_versions_and_the_metadata_of_editors_are_left_out(sample: NotebookNode):
    sample.metadata["language_info"] = {"name": "python", "version": "3.99.0"}
    sample.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    sample.cells[1].metadata = nbformat.from_dict(
        {"execution": {"iopub.status.busy": "2017-06-12"}, "collapsed": True, "tags": ["b", "a"]}
    )
    result = canonical.canonical(sample)
    assert result.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert result.cells[1].metadata == {"tags": ["a", "b"]}
    assert [cell.id for cell in result.cells] == ["header", "sum", "prints", "figure", "widget"]


def test_only_the_last_state_of_a_progress_bar_is_kept(sample: NotebookNode):
    states = ["0%\r", " 50%\r", "100%\n"]
    sample.cells[2].outputs = [new_output("stream", name="stderr", text=state) for state in states]
    outputs = canonical.canonical(sample).cells[2].outputs
    assert [output.text for output in outputs] == ["100%\n"]


def test_an_error_keeps_its_message_without_the_paths_of_the_machine(sample: NotebookNode):
    traceback = ["File /home/ada/course/attention.py:30", "ValueError: 10 is not a multiple of 4"]
    error = new_output("error", ename="ValueError", evalue="10 is not a multiple of 4", traceback=traceback)
    sample.cells[1].outputs = [error]
    assert canonical.canonical(sample).cells[1].outputs[0].traceback == ["ValueError: 10 is not a multiple of 4"]


def test_the_saved_picture_stays_if_the_new_one_differs_only_by_rounding(sample: NotebookNode):
    pixels = np.zeros((4, 4, 3))
    old = canonical.canonical(show(sample, picture(pixels, "old")))
    almost = canonical.canonical(show(sample, picture(pixels + 2 / 255, "new")))
    other = canonical.canonical(show(sample, picture(pixels + 20 / 255, "new")))
    larger = canonical.canonical(show(sample, picture(np.zeros((5, 4, 3)), "new")))
    assert shown(canonical.canonical(almost, old)) == shown(old) != shown(almost)
    assert shown(canonical.canonical(other, old)) == shown(other)
    assert shown(canonical.canonical(larger, old)) == shown(larger)
