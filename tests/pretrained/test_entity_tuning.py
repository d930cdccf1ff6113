"""The sentences with names and their encoder, and what takes their place where they are missing."""

from pathlib import Path

import pytest
import torch

from course_lib import data
from course_lib.data import entities, entity_templates
from course_lib.data.entities import TaggedSentence
from course_lib.learning.word_pieces import cut_words
from course_lib.pretrained.entity_tuning import (
    OWN_TEMPLATES,
    TAGS,
    TEMPLATES,
    WIKIPEDIA,
    letters_and_words,
    load_names,
    own_templates,
    recorded,
)


def fetched_or_skip(*names: str) -> None:
    """Fetch data sets; without a network and a mirror, the test is skipped with a sentence."""
    try:
        for name in names:
            data.fetch(name)
    except data.Offline as error:
        pytest.skip(str(error))


def test_the_sentences_and_the_encoder_come_together():
    fetched_or_skip("entities", "entity-templates", "pretrained-encoder")
    names = load_names(seed=1)
    assert names.missing == ""
    assert names.is_real
    assert names.real == entities.split(1)
    assert names.made_up == entity_templates.split(1)
    assert names.encoder.table.shape == (30_522, 384)
    assert names.pad == 0
    assert TAGS[:3] == ("O", "B-PER", "I-PER")


def test_without_wikipedia_the_templates_take_its_place(monkeypatch: pytest.MonkeyPatch):
    fetched_or_skip("entity-templates", "pretrained-encoder")

    def missing(seed: int) -> None:
        raise data.DataMissing("nothing here.")

    monkeypatch.setattr(entities, "split", missing)
    names = load_names()
    assert names.missing.startswith("nothing here. Until then, templates with made-up names take the place")
    assert names.real is names.made_up
    assert not names.is_real
    assert names.real == entity_templates.split(0)
    assert names.encoder.table.shape == (30_522, 384)


def test_without_any_data_own_templates_and_a_small_encoder_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    names = load_names()
    for name in ("entity-templates", "entities", "pretrained-encoder"):
        assert f"The data set '{name}' is not on this computer yet" in names.missing
    assert names.real is names.made_up
    ids, _ = cut_words(names.real.test[0].words, names.tokenizer)
    assert names.encoder(torch.tensor([ids])).shape == (1, len(ids), 32)
    assert 1 not in ids  # no word of these sentences is unknown


def test_own_templates_have_all_kinds_and_no_template_is_in_two_parts():
    split = own_templates(seed=3, copies=2)
    assert list(map(len, (split.train, split.validation, split.test))) == [22, 4, 10]
    assert len(OWN_TEMPLATES) == 18
    tags = {tag for part in (split.train, split.validation, split.test) for each in part for tag in each.tags}
    assert tags <= set(TAGS)
    assert {tag[2:] for tag in tags} == {"", *entities.KINDS}
    assert split == own_templates(seed=3, copies=2) != own_templates(seed=4, copies=2)


def test_frequent_words_are_whole_and_others_are_cut_into_letters():
    sentences = [TaggedSentence(("The", "cat"), ("O", "O")), TaggedSentence(("the", "dog"), ("O", "O"))]
    tokenizer = letters_and_words(sentences, least=2)
    ids, word_of_piece = cut_words(["THE", "dog", "ß"], tokenizer)
    assert [tokenizer.token(i) for i in ids] == ["[CLS]", "the", "d", "##o", "##g", "[UNK]", "[SEP]"]
    assert word_of_piece == [None, 0, 1, 1, 1, 2, None]


def test_the_recorded_table_bears_out_what_the_lesson_says():
    table = recorded()
    f1 = {way: [run.f1["all"] for run in table.of(way)] for way in ("memory", "random", "frozen", "tuned")}
    assert all(len(scores) >= 3 for scores in f1.values())
    assert [run.seed for run in table.of("tuned")] == table.note["seeds"]
    for ours, remembered, from_random in zip(f1["tuned"], f1["memory"], f1["random"], strict=True):
        assert ours - remembered > 0.15
        assert ours - from_random > 0.25
    made_up = table.of("tuned", TEMPLATES)
    assert made_up
    for each, real in zip(made_up, table.of("tuned", WIKIPEDIA), strict=False):
        assert each.seed == real.seed
        assert each.f1["all"] > real.f1["all"]
        assert each.elsewhere < real.f1["all"]
    assert all(run.seconds < 180 * 2 for run in table.runs)  # on one thread; half as much on two
    assert {kind for run in table.runs for kind in run.f1} == {*entities.KINDS, "all"}
