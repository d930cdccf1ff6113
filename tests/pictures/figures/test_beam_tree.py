"""The tree of a beam search, checked against the given steps."""

import math
import re

import pytest
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures import beam_tree, described
from course_lib.pretrained import load_translator
from course_lib.writing.beam import Candidate, beam_search

NAMES = ("the", "a", "cat", "dog", "[eos]")
STEPS = [
    [Candidate([0], math.log(0.5), "kept"), Candidate([1], math.log(0.4), "kept"), Candidate([4], -2.3, "dropped")],
    [
        Candidate([1, 3], math.log(0.36), "kept"),
        Candidate([0, 2], math.log(0.2), "kept"),
        Candidate([0, 3], math.log(0.175), "dropped"),
    ],
    [Candidate([1, 3, 4], math.log(0.324), "ended"), Candidate([0, 2, 4], math.log(0.08), "ended")],
]


FIGSIZE = (9, 4)


def boxes(ax: Axes) -> list[FancyBboxPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def test_each_text_shows_its_token_its_outcome_and_its_log_probability(ax: Axes) -> None:
    assert beam_tree(ax, STEPS, NAMES.__getitem__) is ax
    words = [text.get_text() for text in ax.texts]
    assert words == [
        *("start", "step 1", "the", "−0.69", "a", "−0.92", "[eos] ✗", "−2.30"),
        *("step 2", "cat", "−1.61", "dog ✗", "−1.74", "dog", "−1.02"),
        *("step 3", "[eos] ■", "−2.53", "[eos] ■", "−1.13"),
    ]


def test_kept_dropped_and_ended_differ_in_their_borders(ax: Axes) -> None:
    beam_tree(ax, STEPS, NAMES.__getitem__)
    borders = [(box.get_linewidth(), box.get_linestyle() == "-") for box in boxes(ax)]
    kept, dropped, ended = (1.5, True), (1.2, False), (3.0, True)
    assert borders == [kept, kept, dropped, kept, dropped, kept, ended, ended]


def test_lines_are_as_thick_as_their_texts_are_likely_and_dashed_where_dropped(ax: Axes) -> None:
    beam_tree(ax, STEPS[:1], NAMES.__getitem__)
    assert [line.get_linewidth() for line in ax.lines] == pytest.approx([4.5, 3.6, 1.0])
    assert [line.get_linestyle() for line in ax.lines] == ["-", "-", "--"]


def test_lines_join_each_text_to_the_one_that_it_extends(ax: Axes) -> None:
    beam_tree(ax, STEPS, NAMES.__getitem__)
    middles = [(box.get_x(), box.get_y() + box.get_height() / 2, box.get_width()) for box in boxes(ax)]
    starts = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines]  # type: ignore[index]
    parents = [None, None, None, 0, 0, 1, 3, 5]
    for (x, y), parent in zip(starts, parents, strict=True):
        if parent is not None:
            assert (x, y) == pytest.approx((middles[parent][0] + middles[parent][2], middles[parent][1]))


def test_nothing_overlaps_with_four_beams_and_six_steps(ax: Axes) -> None:
    translator, steps = load_translator(), list[list[Candidate]]()
    ids, french = translator.english.encode("the old king read the letter"), translator.french
    beam_search(translator.model, [ids], beams=4, bos=french.bos, stop=[french.eos], watch=steps.append)
    beam_tree(ax, steps[:6], french.token)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    extents = [box.get_window_extent() for box in boxes(ax)]
    assert len(extents) == 48
    assert not any(one.overlaps(other) for i, one in enumerate(extents) for other in extents[:i])
    frame = ax.get_window_extent()
    words = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for i, one in enumerate(words) for other in words[:i])
    assert all(frame.x0 - 1 <= each.x0 and each.x1 <= frame.x1 + 1 for each in [*words, *extents])
    assert all(frame.y0 - 1 <= each.y0 and each.y1 <= frame.y1 + 1 for each in [*words, *extents])


def test_the_description_names_the_likeliest_text(ax: Axes) -> None:
    assert described(beam_tree(ax, STEPS, NAMES.__getitem__)) == (
        "A search tree after 3 steps: 8 texts, of which 2 have ended. The likeliest text that has ended is "
        "“a dog [eos]”, log-probability −1.13."
    )
    assert described(beam_tree(ax, STEPS[:2], NAMES.__getitem__)).endswith("so far is “a dog”, log-probability −1.02.")


def test_no_steps_and_texts_that_extend_nothing_are_refused(ax: Axes) -> None:
    with pytest.raises(ValueError, match="no steps to draw"):
        beam_tree(ax, [], NAMES.__getitem__)
    with pytest.raises(ValueError, match=re.escape("step 1 has the text [1, 3], which extends no text")):
        beam_tree(ax, STEPS[1:], NAMES.__getitem__)
