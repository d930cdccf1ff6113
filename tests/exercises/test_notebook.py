"""`@exercise` in a notebook: it checks an answer, shows a report, returns a part, and saves complete source."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from course_lib.exercises import solution
from course_lib.exercises.keeping import parts
from course_lib.transformer.attention import softmax

Cell = Callable[[str], tuple[Any, str]]
RIGHT = """\
@exercise("softmax")
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))  # safe
    return e / e.sum(dim, keepdim=True)  # sums to 1
"""
WRONG = RIGHT.replace(".sum(dim, keepdim=True)", ".sum()")
STUB = '@exercise("softmax")\ndef softmax(x, dim):\n    raise NotImplementedError\n'


def test_a_stub_is_reported_as_not_started_and_the_notebook_gets_the_courses_part(cell: Cell, work: Path):
    part, shown = cell(STUB + "softmax")
    assert part is softmax
    assert (
        "… softmax\nNot started yet: replace `raise NotImplementedError` with your code.\nThe notebook continues with"
        in shown
    )
    assert "continues with the course's version." in shown
    assert not work.exists()


def test_a_mistake_is_named_and_the_notebook_continues_with_the_courses_part(cell: Cell, work: Path):
    part, shown = cell(WRONG + "softmax")
    assert part is softmax
    assert "✗ softmax: not yet\nEach row has its own maximum subtracted, but one sum divides them all" in shown
    assert not work.exists()


def test_a_right_answer_is_the_learners_own_function_and_its_source_is_saved(cell: Cell, work: Path):
    part, shown = cell(RIGHT + "softmax")
    assert part.__module__ == "__main__"
    assert "✓ softmax: right\nRight in all 17 cases.\nSaved in my_transformer/softmax.py." in shown
    saved = (work / "softmax.py").read_text(encoding="utf-8")
    assert saved.endswith("\n\n\n" + RIGHT.partition("\n")[2])
    assert "import torch\n" in saved


def test_a_wrong_answer_after_a_right_one_leaves_the_right_one_in_place(cell: Cell, work: Path):
    cell(RIGHT)
    saved = (work / "softmax.py").read_text(encoding="utf-8")
    part, shown = cell(WRONG + "softmax")
    assert "continues with your version that passed before, saved in my_transformer/softmax.py." in shown
    assert part(torch.tensor([0.0, 0.0]), 0).tolist() == [0.5, 0.5]
    assert part is not softmax
    assert (work / "softmax.py").read_text(encoding="utf-8") == saved


def test_a_part_is_loaded_again_after_a_restart(cell: Cell, work: Path):
    cell(RIGHT)
    parts.forget_loaded()
    part, shown = cell(STUB + "softmax")
    assert "continues with your version that passed before" in shown
    assert part.__module__ == "my_transformer.softmax"


def test_the_package_can_be_imported_without_the_course(cell: Cell, work: Path):
    cell(RIGHT)
    code = "import sys, torch, my_transformer as m; print(m.softmax(torch.zeros(2), 0), 'course_lib' in sys.modules)"
    without_path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=work.parent, env=without_path, capture_output=True, text=True, check=False
    )
    assert run.stdout == "tensor([0.5000, 0.5000]) False\n", run.stderr


def test_helpers_constants_and_imports_of_other_cells_are_copied(cell: Cell, work: Path):
    cell("from math import inf\nimport torch.nn.functional as F\nfrom torch import exp as e_to_the\nTINY = 1e-30")
    cell("ROWS, COLUMNS = 3, 4\nunused = torch.randn(3)\nshares = lambda e, dim: e / (e.sum(dim, keepdim=True) + TINY)")
    cell("def shifted(x, dim):\n    return F.relu(x) * 0 + x - highest(x, dim)")
    cell("def highest(x, dim):\n    return x.amax(dim, keepdim=True).clamp(-inf, inf)")
    _, shown = cell('@exercise("softmax")\ndef softmax(x, dim):\n    return shares(e_to_the(shifted(x, dim)), dim)')
    assert "Saved in my_transformer/softmax.py" in shown
    saved = (work / "softmax.py").read_text(encoding="utf-8")
    expected = [
        "import torch.nn.functional as F",
        "from math import inf",
        "from torch import exp as e_to_the",
        "TINY = 1e-30",
    ]
    assert all(f"{line}\n" in saved for line in expected)
    assert "unused" not in saved
    assert "ROWS" not in saved
    parts.forget_loaded()
    assert parts.part("softmax").is_yours


def test_names_that_cannot_be_copied_are_listed_and_the_part_lasts_for_this_session(cell: Cell, work: Path):
    cell("table = torch.ones(())\nscale = torch.ones(())")
    part, shown = cell(RIGHT.replace("x.amax", "scale * table * x.amax") + "softmax")
    assert "for this session only: it uses `scale` from another cell, a `Tensor`, which" in shown
    assert "it uses `table` from another cell, a `Tensor`, which cannot be saved with it" in shown
    assert parts.part("softmax").implementation is part
    assert not work.exists()


def test_the_latest_definition_of_a_helper_counts(cell: Cell, work: Path):
    cell("def largest(x, dim):\n    return x")
    cell("def largest(x, dim):\n    return x.amax(dim, keepdim=True)")
    cell(RIGHT.replace("x.amax(dim, keepdim=True)", "largest(x, dim)"))
    assert "x.amax(dim, keepdim=True)" in (work / "softmax.py").read_text(encoding="utf-8")


def test_a_class_is_saved_although_inspect_cannot_find_its_source(cell: Cell, work: Path):
    text = solution("MultiHeadAttention").code
    imports, _, definition = text.partition("\n\n\n")
    cell(imports)
    part, shown = cell(definition + "\nMultiHeadAttention")
    assert "Saved in my_transformer/MultiHeadAttention.py" in shown
    assert part.__module__ == "__main__"
    parts.forget_loaded()
    saved = parts.part("MultiHeadAttention")
    assert saved.is_yours
    assert saved.implementation is not part
    assert saved.implementation(4, 2).heads == 2


RECURSIVE = """\
@exercise("merge_pair")
def merge_pair(word, pair, new_id):
    if len(word) < 2:
        return list(word)
    if tuple(word[:2]) == tuple(pair):
        return [new_id, *merge_pair(word[2:], pair, new_id)]
    return [word[0], *merge_pair(word[1:], pair, new_id)]
