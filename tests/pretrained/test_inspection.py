"""Looking inside the course's translator, and inside a learner's model that keeps no weights."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from course_lib.data import grammar
from course_lib.pretrained import Translator, load_translator
from course_lib.pretrained.inspection import (
    complete,
    count_right,
    counting_losses,
    loss_per_word,
    predictions,
    without_head,
)
from course_lib.transformer.models import Transformer


@pytest.fixture(scope="module")
def pairs():
    return grammar.split(train=0, test=40).test


def test_predictions_are_the_models_likeliest_words_after_the_right_ones(pairs):
    ours = load_translator()
    for pair, found in zip(pairs, predictions(ours, pairs), strict=True):
        source = torch.tensor([ours.english.encode(pair.english)])
        for t, right in enumerate(pair.french):  # one word at a time, without padding
            so_far = torch.tensor([[ours.french.bos, *ours.french.encode(pair.french[:t])]])
            with torch.no_grad():
                p = ours.model(source, so_far)[0, -1].softmax(dim=-1)
            assert found.words[t] == ours.french.token(int(p.argmax()))
            assert found.confidence[t].item() == pytest.approx(p.max().item(), abs=1e-5)
            assert found.correct[t].item() == (found.words[t] == right)
        assert len(found.words) == len(found.confidence) == len(found.correct) == len(pair.french)


def test_a_wrong_word_is_read_by_the_words_after_it_only(pairs):
    ours, pair = load_translator(), next(pair for pair in pairs if len(pair.french) > 6)
    reads = [*pair.french]
    reads[2] = "chat" if pair.french[2] != "chat" else "roi"
    ((right,), (wrong,)) = predictions(ours, [pair]), predictions(ours, [pair], [reads])
    assert torch.allclose(right.confidence[:3], wrong.confidence[:3], atol=1e-6)
    assert not torch.allclose(right.confidence[3:], wrong.confidence[3:], atol=1e-3)
    assert wrong.correct.tolist() == [said == word for said, word in zip(wrong.words, pair.french, strict=True)]


def test_other_numbers_of_words_than_the_right_french_has_are_refused(pairs):
    with pytest.raises(ValueError, match=f"should read {len(pairs[0].french)} French words, but is given 1"):
        predictions(load_translator(), pairs[:1], [["le"]])


def test_a_loss_per_word_is_the_mean_surprise_at_each_right_word_and_the_end(pairs):
    ours, surprises = load_translator(), []
    for pair in pairs:
        target = [ours.french.bos, *ours.french.encode(pair.french), ours.french.eos]
        source = torch.tensor([ours.english.encode(pair.english)])
        with torch.no_grad():
            log_p = ours.model(source, torch.tensor([target[:-1]]))[0].log_softmax(dim=-1)
        surprises += [-log_p[t, i].item() for t, i in enumerate(target[1:])]
    assert loss_per_word(ours, pairs) == pytest.approx(sum(surprises) / len(surprises), rel=1e-4)


def test_counting_knows_the_words_and_not_the_english(pairs):
    ours = load_translator()
    losses = counting_losses(ours, grammar.split(train=2000, test=0).train, pairs)
    assert losses["ln V"] == pytest.approx(math.log(len(ours.french)))
    assert losses["ln V"] > losses["unigram"] > losses["bigram"] > loss_per_word(ours, pairs)
    known, seen = [pairs[0]], [pairs[0]]
    n, V = len(pairs[0].french) + 2, len(ours.french)  # with [bos] and [eos], all words different
    assert len({*pairs[0].french}) == n - 2
    each = (1 + n * (1 / V)) / (n + n)  # Witten and Bell: n tokens of n kinds
    assert counting_losses(ours, known, seen)["unigram"] == pytest.approx(-math.log(each))


def test_right_sentences_are_counted(pairs):
    ours = load_translator()
    wrong = [replace(pair, french=(*pair.french[:-1], "roi")) for pair in pairs[:3]]
    assert count_right(ours, pairs[3:]) == sum(
        ours.translate(" ".join(pair.english)) == ours.french.join(pair.french) for pair in pairs[3:]
    )
    assert count_right(ours, [*wrong, *pairs[3:]]) == count_right(ours, pairs[3:])


def test_a_translation_continues_from_given_words(pairs):
    ours = load_translator()
    for pair in pairs[:10]:
        (whole,) = ours.translate_words([pair.english])
        assert complete(ours, pair.english, ()) == whole
        assert complete(ours, pair.english, whole[:2]) == whole
    forced = complete(ours, ["the", "king", "slept"], ["la"])
    assert forced[0] == "la"
    assert len(forced) <= ours.longest


def test_a_translation_that_never_ends_is_cut():
    class Endless(nn.Module):
        def __init__(self):
            super().__init__()
            self.anything = nn.Parameter(torch.zeros(1))

        def encode(self, source_ids):
            return source_ids

        def decode(self, target_ids, memory, source_ids):
            return nn.functional.one_hot(torch.full_like(target_ids, 9), 20).float()

    ours = load_translator()
    words = complete(Translator(Endless(), ours.english, ours.french), ["the"], ["le"])
    assert len(words) == 24


def learners_attention(query, key, value, mask):
    weights = (query @ key.mT / query.size(-1) ** 0.5).masked_fill(~mask, -torch.inf).softmax(dim=-1)
    return weights @ value, weights


class OfALearner(nn.Module):
    """An attention of four heads that keeps no weights, over the parameters of the course's."""

    def __init__(self, course):
        super().__init__()
        self.query, self.key, self.value, self.out = course.W_q, course.W_k, course.W_v, course.W_o

    def forward(self, query, key, value, mask=None):
        maps = ((self.query, query), (self.key, key), (self.value, value))
        q, k, v = (linear(x).unflatten(-1, (4, -1)).transpose(1, 2) for linear, x in maps)
        mixed, _ = learners_attention(q, k, v, torch.ones(1, dtype=torch.bool) if mask is None else mask)
        return self.out(mixed.transpose(1, 2).flatten(2))


