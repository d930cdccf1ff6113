"""Somebody who stops a training in a notebook reads a sentence, and so does the next cell that needs its result."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tests.notebooks.kernels import CELL_SECONDS, ROOT, environment

STOP_AT_STEP = """import signal
from itertools import count
from torch.optim.optimizer import register_optimizer_step_post_hook
steps = count()
hook = register_optimizer_step_post_hook(lambda *_: signal.raise_signal(signal.SIGINT) if next(steps) == {} else None)
"""


@pytest.mark.parametrize(
    ("name", "training", "step", "later"),
    [
        ("02_multi_head", "right_pairs = {", 7, 1),
        ("05_encoder", "runs = {name: []", 130, 4),  # in the second of eleven
    ],
)
def test_who_stops_a_training_is_told_what_to_run_again(
    name: str, training: str, step: int, later: int, tmp_path: Path
):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    at = next(number for number, cell in enumerate(code) if training in cell.source)
    stopped, following = code[at], code[at + 1 : at + 1 + later]
    notebook.cells = [*code[:at], new_code_cell(STOP_AT_STEP.format(step)), stopped, *following]
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=environment(tmp_path))
    assert "You stopped this cell." in texts(stopped)
    assert f"from cell [{stopped.execution_count}], which is not finished" in texts(following[0])
    assert [output for cell in (stopped, *following) for output in cell.outputs if output.output_type == "error"] == []


def texts(cell: nbformat.NotebookNode) -> str:
    return "\n".join(output.data["text/plain"] for output in cell.outputs if "data" in output)
