"""The translator of everyday sentences: what it reads and writes, and the file that comes with the course."""

from pathlib import Path
from typing import Any

import pytest
import sacrebleu
import torch

from course_lib import data
from course_lib.data import everyday, translations
from course_lib.data.translations import SentencePair
from course_lib.learning.checkpoints import read
from course_lib.pretrained.sentence_translator import (
    FILE,
    SentenceTranslator,
    examples_of,
    load_sentence_translator,
    merge_words,
    task_of,
    word_groups,
)
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.recurrent import RecurrentTranslator
from course_lib.transformer.watching import watch_attention
from tests import plain_parts


@pytest.fixture
def translator() -> SentenceTranslator:
    tokenizer = BytePairTokenizer([])
    torch.manual_seed(0)
    config = TransformerConfig(
        vocabulary=len(tokenizer), d_model=16, heads=2, d_ff=32, layers=1, max_length=40, pad=tokenizer.pad
    )
    return SentenceTranslator(build_transformer(config).eval(), tokenizer)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_sentence_is_translated_alike_alone_and_among_others(translator: SentenceTranslator, beams: int):
    sentences = ["Go.", "How are you?", "我", "a"]
    together = translator.translate_all(sentences, beams)
    assert together == [translator.translate(sentence, beams) for sentence in sentences]


def test_the_best_of_several_are_sorted(translator: SentenceTranslator):
    (found,) = translator.search(["Go."], beams=4, n_best=3)
    assert len(found) == 3
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


@pytest.mark.parametrize(
    ("sentence", "error", "said"),
    [
        ("", ValueError, "there are no words in ''"),
        ("  \u200b", ValueError, "there are no words"),
        ("word " * 30, ValueError, "the sentence has 150 tokens, and I read 40 at most"),
        (7, TypeError, "I translate a sentence, .* but got 7"),
    ],
)
def test_what_cannot_be_translated_is_refused(
    translator: SentenceTranslator, sentence: str, error: type[Exception], said: str
):
    with pytest.raises(error, match=said):
        translator.translate(sentence)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("", "There are no words in '': try 'How are you?'."),
        ("word " * 30, "The sentence has 150 tokens, and I read 40 at most: divide it into shorter ones."),
        (None, "I translate a sentence, a string such as 'How are you?', but got None."),
    ],
)
def test_what_cannot_be_translated_is_answered_with_a_sentence(
    translator: SentenceTranslator, sentence: str, said: str
):
    assert translator.answer(sentence) == said


@pytest.mark.parametrize("sentence", ["我喜欢", "Ich weiß nicht.", "☃☃", "?", "\x00", "a" * 39, "e\u0301", "\ud83d"])
def test_any_other_text_gets_an_attempt(translator: SentenceTranslator, sentence: str):
    if sentence == "\ud83d":  # half a character
        assert translator.answer(sentence).startswith("I cannot read '\\ud83d'")
        return
    assert translator.answer(sentence) == translator.translate(sentence)


def test_several_translations_come_with_their_shares_and_with_what_each_word_read(translator: SentenceTranslator):
    found = translator.translations("How are you?", beams=4)
    assert found[0].text == translator.translate("How are you?", beams=4)
    assert sum(each.share for each in found) == pytest.approx(1)
    assert len({each.text for each in found}) == len(found) > 1
    for each in found:
        assert each.source == ("How", "are", "you", "?", "[eos]")
        assert each.weights is not None
        assert each.weights.shape == (len(each.target), 5)
        torch.testing.assert_close(each.weights.sum(dim=1), torch.ones(len(each.target)))


def test_what_the_words_read_is_that_of_the_whole_model(translator: SentenceTranslator):
    found = translator.translations("Go.", beams=1)[0]
    ids = translator.search(["Go."], beams=1)[0][0].ids
    source, target = torch.tensor([translator.read("Go.")]), torch.tensor([[translator.tokenizer.bos, *ids[:-1]]])
    with watch_attention(translator.model) as readings, torch.no_grad():
        translator.model(source, target)
    read_by = readings["decoder.0.cross_attention"].weights[0].mean(dim=0)  # (T, S)
    (first, *_), (word, *_) = (
        word_groups(translator.tokenizer, ids),
        word_groups(translator.tokenizer, source[0].tolist()),
    )
    assert found.weights is not None
    assert found.weights[0, 0].item() == pytest.approx(read_by[first][:, word].sum(dim=1).mean().item(), abs=1e-6)


@pytest.mark.parametrize("attends", [True, False])
def test_a_recurrent_translator_shows_what_it_reads_where_it_has_attention(attends: bool):
    torch.manual_seed(0)
    tokenizer = BytePairTokenizer([])
    model = RecurrentTranslator(len(tokenizer), 8, 1, attends, pad=tokenizer.pad).eval()
    translator = SentenceTranslator(model, tokenizer, attention=model.attention)
    together = translator.translate_all(["Go.", "How are you?"], beams=2)
    assert together == [translator.translate(sentence, beams=2) for sentence in ("Go.", "How are you?")]
    found = translator.translations("Go on.", beams=2)
    assert all((each.weights is not None) == attends for each in found)
    if attends:
        assert found[0].weights is not None
        torch.testing.assert_close(found[0].weights.sum(dim=1), torch.ones(len(found[0].target)))


