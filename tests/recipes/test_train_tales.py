"""The recipe for the language model, and the file that it wrote."""

import json

import pytest

from course_lib.data import fetch
from course_lib.learning.checkpoints import read
from course_lib.pretrained import load_tales_model
from course_lib.recipes.train_tales import MODERN, PLAIN, Kind, corpus, recipe, report


@pytest.fixture(scope="module")
def texts() -> tuple[str, str]:
    fetch("tales")
    return corpus()


@pytest.mark.parametrize("kind", [MODERN, PLAIN], ids=["modern", "plain"])
def test_the_file_is_small_and_contains_the_current_recipe(texts: tuple[str, str], kind: Kind):
    assert kind.file.stat().st_size <= 2_000_000
    _, note = read(kind.file)
    assert note["recipe"] == json.loads(json.dumps(recipe(*texts, kind)))


def test_the_report_compares_the_model_with_simple_baselines(texts: tuple[str, str]):
    lines = report(load_tales_model(), texts[1][:5000]).splitlines()
    assert lines[0] == "loss on 5,000 characters of unseen tales, in nats per character"
    losses = [float(line.split()[0]) for line in lines[1:5]]
    assert losses == sorted(losses, reverse=True)
    assert lines[5].startswith("Once upon a time")
