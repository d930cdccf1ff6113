"""The course's translator: its translations, its errors and its attention."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from course_lib.data import grammar
from course_lib.data.grammar import NOTES_SENTENCE
from course_lib.learning.training import TrainingSettings
from course_lib.pretrained import Translation, UnknownWords, load_translator, translator
from course_lib.pretrained.translator import SETTINGS, train_translator
from course_lib.scoring.metrics import exact_match


@pytest.fixture(scope="module")
def split():
    return grammar.split()


@pytest.fixture(scope="module")
def ours():
    return load_translator()


@pytest.fixture(scope="module")
def their_answers(ours, split):
    return ours.translate_words([pair.english for pair in split.test])


def test_the_translator_translates_the_notes_sentence_on_which_it_was_not_trained(ours, split):
    assert ours.translate("the detective investigated") == "le détective a enquêté"
    assert NOTES_SENTENCE not in {pair.english for pair in split.train}


def test_the_translator_is_right_on_99_percent_of_unseen_sentences(their_answers, split):
    assert len(split.test) == 1000
    assert not {pair.english for pair in split.train} & {pair.english for pair in split.test}
    assert exact_match(their_answers, [pair.french for pair in split.test]) >= 0.99


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("The detective investigated.", "le détective a enquêté"),
        ("  THE   detective investigated!", "le détective a enquêté"),
        ("the king didn't sleep", "le roi n'a pas dormi"),
        ("Yesterday, the queen left…", "hier la reine est partie"),
    ],
)
def test_capitals_commas_contractions_and_final_punctuation_make_no_difference(ours, english, french):
    assert ours.translate(english) == french


def test_unknown_words_are_named_and_not_guessed(ours):
    with pytest.raises(UnknownWords) as caught:
        ours.translate("the detectve saw a zebra")
    assert caught.value.words == ["detectve", "zebra"]
    message = str(caught.value)
    assert "I have never seen 'detectve' or 'zebra'" in message
    assert "Do you mean 'detective'" in message
    assert f"I know {len(ours.english_words)} English words" in message
    assert len(ours.english_words) >= 300
    assert "detective" in ours.english_words


@pytest.mark.parametrize("sentence", ["", "   ", "?!", ","])
def test_a_sentence_without_words_is_refused(ours, sentence):
    with pytest.raises(ValueError, match="there are no words in"):
        ours.translate(sentence)


def test_two_sentences_at_once_are_refused(ours):
    with pytest.raises(
        ValueError, match=r"one sentence at a time, but there is '\.' inside 'the king slept\. the queen"
    ):
        ours.translate("the king slept. the queen slept.")


def test_a_sentence_that_is_too_long_is_refused(ours):
    with pytest.raises(ValueError, match="has 240 words, and I read 24 at most"):
        ours.translate("the king and " * 80)


@pytest.mark.parametrize("sentence", [None, 7, ["the", "king", "slept"], b"the king"])
def test_an_argument_that_is_not_a_string_is_refused(ours, sentence):
    with pytest.raises(TypeError, match="I translate one sentence, a string"):
        ours.translate(sentence)


def test_a_translation_has_the_attention_of_each_french_word(ours):
    found = ours.translation("The detective investigated.")
    assert isinstance(found, Translation)
    assert found.source == ("the", "detective", "investigated")
    assert found.target == ("le", "détective", "a", "enquêté")
    assert found.text == "le détective a enquêté"
    assert found.heads.shape == (2, 4, 4, 3)  # layers, heads, French words, English words
    torch.testing.assert_close(found.heads.sum(-1), torch.ones(2, 4, 4))
    torch.testing.assert_close(found.weights, found.heads[1].mean(0))
    assert found.weights.argmax(-1).tolist() == [0, 1, 2, 2]


def test_a_french_adjective_attends_to_its_english_adjective(ours):
    found = ours.translation("a secret hotel was famous")
    assert found.target == ("un", "hôtel", "secret", "était", "célèbre")
    assert found.weights.argmax(-1).tolist() == [0, 2, 1, 3, 4]


def test_a_sentence_has_the_same_weights_alone_and_in_a_batch(ours):
    pairs = [("the king slept", "le roi a dormi"), ("yesterday the old queen did not sleep", "hier la vieille reine")]
    sources, targets = ([text.split() for text in side] for side in zip(*pairs, strict=True))
    together = ours.cross_attention(sources, targets)
    for i in range(2):
        (separately,) = ours.cross_attention(sources[i : i + 1], targets[i : i + 1])
        assert together[i].shape == separately.shape == (2, 4, len(targets[i]), len(sources[i]))
        torch.testing.assert_close(together[i], separately, rtol=0, atol=1e-5)


def test_attention_finds_the_gold_alignment_far_better_than_the_diagonal(ours, split):
    errors = ours.alignment_errors(split.test)
    assert errors["layer 1, average"] < 0.15 < 0.3 < errors["diagonal"]


def test_the_same_pairs_and_settings_give_the_same_translator(split):
    few = replace(SETTINGS, epochs=None, steps=4, schedule="inverse_square_root", progress=False)
    first, _ = train_translator(split.train[:300], few)
    torch.manual_seed(99)
    again, _ = train_translator(split.train[:300], few)
    theirs = again.model.state_dict()
    assert all(torch.equal(weight, theirs[name]) for name, weight in first.model.state_dict().items())


def test_a_translator_that_is_saved_and_loaded_gives_the_same_translations(split, tmp_path, monkeypatch):
    few = TrainingSettings(steps=2, progress=False)
    made, _ = train_translator(split.train[:300], few)
    made.save(tmp_path / "new.safetensors", {})
    monkeypatch.setattr(translator, "FILE", tmp_path / "new.safetensors")
    read = load_translator.__wrapped__()
    assert read.english == made.english
    assert read.french == made.french
    sources = [pair.english for pair in split.train[:20]]
    assert read.translate_words(sources) == made.translate_words(sources)


def test_the_translator_is_loaded_once_and_importing_its_module_loads_nothing():
    assert load_translator() is load_translator()
    code = "import course_lib.pretrained.translator as t; print(t.load_translator.cache_info().currsize)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "0"
