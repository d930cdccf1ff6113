"""The staircases of the KV cache, checked against the drawn cells."""

import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.pictures.figures import cache_staircase, described


def cells(ax: Axes, read: bool) -> set[tuple[int, int]]:
    """The step and the token of each cell that is computed, or read."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle) and bool(patch.get_hatch()) is read]
    return {(round(cell.get_y() + 0.5), round(cell.get_x() + 0.5)) for cell in found}


def test_without_a_cache_each_step_computes_all_tokens_so_far(ax: Axes) -> None:
    assert cache_staircase(ax, 3, cached=False) is ax
    assert cells(ax, read=False) == {(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)}
    assert not cells(ax, read=True)


def test_with_a_cache_each_step_computes_one_token_and_reads_the_others(ax: Axes) -> None:
    cache_staircase(ax, 3, cached=True)
    assert cells(ax, read=False) == {(1, 1), (2, 2), (3, 3)}
    assert cells(ax, read=True) == {(2, 1), (3, 1), (3, 2)}


@pytest.mark.parametrize(
    ("T", "cached", "title"),
    [
        (64, False, "without a cache: T(T + 1) / 2 = 2080 rows"),
        (64, True, "with a cache: T = 64 rows"),
        (1, True, "with a cache: T = 1 row"),
    ],
)
def test_the_title_counts_the_rows(ax: Axes, T: int, cached: bool, title: str) -> None:
    cache_staircase(ax, T, cached)
    assert ax.get_title(loc="left") == title
    assert len(cells(ax, read=False)) == int(title.split()[-2])


def test_the_description_counts_the_computed_and_the_read_rows(ax: Axes) -> None:
    assert described(cache_staircase(ax, 8, cached=False)) == (
        "Without a cache, 8 steps compute 36 rows, one for each filled cell."
    )
    assert described(cache_staircase(ax, 8, cached=True)) == (
        "With a cache, 8 steps compute 8 rows, one for each filled cell, and the keys and values of 28 are read from "
        "the cache."
    )


def test_steps_run_downwards_and_both_axes_are_labelled(ax: Axes) -> None:
    cache_staircase(ax, 4, cached=True)
    assert ax.yaxis_inverted()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("token (filled: computed; hatched: read)", "step")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("T", [0, 65])
def test_no_tokens_and_too_many_are_refused(ax: Axes, T: int) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 64, but is {T}"):
        cache_staircase(ax, T, cached=True)
