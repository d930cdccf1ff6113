"""The pretrained encoder in our `Encoder`, against transformers' BertModel with the same files."""

import shutil
import socket
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import BertModel, BertTokenizer

from course_lib import data
from course_lib.pretrained import encoder as encoder_module
from course_lib.pretrained.encoder import CONFIG, UNUSED, load_encoder, our_weights, similarity
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.transformer.build import COURSE, build_encoder
from course_lib.transformer.models import Encoder

SENTENCES = [
    "The detective investigated.",
    "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals.",
    "Why?",
    "A king's daughter lost her golden ball, and a frog brought it back from the bottom of the well.",
    "L'homme n'a pas enquêté aujourd'hui.",
]
AWKWARD = ["", " ", "don't", "CAFÉ naïve Ångström", "3.14 €", "東京 is big", "🙂", "antidisestablishment", "a\tb\nc"]
ROUNDING = 1e-5  # float32 through six layers, on numbers of up to 6; 3e-6 measured


@pytest.fixture(scope="module")
def folder():
    return data.fetch("pretrained-encoder")


@pytest.fixture(scope="module")
def ours(folder):
    return load_encoder("cpu")


@pytest.fixture(scope="module")
def theirs(folder):
    return BertModel.from_pretrained(folder, local_files_only=True, attn_implementation="eager").eval()


@pytest.fixture(scope="module")
def their_tokenizer(folder):
    return BertTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.fixture
