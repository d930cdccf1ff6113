"""The recipe for the translator of everyday sentences: a training, others that start where it ended, and their mean."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.data import sentence_patterns, translations
from course_lib.data.translations import SentencePair, Source, Split
from course_lib.pretrained.sentence_translator import SETTINGS, SentenceTranslator, load_sentence_translator
from course_lib.recipes import train_sentence_translator
from course_lib.recipes.train_sentence_translator import after_patterns, average, bleu, learn, pairs_to_learn
from course_lib.text.byte_pairs import BytePairTokenizer

TEST = [Source("Go.", ("Va !", "Allez !")), Source("Run.", ("Cours !",))]
NEAR = ["Run!", "Stop.", "The soup is so salty."]  # within a word of what is held out, or of an everyday sentence
PATTERNED = [SentencePair(text, "Non.") for text in [*NEAR, "The knife is here."]]
LITTLE = Split([SentencePair("Go.", "Va !"), SentencePair("Run.", "Cours !")] * 10, TEST, TEST)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "split", lambda: LITTLE)
    monkeypatch.setattr(train_sentence_translator, "GRAMMAR_PAIRS", 20)
    monkeypatch.setattr(sentence_patterns, "pairs", lambda _each, _seed: PATTERNED)


def test_later_trainings_start_from_the_first_one_and_are_averaged(tmp_path: Path):
    short = replace(SETTINGS, seconds=None, steps=2, warmup=1, bfloat16=False, progress=False)
    first, recipe = learn(short, dropout=0.0)
    assert (recipe["dropout"], recipe["pairs"], recipe["steps"]) == (0.0, 41, 2)
    start = tmp_path / "first.safetensors"
    first.save(start, recipe)
    files = []
    for seed in (0, 1):
        later, how = learn(replace(short, seed=seed), 0.2, start)
        assert how["started from"] == load_sentence_translator(start).recipe
        assert (how["dropout"], later.model.config.dropout, how["settings"]["seed"]) == (0.2, 0.2, seed)
        assert later.tokenizer.merges == first.tokenizer.merges
        files.append(tmp_path / f"{seed}.safetensors")
        later.save(files[-1], how)
    one, other = (load_sentence_translator(file).model.state_dict() for file in files)
    assert not torch.equal(one["encoder.0.self_attention.W_q.weight"], other["encoder.0.self_attention.W_q.weight"])
    mean, how = average(files)
    expected = {name: (weight + other[name]) / 2 for name, weight in one.items()}
    torch.testing.assert_close(mean.model.state_dict(), expected)
    assert [each["settings"]["seed"] for each in how["average of"]] == [0, 1]
    assert len(how["validation"]) == 1


def test_a_training_that_takes_no_step_has_the_weights_that_it_started_from(tmp_path: Path):
    first, recipe = learn(replace(SETTINGS, seconds=None, steps=1, bfloat16=False, progress=False), dropout=0.0)
    first.save(tmp_path / "first.safetensors", recipe)
    nearly_none = replace(SETTINGS, seconds=None, steps=1, learning_rate=1e-12, bfloat16=False, progress=False)
    same, _ = learn(nearly_none, 0.2, tmp_path / "first.safetensors")
    stored = load_sentence_translator(tmp_path / "first.safetensors").model.state_dict()
    torch.testing.assert_close(dict(same.model.state_dict()), dict(stored), rtol=0, atol=1e-6)


def test_sentences_of_the_grammar_are_learned_too():
    pairs = pairs_to_learn(LITTLE)
    assert len(pairs) == 20 + 20 + 1
    assert pairs[20].english.endswith(".")


def test_sentences_after_patterns_that_come_close_to_what_is_measured_are_left_out(monkeypatch: pytest.MonkeyPatch):
    held = Split([], [], [Source("Where is the cat?", ("Où est le chat ?",))])
    written = [
        SentencePair("Where is the dog?", "Où est le chien ?"),
        SentencePair("Where has the cat gone?", "Où est le chat ?"),
        SentencePair("Where has the dog gone?", "Où est allé le chien ?"),
    ]
    monkeypatch.setattr(sentence_patterns, "pairs", lambda _each, _seed: written)
    assert after_patterns(held) == written[2:]


def test_both_ways_to_count_references_are_reported():
    class SecondPerson(SentenceTranslator):
        def translate_all(self, sentences: Sequence[str], beams: int = 4, alpha: float = 0.6) -> list[str]:
            return ["Où se trouve mon livre ?"]

    source = Source("Where is my book?", ("Où est donc mon livre ?", "Où se trouve mon livre ?"))
    scores = bleu(SecondPerson(None, BytePairTokenizer([])), [source], beams=1)
    assert scores["all references"] == 100 > scores["first reference"]
