"""A cell that is stopped ends in a sentence, and cells that use what it left unfinished say so."""

from collections.abc import Callable

import pytest
import torch
from IPython.core.getipython import get_ipython
from IPython.utils.capture import capture_output

from course_lib.exercises.stopped_cells import explain_stopped_cells

TRAINING = """import math
steps = 3
losses = []
for step in range(steps):
    losses.append(math.exp(-step))
    if step == 1:
        raise KeyboardInterrupt
final = losses[-1]"""


@pytest.fixture
def show(cell: Callable[[str], object]) -> Callable[[str], str]:
    """Give a function that runs a cell, whatever becomes of it, and returns all that the learner sees."""
    shell = get_ipython()
    assert shell is not None
    explain_stopped_cells()

    def run(text: str) -> str:
        with capture_output() as shown:
            shell.run_cell(text, store_history=True)
        panels = [output.data["text/plain"] for output in shown.outputs]
        return "\n".join([*panels, shown.stdout + shown.stderr]).strip()

    return run


def test_a_stopped_cell_says_so_in_place_of_a_traceback(show: Callable[[str], str]):
    assert show(TRAINING) == (
        "You stopped this cell.\nIt was at `raise KeyboardInterrupt`.\n"
        "What it makes may be missing or incomplete. Run it again, to its end, before you go on."
    )


def test_the_function_in_which_a_cell_was_stopped_is_named(show: Callable[[str], str]):
    show("def forever():\n    while True:\n        raise KeyboardInterrupt")
    assert "It was at `raise KeyboardInterrupt` in `forever`." in show("forever()")


@pytest.mark.parametrize(
    ("later", "name"),
    [
        ("final", "final"),  # not made at all
        ("print(losses)", "losses"),  # made before, and half filled
        ("print(steps, losses, final)", "final`, `losses` and `steps"),
        ("total = sum(loss for loss in losses)", "losses"),
        ("(lambda: final)()", "final"),
    ],
)
def test_a_later_cell_says_which_cell_to_run_again(show: Callable[[str], str], later: str, name: str):
    show(TRAINING)
    shown = show(later)
    assert f"This cell uses `{name}` from cell [2], which is not finished." in shown
    assert "Run cell [2] again, to its end, and then this one." in shown
    assert "Traceback" not in shown
    assert "NameError" not in shown


def test_what_a_cell_makes_of_something_unfinished_is_unfinished_too(show: Callable[[str], str]):
    show(TRAINING)
    show("total = sum(losses)")
    show("shown = final\nimport json")
    assert "This cell uses `total` from cell [3], which is not finished." in show("total")
    assert "This cell uses `shown` from cell [4], which is not finished." in show("shown")
    show(TRAINING.replace("step == 1", "False"))
    assert "from cell [3]" in show("total")
    show("total = sum(losses)")
    assert "not finished" not in show("total")


def test_a_name_that_is_missing_only_inside_a_function_is_explained_too(show: Callable[[str], str]):
    show(TRAINING)
    assert show("def last():\n    return final") == ""
    shown = show("last()")
    assert "This cell uses `final` from cell [2]" in shown
    assert "NameError" not in shown


@pytest.mark.parametrize(
    "later",
    [
        "1 + 1",
        "math.pi",  # an import was done before
        "def final():\n    return losses",  # a definition uses nothing yet
        "final = 1",
        "[losses for losses in 'ab']",
        "final = losses = 0\nprint(final)",
    ],
)
def test_a_cell_that_uses_nothing_unfinished_runs_as_ever(show: Callable[[str], str], later: str):
    show(TRAINING)
    assert "not finished" not in show(later)


@pytest.mark.parametrize("again", [TRAINING.replace("step == 1", "False"), "%%time\nfinal = 0\nlosses = []"])
def test_nothing_is_said_any_more_once_the_cell_has_run_to_its_end(show: Callable[[str], str], again: str):
    show(TRAINING)
    show(again)
    assert "not finished" not in show("print(losses, final)")


def test_a_cell_that_fails_leaves_unfinished_what_it_was_to_finish(show: Callable[[str], str]):
    show(TRAINING)
    show("losses = [1 / 0]")
    assert "This cell uses `losses` from cell [2]" in show("losses")


@pytest.mark.parametrize("models", ["model", "models = [model]; models", "models = {'one': model}; models"])
def test_a_model_from_an_earlier_cell_that_is_half_trained_is_unfinished(show: Callable[[str], str], models: str):
    show(f"model = nn.Linear(2, 2)\noptimizer = torch.optim.AdamW(model.parameters(), fused=True)\n{models}")
    name = models.split("; ")[-1]
    learn = "model(torch.ones(2)).sum().backward(); optimizer.step()"
    show(f"each = {name}\n{learn}\nraise KeyboardInterrupt")
    assert f"This cell uses `{name}` from cell [3]" in show(f"str({name})")
    again = show(f"each = {name}\n{learn}\nif {name} is None:\n    raise KeyboardInterrupt")
    assert f"`{name}` from cell [3]" in again, "another cell that uses it is told"
    assert "not finished" not in show(f"str({name})")


def test_a_cell_that_is_run_again_is_not_told_about_itself(show: Callable[[str], str]):
    show("model = nn.Linear(2, 2)\nruns = 0")
    learn = "with torch.no_grad():\n    model.weight += 1\nif runs == 0:\n    raise KeyboardInterrupt"
    assert show(learn).startswith("You stopped this cell.")
    show("runs = 1")
    assert show(learn) == ""
    assert "not finished" not in show("str(model)")


def test_a_model_that_was_only_used_is_as_finished_as_before(show: Callable[[str], str]):
    show("model = nn.Linear(2, 2)")
    show("model(torch.ones(2))\nraise KeyboardInterrupt")
    assert "not finished" not in show("model(torch.ones(2))")


def test_a_stopped_cell_gives_back_the_threads_that_it_took(show: Callable[[str], str]):
    before = torch.get_num_threads()
    show(f"torch.set_num_threads({before + 1})\nraise KeyboardInterrupt")
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("text", "error"), [("missing", "NameError"), ("1 / 0", "ZeroDivisionError"), ("x = (", "SyntaxError")]
)
def test_other_mistakes_keep_their_traceback(show: Callable[[str], str], text: str, error: str):
    show(TRAINING)
    shown = show(text)
    assert error in shown
    assert "not finished" not in shown


def test_a_handler_of_someone_else_s_is_left_in_place(cell: Callable[[str], object]):
    shell = get_ipython()
    assert shell is not None
    shell.set_custom_exc((ZeroDivisionError,), lambda *_, **__: None)
    explain_stopped_cells()
    assert shell.custom_exceptions == (ZeroDivisionError,)
