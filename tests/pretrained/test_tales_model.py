"""The language model of the tales: its loss, its training, its continuations and its errors."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from course_lib.data import fetch, tales
from course_lib.learning.checkpoints import read
from course_lib.pretrained import tales_model
from course_lib.pretrained.tales_model import (
    FILE,
    PLAIN_FILE,
    SETTINGS,
    TalesModel,
    UnknownCharacters,
    load_plain_tales_model,
    load_tales_model,
    train_tales_model,
    validation_loss,
    windows,
)
from course_lib.scoring.baselines import least_loss
from course_lib.transformer.config import TransformerConfig


@pytest.fixture(scope="module")
def texts() -> tuple[str, str]:
    fetch("tales")
    split = tales.split()
    return tales.text(split.train), tales.text(split.validation)


@pytest.mark.parametrize(("load", "file"), [(load_tales_model, FILE), (load_plain_tales_model, PLAIN_FILE)])
def test_its_loss_on_unseen_tales_is_the_one_in_its_file(
    texts: tuple[str, str], load: Callable[[], TalesModel], file: Path
):
    model, (_, note) = load(), read(file)
    loss = validation_loss(model.model, model.encode(texts[1]))
    assert loss == pytest.approx(note["validation_loss"], abs=1e-3)
    (ids,) = zip(*windows(model.encode(texts[1])), strict=True)
    rows = torch.tensor(ids)  # (B, 65)
    with torch.no_grad():
        logits = model.model(rows[:, :-1])
    assert loss == pytest.approx(F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten()).item(), abs=1e-4)


@pytest.mark.parametrize("load", [load_tales_model, load_plain_tales_model])
def test_it_is_better_than_any_bigram_table_of_characters(texts: tuple[str, str], load: Callable[[], TalesModel]):
    model = load()
    loss = validation_loss(model.model, model.encode(texts[1][:20_000]))
    assert loss < least_loss(texts[1][:20_000], context=1) - 0.5


def test_a_few_training_steps_lower_the_loss_on_unseen_tales(texts: tuple[str, str]):
    # The whole training takes a minute; a few of its steps already lower the loss.
    settings = replace(SETTINGS, steps=30, progress=False)
    trained, _ = train_tales_model(texts[0], settings)
    start = math.log(len(trained.characters))
    loss = validation_loss(trained.model, trained.encode(texts[1][:5000]))
    assert trained.characters == load_tales_model().characters
    assert loss < start - 1


def test_the_same_text_and_settings_give_the_same_model(texts: tuple[str, str]):
    settings = replace(SETTINGS, steps=3, progress=False)
    first, _ = train_tales_model(texts[0][:20_000], settings)
    torch.manual_seed(99)
    again, _ = train_tales_model(texts[0][:20_000], settings)
    theirs = again.model.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in first.model.state_dict().items())


def test_a_model_that_is_saved_and_loaded_is_the_same(texts: tuple[str, str], tmp_path, monkeypatch):
    made, _ = train_tales_model(texts[0][:20_000], replace(SETTINGS, steps=2, progress=False))
    made.save(tmp_path / "new.safetensors", {})
    monkeypatch.setattr(tales_model, "FILE", tmp_path / "new.safetensors")
    found = load_tales_model.__wrapped__()
    assert found.characters == made.characters
    assert found.words == made.words >= {"the", "king", "father"}
    theirs = found.model.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in made.model.state_dict().items())


def test_the_windows_of_a_text_predict_each_character_once():
    assert windows(range(194)) == [(range(0, 65),), (range(64, 129),), (range(128, 193),)]
    assert windows(range(129), stride=32) == [(range(0, 65),), (range(32, 97),), (range(64, 129),)]
    assert windows(range(64)) == []


def test_it_continues_with_the_likeliest_character():
    model = load_tales_model()
    text = "Once upon a time"
    for _ in range(20):
        with torch.no_grad():
            logits = model.model(torch.tensor([model.encode(text)]))[0, -1]
        text += model.decode([int(logits.argmax())])
    assert model.complete("Once upon a time", length=20) == text


def test_the_same_text_always_gets_the_same_continuation():
    model = load_tales_model()
    first = model.complete("Once upon a time", length=40)
    assert first == model.complete("Once upon a time", length=40)
    assert first.startswith("Once upon a time")
    assert len(first) == 56


def test_a_text_longer_than_its_positions_is_continued_from_its_end():
    model = load_tales_model()
    end = "the king said to the queen that he would go to the forest and there"[-model.model.config.max_length :]
    assert model.complete("and so it was, " * 9 + end, length=5)[-5:] == model.complete(end, length=5)[-5:]


def test_a_prompt_that_cannot_be_read_is_refused_with_a_sentence():
    model = load_tales_model()
    with pytest.raises(UnknownCharacters, match="I have never seen '@' or 'é', and I do not guess"):
        model.complete("@é")
    with pytest.raises(ValueError, match="the prompt is empty"):
        model.complete("")
    with pytest.raises(ValueError, match="0 or more, but is -1"):
        model.complete("Once", length=-1)
    with pytest.raises(TypeError, match="I read text"):
        model.complete(3)  # type: ignore[arg-type]


def test_its_weights_are_stored_in_half_precision_and_computed_in_full():
    tensors, _ = read(FILE)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert next(load_tales_model().model.parameters()).dtype == torch.float32


def test_the_plain_model_is_that_of_notebook_06_and_knows_the_words_of_its_tales(texts: tuple[str, str]):
    plain = load_plain_tales_model()
    assert plain.characters == load_tales_model().characters
    assert plain.words == {*re.findall(r"[a-z]+(?:'[a-z]+)*", texts[0].lower())}
    config = plain.model.config
    style = TransformerConfig(vocabulary=config.vocabulary, d_model=128, heads=4, d_ff=512, layers=4, max_length=64)
    assert config == replace(style, dropout=0.0, pad=None)  # all else is as in 2017
