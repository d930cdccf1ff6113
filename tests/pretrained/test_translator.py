"""The course's translator: its translations, its errors and its attention."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from course_lib.data import grammar
from course_lib.data.grammar import NOTES_SENTENCE
from course_lib.learning.batches import collate
from course_lib.learning.losses import smoothed_cross_entropy, translation
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.pretrained import Translation, Translator, UnknownWords, load_translator, translator
from course_lib.pretrained.translator import SETTINGS, train_translator, translation_examples
from course_lib.scoring.metrics import exact_match
from course_lib.transformer.models import Transformer
from course_lib.transformer.watching import watch_attention
from course_lib.writing.beam import beam_search, beam_search_text
from course_lib.writing.choose import greedy_translation
from tests import plain_parts


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


def test_a_new_translator_is_made_of_the_given_parts(split):
    few = TrainingSettings(steps=1, progress=False)
    made, _ = train_translator(split.train[:300], few, plain_parts.plain())
    assert type(made.model) is plain_parts.Transformer


def test_given_a_sentence_the_decoder_is_a_model_that_continues_french_texts(ours):
    words = ["the", "old", "king", "did", "not", "find", "the", "small", "key"]
    french = ours.french
    with torch.no_grad():
        ids, log_probability = beam_search_text(ours.given(words), [french.bos], 4, 24, french.eos)
    settings = {"beams": 4, "alpha": 0, "bos": french.bos, "stop": [french.eos]}
    ((best,),) = beam_search(ours.model, [ours.english.encode(words)], **settings)
    assert ids == best.ids
    assert log_probability == pytest.approx(best.log_probability, abs=1e-4)


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


class OfALearner(nn.Module):
    """The course's Transformer under other names, without a configuration."""

    def __init__(self, model):
        super().__init__()
        self.lower, self.upper, self.whole = model.encoder, model.decoder, [model]
        for layer in self.upper:
            layer.reads = layer.cross_attention
            del layer.cross_attention
            layer.forward = partial(forward_by_other_names, layer)

    def encode(self, source_ids):
        return self.whole[0].encode(source_ids)

    def decode(self, target_ids, memory, source_ids):
        return self.whole[0].decode(target_ids, memory, source_ids)

    def forward(self, source_ids, target_ids):
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def forward_by_other_names(layer, x, memory, mask=None, memory_mask=None, **_):
    x = layer.norm_1(x + layer.self_attention(x, x, x, mask))
    x = layer.norm_2(x + layer.reads(x, memory, memory, memory_mask))
    return layer.norm_3(x + layer.feed_forward(x))


def test_a_learners_model_translates_with_the_learners_own_function_and_its_attention_is_found(ours, split):
    model = OfALearner(load_translator.__wrapped__().model)
    written = []

    def own_greedy(model, ids, longest):
        assert not model.training
        written.append((list(ids), longest))
        return greedy_translation(model, ids, longest)

    theirs = Translator(model.train(), ours.english, ours.french, own_greedy)
    assert theirs.translate("The detective investigated!") == "le détective a enquêté"
    assert written == [(ours.english.encode(NOTES_SENTENCE), 24)]
    assert model.training
    pairs = split.test[:40]
    sources = [pair.english for pair in pairs]
    assert theirs.translate_words(sources) == ours.translate_words(sources)
    found = theirs.translation("a secret hotel was famous")
    torch.testing.assert_close(found.heads, ours.translation("a secret hotel was famous").heads)
    assert len(written) == 2
    with pytest.raises(UnknownWords, match="I have never seen 'zebra'"):
        theirs.translate("the zebra slept")
    with pytest.raises(ValueError, match="has 25 words, and I read 24 at most"):
        theirs.translate("the king " * 12 + "slept")


def test_cross_attention_is_what_the_attentions_of_that_name_read(ours, split):
    pairs = split.test[:30]
    rows = [(ours.english.encode(p.english), [ours.french.bos, *ours.french.encode(p.french)[:-1]]) for p in pairs]
    with torch.no_grad(), watch_attention(ours.model) as readings:
        ours.model(*collate(rows, ours.french.pad))
    found = ours.cross_attention([pair.english for pair in pairs], [pair.french for pair in pairs])
    for layer in range(2):
        expected = readings[f"decoder.{layer}.cross_attention"].weights
        for weights, pair, row in zip(found, pairs, expected, strict=True):
            assert weights[layer].shape == (4, len(pair.french), len(pair.english))
            same = row[:, : len(pair.french), : len(pair.english)]
            torch.testing.assert_close(weights[layer], same, rtol=0, atol=1e-5)


def test_a_learners_model_loss_and_rate_are_trained_as_by_hand(split):
    pairs, settings = split.train[:200], TrainingSettings(steps=5, batch_tokens=512, seed=3, progress=False)
    sizes = (16, 2, 32, 1, 0.1)
    own = {"loss": partial(smoothed_cross_entropy, epsilon=0.3), "rate": lambda step: 0.01 / step}
    made, history = train_translator(pairs, settings, make=lambda *words: Transformer(*words, *sizes), **own)

    english, french, examples = translation_examples(pairs)
    torch.manual_seed(3)
    model = Transformer(len(english), len(french), *sizes)
    by_hand = train(model, Task(examples, partial(translation, pad=0), pad=0), settings, device="cpu", **own)
    assert history.loss == by_hand.loss
    assert history.learning_rate == pytest.approx([0.01 / step for step in range(1, 6)])
    assert all(torch.equal(w, made.model.state_dict()[name]) for name, w in model.state_dict().items())
    assert (made.english, made.french) == (english, french)
    source, target = examples[0]
    assert english.decode_words(source) == list(pairs[0].english)
    assert [target[0], target[-1]] == [french.bos, french.eos]
    assert french.decode_words(target[1:]) == list(pairs[0].french)
