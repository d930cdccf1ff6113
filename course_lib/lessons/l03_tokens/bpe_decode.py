"""The exercise `bpe_decode` of notebook 03."""

from collections.abc import Callable, Sequence
from typing import Any

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l03_tokens.inputs import Pair
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import BYTES, byte_ids

THE = [*byte_ids("the")]
E_ACUTE = byte_ids("é")
LEARNED = [(THE[0], THE[1]), (256, THE[2])]
A, B, R = byte_ids("abr")
ABRACADABRA = [(A, B), (R, A), (256, 257), (258, 258)]


def explain_strict_decoding(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Say what to do about bytes that cannot be decoded; "" if the answer ends in no such error."""
    try:
        answer(*arguments)
    except UnicodeDecodeError:
        return (
            "Your code raises an error where bytes do not form a complete character. Let the character � appear "
            'there: `.decode("utf-8", errors="replace")`.'
        )
    return ""


bpe_decode = Exercise(
    reference=byte_pairs.bpe_decode,
    notebook=3,
    order=50,
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    explain=explain_strict_decoding,
    returns=(Result("the text"),),
    example=case([257, *byte_ids(" then")], LEARNED),
    another=case([*byte_ids("ow"), 256, 257], LEARNED),
    cases=(
        case([*byte_ids("naïve caf"), 256], [E_ACUTE], having=("an accent", "other merges")),
        case([256, *byte_ids(" 👩 ï "), 258], [*LEARNED, E_ACUTE], having=("an emoji", "an accent", "other merges")),
        case([257, 257], LEARNED, having=("merged tokens only",)),
        case([*byte_ids("abracadabra"), 258, 256, 259], ABRACADABRA, having=("a merge of two merges", "other merges")),
        case([257, E_ACUTE[0]], LEARNED, having=("bytes that do not form a complete character",)),
        case(list(range(256)), [], having=("all 256 bytes", "bytes that do not form a complete character")),
        case([], LEARNED, having=("no ids at all",)),
        case([*byte_ids(" then ")], LEARNED, having=("spaces at the ends",)),
        case([*byte_ids("a 👩")[:-1], *THE], LEARNED, having=("bytes that do not form a complete character",)),
    ),
    hints=(
        (
            "Ids do not stand for characters but for bytes. So first find the bytes of every id, then put them in a "
            "row, and only then make text of them."
        ),
        (
            "Build a list of bytes in which the place is the id: `bytes([byte])` for each byte in `BYTES` fills the "
            "first 256 places. The k-th merge, two ids that are in the list already, adds one more: the bytes of its "
            "first id, followed by those of its second."
        ),
        (
            'To join a list of bytes, write `b"".join(…)`. Then `.decode("utf-8", errors="replace")` makes text of '
            "them, and writes � for bytes that do not form a complete character."
        ),
    ),
)


@bpe_decode.mistake(
    "Your code turns each token into text on its own, but the bytes of one character may belong to two tokens: é has "
    "two bytes. Join the bytes of all tokens first, then decode once.",
    seen="https://github.com/Blaizzy/mlx-vlm/issues/835",
)
def token_by_token(ids, merges):
    return "".join(byte_pairs.bpe_decode([i], merges) for i in ids)


@bpe_decode.mistake(
    "Your code puts a space between the tokens. The spaces of the text are bytes of the tokens already: join with "
    'nothing between them, `b"".join(…)`.',
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/1017",
)
def with_spaces(ids, merges):
    return " ".join(byte_pairs.bpe_decode([i], merges) for i in ids)


def table_of_bytes(merges: Sequence[Pair]) -> list[bytes]:
    """The bytes that each id stands for."""
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return table


@bpe_decode.mistake(
    "A merge is taken apart only once in your code, but its halves may be merges too. Build the bytes of all ids "
    "first, in the order in which the merges were learned."
)
def one_level(ids, merges):
    flat = [byte for i in ids for byte in (merges[i - 256] if i > 255 else (i,))]
    return bytes(BYTES[i] for i in flat if i < 256).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "Your code has no bytes for ids from 256 on. Each of them stands for a merge: its bytes are those of the merge's "
    "first id, followed by those of its second."
)
def without_the_merges(ids, merges):
    return bytes(BYTES[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "The second half of a merge comes before the first in your text. The bytes of the first id come first: "
    "`table[first] + table[second]`."
)
def halves_swapped(ids, merges):
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[second] + table[first])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "Your code takes an id below 256 for the byte itself. `BYTES` tells which byte it stands for: printable bytes come "
    "first."
)
def ids_are_bytes(ids, merges):
    table = [bytes([i]) for i in range(256)]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "Your code looks the bytes up the wrong way round, as `BYTES.index(i)` does: that finds the id of a byte. You need "
    "the byte of an id, `BYTES[i]`."
)
def bytes_looked_up_in_reverse(ids, merges):
    table = [bytes([BYTES.index(i)]) for i in range(256)]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "Your bytes are zeros, as `bytes(byte)` makes them: that many zero bytes. Write `bytes([byte])`, with brackets, "
    "for the one byte."
)
def zero_bytes(ids, merges):
    table = [bytes(byte) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "Your code reads each byte as one character. The bytes are UTF-8, in which é has two bytes and 👩 four: join all "
    "bytes and decode them as UTF-8."
)
def one_character_per_byte(ids, merges):
    return b"".join(table_of_bytes(merges)[i] for i in ids).decode("latin-1")


@bpe_decode.mistake(
    "Each id is the number of a character in your code, as in `chr(i)`. An id stands for bytes: look them up in a "
    "table."
)
def ids_are_characters(ids, merges):
    return "".join(chr(i) for i in ids)


@bpe_decode.mistake("Each byte beyond ASCII becomes � in your text, and so do the bytes of accents. Decode as UTF-8.")
def as_ascii(ids, merges):
    return b"".join(table_of_bytes(merges)[i] for i in ids).decode("ascii", errors="replace")


@bpe_decode.mistake(
    "Your code leaves out bytes that do not form a complete character. Write the character � for them, so that a "
    'reader sees the gap: `errors="replace"`.'
)
def left_out(ids, merges):
    return b"".join(table_of_bytes(merges)[i] for i in ids).decode("utf-8", errors="ignore")


@bpe_decode.mistake(
    "Your code spells out bytes that do not form a complete character, as in \\xc3. Write the character � for them: "
    '`errors="replace"`.'
)
def spelled_out(ids, merges):
    return b"".join(table_of_bytes(merges)[i] for i in ids).decode("utf-8", errors="backslashreplace")


@bpe_decode.mistake(
    "Your code returns bytes, or what Python writes for them. Make text of them with `.decode(…)`, not with `str(…)`."
)
def bytes_returned(ids, merges):
    return b"".join(table_of_bytes(merges)[i] for i in ids)


@bpe_decode.mistake("Your code cuts off the spaces at the ends. They are bytes of the text like any other: keep them.")
def stripped(ids, merges):
    return byte_pairs.bpe_decode(ids, merges).strip()


@bpe_decode.mistake(
    "Where some bytes do not form a complete character, your whole text becomes a single �. Only those bytes should: "
    "the bytes of `the` and the first byte of é give `the�`, so the rest of the text survives."
)
def all_replaced_by_one_character(ids, merges):
    text = byte_pairs.bpe_decode(ids, merges)
    return "�" if "�" in text else text


@bpe_decode.right_for_whole_course
def decoded_by_a_dictionary(ids, merges):
    vocab = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for k, (a, b) in enumerate(merges):
        vocab[256 + k] = vocab[a] + vocab[b]
    out = b""
    for i in ids:
        out += vocab[i]
    return out.decode("utf-8", "replace")


@bpe_decode.right
def decoded_by_taking_apart(ids, merges):
    def bytes_of(i):
        return [BYTES[i]] if i < 256 else bytes_of(merges[i - 256][0]) + bytes_of(merges[i - 256][1])

    return str(bytes(byte for i in ids for byte in bytes_of(i)), "utf-8", errors="replace")


@bpe_decode.right
def decoded_by_undoing_the_merges(ids, merges):
    ids = list(ids)
    for k in reversed(range(len(merges))):
        ids = [part for i in ids for part in (merges[k] if i == 256 + k else (i,))]
    return bytes(BYTES[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.right
def decoded_from_characters(ids, merges):
    table = [chr(byte) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return "".join(table[i] for i in ids).encode("latin-1").decode("utf-8", "replace")