def test_tokens_become_words_and_marks():
    tokenizer = BytePairTokenizer([])
    text = "Don't go, “Tom”."
    ids = [*tokenizer.encode(text), tokenizer.eos]
    words = [tokenizer.decode([ids[i] for i in group]) for group in word_groups(tokenizer, ids)]
    assert [word.strip() for word in words] == ["Don't", "go", ",", "“Tom”", ".", ""]


def test_the_attention_of_a_word_is_the_mean_of_its_tokens_over_the_sum_of_those_read():
    weights = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    merged = merge_words(weights, [[0, 1], [2]], [[0], [1, 2]])
    assert merged.tolist() == [[0.25, 0.75], [0.0, 1.0]]


def test_the_file_has_a_byte_a_weight_and_gives_nearly_the_same_logits(translator: SentenceTranslator, tmp_path: Path):
    file = tmp_path / "translator.safetensors"
    translator.save(file, {"by": "a test"})
    _, note = read(file)
    assert note["recipe"] == {"by": "a test"}
    again = load_sentence_translator(file)
    source, target = torch.tensor([[4, 5, 6]]), torch.tensor([[translator.tokenizer.bos, 7]])
    with torch.no_grad():
        apart = (again.model(source, target) - translator.model(source, target)).abs().max()
    assert 0 < apart < 0.05
    assert again.tokenizer.merges == translator.tokenizer.merges
    assert file.stat().st_size < sum(4 * each.numel() for each in translator.model.parameters()) * 0.6


def test_pairs_become_ids_with_their_ends_and_long_ones_are_left_out():
    tokenizer = BytePairTokenizer([])
    pairs = [SentencePair("Go.", "Va !"), SentencePair("a" * 50, "b")]
    ((source, target),) = examples_of(pairs, tokenizer, longest=20)
    assert source == [*tokenizer.encode("Go."), tokenizer.eos]
    assert target == [tokenizer.bos, *tokenizer.encode("Va !"), tokenizer.eos]
    task = task_of(pairs, pairs, tokenizer, longest=20)
    assert [len(task.examples), len(task.validation)] == [1, 1]
    assert task.pad == tokenizer.pad


@pytest.fixture(scope="module")
def shipped() -> SentenceTranslator:
    return load_sentence_translator()


def test_the_shipped_file_is_small_and_says_how_it_was_made_and_from_whose_sentences(shipped: SentenceTranslator):
    assert FILE.stat().st_size <= 8e6
    wanted = {"settings", "pairs", "steps", "processor minutes", "validation", "BLEU", "machine"}
    assert {"average of", "validation", "BLEU"} <= shipped.recipe.keys()
    for later in shipped.recipe["average of"]:
        assert wanted | {"dropout"} <= later.keys()
        assert {"average of", "BLEU"} <= later["started from"].keys()
        assert all(wanted <= earlier.keys() for earlier in later["started from"]["average of"])
    assert "Tatoeba" in shipped.recipe["data"]
    assert "CC BY 2.0 FR" in shipped.recipe["data"]


@pytest.mark.parametrize("sentence", ["I don't know what to say.", "Tom is at home.", "Where is my book?"])
def test_it_translates_in_the_same_way_on_parts_that_are_written_plainly(shipped: SentenceTranslator, sentence: str):
    own = load_sentence_translator(parts=plain_parts.plain())
    expected, found = shipped.translations(sentence, beams=2), own.translations(sentence, beams=2)
    assert [each.text for each in found] == [each.text for each in expected]
    for each, other in zip(found, expected, strict=True):
        assert each.weights is not None
        assert other.weights is not None
        torch.testing.assert_close(each.weights, other.weights, rtol=0, atol=1e-4)


def test_most_everyday_sentences_are_right(shipped: SentenceTranslator):
    asked = [*everyday.load()]
    verdicts = [*map(everyday.verdict, asked, shipped.translate_all(asked))]
    # 48 and 6 where it was trained; another processor rounds differently, which may change a word.
    assert verdicts.count("right") >= 46
    assert verdicts.count("wrong") <= 8


def test_its_note_has_the_score_that_the_course_states(shipped: SentenceTranslator):
    assert shipped.recipe["BLEU"]["4 beams"]["all references"] >= 51


def test_it_is_as_good_on_some_unseen_sentences_as_its_note_says(shipped: SentenceTranslator):
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))
    sources = translations.split().test[:200]
    texts = shipped.translate_all([each.english for each in sources], beams=1)
    most = max(len(each.references) for each in sources)
    columns: Any = [[each.references[k] if k < len(each.references) else None for each in sources] for k in range(most)]
    # 200 of 2,000 sentences: of ten such parts, the scores of an earlier model were up to 5.1 from that of all.
    recorded = shipped.recipe["BLEU"]["1 beams"]["all references"]
    assert sacrebleu.corpus_bleu(texts, columns).score == pytest.approx(recorded, abs=6)
