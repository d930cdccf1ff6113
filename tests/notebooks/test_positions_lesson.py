"""The assertions of notebook 04 about its trainings hold for two more seeds, with the notebook's cells."""

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
import torch
from torch import nn

from course_lib import yours
from course_lib.exercises import all_exercises
from tests.notebooks import kernels

NOTEBOOK = kernels.ROOT / "notebooks" / "04_positions.ipynb"
CELLS = ("def as_it_is_and_shuffled", "def questions", "class Order(", "def accuracy_by_length", "class OrderByMask")
CHANCE = 0.5
ROUNDING = 0.08  # five standard deviations of the share of heads in 1000 coin tosses
SHORT, LONGEST_LEARNED, LONGER, TWICE, THRICE = 8, 16, 20, 32, 48


@pytest.fixture(scope="module")
def cells() -> Iterator[dict[str, Any]]:
    """Run the cells that define the task, the models and their training, on the course's parts."""
    names: dict[str, Any] = {"nn": nn, "torch": torch, "yours": yours} | {
        each.name: each.reference for each in all_exercises()
    }
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for words in CELLS:
        (source,) = (source for source in sources if words in source)
        exec(source, names)
    yield names
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=[3, 4])
def shares(cells: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, dict[int, float]]:
    """Train each kind of positions with another seed: kind → length → share of right answers."""
    kinds = ("sinusoidal", "learned", "rotary")
    of_kind = {kind: cells["accuracy_by_length"](kind, request.param) for kind in kinds}
    return {kind: dict(zip(cells["LENGTHS"], row, strict=True)) for kind, row in of_kind.items()}


@pytest.mark.parametrize("seed", range(5))
def test_a_shuffled_input_gives_a_shuffled_output_unless_there_is_a_causal_mask(cells: dict[str, Any], seed: int):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, 7, 16, generator=generator, dtype=torch.float64)
    plain, shuffled = cells["as_it_is_and_shuffled"](tokens)
    assert (plain - shuffled).abs().max() < 1e-12
    # Under the mask seeds 0 to 4 gave 0.29 to 0.58 for a token, 0.09 to 0.19 for their mean.
    plain, shuffled = cells["as_it_is_and_shuffled"](tokens, cells["MASK"])
    assert (plain - shuffled).abs().max() > 0.1
    assert (plain.mean(dim=1) - shuffled.mean(dim=1)).abs().max() > 0.01


@pytest.mark.parametrize("seed", [1, 2])
def test_without_positions_an_encoder_stays_at_chance_at_every_length(cells: dict[str, Any], seed: int):
    # Seeds 0 to 4 gave 0.47 to 0.53.
    assert cells["accuracy_by_length"]("none", seed) == pytest.approx([CHANCE] * 6, abs=ROUNDING)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_causal_mask_alone_is_enough_for_this_order_at_every_length(cells: dict[str, Any], seed: int):
    # Seeds 0 to 4 gave 1.00 everywhere.
    assert min(cells["accuracy_by_length"]("none", seed, cells["OrderByMask"])) > 0.95


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary"])
def test_each_kind_of_positions_works_at_the_lengths_of_its_training(shares: dict[str, dict[int, float]], kind: str):
    # Seeds 0 to 4 gave 0.96 and more; at 16, 1.00 but for learned positions, 0.78 to 1.00.
    assert shares[kind][SHORT] > 0.9
    assert shares[kind][LONGEST_LEARNED] > (0.7 if kind == "learned" else 0.95)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary"])
def test_no_kind_of_positions_works_at_three_times_the_length(shares: dict[str, dict[int, float]], kind: str):
    # Seeds 0 to 4 gave 0.32 to 0.60.
    assert shares[kind][THRICE] < 0.7


def test_beyond_the_training_lengths_rotary_loses_least_and_learned_positions_most(shares: dict[str, dict[int, float]]):
    # Seeds 0 to 4 gave learned 0.59 to 0.74, sinusoidal 0.84 to 0.88, rotary 0.97 to 1.00.
    assert shares["learned"][LONGER] < shares["sinusoidal"][LONGER] < shares["rotary"][LONGER]
    assert shares["learned"][TWICE] < 0.7
