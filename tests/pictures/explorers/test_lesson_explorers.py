"""The explorers of lessons 04, 05 and 07: what the kernel sends, and what is shown where no script runs."""

import math
import re

import pytest
import torch

from course_lib.pictures.explorers import AlignedSentence, AlignmentExplorer, DepthExplorer, PositionsExplorer
from course_lib.pictures.explorers.base import Explorer

SOURCE, TARGET = ("the", "detective", "investigated"), ("le", "détective", "a", "enquêté")
GOLD = {(0, 0), (1, 1), (2, 2), (2, 3)}


def reading(*read: int) -> torch.Tensor:
    """Weights (T, S) with which each target word attends mostly to the source word of the given number."""
    return 0.1 + 0.7 * torch.nn.functional.one_hot(torch.tensor(read), len(SOURCE)).double()


def example() -> AlignedSentence:
    # Head 0 attends to the right words, head 1 always to the first word.
    return AlignedSentence(SOURCE, TARGET, torch.stack([reading(0, 1, 2, 2), reading(0, 0, 0, 0)])[None], GOLD)


def runs() -> dict[str, dict[str, torch.Tensor]]:
    lost = torch.tensor([2.0, math.nan, math.inf])
    return {
        "even": {"loss": torch.tensor([2.0, 1.5, 1.0]), "gradient": torch.ones(3, 4)},
        "astray": {"loss": lost, "gradient": torch.tensor([[1.0, 2.0, 4.0, 8.0]] * 3)},
    }


@pytest.fixture(params=[PositionsExplorer, lambda: DepthExplorer(runs()), lambda: AlignmentExplorer([example()])])
def explorer(request: pytest.FixtureRequest) -> Explorer:
    return request.param()


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers(explorer: Explorer):
    page = explorer.static_html()
    assert explorer.alt() in page.replace("&#x27;", "'")
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert len(explorer.alt().split()) <= 60


def test_nothing_comes_from_a_network(explorer: Explorer):
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer._esm) + str(explorer._css))


def test_the_table_of_positions_is_that_of_the_paper():
    table = PositionsExplorer(d_model=8, length=5).table
    assert table[0] == [0, 1] * 4
    assert table[3][2] == pytest.approx(math.sin(3 / 10_000 ** (2 / 8)), abs=1e-4)


def test_the_positions_explorer_states_dot_products():
    assert "16.0 at 0, 15.3 at 1" in PositionsExplorer(d_model=32, length=48).alt()  # 16 clocks; Σ cos of their speeds


def test_the_period_of_a_clock_is_two_pi_divided_by_its_speed():
    # Section 3.5: the wavelengths go from 2π up to 10000 · 2π; the last one's clock is 10000^(6/8) times slower.
    assert PositionsExplorer(d_model=8, length=5).turns == pytest.approx([6.28, 62.83, 628.3, 6283.2], abs=0.06)


@pytest.mark.parametrize(("d_model", "length"), [(7, 10), (6, 10), (8, 1)])
def test_a_width_or_length_that_shows_nothing_is_refused(d_model: int, length: int):
    with pytest.raises(ValueError, match=f"but they are {d_model} and {length}"):
        PositionsExplorer(d_model, length)


def test_numbers_that_are_not_finite_are_sent_as_null():
    sent = DepthExplorer(runs()).runs
    assert sent["astray"]["loss"] == [2.0, None, None]
    assert sent["even"]["gradient"] == [[1.0] * 4] * 3


def test_the_depth_explorer_says_how_the_gradient_grows_with_depth_and_which_runs_diverged():
    words = DepthExplorer(runs()).alt()
    assert "even 1, 1.50" in words
    assert "astray 8, not finite from step 2" in words


def test_a_run_diverges_by_its_gradient_or_by_its_loss():
    gradient = torch.ones(3, 4)
    gradient[2, 1] = math.inf
    explorer = DepthExplorer({"x": {"loss": torch.ones(3), "gradient": gradient}})
    assert explorer.runs["x"]["gradient"][2] == [1, None, 1, 1]
    assert "x 1, not finite from step 3" in explorer.alt()


def test_runs_of_different_lengths_and_depths_share_one_table():
    short = {"loss": torch.ones(1), "gradient": torch.full((1, 2), 0.5)}
    page = DepthExplorer({"short": short, **runs()}).static_html()
    assert page.count('scope="col"') == 4
    assert '<th scope="row">short</th><td>0.5</td><td>0.5</td><td>–</td><td>–</td>' in page


def test_five_runs_are_described_in_no_more_than_60_words():
    five = {f"post-norm, warm-up {i}": runs()["even"] for i in range(5)}
    assert len(DepthExplorer(five).alt().split()) <= 60


def test_runs_whose_shapes_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"run 'x' should have losses .* are \(3,\) and \(2, 4\)"):
        DepthExplorer({"x": {"loss": torch.ones(3), "gradient": torch.ones(2, 4)}})
    with pytest.raises(ValueError, match=r"are \(0,\) and \(0, 4\)"):
        DepthExplorer({"x": {"loss": torch.ones(0), "gradient": torch.ones(0, 4)}})
    with pytest.raises(ValueError, match="no runs"):
        DepthExplorer({})


def test_error_rates_of_heads_and_of_their_average():
    explorer = AlignmentExplorer([example()])
    assert explorer.data["heads"] == ["layer 0, head 0", "layer 0, head 1", "layer 0, average"]
    # Head 0 agrees on all 4 links; head 1 on 1 of 4 predicted and 4 true: 1 - 2 / 8.
    assert explorer.data["errors"][:2] == [0, 0.75]
    assert explorer.head == 0
    assert "layer 0, head 0 is best, with an alignment error rate of 0.00" in explorer.alt()


def test_weights_that_do_not_match_the_words_are_refused():
    with pytest.raises(ValueError, match=r"weights should be \(N, H, 4, 3\), but their shape is \(1, 2, 3, 4\)"):
        AlignedSentence(SOURCE, TARGET, torch.ones(1, 2, 3, 4), GOLD)


@pytest.mark.parametrize("link", [(3, 0), (0, 4), (-1, 0)])
def test_a_link_to_a_word_that_does_not_exist_is_refused(link: tuple[int, int]):
    with pytest.raises(
        ValueError, match=rf"3 source words with 4 target words, .* one link is \({link[0]}, {link[1]}\)"
    ):
        AlignedSentence(SOURCE, TARGET, example().weights, {(0, 0), link})


def test_all_examples_have_the_same_heads():
    one_head = AlignedSentence(SOURCE, TARGET, example().weights[:, :1], GOLD)
    with pytest.raises(ValueError, match="the same number of layers and heads"):
        AlignmentExplorer([example(), one_head])