@pytest.fixture
def theirs():
    model = load_translator.__wrapped__().model
    for layer in model.decoder:
        layer.cross_attention = OfALearner(layer.cross_attention)
    ours = load_translator()
    return Translator(model, ours.english, ours.french, attention=learners_attention)


def test_weights_are_seen_through_the_learners_own_function(theirs, pairs):
    ours, sides = load_translator(), ([pair.english for pair in pairs], [pair.french for pair in pairs])
    for seen, expected in zip(theirs.cross_attention(*sides), ours.cross_attention(*sides), strict=True):
        torch.testing.assert_close(seen, expected, rtol=0, atol=1e-5)
    blind = Translator(theirs.model, ours.english, ours.french)
    with pytest.raises(ValueError, match="does not show the weights of its attention: they are seen where"):
        blind.cross_attention(*sides)


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_without_a_head_is_as_with_zeros_where_its_result_enters_the_output_projection(whose, theirs, pairs):
    translator = theirs if whose == "theirs" else load_translator.__wrapped__()
    expected = load_translator.__wrapped__()
    with torch.no_grad():
        expected.model.decoder[1].cross_attention.W_o.weight[:, 32:48] = 0  # head 2 of 4, 16 wide
    before = predictions(translator, pairs)
    with without_head(translator, layer=1, head=2):
        found = predictions(translator, pairs)
        written = translator.translate_words([pair.english for pair in pairs])
    for one, other in zip(found, predictions(expected, pairs), strict=True):
        torch.testing.assert_close(one.confidence, other.confidence, rtol=0, atol=1e-5)
    assert written == expected.translate_words([pair.english for pair in pairs])
    assert any(not torch.allclose(one.confidence, other.confidence) for one, other in zip(found, before, strict=True))
    after = predictions(translator, pairs)
    assert all(torch.equal(one.confidence, other.confidence) for one, other in zip(after, before, strict=True))


def test_a_head_that_there_is_not_and_an_attention_without_an_output_projection_are_refused(theirs):
    def fails(translator, head):
        with without_head(translator, 0, head):
            raise AssertionError("the block should not run")

    for head in (4, -1):
        with pytest.raises(IndexError, match=f"head should be 0 to 3, but is {head}"):
            fails(load_translator(), head)
    with pytest.raises(IndexError), without_head(load_translator(), 2, 0):
        pass
    for name in ("query", "key", "value", "out"):
        layer = theirs.model.decoder[0].cross_attention
        weight, bias = getattr(layer, name).weight, getattr(layer, name).bias
        delattr(layer, name)
        setattr(layer, name, lambda x, weight=weight, bias=bias: x @ weight.T + bias)
    with pytest.raises(ValueError, match="does not end with"):
        fails(theirs, 0)


def test_a_learners_transformer_without_a_configuration_is_looked_into_as_well(pairs):
    ours = load_translator()
    torch.manual_seed(0)
    small = Translator(Transformer(len(ours.english), len(ours.french), 16, 2, 16, 1, 0.0), ours.english, ours.french)
    (found, *_) = predictions(small, pairs)
    assert len(found.words) == len(pairs[0].french)
    assert len(complete(small, pairs[0].english, ())) <= 24
