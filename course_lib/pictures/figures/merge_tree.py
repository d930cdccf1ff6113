"""How byte pairs merge into a word, as a tree: the word's bytes below, its tokens above."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import Theme, colour, token_label
from course_lib.text.byte_pairs import BYTES, byte_ids

_MOST_SAID = 6  # merges that the description names


@dataclass
class _Token:
    """A token in the making: its id, its bytes, the middle and the height of its chip, and how it came about."""

    id: int
    content: bytes
    x: float
    level: int = 0
    merge: int = 0
    parts: list["_Token"] = field(default_factory=list)

    @property
    def label(self) -> str:
        return token_label(self.content.decode("utf-8", errors="replace"))


def merge_tree(ax: Axes, word: str, merges: Sequence[tuple[int, int]]) -> Axes:
    """Draw how merges make a word: its bytes at the bottom, and each merge above the two tokens that it joins.

    A space is shown as ␣. Above a merged token is the number of its merge, counted from 1: the smaller, the earlier it
    was learned, and the earlier it is done. What is left in the end is shaded.

    Args:
        ax: where to draw.
        word: one word, with the space before it if it has one.
        merges: pairs of ids in the order in which they were learned; merge number k, from 0, makes the id 256 + k.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the word is empty, or a merge joins ids that are not there yet.
    """
    if not word:
        raise ValueError("word should have at least one character, but it is empty")
    for k, pair in enumerate(merges):
        if not all(0 <= part < 256 + k for part in pair):
            raise ValueError(f"merge {k + 1} joins {pair}, but there are only {256 + k} ids, 0 to {255 + k}, by then")
    theme = theme_of(ax)
    tokens = [_Token(byte, bytes([BYTES[byte]]), float(x)) for x, byte in enumerate(byte_ids(word))]
    count = len(tokens)
    done = _merge_all(tokens, merges)
    grey = colour("neutral", theme)
    for token in done:
        for part in token.parts:
            ax.plot([part.x, token.x], [part.level, token.level], color=grey, linewidth=2, linestyle="-", zorder=1)
    for part in (part for token in done for part in token.parts):
        _chip(ax, part, theme, is_left=False)
    for token in tokens:
        _chip(ax, token, theme, is_left=True)
    highest = max(token.level for token in tokens)
    ax.set(xlim=(-0.9, count - 0.1), ylim=(-0.45, highest + 0.7))
    ax.axis("off")
    return describe(ax, _in_words(word, count, tokens, done))


def _chip(ax: Axes, token: _Token, theme: Theme, *, is_left: bool) -> None:
    wide = 0.32 + 0.19 * len(token.label)
    ax.add_patch(
        FancyBboxPatch(
            (token.x - wide / 2, token.level - 0.26),
            wide,
            0.52,
            "round,pad=0,rounding_size=0.12",
            facecolor=colour("query_chip" if is_left else "paper", theme),
            edgecolor=colour("query" if is_left else "border", theme),
            linewidth=2.2 if is_left else 1.2,
            zorder=2,
        )
    )
    middle: dict[str, Any] = {"ha": "center", "zorder": 3}
    weight = "bold" if is_left else "normal"
    ax.text(token.x, token.level + 0.01, token.label, va="center", family="DejaVu Sans Mono", weight=weight, **middle)
    if token.merge:
        words, grey = f"merge {token.merge}", colour("neutral", theme)
        ground = {"boxstyle": "square,pad=0.1", "facecolor": colour("paper", theme), "edgecolor": "none"}
        ax.text(token.x, token.level + 0.31, words, va="bottom", fontsize=8.5, color=grey, bbox=ground, **middle)


def _merge_all(tokens: list[_Token], merges: Sequence[tuple[int, int]]) -> list[_Token]:
    """Do the earliest merge that fits until none does: change the list to what is left, return what was made."""
    rank = {pair: k for k, pair in enumerate(merges)}
    done: list[_Token] = []
    while fits := [rank[pair] for pair in pairwise(token.id for token in tokens) if pair in rank]:
        k, i = min(fits), 0
        while i < len(tokens) - 1:
            left, right = tokens[i : i + 2]
            if (left.id, right.id) == merges[k]:
                middle, level = (left.x + right.x) / 2, max(left.level, right.level) + 1
                made = _Token(256 + k, left.content + right.content, middle, level, k + 1, [left, right])
                tokens[i : i + 2] = [made]
                done.append(made)
            i += 1
    return done


def _in_words(word: str, count: int, tokens: Sequence[_Token], done: Sequence[_Token]) -> str:
    steps = [f"{' + '.join(part.label for part in token.parts)} (merge {token.merge})" for token in done[:_MOST_SAID]]
    more = f", and {len(done) - _MOST_SAID} more" if len(done) > _MOST_SAID else ""
    said = f"In the order in which they are done: {', '.join(steps)}{more}." if steps else "No merge fits."
    left = "1 token is" if len(tokens) == 1 else f"{len(tokens)} tokens are"
    names = " | ".join(token.label for token in tokens)
    return f"A tree: how {count} bytes become “{token_label(word)}”. {said} {left} left: {names}."
