"""Taggers: padding does not change their tags, and they learn."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForTokenClassification

from course_lib.data.entities import TaggedSentence
from course_lib.learning.batches import collate
from course_lib.learning.losses import IGNORE
from course_lib.learning.tagging import (
    Tagger,
    TaggingHead,
    fit_tagging_head,
    labelled_vectors,
    predict_tags,
    tag_names,
    tagging,
    tagging_examples,
    word_probabilities,
)
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.learning.word_pieces import at_first_pieces, cut_words, label_every_piece
from course_lib.scoring.entities import ALL, entity_scores
from course_lib.transformer.models import Encoder
from tests.learning.pieces import small_tokenizer

TAGS = tag_names(["PER", "LOC"])
SENTENCES = [
    TaggedSentence(("New", "Grimms", "met", "the", "Grimms", "."), ("B-LOC", "I-LOC", "O", "O", "B-PER", "O")),
    TaggedSentence(("Grimms",), ("B-PER",)),
    TaggedSentence(("the", "New", "the", "x"), ("O", "B-LOC", "I-LOC", "O")),
]


def tagger(seed: int = 0) -> Tagger:
    torch.manual_seed(seed)
    tokenizer = small_tokenizer()
    return Tagger(Encoder(len(tokenizer), d_model=32, heads=4, d_ff=64, layers=1), TaggingHead(32, len(TAGS)))


def test_the_head_is_that_of_hugging_faces_token_classification() -> None:
    torch.manual_seed(0)
    sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=20)
    theirs = BertForTokenClassification(BertConfig(**sizes, num_labels=5)).eval()
    head = TaggingHead(8, 5)
    head.output.load_state_dict(theirs.classifier.state_dict())
    ours = Tagger(HiddenStates(theirs.bert), head).eval()
    ids = torch.randint(20, (3, 6))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-6, rtol=0)


class HiddenStates(nn.Module):
    """The hidden states of Hugging Face's BERT as a plain function of ids."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: Tensor) -> Tensor:
        return self.bert(ids).last_hidden_state


def test_examples_have_a_label_for_the_first_piece_of_each_word() -> None:
    ids, labels = tagging_examples(SENTENCES, small_tokenizer(), TAGS)[1]
    assert [small_tokenizer().token(i) for i in ids] == ["[CLS]", "grimm", "##s", "[SEP]"]
    assert labels == [IGNORE, 1, IGNORE, IGNORE]


def test_another_way_to_label_pieces_can_be_given() -> None:
    _, labels = tagging_examples(SENTENCES, small_tokenizer(), TAGS, label_every_piece)[1]
    assert labels == [IGNORE, 1, 1, IGNORE]


def test_the_vectors_of_labelled_pieces_are_those_of_each_sentence_on_its_own() -> None:
    model, examples = tagger().eval(), tagging_examples(SENTENCES, small_tokenizer(), TAGS)
    vectors, labels = labelled_vectors(model.encoder, examples, pad=0, batch_tokens=20)
    with torch.no_grad():
        alone = [model.encoder(torch.tensor([ids]))[0][torch.tensor(row) != IGNORE] for ids, row in examples]
    torch.testing.assert_close(vectors, torch.cat(alone), atol=1e-5, rtol=0)
    assert labels.tolist() == [TAGS.index(tag) for sentence in SENTENCES for tag in sentence.tags]
    with pytest.raises(ValueError, match="there are no sentences"):
        labelled_vectors(model.encoder, [], pad=0)


def test_a_head_on_a_frozen_encoder_learns_and_leaves_the_encoder_alone() -> None:
    model, tokenizer = tagger().eval(), small_tokenizer()
    before = {name: each.clone() for name, each in model.encoder.named_parameters()}
    vectors, labels = labelled_vectors(model.encoder, tagging_examples(SENTENCES, tokenizer, TAGS), pad=0)
    loss = fit_tagging_head(model.head, vectors, labels, steps=400, rate=0.05)
    assert loss < 0.1
    assert not model.head.training
    assert all(each.equal(before[name]) for name, each in model.encoder.named_parameters())
    found = predict_tags(model, [sentence.words for sentence in SENTENCES], tokenizer, TAGS)
    assert found == [sentence.tags for sentence in SENTENCES]


