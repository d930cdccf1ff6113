"""The assertions of notebook 06 about its trainings with seed 0 hold for two more seeds, with the notebook's cells."""

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.exercises import all_exercises
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "06_decoder.ipynb"
CELLS = (
    "import math",
    "from course_lib.data import DataMissing",
    "OTHER = 0",
    "floors = {",
    "def windows_of",
    "def drawn",
    "def watched",
    "def loss_one_at_a_time",
    "class Under",
    "def train_under",
)
# Enough for the claims about the larger model; the notebook uses 600.
STEPS = 250


class Lesson:
    """The notebook's names and its cells, each found by a word in it."""

    def __init__(self) -> None:
        cells = nbformat.read(NOTEBOOK, as_version=4).cells
        self.sources = [cell.source for cell in cells if cell.cell_type == "code"]
        self.names: dict[str, Any] = {"nn": nn, "torch": torch}
        self.names |= {each.name: each.reference for each in all_exercises()}

    def run(self, words: str, up_to: str | None = None, changes: dict[str, str] | None = None) -> None:
        (source,) = (source for source in self.sources if words in source)
        for old, new in (changes or {}).items():
            assert source.count(old) == 1
            source = source.replace(old, new)
        exec(source.partition(up_to)[0] if up_to else source, self.names)


@pytest.fixture(scope="module", params=[1, 2])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def lesson(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lesson]:
    """Run the cells that define texts, floors and trainings, on the course's parts; then train with another seed."""
    data.fetch("tales")
    lesson, threads = Lesson(), torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WORK", str(tmp_path_factory.mktemp("parts")))
        for words in CELLS:
            lesson.run(words)
        lesson.names["STEPS"] = STEPS
        another = {"manual_seed(0)": f"manual_seed({seed})", "label_smoothing=0,": f"label_smoothing=0, seed={seed},"}
        lesson.run("model = LanguageModel(V", changes=another)
        lesson.run("runs = {", changes={"train_under(mask)": f"train_under(mask, seed={seed})"})
        lesson.run("together, apart = {}, {}")
        lesson.run("by_place = {}", up_to="lines =")
        lesson.run("def notices")
        yield lesson
    torch.set_num_threads(threads)


def test_it_begins_worse_than_a_uniform_guess_and_ends_better_than_the_bigram(lesson: Lesson):
    lesson.run('assert history.loss[0] > floors["ln V"]')


def test_always_taking_the_likeliest_character_leads_to_a_loop(lesson: Lesson):
    lesson.run("def greedy")
    names = lesson.names
    texts = [names["greedy"](names["model"])[17:], names["drawn"](names["model"], length=47)[17:]]
    likeliest, drawn = (len({text[i : i + 6] for i in range(len(text) - 5)}) for text in texts)
    assert likeliest < 0.8 * drawn


def test_a_leak_has_less_than_a_third_of_the_honest_loss(lesson: Lesson):
    lesson.run('honest = unseen_loss["causal"]')


def test_the_losses_lie_in_the_bands_that_the_notebook_gives_for_three_seeds(lesson: Lesson):
    # Measured: 2.07 to 2.09, 0.159 to 0.161, 0.31 to 0.42, and one at a time 5.5 to 6.0, 4.9 to 5.5. Rounding grows in
    # training, so that another processor's numbers differ a little.
    together, apart = lesson.names["together"], lesson.names["apart"]
    assert 2.02 < together["causal"] < 2.14
    assert 0.14 < together["off by one"] < 0.18
    assert 0.2 < together["no mask"] < 0.5
    assert 5 < apart["off by one"] < 6.7
    assert 4.5 < apart["no mask"] < 6


def test_only_the_loss_of_a_model_without_a_leak_is_the_same_when_tokens_come_one_at_a_time(lesson: Lesson):
    lesson.run('assert abs(together["causal"] - apart["causal"])')


def test_with_a_leak_only_the_last_position_has_to_guess(lesson: Lesson):
    lesson.run("assert by_place[name][-1] >")
    honest = lesson.names["by_place"]["causal"]
    assert honest[-1] < 1.2 * honest[:-1].mean()


def test_a_leak_reaches_one_step_further_per_layer_and_a_causal_model_has_none(lesson: Lesson):
    assert lesson.names["leaks"] == {"causal": 0, "off by one": 7 + 6, "no mask": 7 * 8 // 2}
    lesson.run('assert torch.equal(notices(runs["causal"][0], ids)')