def copied(folder, tmp_path, monkeypatch):
    """A copy of the data that a test may damage, in the folder where the library looks."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return Path(shutil.copytree(folder, tmp_path / folder.name))


def greatest_difference(a, b):
    assert a.shape == b.shape
    return (a - b).abs().max().item()


@torch.no_grad()
def their_hidden_states(theirs, their_tokenizer, sentences):
    batch = their_tokenizer(sentences, padding=True, return_tensors="pt")
    return theirs(**batch).last_hidden_state, batch["attention_mask"].bool()


@pytest.mark.parametrize("sentences", [SENTENCES, ["Why?"], [" once upon a time" * 100]], ids=["padded", "one", "long"])
def test_hidden_states_equal_those_of_transformers(ours, theirs, their_tokenizer, sentences):
    expected, real = their_hidden_states(theirs, their_tokenizer, sentences)
    assert greatest_difference(ours.hidden_states(sentences)[real], expected[real]) < ROUNDING


def test_token_ids_equal_those_of_transformers(ours, their_tokenizer):
    sentences = SENTENCES + AWKWARD
    assert torch.equal(ours.ids(sentences), their_tokenizer(sentences, padding=True, return_tensors="pt")["input_ids"])


def test_a_long_text_is_not_truncated(ours):
    text = "one two three " * 170
    assert ours.ids([text]).shape == (1, 512)
    assert ours.tokenize(text) == ["[CLS]", *["one", "two", "three"] * 170, "[SEP]"]


def test_a_text_with_more_pieces_than_positions_is_refused(ours):
    with pytest.raises(ValueError, match=r"'one two three.*has 515 word pieces, but .* at most 512"):
        ours.embed(["short", "one two three " * 171])


def test_a_word_that_is_not_in_the_table_is_cut_into_pieces(ours):
    assert ours.tokenize("Tokenizer!") == ["[CLS]", "token", "##izer", "!", "[SEP]"]


def test_one_string_is_not_taken_for_a_list_of_characters(ours):
    with pytest.raises(TypeError, match="put it in a list"):
        ours.embed("Why?")


def test_an_empty_list_of_sentences_is_refused(ours):
    with pytest.raises(ValueError, match="at least one sentence"):
        ours.hidden_states([])


def test_embeddings_are_the_mean_that_the_model_card_describes(ours, theirs, their_tokenizer):
    hidden, real = their_hidden_states(theirs, their_tokenizer, SENTENCES)
    means = torch.stack([states[keep].mean(dim=0) for states, keep in zip(hidden, real, strict=True)])
    assert greatest_difference(ours.embed(SENTENCES), means / means.norm(dim=1, keepdim=True)) < ROUNDING


def test_a_sentence_has_the_same_embedding_alone_and_in_a_batch(ours):
    separately = torch.cat([ours.embed([sentence]) for sentence in SENTENCES])
    assert greatest_difference(ours.embed(SENTENCES), separately) < ROUNDING


def test_attention_weights_equal_those_of_transformers(ours, theirs, their_tokenizer):
    tokens, weights = ours.attention(SENTENCES[1])
    with torch.no_grad():
        expected = theirs(**their_tokenizer(SENTENCES[1], return_tensors="pt"), output_attentions=True).attentions
    assert greatest_difference(weights, torch.cat(expected)) < ROUNDING
    assert weights.shape == (6, 12, len(tokens), len(tokens))
    assert tokens == ours.tokenize(SENTENCES[1])


@pytest.mark.parametrize(
    ("sentence", "paraphrase", "unrelated"),
    [
        ("The cat is sleeping on the sofa.", "A kitten naps on the couch.", "The stock market fell sharply today."),
        ("How do I get to the station?", "Which way is the railway stop?", "How do I bake a chocolate cake?"),
        ("The detective investigated.", "An inspector looked into the case.", "The gardener watered the roses."),
        ("She is very happy.", "She feels full of joy.", "The train leaves at noon."),
    ],
)
def test_a_paraphrase_comes_closer_than_an_unrelated_sentence(sentence, paraphrase, unrelated):
    assert similarity(sentence, paraphrase) > similarity(sentence, unrelated) + 0.2


def test_a_sentence_is_fully_similar_to_itself_and_never_more():
    alike = [similarity(sentence, sentence) for sentence in [*SENTENCES, "A cat sleeps.", "yes"]]
    assert alike == pytest.approx([1] * len(alike), abs=1e-6)
    assert max(alike) <= 1


def test_similarity_reads_the_encoder_once(monkeypatch):
    similarity("yes", "no")
    monkeypatch.setattr(encoder_module, "load_encoder", lambda: pytest.fail("the encoder was read again"))
    similarity("yes", "no")


def test_similarity_is_the_cosine_of_transformers_embeddings(theirs, their_tokenizer):
    hidden, real = their_hidden_states(theirs, their_tokenizer, SENTENCES[:2])
    a, b = (states[keep].mean(dim=0) for states, keep in zip(hidden, real, strict=True))
    assert similarity(*SENTENCES[:2]) == pytest.approx(F.cosine_similarity(a, b, dim=0).item(), abs=ROUNDING)


def test_a_word_vector_is_its_row_of_the_table(ours, theirs, their_tokenizer):
    row = their_tokenizer.get_vocab()["detective"]
    assert torch.equal(ours.word_vector("Detective"), theirs.embeddings.word_embeddings.weight[row])


def test_changing_a_word_vector_leaves_the_encoder_as_it_was(ours):
    before = ours.word_vector("cat").clone()
    ours.word_vector("cat").zero_()
    assert torch.equal(ours.word_vector("cat"), before)


@pytest.mark.parametrize(
    ("word", "reason"),
    [("enquêté", r"'en', '##quet', '##e'"), ("two words", "'two', 'words'"), ("", r"\[\]"), ("🙂", "does not know")],
)
def test_a_word_without_a_row_of_its_own_is_refused(ours, word, reason):
    with pytest.raises(ValueError, match=reason):
        ours.word_vector(word)
    with pytest.raises(ValueError, match=reason):
        ours.neighbours(word)


def test_neighbours_are_the_whole_words_of_the_highest_cosine(ours, theirs, their_tokenizer):
    table = theirs.embeddings.word_embeddings.weight.detach()
    vocabulary = their_tokenizer.get_vocab()
    cosines = F.cosine_similarity(table, table[vocabulary["king"]], dim=1)
    found = ours.neighbours("king", 8)
    for word, cosine in found:
        assert cosine == pytest.approx(cosines[vocabulary[word]].item(), abs=ROUNDING)
    closer = {word for word, row in vocabulary.items() if cosines[row] > found[-1][1] + ROUNDING}
    assert closer - {word for word, _ in found} == {"king"}
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)


def test_neighbours_leave_out_pieces_of_words(ours):
    words = [word for word, _ in ours.neighbours("a", 1000)]
    assert len(words) == 1000
    assert all(word.isalnum() for word in words)


def test_neighbours_of_king_name_the_queen(ours):
    assert "queen" in dict(ours.neighbours("king", 3))


def test_the_same_sentence_gives_the_same_vector_twice(ours):
    assert torch.equal(ours.embed(["Why?"]), ours.embed(["Why?"]))


def test_results_are_plain_numbers_that_keep_no_gradients(ours):
    results = [ours.hidden_states(["Why?"]), ours.embed(["Why?"]), ours.attention("Why?")[1], ours.word_vector("why")]
    assert not any(result.requires_grad for result in results)


def test_the_encoder_can_still_be_fine_tuned(ours):
    assert all(parameter.requires_grad for parameter in ours.encoder.parameters())


def test_its_representation_in_a_notebook_does_not_contain_the_vocabulary(ours):
    assert "##" not in repr(ours)


def test_loading_does_not_change_the_random_state_of_the_caller(ours):
    state = torch.get_rng_state()
    load_encoder("cpu")
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_uses_the_network(folder, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError(f"the network was asked for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_encoder("cpu").embed(["Why?"]).shape == (1, 384)


def test_without_the_data_a_sentence_says_which_command_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "empty"))
    with pytest.raises(data.DataMissing, match=r"course\.py data pretrained-encoder"):
        load_encoder()


def test_similarity_works_once_the_data_has_been_fetched(folder, tmp_path, monkeypatch):
    encoder_module._shared_encoder.cache_clear()
    with monkeypatch.context() as before:
        before.setenv("COURSE_DATA", str(tmp_path / "empty"))
        with pytest.raises(data.DataMissing):
            similarity("Why?", "Why?")
    assert similarity("Why?", "Why?") == pytest.approx(1)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_truncated_file_is_reported_with_a_remedy(copied, name):
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(data.DataBroken, match=r"course\.py data pretrained-encoder"):
        load_encoder()


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("model.safetensors", b'{"', b"??"),
        ("model.safetensors", b"pooler.dense.bias", b"cooler.dense.bias"),
        ("tokenizer.json", b'{"version"', b'{"vers'),
    ],
    ids=["header", "tensor name", "tokenizer"],
)
def test_a_corrupt_file_of_the_right_size_is_reported_with_a_remedy(copied, name, right, wrong):
    with (copied / name).open("r+b") as file:
        at = file.read(20_000).index(right)
        file.seek(at)
        file.write(wrong.ljust(len(right)))
    with pytest.raises(data.DataBroken, match=rf"{name} (cannot be read|is not what it was).*course\.py data"):
        load_encoder()


def test_every_tensor_of_the_file_is_used_or_named_as_unused(folder, ours):
    checkpoint = load_file(folder / "model.safetensors")
    read = [tensor for name, tensor in checkpoint.items() if name not in UNUSED]
    assert len(read) == len(checkpoint) - len(UNUSED) == len(ours.encoder.state_dict())
    assert sum(tensor.numel() for tensor in read) == sum(p.numel() for p in ours.encoder.parameters())


def load_into_encoder(weights: dict[str, torch.Tensor]) -> Encoder:
    return build_with_weights(build_encoder, CONFIG, COURSE, our_weights(weights), Path("model.safetensors"))


def test_weights_that_lack_a_tensor_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.3.output.dense.bias"]
    with pytest.raises(ValueError, match=r"another model: only this model has layers\.3\.feed_forward\.W_2\.bias"):
        load_into_encoder(weights)


def test_weights_with_a_superfluous_tensor_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.6.output.dense.bias"] = torch.zeros(384)
    with pytest.raises(ValueError, match=r"another model: only the file has layers\.6\.feed_forward\.W_2\.bias"):
        load_into_encoder(weights)


def test_weights_of_another_shape_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.position_embeddings.weight"] = torch.zeros(256, 384)
    with pytest.raises(ValueError, match=r"embed\.positions\.table is \(256, 384\) there and \(512, 384\) here"):
        load_into_encoder(weights)


def test_rows_hold_so_many_pieces_between_cls_and_sep_and_the_rest_is_left_out(ours):
    rows = ours.rows(["The detective investigated the old house.", "Why?"], length=5)
    spelled = [[ours.tokenizer.token(i) for i in row] for row in rows.tolist()]
    assert spelled == [
        ["[CLS]", "the", "detective", "investigated", "[SEP]"],
        ["[CLS]", "the", "old", "house", "[SEP]"],
    ]
    with pytest.raises(ValueError, match="length should be from 3 to 512, but is 2"):
        ours.rows(["Why?"], length=2)
