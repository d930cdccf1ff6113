"""What is saved is what was checked, in a real IPython: found by its code, with constants and imports as they are."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from course_lib.exercises.keeping import parts
from course_lib.exercises.keeping.source import names_used, standalone
from course_lib.transformer import attention

Cell = Callable[[str], tuple[Any, str]]
RIGHT = """\
@exercise("softmax")
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))  # MARK
    return e / e.sum(dim, keepdim=True)
"""


STAR = """\
import sys, types
sys.modules["numbers_"] = types.ModuleType("numbers_")
sys.modules["numbers_"].K = 1.0
from numbers_ import *
"""
MADE_INSIDE = """\
def make():
    def softmax(x, dim):
        return x.softmax(dim)
    return softmax

exercise("softmax")(make())
"""


def marked(mark: str, text: str = RIGHT) -> str:
    return text.replace("MARK", mark)


def saved(work: Path, name: str = "softmax") -> str:
    return (work / f"{name}.py").read_text(encoding="utf-8")


def attempt(cell: Cell, text: str) -> None:
    """Run a cell that fails."""
    with pytest.raises(ValueError, match="stop"):
        cell(text)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: f"%%time\n{text}",
        lambda text: f"%%capture\n{text}",
        lambda text: f"%%time\n%%capture\n{text}",
        lambda text: f"with torch.no_grad():\n{textwrap.indent(text, '    ')}",
        lambda text: f"if True:\n    for _ in range(2):\n{textwrap.indent(text, ' ' * 8)}",
        lambda text: f"try:\n{textwrap.indent(text, '    ')}finally:\n    pass",
        lambda text: f"{text}\nsoftmax = softmax",
        lambda text: f"from __future__ import annotations\n\n{text}",
        lambda text: f"!true\n{text}",
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_the_version_that_was_checked_is_saved_however_its_cell_is_written(cell: Cell, work: Path, wrap: Callable):
    cell(marked("the first"))
    cell(wrap(marked("the second")))
    assert "# the second" in saved(work)
    assert "\ndef softmax(x, dim):\n    e = " in saved(work)
    parts.forget_loaded()
    assert parts.part("softmax").is_yours


@pytest.mark.parametrize(
    "decorator",
    [
        '@exercise(name="softmax")',
        "@exercise",
        "@exercise(softmax)",
        "@exercise(NAME)",
        '@exercise("soft" "max")',
        '@course_lib.exercises.exercise("softmax")',
        '@checked("softmax")',
        "@check_softmax",
    ],
)
def test_the_decorator_is_not_saved_however_it_is_written(cell: Cell, work: Path, decorator: str):
    cell("import course_lib.exercises\nchecked, NAME = exercise, 'softmax'\ncheck_softmax = exercise('softmax')")
    if "softmax)" in decorator:
        cell("from course_lib.transformer.attention import softmax")
    part, shown = cell(marked("once", RIGHT.replace('@exercise("softmax")', decorator)) + "softmax")
    assert shown.count("✓ softmax: right") == 1
    assert part.__module__ == "__main__"
    assert "# once" in saved(work)
    assert "@" not in saved(work)


def test_of_two_definitions_in_a_cell_the_one_that_passed_is_saved(cell: Cell, work: Path):
    wrong = RIGHT.replace("e.sum(dim, keepdim=True)", "e.sum()")
    _, shown = cell(marked("right", RIGHT) + marked("wrong", wrong))
    assert "✓ softmax: right" in shown
    assert "✗ softmax: not yet" in shown
    assert "# right" in saved(work)
    cell(marked("wrong", wrong) + marked("later", RIGHT))
    assert "# later" in saved(work)


def test_a_definition_in_a_cell_that_failed_before_it_does_not_count(cell: Cell, work: Path):
    cell("def shift(x):\n    return x\n\nSIZE = 1.0\nfrom math import inf as limit")
    attempt(
        cell, "raise ValueError('stop')\ndef shift(x):\n    return 2 * x\n\nSIZE = 2.0\nfrom math import pi as limit"
    )
    cell(RIGHT.replace("torch.exp(x", "SIZE * torch.exp(shift(x.clamp(max=limit))"))
    assert "def shift(x):\n    return x\n" in saved(work)
    assert "SIZE = 1.0\n" in saved(work)
    assert "from math import inf as limit\n" in saved(work)


def test_a_definition_in_a_cell_that_failed_after_it_counts(cell: Cell, work: Path):
    attempt(cell, "def shift(x):\n    return x\n\nraise ValueError('stop')")
    cell(RIGHT.replace("torch.exp(x", "torch.exp(shift(x)"))
    assert "def shift(x):\n    return x\n" in saved(work)


@pytest.mark.parametrize(
    "change",
    [
        "K += 1.0",
        "K, other = 1.0, 5",
        "for K in (0.5, 1.0):\n    pass",
        "(K := 1.0)",
        "globals()['K'] = 1.0",
        STAR,
        "with open('/dev/null') as f:\n    K = 1.0 * float(len(f.read()) + 1)",
    ],
)
def test_a_constant_that_its_cell_no_longer_tells_is_named_and_no_older_value_saved(
    cell: Cell, work: Path, change: str
):
    cell("K = 0.0")
    cell(change)
    part, shown = cell(RIGHT.replace("torch.exp(x", "torch.exp(K * x") + "softmax")
    assert "✓ softmax: right" in shown
    assert part.__module__ == "__main__"
    if (work / "softmax.py").exists():  # an import can be saved as it is
        assert "from numbers_ import K\n" in saved(work)
    else:
        assert (
            "for this session only: it uses `K`, which is 1.0 now, while its cell says `K = 0.0`; write `K = 1.0`"
            in shown
        )


def test_an_older_cell_that_still_tells_the_value_is_used(cell: Cell, work: Path):
    cell("K = 1.0\nunused = 3")
    attempt(cell, "raise ValueError('stop')\nK = 2.0")
    cell("K: float = 1.0  # as before")
    cell(RIGHT.replace("torch.exp(x", "torch.exp(K * x"))
    assert "\nK = 1.0\n" in saved(work)
    assert "unused" not in saved(work)


def test_a_default_that_depends_on_a_changed_constant_is_noticed(cell: Cell, work: Path):
    cell("K = 1.0\ndef scaled(x, by=K):\n    return by * x")
    cell("K = 2.0")
    _, shown = cell(RIGHT.replace("torch.exp(x", "torch.exp(scaled(x)"))
    assert "for this session only: it uses `scaled`, which is in no cell as it was checked" in shown
    assert not work.exists()


def test_what_a_star_imports_is_imported_by_name(cell: Cell, work: Path):
    cell("from math import *")
    cell(RIGHT.replace("torch.exp(x", "cos(0) * torch.exp(x"))
    assert "from math import cos\n" in saved(work)
    assert "*\n" not in saved(work)


def test_a_helper_under_another_name_and_a_lambda_are_saved_as_they_are_now(cell: Cell, work: Path):
    cell("def first(x):\n    return x\n\nshift = first\nscale = lambda x: 2 * x")
    cell("def first(x):\n    return 3 * x\n\nscale = lambda x: 1 * x")
    cell(RIGHT.replace("torch.exp(x", "torch.exp(scale(shift(x))"))
    assert "def first(x):\n    return x\n" in saved(work)
    assert "shift = first\n" in saved(work)
    assert "scale = lambda x: 1 * x\n" in saved(work)


def test_two_helpers_of_one_name_are_not_mixed_up(cell: Cell, work: Path):
    cell("def shift(x):\n    return x\n\nold_shift = shift")
    cell("def shift(x):\n    return 1 * x")
    _, shown = cell(RIGHT.replace("torch.exp(x", "torch.exp(shift(old_shift(x))"))
    assert "it uses two different functions that are both named `shift`" in shown


def test_a_class_whose_method_was_exchanged_later_is_not_saved_as_it_was(cell: Cell, work: Path):
    cell("class Shift:\n    by = 0\n    def __call__(self, x):\n        return 2 * x + self.by")
    cell("Shift.__call__ = lambda self, x: x")
    _, shown = cell(RIGHT.replace("torch.exp(x", "torch.exp(Shift()(x)"))
    assert "it uses `Shift`, which is in no cell as it was checked" in shown


def test_a_class_is_found_by_its_methods_and_plain_attributes(cell: Cell, work: Path):
    text = "class Shift(nn.Module):\n    by = {}\n    def forward(self, x):\n        return x + self.by"
    cell(text.format("0.0"))
    attempt(cell, "raise ValueError('stop')\n" + text.format("1.0"))
    cell(RIGHT.replace("torch.exp(x", "torch.exp(Shift()(x)"))
    assert "    by = 0.0\n" in saved(work)
    cell("import dataclasses\n@dataclasses.dataclass\nclass Scale:\n    by: float = 1.0")
    cell(RIGHT.replace("torch.exp(x", "torch.exp(Scale().by * x"))
    assert "class Scale:\n    by: float = 1.0\n" in saved(work)


def test_a_text_over_several_lines_in_a_block_stays_as_it_is(cell: Cell, work: Path):
    cell('if True:\n    def note():\n        return """one\n    two"""')
    cell(RIGHT.replace("torch.exp(x", "len(note()) / 11 * torch.exp(x"))
    parts.forget_loaded()
    assert parts.part("softmax").is_yours
    assert "len(note()) / 11" in saved(work)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exercise('softmax')(lambda x, dim: torch.softmax(x, dim))", "it is a `lambda`, which has no name of its own"),
        ("exercise('softmax')(torch.softmax)", "it is a `builtin_function_or_method`, which no cell defines"),
        ("import functools\nexercise('softmax')(functools.partial(torch.softmax))", "it is a `partial`, which no cell"),
        (MADE_INSIDE, "it is defined inside another function; define it in a cell"),
        (
            "def timed(f):\n    return lambda *arguments: f(*arguments)\n\n" + RIGHT.replace("def", "@timed\ndef", 1),
            "it is a `lambda`",
        ),
        ("exec('@exercise(\"softmax\")\\ndef softmax(x, dim):\\n    return x.softmax(dim)')", "it was made by `exec`"),
    ],
)
def test_what_cannot_be_saved_is_used_in_this_session_and_the_reason_given(
    cell: Cell, work: Path, text: str, reason: str
):
    _, shown = cell(text)
    assert "✓ softmax: right" in shown
    assert f"for this session only: {reason}" in shown
    assert ".." not in shown
    assert parts.part("softmax").is_yours
    assert not work.exists()


def test_a_file_that_is_run_is_named(cell: Cell, work: Path, tmp_path: Path):
    (tmp_path / "answers.py").write_text(f"import torch\nfrom course_lib.exercises import exercise\n{RIGHT}")
    _, shown = cell(f"%run {(tmp_path / 'answers.py').as_posix()}")
    assert "it comes from the file `answers.py` by `%run`; copy it into a cell." in shown
    assert not work.exists()


def test_a_module_beside_the_notebook_is_copied(
    cell: Cell, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = "import torch\n\nONE = 1.0\n\n\ndef softmax(x, dim):\n    return torch.softmax(ONE * x, dim)\n"
    (tmp_path / "my_answers_here.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    cell("import my_answers_here\nexercise('softmax')(my_answers_here.softmax)")
    assert "ONE = 1.0" in saved(work)
    assert "torch.softmax(ONE * x, dim)" in saved(work)


def test_a_helper_below_the_answer_or_lost_since_a_restart_is_named(cell: Cell, work: Path):
    uses_helper = RIGHT.replace("torch.exp(x", "torch.exp(shift(x)")
    part, shown = cell(uses_helper + "\n\ndef shift(x):\n    return x\n\nsoftmax")
    assert "`shift` is defined below your answer: move it above `@exercise`, then run the cell again." in shown
    assert part is attention.softmax
    cell("del shift")
    _, shown = cell(uses_helper)
    assert "There is no `shift` here" in shown
    cell("def shift(x):\n    return x")
    assert "✓ softmax: right" in cell(uses_helper)[1]


def test_a_recursive_answer_under_another_decorator_calls_itself(cell: Cell, work: Path):
    _, shown = cell(
        """\
