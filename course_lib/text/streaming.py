"""Show a text while its tokens arrive one at a time."""

from collections.abc import Iterable, Iterator

from course_lib.text.tokenizer import Tokenizer

UNFINISHED = "\N{REPLACEMENT CHARACTER}"


def stream_text(tokenizer: Tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """Turn ids into pieces of text as they arrive; together the pieces are `tokenizer.decode` of all ids.

    A token may end in the middle of a character. Its piece then waits until the character is whole.

    >>> from course_lib.text.byte_pairs import BytePairTokenizer
    >>> tokenizer = BytePairTokenizer([])
    >>> list(stream_text(tokenizer, tokenizer.encode("né")))
    ['n', 'é']
    """
    so_far: list[int] = []
    shown = ""
    for number in ids:
        so_far.append(number)
        text = tokenizer.decode(so_far)
        if text.endswith(UNFINISHED):
            continue
        if text != shown:
            yield text[len(shown) :]
        so_far, shown = _shortened(tokenizer, so_far, text)
    if rest := tokenizer.decode(so_far)[len(shown) :]:
        yield rest


def _shortened(tokenizer: Tokenizer, ids: list[int], text: str) -> tuple[list[int], str]:
    """Forget all but the last few tokens, so that a long text is not decoded from its beginning at each step."""
    if len(ids) < 32:
        return ids, text
    tail = ids[-8:]
    kept = tokenizer.decode(tail)
    return (tail, kept) if text.endswith(kept) else (ids, text)
