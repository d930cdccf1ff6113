"""The explorers of sampling and of beam search: what the kernel sends, and what is shown where no script runs."""

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from course_lib.pictures.explorers import BeamExplorer, SamplingExplorer
from course_lib.pictures.explorers.base import Explorer
from course_lib.pretrained import load_tales_model, load_translator
from course_lib.text.vocabulary import BOS, EOS, SPECIALS
from course_lib.writing.beam import Candidate, beam_search
from course_lib.writing.choose import sample

NAMES = (*SPECIALS, "the", "a", "cat", "dog")
# What follows each word, by hand. Greedy decoding takes “the cat”, 0.5 · 0.4 · 0.4 = 0.08, and misses “a dog”,
# 0.4 · 0.9 · 0.9 = 0.324.
FOLLOWS = {
    "[bos]": {"the": 0.5, "a": 0.4, "[eos]": 0.1},
    "the": {"cat": 0.4, "dog": 0.35, "[eos]": 0.25},
    "a": {"dog": 0.9, "cat": 0.1},
    "cat": {"[eos]": 0.4, "the": 0.3, "a": 0.3},
    "dog": {"[eos]": 0.9, "the": 0.1},
}


class Handmade(torch.nn.Module):
    """A language model whose next word depends only on the last one, with the given probabilities."""

    def __init__(self) -> None:
        super().__init__()
        table = torch.full((len(NAMES), len(NAMES)), -50.0)
        for last, shares in FOLLOWS.items():
            for word, share in shares.items():
                table[NAMES.index(last), NAMES.index(word)] = math.log(share)
        self.table = torch.nn.Parameter(table)

    def forward(self, ids: Tensor) -> Tensor:
        return self.table[ids]  # (B, T, V)


def handmade(beams: tuple[int, ...] = (1, 2), max_length: int = 4) -> BeamExplorer:
    return BeamExplorer.of(Handmade(), [BOS], NAMES.__getitem__, beams, max_length=max_length, stop=[EOS])


def sampling(prompt: str = "Once upon a ti") -> SamplingExplorer:
    return SamplingExplorer(load_tales_model(), prompt)


def translating(sentence: str = "the detective investigated") -> BeamExplorer:
    return BeamExplorer(load_translator(), sentence)


def request(first: str, seed: int = 1, **settings: float) -> dict[str, object]:
    """The request of the browser once it has drawn the first character after two beginnings."""
    texts = [{"prompt": prompt, "first": load_tales_model().encode(first)[0]} for prompt in ("Once upon a ti", "The ")]
    return {
        "key": f"{first} {seed}",
        "temperature": 1,
        "top_k": 76,
        "top_p": 1,
        "seed": seed,
        "texts": texts,
    } | settings


@pytest.fixture(params=[sampling, translating, handmade])
def explorer(request: pytest.FixtureRequest) -> Explorer:
    make: Callable[[], Explorer] = request.param
    return make()


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers(explorer: Explorer) -> None:
    page = explorer.static_html()
    assert explorer.alt() in page.replace("&#x27;", "'")
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert len(explorer.alt().split()) <= 60


def test_nothing_comes_from_a_network(explorer: Explorer) -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer._esm) + str(explorer._css))


def test_the_logits_that_are_sent_are_those_of_the_model() -> None:
    explorer, tales = sampling(), load_tales_model()
    logits = tales.model(torch.tensor([tales.encode("Once upon a ti")]))[0, -1]
    assert torch.tensor(explorer.answer["logits"]).allclose(logits)
    assert explorer.names == [*SPECIALS, *tales.characters]


@pytest.mark.parametrize("prompt", ["And the q", "The ", "Once upon a ti"])
def test_the_stated_number_of_characters_has_nine_tenths_of_the_probability(prompt: str) -> None:
    answer = sampling(prompt).answer
    ordered = sorted(torch.tensor(answer["logits"]).softmax(-1).tolist(), reverse=True)
    assert sum(ordered[: answer["nucleus"]]) >= 0.9 > sum(ordered[: answer["nucleus"] - 1])


def test_a_text_longer_than_the_models_positions_is_read_from_its_last_characters() -> None:
    long = "Once upon a time there was a king who had a daughter, and the daughter had a golden ball and a q"
    assert sampling(long).answer["logits"] == pytest.approx(sampling(long[-64:]).answer["logits"], abs=1e-5)


def test_unknown_characters_are_reported_and_the_old_distribution_stays() -> None:
    explorer = sampling()
    before = explorer.answer
    explorer.prompt = "Žižek"
    assert explorer.answer["message"].startswith("I have never seen 'Ž' or 'ž'")
    assert explorer.answer["logits"] == before["logits"]
    explorer.prompt = "The "
    assert "message" not in explorer.answer
    explorer.prompt = ""
    assert explorer.answer["message"].startswith("the text is empty")


def test_an_unknown_character_in_the_notebook_raises() -> None:
    with pytest.raises(ValueError, match="never seen 'Ž'"):
        sampling("Ž")
    with pytest.raises(ValueError, match="at least one beginning"):
        SamplingExplorer(load_tales_model(), "The ", beside=())


