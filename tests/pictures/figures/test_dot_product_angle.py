"""The angles behind a dot product: arrows, shadows and numbers are those of the vectors."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Arc

from course_lib.pictures.figures import display, dot_product_angle, style

QUERY = (2.0, 1.0)
KEYS = {"first": (1.0, 0.0), "second": (0.0, 1.0), "third": (1.0, 1.0), "back": (-1.0, -2.0)}


def drawn(query: tuple[float, ...] = QUERY, keys: dict[str, tuple[float, ...]] = KEYS) -> Axes:
    with style():
        _, ax = plt.subplots(figsize=(7, 4))
        return dot_product_angle(ax, query, keys)


def angle(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """In degrees, by the directions and not by the dot product."""
    between = abs(math.atan2(one[1], one[0]) - math.atan2(other[1], other[0]))
    return math.degrees(min(between, 2 * math.pi - between))


def test_each_arrow_ends_at_its_vector() -> None:
    ax = drawn()
    tips = {str(text.get_gid()): text.xy for text in ax.texts if text.get_gid()}  # type: ignore[attr-defined]
    assert tips == {"query": QUERY, **KEYS}
    plt.close()


def test_dot_products_and_angles_are_written_beside_the_arrows_and_in_words() -> None:
    ax = drawn()
    written = " ".join(text.get_text() for text in ax.texts)
    for name, key in KEYS.items():
        score, degrees = QUERY[0] * key[0] + QUERY[1] * key[1], angle(QUERY, key)
        assert f"{name} key ({key[0]:g}, {key[1]:g}): {score:g}, {degrees:.0f}°" in written
        assert f"{name} ({key[0]:g}, {key[1]:g}): {score:g}, at {degrees:.0f} degrees" in display.described(ax)
    assert len(display.described(ax).split()) <= 60
    plt.close()


def test_a_shadow_times_the_querys_length_is_the_dot_product_and_its_line_is_upright() -> None:
    ax = drawn()
    feet = [np.array([line.get_xdata()[0], line.get_ydata()[0]]) for line in ax.lines if line.get_marker() == "o"]  # type: ignore[index]
    for foot, key in zip(feet, KEYS.values(), strict=True):
        assert (np.array(key) - foot) @ QUERY == pytest.approx(0)
        assert foot[0] * QUERY[1] - foot[1] * QUERY[0] == pytest.approx(0)  # on the query's line
    plt.close()


def test_each_arc_spans_the_angle() -> None:
    arcs = [patch for patch in drawn().patches if isinstance(patch, Arc)]
    spans = [arc.theta2 - arc.theta1 for arc in arcs]
    assert spans == pytest.approx([angle(QUERY, key) for key in KEYS.values()])
    plt.close()


@pytest.mark.parametrize(
    ("query", "keys", "words"),
    [
        ((1.0, 2.0, 3.0), KEYS, r"query should be two numbers, not both 0, but it is \(1.0, 2.0, 3.0\)"),
        ((0.0, 0.0), KEYS, "query should be two numbers, not both 0"),
        (QUERY, {"none": (0.0, 0.0)}, "none should be two numbers"),
        (QUERY, {}, "keys should hold at least one vector"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    query: tuple[float, ...], keys: dict[str, tuple[float, ...]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        drawn(query, keys)
    plt.close()
