"""The language model of the tales: what its file says of itself, that it answers as its recipe's does, and refusals."""

import json
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from course_lib.data import fetch
from course_lib.learning.checkpoints import read
from course_lib.pretrained import tales_model
from course_lib.pretrained.tales_model import FILE, UnknownCharacters, load_tales_model
from course_lib.recipes import train_tales


@pytest.fixture(scope="module")
def texts() -> tuple[str, str]:
    fetch("tales")
    return train_tales.corpus()


def test_the_file_is_small_and_names_the_recipe_that_made_it(texts: tuple[str, str]):
    assert FILE.stat().st_size <= 2_000_000
    _, note = read(FILE)
    assert note["recipe"] == json.loads(json.dumps(train_tales.recipe(*texts)))


def test_its_loss_on_unseen_tales_is_the_one_that_its_recipe_measured(texts: tuple[str, str]):
    model, (_, note) = load_tales_model(), read(FILE)
    loss = train_tales.validation_loss(model.model, model.encode(texts[1]))
    assert loss == pytest.approx(note["validation_loss"], abs=1e-3)
    (ids,) = zip(*train_tales.windows(model.encode(texts[1])), strict=True)
    rows = torch.tensor(ids)  # (B, 65)
    with torch.no_grad():
        logits = model.model(rows[:, :-1])
    assert loss == pytest.approx(F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten()).item(), abs=1e-4)


def test_it_is_better_than_any_table_of_letters_that_reads_one_back(texts: tuple[str, str]):
    model = load_tales_model()
    loss = train_tales.validation_loss(model.model, model.encode(texts[1][:20_000]))
    assert loss < train_tales.floor(texts[1][:20_000], read=1) - 0.5


def test_it_learned_what_its_recipe_teaches(texts: tuple[str, str]):
    # The whole recipe takes a minute; after a few of its steps the loss is on its way to the written model's.
    settings = replace(train_tales.SETTINGS, steps=30, progress=False)
    trained, _ = train_tales.learn(texts[0], settings)
    start = math.log(len(trained.characters))
    loss = train_tales.validation_loss(trained.model, trained.encode(texts[1][:5000]))
    assert trained.characters == load_tales_model().characters
    assert loss < start - 1


def test_the_recipe_makes_the_same_model_each_time(texts: tuple[str, str]):
    settings = replace(train_tales.SETTINGS, steps=3, progress=False)
    first, _ = train_tales.learn(texts[0][:20_000], settings)
    torch.manual_seed(99)
    again, _ = train_tales.learn(texts[0][:20_000], settings)
    theirs = again.model.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in first.model.state_dict().items())


def test_a_model_that_is_written_and_read_is_the_same(texts: tuple[str, str], tmp_path, monkeypatch):
    made, _ = train_tales.learn(texts[0][:20_000], replace(train_tales.SETTINGS, steps=2, progress=False))
    made.save(tmp_path / "new.safetensors", {})
    monkeypatch.setattr(tales_model, "FILE", tmp_path / "new.safetensors")
    found = load_tales_model.__wrapped__()
    assert found.characters == made.characters
    theirs = found.model.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in made.model.state_dict().items())


def test_the_windows_of_a_text_ask_for_each_character_once():
    assert train_tales.windows(range(194)) == [(range(0, 65),), (range(64, 129),), (range(128, 193),)]
    assert train_tales.windows(range(129), stride=32) == [(range(0, 65),), (range(32, 97),), (range(64, 129),)]
    assert train_tales.windows(range(64)) == []


def test_it_goes_on_with_the_likeliest_character():
    model = load_tales_model()
    text = "Once upon a time"
    for _ in range(20):
        with torch.no_grad():
            logits = model.model(torch.tensor([model.encode(text)]))[0, -1]
        text += model.decode([int(logits.argmax())])
    assert model.complete("Once upon a time", length=20) == text


def test_it_goes_on_with_a_text_in_the_same_way_each_time():
    model = load_tales_model()
    first = model.complete("Once upon a time", length=40)
    assert first == model.complete("Once upon a time", length=40)
    assert first.startswith("Once upon a time")
    assert len(first) == 56


def test_a_text_longer_than_it_reads_goes_on_from_its_end():
    model = load_tales_model()
    end = "the king said to the queen that he would go to the forest and there"[-model.model.config.max_length :]
    assert model.complete("and so it was, " * 9 + end, length=5)[-5:] == model.complete(end, length=5)[-5:]


def test_what_cannot_be_read_is_refused_in_words():
    model = load_tales_model()
    with pytest.raises(UnknownCharacters, match="I have never seen '@' or 'é', and I do not guess"):
        model.complete("@é")
    with pytest.raises(ValueError, match="the prompt is empty"):
        model.complete("")
    with pytest.raises(ValueError, match="0 or more, but is -1"):
        model.complete("Once", length=-1)
    with pytest.raises(TypeError, match="I read text"):
        model.complete(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "read", "nats"), [("abab", 0, math.log(2)), ("abab", 1, 0.0), ("aab", 1, math.log(2))]
)
def test_the_least_loss_of_a_table_by_hand(text: str, read: int, nats: float):
    # "aab", one back: after a came once a, once b.
    assert train_tales.floor(text, read) == pytest.approx(nats)


def test_its_weights_are_kept_in_half_the_bytes_and_read_back_whole():
    tensors, _ = read(FILE)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert next(load_tales_model().model.parameters()).dtype == torch.float32