def test_the_text_continues_from_the_character_that_the_browser_drew() -> None:
    explorer, tales = sampling(), load_tales_model()
    explorer.request = request("m", seed=5, temperature=0.7, top_k=9, top_p=0.8)
    own = sample(
        tales.model,
        [tales.encode("Once upon a tim"), tales.encode("The m")],
        39,
        temperature=0.7,
        top_k=9,
        top_p=0.8,
        generator=torch.Generator().manual_seed(5),
    )
    assert explorer.drawn == {"key": "m 5", "texts": [tales.decode(ids) for ids in own]}


def test_at_temperature_0_the_text_is_the_likeliest_one() -> None:
    explorer = sampling()
    explorer.request = request("m", temperature=0)
    assert "Once upon a tim" + explorer.drawn["texts"][0] == load_tales_model().complete("Once upon a tim", 39)


def test_another_seed_is_another_text_and_the_same_seed_the_same() -> None:
    explorer, texts = sampling(), []
    for key, seed in enumerate((1, 2, 1)):
        explorer.request = request("m", seed) | {"key": str(key)}
        texts.append(explorer.drawn["texts"])
    assert texts[0] == texts[2] != texts[1]


def test_greedy_decoding_misses_the_best_text_and_two_beams_find_it() -> None:
    explorer = handmade()
    assert explorer.hypotheses(1)[0][:2] == ("the cat", pytest.approx(math.log(0.08), abs=1e-5))
    assert explorer.hypotheses(2)[0][:2] == ("a dog", pytest.approx(math.log(0.324), abs=1e-5))
    assert "1 beam finds “the cat”, −2.53; 2 beams find “a dog”, −1.13" in explorer.alt()


@pytest.mark.parametrize("beams", ["1", "2"])
def test_the_greedy_choice_is_marked_in_every_search(beams: str) -> None:
    steps = handmade().result["searches"][beams]
    marked = [[each["name"] for each in candidates if each["greedy"]] for candidates in steps]
    assert marked[:3] == [["the"], ["cat"], ["[eos]"]]
    assert not any(marked[3:])


@pytest.mark.parametrize("beams", [1, 2, 3, 4])
def test_each_candidate_extends_the_one_that_it_points_to(beams: int) -> None:
    translator, watched = load_translator(), list[list[Candidate]]()
    ids, french = translator.english.encode("the detective investigated"), translator.french
    beam_search(translator.model, [ids], beams=beams, bos=french.bos, stop=[french.eos], watch=watched.append)
    steps = translating().result["searches"][str(beams)]

    def spelt(step: int, index: int) -> list[str]:
        each = steps[step][index]
        return [*(spelt(step - 1, each["parent"]) if each["parent"] >= 0 else []), each["name"]]

    found = [[spelt(step, index) for index in range(len(each))] for step, each in enumerate(steps)]
    assert found == [[[french.token(i) for i in candidate.ids] for candidate in each] for each in watched]
    assert [[each["fate"] for each in step] for step in steps] == [[each.fate for each in step] for step in watched]
    assert [each["total"] for each in steps[0]] == pytest.approx([each.log_probability for each in watched[0]])


@pytest.mark.parametrize("beams", [1, 2, 3, 4])
def test_the_hypotheses_are_those_of_beam_search(beams: int) -> None:
    translator = load_translator()
    ids, french = translator.english.encode("the detective investigated"), translator.french
    (best,) = beam_search(translator.model, [ids], beams=beams, n_best=beams, bos=french.bos, stop=[french.eos])
    ours = translating().hypotheses(beams)
    assert [text for text, _, _ in ours] == [" ".join(french.decode_words(each.ids)) for each in best]
    assert [score for _, _, score in ours] == pytest.approx([each.score for each in best], abs=1e-5)


def test_without_a_length_penalty_the_score_is_the_log_probability() -> None:
    for _, total, score in translating().hypotheses(4, alpha=0):
        assert score == total


def test_unknown_words_are_reported_and_the_old_tree_stays() -> None:
    explorer = translating()
    before = explorer.result["searches"]
    explorer.sentence = "the zebra investigated"
    assert explorer.result["message"].startswith("I have never seen 'zebra'")
    assert explorer.result["searches"] == before
    explorer.sentence = "the king slept"
    assert "message" not in explorer.result
    assert explorer.hypotheses(1)[0][0] == load_translator().translate("the king slept")


def test_a_first_sentence_that_cannot_be_translated_gets_the_reason_as_an_answer() -> None:
    explorer = translating("the zebra")
    assert "never seen &#x27;zebra&#x27;" in explorer.static_html()
    explorer.sentence = "the king slept"
    assert "<table>" in explorer.static_html()


def test_a_stop_token_is_no_part_of_the_text_and_the_longest_length_ends_one_too() -> None:
    for longest in (4, 2):
        explorer = BeamExplorer.of(Handmade(), [BOS], NAMES.__getitem__, (2,), max_length=longest, stop=(EOS,))
        assert [text for text, _, _ in explorer.hypotheses(2)] == ["a dog", "the cat"]
        shown = explorer.alt() + explorer.static_html()
        assert ("(cut at 2 tokens)" in shown, ", cut at 2 tokens<" in shown) == (longest == 2, longest == 2)
        assert (", ended" in shown) == (longest == 4)


@pytest.mark.parametrize("beams", [(), (0, 2)])
def test_no_beams_and_a_number_below_1_are_refused(beams: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"none below 1, but it is {beams}")):
        handmade(beams)