@exercise("merge_pair")
@torch.no_grad()
def merge_pair(word, pair, new_id):
    if len(word) < 2:
        return list(word)
    if tuple(word[:2]) == tuple(pair):
        return [new_id, *merge_pair(word[2:], pair, new_id)]
    return [word[0], *merge_pair(word[1:], pair, new_id)]
"""
    )
    assert "✓ merge_pair: right" in shown
    assert "@torch.no_grad()\ndef merge_pair" in saved(work, "merge_pair")


def test_without_brackets_the_name_of_the_definition_is_the_exercise(cell: Cell, work: Path):
    part, shown = cell("@exercise\ndef softmax(x, dim):\n    return x\n\nsoftmax")
    assert "✗ softmax: not yet" in shown
    assert part is attention.softmax
    with pytest.raises(ValueError, match=r'Write the name of the exercise in quotes: `@exercise\("softmax"\)`'):
        cell("@exercise\ndef soft(x, dim):\n    return x")


def test_the_source_of_the_library_needs_no_notebook():
    imports, definitions = standalone(attention.softmax, helpers="course_lib.transformer.attention")
    assert imports == ["from torch import Tensor"]
    assert definitions[-1].startswith("def softmax(x: Tensor, dim: int) -> Tensor:")


def test_names_used_are_those_looked_up_outside():
    text = "def f(x, y=z):\n    a = g(x)\n    return [b for b in a if b in c], __name__\n"
    assert names_used(text) == {"z", "g", "c"}
