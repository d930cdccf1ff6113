"""The explorer of hidden tokens: what the kernel sends, and what is shown where no script runs."""

import re

import pytest
import torch

from course_lib.pictures.explorers import HiddenTokenExplorer, HiddenTokens, guesses_by_layer
from course_lib.transformer.build import build_masked_language_model
from course_lib.transformer.config import TransformerConfig

MASK = 8
CONFIG = TransformerConfig(
    vocabulary=9,
    d_model=8,
    heads=2,
    d_ff=16,
    layers=3,
    dropout=0.0,
    positions="rotary",
    norm_place="pre",
    pad=None,
    activation="gelu",
)


def look_up(sentence: str) -> HiddenTokens:
    words = sentence.split()
    if "zebra" in words:
        raise ValueError("I have never seen 'zebra'.")
    p = torch.full((len(words), 2, 9), 0.1)
    p[:, 0, 3], p[:, 1, 5] = 0.2, 0.2
    return HiddenTokens(words, [5] * len(words), p)


def explorer() -> HiddenTokenExplorer:
    return HiddenTokenExplorer(look_up, lambda i: f"w{i}", "the king slept", token=2)


def test_the_last_layer_is_the_models_own_guess_and_each_token_is_hidden_in_turn() -> None:
    torch.manual_seed(0)
    model, ids = build_masked_language_model(CONFIG).eval(), torch.tensor([3, 1, 4, 1])
    p = guesses_by_layer(model, ids, MASK)
    assert p.shape == (4, 4, 9)
    for place in range(4):
        hidden = ids.clone()
        hidden[place] = MASK
        torch.testing.assert_close(p[place, -1], model(hidden[None])[0, place].softmax(-1))
    # After the embeddings, nothing of the rest of the text is known: each place has the same guess.
    torch.testing.assert_close(p[0, 0], p[3, 0])
    assert ids.tolist() == [3, 1, 4, 1]


def test_the_guesses_and_the_hidden_tokens_probability_and_rank_are_sent() -> None:
    found = explorer().found
    assert found["tokens"] == ["the", "king", "slept"]
    assert found["guesses"][1][0][0] == ["w3", 0.2]
    assert (found["own"][1], found["rank"][1]) == ([0.1, 0.2], [2, 1])


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers() -> None:
    page = explorer().static_html()
    assert explorer().alt() in page.replace("&#x27;", "'")
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert "“slept” hidden: the last layer's first guess is “w5”, with probability 0.20" in explorer().alt()
    assert len(explorer().alt().split()) <= 60


def test_nothing_comes_from_a_network() -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer()._esm) + str(explorer()._css))


@pytest.mark.parametrize(("typed", "words"), [("the zebra", "never seen"), (" ", "nothing to read"), ("a " * 41, "41")])
def test_a_sentence_that_cannot_be_read_is_reported_and_the_old_picture_stays(typed: str, words: str) -> None:
    shown = explorer()
    shown.sentence = typed
    assert words in shown.found["message"]
    assert shown.found["tokens"] == ["the", "king", "slept"]
    shown.sentence = "a dog"
    assert "message" not in shown.found
    assert shown.found["tokens"] == ["a", "dog"]


def test_an_explorer_of_a_model_sends_that_models_guesses() -> None:
    torch.manual_seed(0)
    model = build_masked_language_model(CONFIG).eval()
    shown = HiddenTokenExplorer.of(model, lambda text: [int(x) for x in text], str, MASK, "314", token=0)
    p, best = guesses_by_layer(model, torch.tensor([3, 1, 4]), MASK)[2, -1].topk(2)
    assert shown.found["tokens"] == ["3", "1", "4"]
    assert [name for name, _ in shown.found["guesses"][2][-1][:2]] == [str(i) for i in best.tolist()]
    assert shown.found["guesses"][2][-1][0][1] == pytest.approx(p[0].item(), abs=1e-4)
