"""The exercise `bpe_decode` of notebook 03."""

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import BYTES, byte_ids

THE = [*byte_ids("the")]
E_ACUTE = byte_ids("é")
LEARNED = [(THE[0], THE[1]), (256, THE[2])]

bpe_decode = Exercise(
    reference=byte_pairs.bpe_decode,
    notebook=3,
    order=50,
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    returns=(Result("the text"),),
    example=case([257, *byte_ids(" then")], LEARNED),
    another=case([*byte_ids("ow"), 256, 257], LEARNED),
    cases=(
        case([*byte_ids("naïve caf"), 256], [E_ACUTE], having=("an accent",)),
        case([256, *byte_ids(" 👩 ï "), 258], [*LEARNED, E_ACUTE], having=("an emoji", "an accent")),
        case([257, 257], LEARNED, having=("a merge of a merge",)),
        case([], LEARNED, having=("no ids at all",)),
        case([*byte_ids(" then ")], LEARNED, having=("spaces at the ends",)),
        case([257, E_ACUTE[0]], LEARNED, having=("bytes that are no whole character",)),
        case([*byte_ids("a 👩")[:-1], *THE], LEARNED, having=("bytes that are no whole character",)),
    ),
    hints=(
        (
            "First a table: for each id the bytes that it stands for. Then the bytes of all ids in a row, and only "
            "then text."
        ),
        (
            "The table begins with `bytes([byte])` for each byte in `BYTES`. The k-th merge, a pair of ids that are in "
            "the table already, adds one more entry: the bytes of the first and then the bytes of the second."
        ),
        '`b"".join(…)` joins bytes, and `.decode("utf-8", errors="replace")` reads them as text.',
    ),
)


@bpe_decode.mistake(
    "You turn each token into text by itself, but a character may lie in pieces across tokens: é is two bytes. Join "
    "the bytes of all tokens first.",
    seen="https://github.com/Blaizzy/mlx-vlm/issues/835",
)
def token_by_token(ids, merges):
    return "".join(byte_pairs.bpe_decode([i], merges) for i in ids)


@bpe_decode.mistake(
    "You put spaces between the tokens. The spaces of the text are bytes of the tokens already: join with nothing.",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/1017",
)
def with_spaces(ids, merges):
    return " ".join(byte_pairs.bpe_decode([i], merges) for i in ids)


@bpe_decode.mistake(
    "You take a merge apart once, but its halves may be merges too. Build the bytes of all ids first, in the order in "
    "which they were learned."
)
def one_level(ids, merges):
    flat = [byte for i in ids for byte in (merges[i - 256] if i > 255 else (i,))]
    return bytes(BYTES[i] for i in flat if i < 256).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "You take an id below 256 for the byte itself. Which byte it stands for is in `BYTES`: printable ones first."
)
def ids_are_bytes(ids, merges):
    table = [bytes([i]) for i in range(256)]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


@bpe_decode.mistake(
    "You read each byte as one character (Latin-1). The bytes are UTF-8, where é has two and an emoji four."
)
def one_character_per_byte(ids, merges):
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("latin-1")


@bpe_decode.mistake(
    "You leave out bytes that are no whole character. They become the character �, so that a reader sees the gap: "
    '`errors="replace"`.'
)
def left_out(ids, merges):
    return byte_pairs.bpe_decode(ids, merges).replace("�", "")


@bpe_decode.mistake("You cut the spaces at the ends off. They are bytes of the text like any other, and belong to it.")
def stripped(ids, merges):
    return byte_pairs.bpe_decode(ids, merges).strip()


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
