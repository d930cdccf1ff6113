"""The tree of merges: its tokens are those of byte-pair encoding, and each merge is above what it joins."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures import display, merge_tree, style
from course_lib.pictures.look import token_label
from course_lib.text.byte_pairs import apply_merges, bpe_decode, byte_ids, count_words, learn_merges

MERGES = learn_merges(count_words("the king there wept, then the other king wept there and wept é é é é"), 30)


def drawn(word: str, merges: list[tuple[int, int]] = MERGES) -> Axes:
    with style():
        _, ax = plt.subplots(figsize=(7, 4))
        return merge_tree(ax, word, merges)


def chips(ax: Axes) -> list[tuple[str, float, float, bool]]:
    """The label, middle and height of each token, and whether it is left in the end, from left to right."""
    found = [text for text in ax.texts if text.get_family() == ["DejaVu Sans Mono"]]
    places = [(*text.get_position(), text) for text in found]
    return [
        (text.get_text(), x, round(y), text.get_weight() == "bold")
        for x, y, text in sorted(places, key=lambda p: p[:2])
    ]


@pytest.mark.parametrize("word", [" there", " other", "king", " wept", "é", " éé", "zoo", " hen"])
def test_the_tokens_that_are_left_are_those_of_byte_pair_encoding(word: str) -> None:
    ax = drawn(word)
    left = [label for label, _, _, is_left in chips(ax) if is_left]
    expected = [token_label(bpe_decode([i], MERGES)) for i in apply_merges(byte_ids(word), MERGES)]
    assert left == expected
    assert display.described(ax).endswith(f"left: {' | '.join(expected)}.")
    plt.close()


@pytest.mark.parametrize("word", [" there", " wept", " éé"])
def test_every_merge_is_above_the_two_tokens_that_it_joins_and_says_its_number(word: str) -> None:
    ax = drawn(word)
    bytes_, tokens = len(byte_ids(word)), chips(ax)
    merged = [token for token in tokens if token[2] > 0]
    assert len(tokens) - len(merged) == bytes_
    assert len(merged) == bytes_ - len(apply_merges(byte_ids(word), MERGES))
    assert len(ax.lines) == 2 * len(merged)
    for line in ax.lines:
        below, above = map(float, line.get_ydata())  # type: ignore[arg-type]
        assert below < above
    numbers = [text.get_text() for text in ax.texts if text.get_text().startswith("merge ")]
    assert len(numbers) == len(merged)
    made = {token_label(bpe_decode([256 + k], MERGES)): k + 1 for k in range(len(MERGES))}
    assert sorted(numbers) == sorted(f"merge {made[label]}" for label, *_ in merged)
    plt.close()


def test_a_word_that_no_merge_fits_stays_in_bytes() -> None:
    ax = drawn("zoo", [])
    assert [label for label, *_ in chips(ax)] == ["z", "o", "o"]
    assert display.described(ax) == "A tree: how 3 bytes become “zoo”. No merge fits. 3 tokens are left: z | o | o."
    assert all(isinstance(patch, FancyBboxPatch) for patch in ax.patches)
    plt.close()


def test_a_long_word_has_a_description_that_fits() -> None:
    merges = learn_merges(count_words(" incomprehensibilities" * 3), 40)
    words = display.described(drawn(" incomprehensibilities", merges)).split()
    assert len(words) <= 60
    assert "more." in words
    plt.close()


@pytest.mark.parametrize(
    ("word", "merges", "words"),
    [
        ("", MERGES, "at least one character, but it is empty"),
        ("a", [(256, 1)], r"merge 1 joins \(256, 1\), but there are only 256 ids, 0 to 255, by then"),
        ("a", [(1, 2), (256, -1)], r"merge 2 joins \(256, -1\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(word: str, merges: list[tuple[int, int]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        drawn(word, merges)
    plt.close()
