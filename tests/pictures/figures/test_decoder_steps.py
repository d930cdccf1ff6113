"""A decoder's steps as chips, checked against the given tokens."""

import pytest
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures import decoder_steps, described

GOLD = ("ma", "petite", "oie", "[eos]")
OWN = ("mon", "petit", "oie", "[eos]")


FIGSIZE = (8, 2)


def row(ax: Axes, y: float) -> list[str]:
    """The words at a given height, from left to right."""
    texts = [text for text in ax.texts if text.get_position()[1] == y]
    return [text.get_text() for text in sorted(texts, key=lambda text: text.get_position()[0])]


def outlined(ax: Axes) -> list[tuple[int, int]]:
    """The row and the step of each chip with a thick border."""
    chips = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    return [divmod(i, len(GOLD)) for i, chip in enumerate(chips) if chip.get_linewidth() > 2]


def test_the_three_rows_are_aligned_and_each_step_is_marked(ax: Axes) -> None:
    assert decoder_steps(ax, ("[bos]", *GOLD[:-1]), GOLD, ("mon", "petite", "oie", "[eos]")) is ax
    assert [row(ax, y) for y in (0, 1, 2)] == [
        ["reads", "[bos]", "ma", "petite", "oie"],
        ["should say", "ma", "petite", "oie", "[eos]"],
        ["says", "mon", "petite", "oie", "[eos]"],
    ]
    assert row(ax, 2.75) == ["✗", "✓", "✓", "✓"]
    chips = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    middles = [chip.get_x() + chip.get_width() / 2 for chip in chips]
    assert middles[:4] == middles[4:8] == middles[8:]
    assert sorted(x for x, y in (text.get_position() for text in ax.texts) if x > 0) == sorted(middles + middles[:4])


def test_a_wrong_word_has_a_thick_border_where_it_is_predicted_and_where_it_is_read(ax: Axes) -> None:
    decoder_steps(ax, ("[bos]", *OWN[:-1]), GOLD, OWN)
    assert outlined(ax) == [(0, 1), (0, 2), (2, 0), (2, 1)]


def test_with_teacher_forcing_an_error_does_not_spread(ax: Axes) -> None:
    decoder_steps(ax, ("[bos]", *GOLD[:-1]), GOLD, ("mon", "petite", "oie", "[eos]"))
    assert outlined(ax) == [(2, 0)]
    assert described(ax) == "4 steps of a decoder, 3 of them right. At step 1 it says “mon” where “ma” is right."


def test_the_description_says_how_many_wrong_tokens_are_read(ax: Axes) -> None:
    decoder_steps(ax, ("[bos]", *OWN[:-1]), GOLD, OWN)
    assert described(ax) == (
        "4 steps of a decoder, 2 of them right. At step 1 it says “mon” where “ma” is right. "
        "It then reads 2 wrong tokens."
    )


def test_a_single_wrong_token_is_one_token(ax: Axes) -> None:
    decoder_steps(ax, ("[bos]", "le", *GOLD[1:-1]), GOLD, GOLD)
    assert described(ax).endswith("It then reads 1 wrong token.")


def test_a_long_sentence_stays_inside_its_axes(ax: Axes) -> None:
    long = ("particulièrement",) * 14
    decoder_steps(ax, ("[bos]", *long[1:]), long, long)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    frame = ax.get_window_extent()
    assert all(text.get_window_extent().x1 <= frame.x1 + 1 for text in ax.texts)


@pytest.mark.parametrize("rows", [((), (), ()), (GOLD, GOLD, GOLD[:-1])])
def test_rows_of_different_lengths_and_no_steps_are_refused(ax: Axes, rows: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(ValueError, match=f"but they have {len(rows[0])}, {len(rows[1])} and {len(rows[2])}"):
        decoder_steps(ax, *rows)
