"""The translator of everyday sentences, apart from how well it translates."""

from pathlib import Path

import pytest
import torch

from course_lib.data.translations import SentencePair
from course_lib.learning.checkpoints import read
from course_lib.pretrained.sentence_translator import (
    SentenceTranslator,
    examples_of,
    load_sentence_translator,
    task_of,
)
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig


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