def test_the_likeliest_tags_of_words_are_those_that_are_predicted() -> None:
    model, tokenizer, words = tagger().train(), small_tokenizer(), SENTENCES[0].words
    p = word_probabilities(model, words, tokenizer)
    assert p.shape == (len(words), len(TAGS))
    torch.testing.assert_close(p.sum(dim=-1), torch.ones(len(words)))
    assert model.training
    (tags,) = predict_tags(model, [words], tokenizer, TAGS)
    assert tuple(TAGS[i] for i in p.argmax(dim=-1).tolist()) == tags
    with pytest.raises(ValueError, match="there are no words"):
        word_probabilities(model, [], tokenizer)


def test_another_way_to_read_pieces_can_be_given() -> None:
    model, tokenizer = tagger(), small_tokenizer()

    def last(values: list[int], word_of_piece: list[int | None], words: int) -> list[int]:
        return at_first_pieces(values[::-1], word_of_piece[::-1], words)

    ids = cut_words(["Grimms"], tokenizer).ids
    with torch.no_grad():
        said = model.eval()(torch.tensor([ids]))[0].argmax(dim=-1).tolist()
    assert predict_tags(model, [["Grimms"]], tokenizer, TAGS, read=last) == [(TAGS[said[2]],)]
    assert predict_tags(model, [["Grimms"]], tokenizer, TAGS) == [(TAGS[said[1]],)]


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="a sentence has the tag 'B-ORG', but the known ones are O, B-PER"):
        tagging_examples([TaggedSentence(("UN",), ("B-ORG",))], small_tokenizer(), TAGS)


def test_padding_is_no_label() -> None:
    examples = tagging_examples(SENTENCES, small_tokenizer(), TAGS)
    ids, labels = collate(examples, pad=0)
    _, ours = tagging(tagger(), ids, labels, pad=0)
    for row, (_, own) in zip(ours.tolist(), examples, strict=True):
        assert row == own + [IGNORE] * (len(row) - len(own))


def test_labels_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ids are \(1, 3\) and labels \(1, 2\)"):
        tagging(tagger(), torch.ones(1, 3).long(), torch.ones(1, 2).long(), pad=0)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_tags_depend_neither_on_the_batch_nor_on_its_order(batch: int) -> None:
    model, tokenizer, sentences = tagger(), small_tokenizer(), [sentence.words for sentence in SENTENCES]
    alone = [predict_tags(model, [words], tokenizer, TAGS)[0] for words in sentences]
    assert len(set(alone)) > 1
    assert predict_tags(model, sentences, tokenizer, TAGS, batch) == alone
    assert predict_tags(model, sentences[::-1], tokenizer, TAGS, batch) == alone[::-1]
    assert list(map(len, alone)) == list(map(len, sentences))


def test_predicting_leaves_the_mode_as_it_was_and_needs_names_for_all_tags() -> None:
    model = tagger().train()
    predict_tags(model, [["x"]], small_tokenizer(), TAGS)
    assert model.training
    with pytest.raises(ValueError, match="the model tells 5 tags apart, but 3 have names"):
        predict_tags(model, [["x"]], small_tokenizer(), TAGS[:3])
    with pytest.raises(ValueError, match="1 or more, but is 0"):
        predict_tags(model, [["x"]], small_tokenizer(), TAGS, batch=0)


def test_a_tagger_learns_its_sentences() -> None:
    model, tokenizer = tagger(), small_tokenizer()
    task = Task(tagging_examples(SENTENCES, tokenizer, TAGS), partial(tagging, pad=0), pad=0)
    expected, words = [sentence.tags for sentence in SENTENCES], [sentence.words for sentence in SENTENCES]
    before = entity_scores(predict_tags(model, words, tokenizer, TAGS), expected)[ALL].f1
    train(model, task, TrainingSettings(steps=60, warmup=10, learning_rate=3e-3, label_smoothing=0, progress=False))
    after = entity_scores(predict_tags(model, words, tokenizer, TAGS), expected)[ALL].f1
    assert (before < 0.5, after) == (True, 1)
