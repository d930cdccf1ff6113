"""The assertions of notebook 07 about its trainings with seed 0 hold for two more seeds, with the notebook's cells."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
import torch
from torch import nn

from course_lib.data.grammar import NOTES_SENTENCE
from course_lib.exercises import all_exercises
from course_lib.scoring.baselines import diagonal
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "07_transformer.ipynb"
CELLS = (
    "def adjectives_with_nouns",
    "def has_new_pair",
    "train_pairs = ",
    "english = WordTokenizer",
    "def new_model",
    "def answers",
    "def guesses",
    "def beside",
    "def kept_weights",
    "def by_head",
    "def hears_nothing",
    "def short_run",
    "def plain_loss",
    "def talk",
    "bigrams = ",
    "def certainty",
    "SYMBOLS, ASK",
    "class Recurrent",
    "def recall(",
)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run the cells that define sentences, models and trainings, on the course's parts and no learner's."""
    names: dict[str, Any] = {"model": None, "nn": nn, "random": random, "torch": torch}
    names |= {each.name: each.reference for each in all_exercises()}
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WORK", str(tmp_path_factory.mktemp("parts")))
        for words in CELLS:
            (source,) = (source for source in sources if words in source)
            exec(source, names)
        yield names
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=[1, 2])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def trained(cells: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train the notebook's Transformer with another seed; the cells' functions use it as `model`."""
    model = cells["new_model"](seed)
    settings = cells["TrainingSettings"](
        epochs=cells["EPOCHS"],
        learning_rate=cells["RATE"],
        schedule="cosine",
        warmup=cells["WARMUP"],
        batch_tokens=1024,
        seed=seed,
        progress=False,
    )
    task = cells["Task"](cells["examples"], cells["to_translate"], pad=cells["french"].pad)
    cells["train"](model, task, settings, device="cpu")
    cells["model"] = model.eval()
    cells["found"] = cells["answers"](cells["tests"], model)
    return cells


@pytest.fixture(scope="module")
def short_runs(cells: dict[str, Any], seed: int) -> dict[str, nn.Module]:
    """Train for 200 steps: unchanged, without cross-attention, and with smoothed labels."""
    short_run = cells["short_run"]
    return {
        "hearing": short_run(seed=seed),
        "deaf": short_run(cells["hears_nothing"], seed=seed),
        "smoothed": short_run(smoothing=0.1, seed=seed),
    }


def share_right(cells: dict[str, Any], of_which: Callable[[Any], bool] = lambda _: True) -> float:
    pairs = [(own, pair) for own, pair in zip(cells["found"], cells["tests"], strict=True) if of_which(pair)]
    return sum(own == pair.french for own, pair in pairs) / len(pairs)


def test_it_translates_new_sentences_and_the_notes_sentence(trained: dict[str, Any]):
    assert share_right(trained) > 0.7
    with torch.no_grad():
        ids = trained["greedy_translation"](trained["model"], trained["english"].encode(NOTES_SENTENCE), 24)
    assert trained["french"].decode(ids) == "le détective a enquêté"


def test_long_sentences_are_harder(trained: dict[str, Any]):
    short = share_right(trained, lambda pair: len(pair.english) <= 5)
    long = share_right(trained, lambda pair: len(pair.english) >= 9)
    assert short >= long - 0.05 > 0.4


def test_new_combinations_of_adjective_and_noun_are_translated_nearly_as_well_as_known_ones(trained: dict[str, Any]):
    shares = []
    for pairs in (trained["known_tests"], trained["new_tests"]):
        own = trained["answers"](pairs, trained["model"])
        shares.append(trained["share_right"](own, pairs))
    known, new = shares
    assert new > known - 0.2
    assert new > 0.5


def test_no_held_out_combination_occurs_in_training_but_all_their_words_do(cells: dict[str, Any]):
    """A pair is an adjective and a noun in either number, adjacent in English or with another adjective between."""
    number = cells["NOUNS"]
    new = {
        two for pair in cells["new_tests"] for two in cells["adjectives_with_nouns"](pair) if cells["held_back"](*two)
    }
    met, words = set[tuple[str, int]](), set[str]()
    for pair in cells["train_pairs"]:
        words |= {*pair.english}
        met |= {(a, number[n]) for a, n in pairwise(pair.english) if n in number}
        met |= {(a, number[n]) for a, between, n in triples(pair.english) if n in number and between not in number}
    assert len(new) > 100
    assert not {(a, number[n]) for a, n in new} & {(a, n) for a, n in met if a in cells["ADJECTIVES"]}
    assert {word for two in new for word in two} <= words


def triples(sentence: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    return zip(sentence, sentence[1:], sentence[2:], strict=False)


def test_each_of_two_adjectives_is_paired_with_its_noun(cells: dict[str, Any]):
    pair = SimpleNamespace(english=("the", "strange", "old", "king", "saw", "bad", "witches"))
    assert sorted(cells["adjectives_with_nouns"](pair)) == [("bad", "witches"), ("old", "king"), ("strange", "king")]
    assert cells["held_back"]("beautiful", "detective")
    assert cells["held_back"]("beautiful", "detectives")


def test_after_an_error_its_own_words_lead_to_more_errors_than_the_right_ones(trained: dict[str, Any]):
    own_words, right_words = [], []
    for own, pair in zip(trained["found"], trained["tests"], strict=True):
        later = range(trained["first_slip"](own, pair.french) + 1, len(pair.french))
        if later:
            taught = trained["guesses"](pair.french[:-1], pair)
            right_words += [taught[j] == pair.french[j] for j in later]
            own_words += [trained["beside"](own, pair.french)[j] == pair.french[j] for j in later]
    # Seeds 0 to 2 gave 0.88 to 0.93, and 0.96 to 0.98 for the right ones.
    assert sum(own_words) / len(own_words) < sum(right_words) / len(right_words)


def test_the_best_head_is_aligned_better_than_the_diagonal(trained: dict[str, Any]):
    pairs = trained["tests"][:150]
    trained["mine"] = [trained["kept_weights"](trained["model"], pair) for pair in pairs]
    trained["gold"] = [set(pair.alignment) for pair in pairs]
    errors = {name: trained["error_rate"](name) for name in trained["by_head"](trained["mine"][0])}
    assert list(errors) == [
        "layer 0, head 0",
        "layer 0, head 1",
        "layer 0, head 2",
        "layer 0, head 3",
        "layer 0, average",
    ]
    baseline = trained["alignment_error_rate"]([diagonal(pair) for pair in pairs], trained["gold"])
    assert min(errors.values()) < baseline - 0.1


def test_a_decoder_with_a_silent_memory_becomes_a_language_model(
    cells: dict[str, Any], short_runs: dict[str, nn.Module]
):
    hearing = cells["plain_loss"](short_runs["hearing"])
    deaf = cells["plain_loss"](short_runs["deaf"], cells["hears_nothing"])
    # A unigram model of French has 5.31 nats, a bigram model 3.16.
    assert hearing < 1.5 < hearing + 1 < deaf < 3.66
    said = cells["talk"](short_runs["deaf"], 400)
    assert cells["share_right"](said, cells["tests"]) < 0.02
    chance = random.Random(0)
    shuffled = [chance.sample(pair.french, len(pair.french)) for pair in cells["tests"]]
    assert cells["known_neighbours"](said) > cells["known_neighbours"](shuffled) + 0.3


def test_smoothing_makes_it_less_confident_and_about_equally_accurate(
    cells: dict[str, Any], short_runs: dict[str, nn.Module]
):
    probability, likeliest = cells["certainty"](short_runs["hearing"])
    smoothed_probability, smoothed_likeliest = cells["certainty"](short_runs["smoothed"])
    assert probability > smoothed_probability + 0.02
    assert abs(likeliest - smoothed_likeliest) < 0.1


def test_a_gru_without_attention_learns_to_recall_when_it_is_trained_longer(cells: dict[str, Any], seed: int):
    # After 120 steps it is at chance, 1 in 8, as the notebook shows with three seeds.
    assert cells["recall"](lambda: cells["Recurrent"](False, 37), seed, steps=400)[-1] > 0.5
