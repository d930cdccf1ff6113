"""What a decoder reads, should say and says, in three rows of tokens."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour, token_label

# In characters of the chips' monospaced font; a character is 0.602 times as wide as the font's size.
_ADVANCE, _PADDING, _GAP = 0.602, 1.0, 0.6
_LARGEST_FONT = 11.0
_ROWS = ("reads", "should say", "says")


def decoder_steps(ax: Axes, reads: Sequence[str], should_say: Sequence[str], says: Sequence[str]) -> Axes:
    """Draw the steps of a decoder as columns of three chips: the token it reads, the right next one, and its choice.

    Below each step is ✓ or ✗. A wrong token has a thick border, both where the model says it and where it reads it.

    Args:
        ax: where to draw.
        reads: the T input tokens, the first of them [bos].
        should_say: the T right next tokens.
        says: the T tokens that the model considers likeliest.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no steps, or the rows differ in length.
    """
    if not len(reads) == len(should_say) == len(says) > 0:
        raise ValueError(
            "reads, should_say and says should have the same number of tokens, at least one, but they have "
            f"{len(reads)}, {len(should_say)} and {len(says)}"
        )
    theme = theme_of(ax)
    right = [said == wanted for said, wanted in zip(says, should_say, strict=True)]
    read_rightly = [True, *(read == wanted for read, wanted in zip(reads[1:], should_say, strict=False))]
    rows = [[token_label(token) for token in row] for row in (reads, should_say, says)]
    widths = [max(map(len, column)) + _PADDING for column in zip(*rows, strict=True)]
    start = max(map(len, _ROWS)) + 1.0
    total = start + sum(widths) + _GAP * len(widths)
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    size = min(_LARGEST_FONT, points / total / _ADVANCE)
    face: dict[str, Any] = {"family": "DejaVu Sans Mono", "va": "center", "fontsize": size}
    for y, (name, row) in enumerate(zip(_ROWS, rows, strict=True)):
        ax.text(0, y, name, color=colour("neutral", theme), **face)
        x = start
        for i, (label, width) in enumerate(zip(row, widths, strict=True)):
            wrong = (name == "reads" and not read_rightly[i]) or (name == "says" and not right[i])
            box = FancyBboxPatch(
                (x, y - 0.32),
                width,
                0.64,
                "round,pad=0,rounding_size=0.25",
                facecolor=colour("panel" if name == "should say" else "query_chip", theme),
                edgecolor=colour("ink" if wrong else "border", theme),
                linewidth=2.8 if wrong else 1,
            )
            ax.add_patch(box)
            ax.text(x + width / 2, y, label, ha="center", **face)
            if name == "says":
                ax.text(x + width / 2, y + 0.75, "✓" if right[i] else "✗", ha="center", **face)
            x += width + _GAP
    ax.set(xlim=(0, max(total, points / size / _ADVANCE)), ylim=(3.1, -0.6))
    ax.axis("off")
    words = f"{len(says)} steps of a decoder, {sum(right)} of them right."
    if not all(right):
        first = right.index(False)
        words += f" At step {first + 1} it says “{says[first]}” where “{should_say[first]}” is right."
    if not all(read_rightly):
        count = read_rightly.count(False)
        words += f" It then reads {count} wrong {'token' if count == 1 else 'tokens'}."
    return describe(ax, words)
