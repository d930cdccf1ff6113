"""Explorers: what the kernel sends, what is shown without a script, and that nothing comes from a network."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from course_lib.pictures.explorers import (
    AttentionExplorer,
    Lookup,
    TranslateBox,
    guesses,
    self_attention_of,
)
from course_lib.pictures.explorers.base import Explorer
from course_lib.transformer.models import Encoder
from course_lib.transformer.watching import watch_attention
from tests.notebooks import kernels

SOURCE, TARGET = ["the", "key"], ["la", "clé"]
WEIGHTS = torch.tensor([[0.75, 0.25], [0.125, 0.875]])


class FixedTranslator:
    def translation(self, sentence: str) -> SimpleNamespace:
        if "zebra" in sentence:
            raise ValueError("I have never seen “zebra”.")
        return SimpleNamespace(source=SOURCE, target=TARGET, weights=WEIGHTS, text="la clé")


def look_up(sentence: str) -> Lookup:
    if not sentence:
        raise ValueError("Type a sentence first.")
    tokens = sentence.split()
    eye = torch.eye(len(tokens)).expand(2, 3, -1, -1)
    return Lookup(tokens, tokens, query=4 * eye, key=eye, value=eye)


@pytest.fixture(
    params=[lambda: TranslateBox(FixedTranslator(), "the key"), lambda: AttentionExplorer(look_up, "a b c d")]
)
def explorer(request: pytest.FixtureRequest) -> Explorer:
    make: Callable[[], Explorer] = request.param
    return make()


def test_the_box_sends_words_and_weights_of_the_sentence() -> None:
    box = TranslateBox(FixedTranslator(), "the key")
    assert box.answer == {"to": "the key", "source": SOURCE, "target": TARGET, "weights": WEIGHTS.tolist()}
    assert box.translation == "la clé"


def test_a_sentence_that_cannot_be_translated_gets_the_reason_as_an_answer() -> None:
    box = TranslateBox(FixedTranslator(), "the key")
    box.sentence = "the zebra"
    assert box.answer == {"message": "I have never seen “zebra”.", "to": "the zebra"}
    assert "never seen" in box.static_html()
    box.sentence = "the key again"
    assert box.translation == "la clé"


def test_the_explorer_sends_scores_divided_by_the_root_of_d_k() -> None:
    explorer = AttentionExplorer(look_up, "a b c d")
    assert explorer.lookup["d_k"] == 4
    assert explorer.lookup["scores"][1][2][0] == [2.0, 0.0, 0.0, 0.0]


def test_a_sentence_that_cannot_be_read_gets_the_reason_as_an_answer() -> None:
    explorer = AttentionExplorer(look_up, "a b")
    explorer.sentence = ""
    assert explorer.lookup == {"message": "Type a sentence first.", "to": ""}


def test_tokens_that_do_not_match_their_tensor_are_refused_with_both_sizes() -> None:
    three = torch.zeros(1, 1, 3, 4)
    with pytest.raises(
        ValueError, match=r"query should be \(N, H, 2, d_k\) for 2 tokens, but its shape is \(1, 1, 3, 4\)"
    ):
        Lookup(["a", "b"], ["a", "b", "c"], three, three, three)


IDS = {"the": 3, "key": 4, "is": 5}


def read(sentence: str) -> tuple[list[str], torch.Tensor]:
    tokens = sentence.split()
    if "zebra" in tokens:
        raise ValueError("I have never seen “zebra”.")
    return tokens, torch.tensor([[IDS[token] for token in tokens]])


def small_encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(9, d_model=8, heads=4, d_ff=8, layers=2).eval()


def test_an_encoder_lookup_gives_the_weights_of_all_its_layers() -> None:
    encoder = small_encoder()
    found = self_attention_of(encoder, read)("the key is the key")
    with watch_attention(encoder) as seen:
        encoder(torch.tensor([[3, 4, 5, 3, 4]]))
    assert list(found.queries) == list(found.keys) == ["the", "key", "is", "the", "key"]
    assert found.value.shape == (2, 4, 5, 2)
    assert not found.query.requires_grad
    for layer in range(2):
        expected = seen[f"layers.{layer}.self_attention"].weights[0]
        torch.testing.assert_close(found.scores()[layer].softmax(dim=-1), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("  ", "There is nothing to read yet"),
        ("the " * 29, "That makes 29 tokens, and there is room for 28"),
        ("the zebra", "never seen “zebra”"),
    ],
)
def test_a_sentence_that_an_encoder_cannot_show_gets_the_reason_as_an_answer(sentence: str, words: str) -> None:
    explorer = AttentionExplorer(self_attention_of(small_encoder(), read), "the key")
    explorer.sentence = sentence
    assert words in explorer.lookup["message"]
    explorer.sentence = "the " * 28
    assert len(explorer.lookup["keys"]) == 28


def test_layers_and_heads_are_counted_from_0() -> None:
    assert "layer 1, head 2 on" in AttentionExplorer(look_up, "a b", head=(1, 2)).alt()


def test_the_static_table_has_a_header_for_each_word_and_the_weights(explorer: Explorer) -> None:
    page = explorer.static_html()
    assert page.count('scope="row"') == page.count('scope="col"') > 1
    assert "<caption>" in page


def test_the_text_alternative_and_the_representation_are_the_same_sentence(explorer: Explorer) -> None:
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == repr(explorer) == explorer.alt()
    assert re.search(r"\d\.\d\d|la clé", explorer.alt())


def test_nothing_is_loaded_from_the_network(explorer: Explorer) -> None:
    without_names = (str(explorer._esm) + str(explorer._css)).replace("http://www.w3.org/2000/svg", "")
    assert "//" not in re.sub(r"^\s*//.*$|\s//\s.*$", "", without_names, flags=re.MULTILINE)
    assert not re.search(r"\b(import|fetch|XMLHttpRequest|WebSocket)\b", without_names)


def test_key_presses_do_not_reach_the_notebook(explorer: Explorer) -> None:
    assert "lmSuppressShortcuts" in str(explorer._esm)


def test_a_question_is_sent_first_and_precedes_the_picture_where_no_script_runs(explorer: Explorer) -> None:
    before = explorer._repr_mimebundle_()[0]
    same = explorer.ask_first("which <word>?", {"the first": "No: see.", "the second": "Right & well."})
    assert same is explorer
    assert explorer.guess == {
        "question": "which <word>?",
        "replies": {"the first": "No: see.", "the second": "Right & well."},
    }
    after = explorer._repr_mimebundle_()[0]
    asked = (
        "<p>Guess first: which &lt;word&gt;?</p><details><summary>the first</summary>No: see.</details>"
        "<details><summary>the second</summary>Right &amp; well.</details>"
    )
    assert after["text/html"] == asked + before["text/html"]
    assert after["text/plain"] == before["text/plain"]


def test_each_guess_is_used_in_a_notebook_and_distinguishes_right_from_wrong() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in kernels.NOTEBOOKS)
    asked = {name: guess for name, guess in vars(guesses).items() if name.isupper()}
    assert len(asked) == 8
    for name, (question, replies, *_) in asked.items():
        assert sources.count(f"ask_first(*guesses.{name})") == 1
        assert question.endswith("?")
        assert sum(reply.startswith("Right") for reply in replies.values()) == 1 < len(replies)


def test_a_question_with_one_answer_is_refused(explorer: Explorer) -> None:
    with pytest.raises(ValueError, match="a guess needs at least two answers to choose from, but there are 1"):
        explorer.ask_first("which?", {"this": "Right."})
