"""A text that arrives token by token."""

import pytest

from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.streaming import stream_text

BYTES = BytePairTokenizer([])
TEXT = "naïve café 東京 🙂, and so on: " * 9


def test_the_pieces_together_are_the_text_and_no_character_is_cut() -> None:
    pieces = list(stream_text(BYTES, BYTES.encode(TEXT)))
    assert "".join(pieces) == TEXT
    assert pieces[:6] == ["n", "a", "ï", "v", "e", " "]
    assert len(pieces) == len(TEXT)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_that_never_becomes_whole_comes_at_the_end(cut: int) -> None:
    ids = [*BYTES.encode("ab"), *BYTES.encode("🙂")[:cut]]
    assert "".join(stream_text(BYTES, ids)) == BYTES.decode(ids)


def test_pieces_come_as_soon_as_their_token_does() -> None:
    taken = []

    def ids():
        for number in BYTES.encode("abc"):
            taken.append(number)
            yield number

    pieces = stream_text(BYTES, ids())
    assert next(pieces) == "a"
    assert len(taken) == 1
