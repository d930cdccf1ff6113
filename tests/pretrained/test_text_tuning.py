"""The texts with their encoder, what takes their place where they are missing, and recorded adapters."""

from pathlib import Path

import pytest
import torch

from course_lib import data
from course_lib.learning.adapters import add_adapters
from course_lib.learning.checkpoints import CheckpointError
from course_lib.learning.fine_tuning import copy_of
from course_lib.learning.heads import Classifier, ClassifierHead
from course_lib.pretrained.text_tuning import (
    ADAPTERS,
    ALPHA,
    FIRST_WORDS,
    RANK,
    TESTED,
    TWEETED,
    VALIDATED,
    load_adapted,
    load_film,
    load_topics,
    save_adapted,
)
from course_lib.transformer.build import build_encoder
from course_lib.transformer.config import TransformerConfig

PAD = 0


def test_the_sentences_and_the_encoder_come_together():
    for name in ("sentiment", "pretrained-encoder"):
        data.fetch(name)
    film = load_film()
    assert film.missing == ""
    assert (len(film.train), len(film.validation), len(film.test)) == (8_541, VALIDATED, TESTED)
    assert len(film.tweets) == TWEETED
    ids, label = film.labelled(film.train[:1])[0]
    assert (ids[0], ids[-1], label) == (101, 102, film.train[0].label)
    assert film.encoder.table.shape == (30_522, 384)


def test_a_sample_is_part_of_a_larger_one_and_depends_on_the_seed():
    data.fetch("sentiment")
    data.fetch("pretrained-encoder")
    film = load_film()
    assert film.sample(5, seed=1) == film.sample(9, seed=1)[:5] != film.sample(5, seed=2)
    everything = {each.text for each in film.sample(None)}
    assert everything == {each.text for each in film.train}


def test_without_data_made_up_sentences_take_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    film = load_film()
    assert film.missing.startswith("The data set 'sentiment' is not on this computer yet")
    parts = [{each.text for each in part} for part in (film.train, film.validation, film.test, film.tweets)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 768
    rows = film.ids([film.train[0].text, "the unknown"])
    assert rows[1] == [1, rows[0][1], 3, 2]
    assert film.encoder(torch.tensor(rows[:1])).shape == (1, len(rows[0]), 32)


def test_postings_are_cut_and_no_text_is_in_two_parts():
    data.fetch("topics")
    data.fetch("pretrained-encoder")
    texts = load_topics()
    parts = [texts.train, texts.validation, texts.test]
    assert len(texts.classes) == 20
    assert max(len(each.text.split()) for part in parts for each in part) == FIRST_WORDS
    assert len(texts.train) + len(texts.validation) == 11_293
    assert {each.label for each in texts.train} == set(range(20))
    assert not texts.tweets


def small_encoder() -> torch.nn.Module:
    torch.manual_seed(0)
    sizes = {"vocabulary": 9, "d_model": 16, "heads": 2, "d_ff": 16, "layers": 1}
    encoder: torch.nn.Module = build_encoder(TransformerConfig.bert(**sizes)).eval()
    return encoder


def test_adapters_come_back_merged_and_the_encoder_stays_as_it_was(tmp_path: Path):
    encoder, ids = small_encoder(), torch.tensor([[3, 4, 5, PAD]])
    before = encoder(ids).detach()
    adapted = copy_of(encoder)
    add_adapters(adapted, RANK, ALPHA)
    for name, each in adapted.named_parameters():
        if name.endswith(".B"):
            torch.nn.init.normal_(each, std=0.1)
    model = Classifier(adapted, ClassifierHead(16, 2), PAD).eval()
    save_adapted(model, tmp_path / "adapters", {})
    again = load_adapted(encoder, PAD, tmp_path / "adapters")
    assert (tmp_path / "adapters").stat().st_size < 10_000
    torch.testing.assert_close(again(ids), model(ids), rtol=0, atol=2e-3)  # half precision
    assert (again.encoder(ids) - before).abs().max() > 0.01
    assert {name for name, _ in again.named_parameters()} == {
        name for name, _ in Classifier(encoder, ClassifierHead(16, 2), PAD).named_parameters()
    }
    torch.testing.assert_close(encoder(ids), before)


def test_adapters_of_another_encoder_are_refused():
    with pytest.raises(CheckpointError, match="film_adapters"):
        load_adapted(small_encoder(), PAD)


def test_the_shipped_adapters_know_more_than_counting_words():
    for name in ("sentiment", "pretrained-encoder"):
        data.fetch(name)
    film = load_film()
    model = load_adapted(film.encoder, film.pad)
    assert ADAPTERS.stat().st_size < 1_000_000
    some = film.test[:100]
    with torch.no_grad():
        said = [model(torch.tensor([ids])).argmax().item() == label for ids, label in film.labelled(some)]
    assert sum(said) >= 78  # counting words: 80 % of the whole test set; these adapters: about 85 %