"""
NAMES_ITSELF = """\
from torch import nn

@exercise("LayerNorm")
class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super(LayerNorm, self).__init__()
        self.norm, self.eps = nn.LayerNorm(d_model, eps=eps), eps

    def forward(self, x):
        return self.norm(x)
"""


@pytest.mark.parametrize(("name", "source"), [("merge_pair", RECURSIVE), ("LayerNorm", NAMES_ITSELF)])
def test_a_recursive_answer_calls_itself_during_the_check(cell: Cell, work: Path, name: str, source: str):
    _, shown = cell(source)
    assert f"✓ {name}: right" in shown
    assert (work / f"{name}.py").exists()
    if name == "merge_pair":
        _, shown = cell(source.replace("if len(word) < 2:", "if len(word) < 0:"))
        assert "✗ merge_pair: not yet" in shown  # it called the version that had passed before


def test_a_part_that_uses_another_part_imports_it_from_yours(cell: Cell, work: Path):
    cell('@exercise("softmax")\ndef soft(x, dim):\n    return torch.softmax(x, dim)')
    cell('@exercise("attention_weights")\ndef attention_weights(scores):\n    return soft(scores, dim=-1)')
    saved = (work / "attention_weights.py").read_text(encoding="utf-8")
    assert "from course_lib.yours import softmax as soft\n" in saved
    assert (work / "softmax.py").read_text(encoding="utf-8").endswith("\n\n\nsoftmax = soft\n")
    parts.forget_loaded()
    assert parts.part("attention_weights").is_yours


def test_a_class_in_place_of_a_function_is_passed_on_as_a_callable(cell: Cell, work: Path):
    text = (
        '@exercise("softmax")\nclass Soft(nn.Module):\n    def forward(self, x, dim):\n        return x.softmax(dim)\n'
    )
    part, _ = cell(text + "Soft")
    assert part(torch.zeros(2), 0).tolist() == [0.5, 0.5]
    parts.forget_loaded()
    assert parts.part("softmax").implementation(torch.zeros(2), 0).tolist() == [0.5, 0.5]


def test_other_decorators_are_saved_with_an_answer(cell: Cell, work: Path):
    cell("import functools")
    cell(RIGHT.replace("def softmax", "@functools.lru_cache\ndef softmax"))
    assert "\n\n\n@functools.lru_cache\ndef softmax" in (work / "softmax.py").read_text(encoding="utf-8")


def test_a_cell_with_a_magic_is_saved_too(cell: Cell, work: Path):
    cell("%precision 3\n" + RIGHT)
    assert (work / "softmax.py").exists()


def test_an_endless_loop_that_is_interrupted_does_not_stop_the_notebook(cell: Cell, work: Path):
    cell(
        'import threading, _thread\n\nhint("softmax")'
    )  # loads the exercises, which may take longer than the timer waits
    text = '@exercise("softmax")\ndef softmax(x, dim):\n    while True:\n        pass\n'
    part, shown = cell("threading.Timer(0.3, _thread.interrupt_main).start()\n" + text + "softmax")
    assert part is softmax
    assert "You stopped it in line " in shown


def test_hints_and_the_solution_are_displayed_as_panels(cell: Cell, work: Path):
    assert "Hint 1 of 3 for mix_values" in cell('hint("mix_values")')[1]
    assert "Hint 2 of 3 for mix_values" in cell('hint("mix_values")')[1]
    _, shown = cell('solution("mix_values")')
    assert '@exercise("mix_values")\ndef mix_values(' in shown


def test_a_folder_that_cannot_be_written_to_is_reported(cell: Cell, work: Path):
    work.write_text("a file stands in the folder's place", encoding="utf-8")
    part, shown = cell(RIGHT + "softmax")
    assert part.__module__ == "__main__"
    assert "The course uses your version for this session only: my_transformer cannot be written to (" in shown
