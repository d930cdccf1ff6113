"""The recipe for the translator of everyday sentences: one training, and another that starts where it ended."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from course_lib.data import translations
from course_lib.data.translations import SentencePair, Source, Split
from course_lib.pretrained.sentence_translator import SentenceTranslator, load_sentence_translator
from course_lib.recipes import train_sentence_translator
from course_lib.recipes.train_sentence_translator import bleu, learn, pairs_to_learn
from course_lib.text.byte_pairs import BytePairTokenizer

TEST = [Source("Go.", ("Va !", "Allez !")), Source("Run.", ("Cours !",))]
LITTLE = Split([SentencePair("Go.", "Va !"), SentencePair("Run.", "Cours !")] * 10, TEST, TEST)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "split", lambda: LITTLE)
    monkeypatch.setattr(train_sentence_translator, "GRAMMAR_PAIRS", 20)


def test_a_second_training_starts_from_the_first_one_and_says_so(tmp_path: Path):
    first, recipe, said = learn(0.02, None, 0.0, 1e-3, None)
    assert " steps in 0 minutes of processor time, loss " in said
    assert (recipe["dropout"], recipe["pairs"], recipe["processes"]) == (0.0, 40, 1)
    file = tmp_path / "first.safetensors"
    first.save(file, recipe)
    second, further, _ = learn(0.001, file, 0.2, 1e-9, None)
    assert further["started from"] == load_sentence_translator(file).recipe
    assert (further["dropout"], further["settings"]["learning_rate"]) == (0.2, 1e-9)
    assert second.model.config.dropout == 0.2
    assert second.tokenizer.merges == first.tokenizer.merges
    stored, trained = load_sentence_translator(file).model.state_dict(), second.model.state_dict()
    torch.testing.assert_close(trained, stored, rtol=0, atol=1e-5)


def test_sentences_of_the_grammar_are_learned_too():
    pairs = pairs_to_learn(LITTLE.train)
    assert len(pairs) == 20 + 20
    assert pairs[-1].english.endswith(".")


def test_both_ways_to_count_references_are_reported():
    class SecondPerson(SentenceTranslator):
        def translate_all(self, sentences: Sequence[str], beams: int = 4, alpha: float = 0.6) -> list[str]:
            return ["Où se trouve mon livre ?"]

    source = Source("Where is my book?", ("Où est donc mon livre ?", "Où se trouve mon livre ?"))
    scores = bleu(SecondPerson(None, BytePairTokenizer([])), [source], beams=1)
    assert scores["all references"] == 100 > scores["first reference"]
