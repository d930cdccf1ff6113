"""The tales in the encoder's pieces, and guesses for a hidden word."""

import pytest
import torch

from course_lib import data
from course_lib.pretrained.hidden_words import (
    LENGTH,
    UNSEEN,
    HiddenWords,
    load_hidden_words,
    share_among,
    train_head,
)
from course_lib.transformer.models import MaskedLanguageModelHead


@pytest.fixture(scope="module")
def words() -> HiddenWords:
    data.fetch("tales")
    data.fetch("pretrained-encoder")
    return load_hidden_words()


def test_rows_are_whole_and_special_tokens_are_at_their_ends(words: HiddenWords) -> None:
    assert words.rows.shape[1] == LENGTH
    assert words.exam.shape == (UNSEEN, LENGTH)
    t = words.reader.tokenizer
    assert words.rows[:, 0].eq(t.bos).all()
    assert words.rows[:, -1].eq(t.eos).all()
    assert [words.token(i) for i in words.special.tolist()] == ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    assert words.token(words.counts[1].likeliest([], 1)[0][0]) == ","


def test_the_pieces_of_the_tales_have_numbers_and_all_others_share_one(words: HiddenWords) -> None:
    K = len(words.pieces)
    assert words.numbers(words.pieces).tolist() == list(range(K))
    assert words.piece(K - 1) == words.token(int(words.pieces[-1]))
    cls, mask = words.special[1], words.special[4]
    assert words.numbers(torch.tensor([[cls, mask, -100]])).tolist() == [[K, K, -100]]
    assert words.piece(K) == "another piece"
    assert not torch.isin(words.special, words.pieces).any()


def test_the_heads_bias_begins_at_the_frequencies_and_only_the_head_learns(words: HiddenWords) -> None:
    torch.manual_seed(0)
    model = words.model(MaskedLanguageModelHead)
    assert words.piece(int(model.head.output_bias.argmax())) == ","
    assert model.head.output_bias.exp().sum().item() == pytest.approx(1, abs=1e-4)
    learning = {name for name, each in model.named_parameters() if each.requires_grad}
    assert learning == {f"head.{name}" for name, _ in model.head.named_parameters()}
    states = torch.randn(40, 384)
    answers = (states[:, 0] > 0).long()
    losses = train_head(model, states, answers, steps=30, size=40)
    assert losses[-1] < losses[0] - 1


def test_states_are_those_of_the_encoder_where_something_is_hidden(words: HiddenWords) -> None:
    def hide_third(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.full_like(ids, -100)
        labels[:, 3] = ids[:, 3]
        inputs = ids.clone()
        inputs[:, 3] = words.mask
        return inputs, labels

    rows = words.rows[:18]
    states, answers = words.states(rows, hide_third)
    assert answers.tolist() == words.numbers(rows[:, 3]).tolist()
    with torch.no_grad():
        expected = words.reader.encoder(hide_third(rows[17:])[0])[0, 3]
    torch.testing.assert_close(states[17], expected, rtol=0, atol=1e-5)


def test_counting_reads_the_pieces_before_the_hidden_one(words: HiddenWords) -> None:
    labels = torch.full((1, LENGTH), -100)
    labels[0, 9] = words.exam[0, 9]
    found = words.by_counting(words.exam[:1], labels, 5, 3)
    likeliest = words.counts[5].likeliest(words.exam[0, 5:9].tolist(), 3)
    assert [words.piece(i) for i in found[0].tolist()] == [words.token(i) for i, _ in likeliest]


def test_an_answer_counts_once_wherever_it_is_among_the_guesses() -> None:
    assert share_among(torch.tensor([[1, 2], [3, 4], [5, 6]]), torch.tensor([2, 3, 9])) == pytest.approx(2 / 3)


def test_the_guesses_are_those_of_the_model_at_the_hidden_word_and_of_counting_before_it(words: HiddenWords) -> None:
    torch.manual_seed(0)
    model = words.model(MaskedLanguageModelHead)
    found = words.guesses(model, "The king slept.", "king", count=3)
    assert list(found) == ["your model", "unigram", "5-gram"]
    logits = model(words.reader.ids(["The [MASK] slept."]))[0, 2]
    assert [token for token, _ in found["your model"]] == [words.piece(int(i)) for i in logits.topk(3).indices]
    the = words.reader.tokenizer.encode("the")
    assert found["5-gram"] == [(words.token(i), p) for i, p in words.counts[5].likeliest(the, 3)]
    assert found["unigram"][0][0] == ","


def test_a_word_that_is_not_in_the_sentence_is_refused(words: HiddenWords) -> None:
    with pytest.raises(ValueError, match=r"'frog' is not in 'The king slept\.'"):
        words.guesses(words.model(MaskedLanguageModelHead), "The king slept.", "frog")
