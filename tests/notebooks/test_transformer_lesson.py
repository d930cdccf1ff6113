"""The claims of notebook 07 about its trainings with seed 0 hold for two more seeds, with the notebook's cells."""

import math
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
import torch
from torch import nn

from course_lib.exercises import all_exercises
from course_lib.learning.losses import smoothed_loss_floor
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "07_transformer.ipynb"


class Lesson:
    """The notebook's names and its cells, each found by some words in it."""

    def __init__(self) -> None:
        cells = nbformat.read(NOTEBOOK, as_version=4).cells
        self.sources = [cell.source for cell in cells if cell.cell_type == "code"]
        self.names: dict[str, Any] = {"math": math, "nn": nn, "torch": torch}
        self.names |= dict.fromkeys(("guess", "reveal"), lambda *_, **__: None)
        self.names |= {each.name: each.reference for each in all_exercises()}

    def run(self, words: str, changes: dict[str, str] | None = None) -> None:
        (source,) = (source for source in self.sources if words in source)
        for old, new in (changes or {}).items():
            assert source.count(old) == 1
            source = source.replace(old, new)
        exec(source, self.names)


@pytest.fixture(scope="module", params=[1, 2])
def lesson(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lesson]:
    """Train the notebook's Transformer with another seed, on the course's parts and no learner's."""
    lesson, threads, seed = Lesson(), torch.get_num_threads(), request.param
    lesson.names["seed"] = seed
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WORK", str(tmp_path_factory.mktemp("parts")))
        lesson.run("grammar.translation_split()")
        lesson.run("def train_model", {"**limits)\n\n": "**limits, progress=False)\n\n"})
        lesson.run(
            "model = new_model()\nhistory",
            {"new_model()": "new_model(seed)", "epochs=EPOCHS": "seed, epochs=EPOCHS"},
        )
        yield lesson
    torch.set_num_threads(threads)


def test_the_loss_comes_close_to_its_floor_and_stays_above_it(lesson: Lesson):
    losses, floor = lesson.names["history"].loss, smoothed_loss_floor(len(lesson.names["french"]), 0.1)
    assert min(losses) > floor
    assert sum(losses[-20:]) / 20 < floor + 0.25  # by 0.13 to 0.14 with seeds 0 to 2
    assert losses[0] < math.log(len(lesson.names["french"])) + 2


def test_it_translates_the_notes_sentence_and_most_others_and_one_by_one_gives_the_same(lesson: Lesson):
    lesson.run("def translate(sentence)")
    lesson.run("import word_by_word")
    lesson.run('assert scores["your Transformer"] > 0.7')
    source, found = lesson.names["sources"], lesson.names["found"]
    assert [lesson.names["translate"](" ".join(each)) for each in source[:40]] == [
        lesson.names["french"].join(row) for row in found[:40]
    ]


def test_translate_uses_the_model_that_there_is_now_and_names_unknown_words(lesson: Lesson):
    lesson.run("def translate(sentence)")
    translate, trained = lesson.names["translate"], lesson.names["model"]
    lesson.names["model"] = lesson.names["new_model"](5)
    assert translate("the king slept") != "le roi a dormi"
    lesson.names["model"] = trained
    assert translate("the king slept") == "le roi a dormi"
    assert "I have never seen 'zebra'" in translate("the zebra slept")


def test_reading_the_filling_changes_translations_and_hiding_it_does_not(lesson: Lesson):
    lesson.run("import word_by_word")
    lesson.run("longest, changed")
    # 235 of 400 with seed 0; with seeds 1 and 2, 81 % and 77 % were still right, in place of 89 % and 91 %.
    assert lesson.names["changed"]["[unk]"] > 20


def test_large_tables_begin_far_above_even_bets_and_learn_far_less(lesson: Lesson):
    lesson.run("import word_by_word")
    lesson.run("AMOUNTS = ")
    lesson.run("def with_large_tables")
    changes = {"new_model()": "new_model(seed)", "with_large_tables()": "with_large_tables(seed)"}
    lesson.run("at_first, in_the_end", {**changes, "steps=250": "seed, steps=250"})
    at_first, even_bets = lesson.names["at_first"], math.log(len(lesson.names["french"]))
    assert at_first["around 1"] > 5 * even_bets  # the notebook says more than three times
    assert at_first["around d_model^−0.5"] < 1.4 * even_bets
