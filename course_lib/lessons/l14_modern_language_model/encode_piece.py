"""The exercise `encode_piece` of notebook 14."""

from itertools import pairwise
from typing import Any

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import printable_bytes

PAIRS = [("h", "e"), ("Ġ", "t"), ("Ġt", "he"), ("a", "a"), ("aa", "a"), ("t", "h"), ("Ã", "©"), ("e", "Ã"), ("r", "e")]
RANKS = {pair: rank for rank, pair in enumerate(PAIRS)}
TOKENS = [*"Ġtheair", "Ã", "©", *dict.fromkeys("".join(pair) for pair in PAIRS)]
VOCABULARY = {token: 7 * number % 23 + 100 for number, token in enumerate(TOKENS)}
OTHER_RANKS = {("a", "a"): 0, ("i", "r"): 1, ("a", "ir"): 2}
OTHER_VOCABULARY = {"a": 3, "i": 1, "r": 0, "aa": 9, "ir": 4, "air": 8}
# The leftmost pair of "bac" was learned last, and the longest token is made of the other one.
THIRD_RANKS = {("a", "c"): 0, ("b", "ac"): 1, ("b", "a"): 2}
THIRD_VOCABULARY = {"a": 5, "b": 2, "c": 8, "ac": 1, "bac": 7, "ba": 4}
# Of the pairs of "their", the leftmost, the earliest and the latest are three different ones.
FOURTH_RANKS = {("i", "r"): 0, ("t", "h"): 1, ("e", "i"): 2, ("h", "e"): 3}
UNORDERED_RANKS = dict(sorted(FOURTH_RANKS.items()))
FOURTH_VOCABULARY = {"t": 4, "h": 0, "e": 7, "i": 3, "r": 9, "ir": 2, "th": 8, "ei": 1, "he": 5}
# Of the pairs of "their", the leftmost, that of rank 0 and that of rank 1 are three different ones.
FIFTH_RANKS = {("i", "r"): 0, ("h", "e"): 1, ("t", "h"): 2}
FIFTH_VOCABULARY = {"t": 6, "h": 3, "e": 1, "i": 8, "r": 0, "ir": 5, "he": 2, "th": 9}


def as_tokens(arguments: tuple[Any, ...], got: Any, expected: list[int]) -> str:
    """Show which tokens the ids stand for."""
    tokens = {i: token for token, i in arguments[1].items()}
    right, yours = (" ".join(tokens[i] for i in ids) for ids in (expected, got))
    return f"As tokens, that is `{right}`, not `{yours}`." if yours else f"As tokens, that is `{right}`."


encode_piece = Exercise(
    reference=byte_pairs.encode_piece,
    notebook=14,
    order=70,
    minutes=8,
    difficulty=2,
    show=as_tokens,
    returns=(Result("the ids"),),
    example=case(" the", VOCABULARY, RANKS),
    another=case(" tar", VOCABULARY, RANKS),
    cases=(
        case("he", VOCABULARY, RANKS, having=("no space",)),
        case("the", VOCABULARY, RANKS, having=("pairs that overlap",)),
        case("aaaaa", VOCABULARY, RANKS, having=("the same letter again and again", "pairs that overlap")),
        case("aaaa", VOCABULARY, RANKS, having=("the same letter again and again", "pairs that overlap")),
        case("é", VOCABULARY, RANKS, having=("a letter of two bytes",)),
        case("thereé", VOCABULARY, RANKS, having=("a letter of two bytes", "pairs that overlap")),
        case("  the", VOCABULARY, RANKS, having=("two spaces",)),
        case("hehe", VOCABULARY, RANKS, having=("a pair that occurs twice",)),
        case("air", OTHER_VOCABULARY, OTHER_RANKS, having=("another vocabulary",)),
        case("airaaair", OTHER_VOCABULARY, OTHER_RANKS, having=("another vocabulary", "pairs that overlap")),
        case("r", VOCABULARY, RANKS, having=("a single letter",)),
        case("rai", OTHER_VOCABULARY, OTHER_RANKS, having=("another vocabulary", "a token of id 0")),
        case("bac", THIRD_VOCABULARY, THIRD_RANKS, having=("another vocabulary", "pairs that overlap")),
        case("their", FOURTH_VOCABULARY, FOURTH_RANKS, having=("another vocabulary", "pairs that overlap")),
        case("their", FOURTH_VOCABULARY, UNORDERED_RANKS, having=("another vocabulary", "ranks in no order")),
        case("their", FIFTH_VOCABULARY, FIFTH_RANKS, having=("another vocabulary", "pairs that overlap")),
        case("tea", VOCABULARY, {}, having=("no merges at all",)),
        case("he", VOCABULARY, {("t", "h"): 0}, having=("a token that no merge makes",)),
        case("aa", VOCABULARY, {("t", "h"): 0}, having=("a token that no merge makes",)),
    ),
    hints=(
        "In 03 you merged ids in the order of learning. Here tokens are strings, so a merge joins two strings.",
        (
            "As long as a pair of neighbours is in `ranks`, take the one whose rank is smallest, and join it wherever "
            "it occurs. `itertools.pairwise` gives the pairs."
        ),
        "At the end look every token up in `vocabulary`. Its ids have nothing to do with the ranks.",
    ),
)


def joined(tokens, pair):
    """Join a pair wherever it occurs, from left to right."""
    out = []
    for token in tokens:
        if out and (out[-1], token) == pair:
            out[-1] += token
        else:
            out.append(token)
    return out


def encoded(tokens, vocabulary, ranks, choose):
    """Join the pair that `choose` picks, again and again."""
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        tokens = joined(tokens, choose(pairs))
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake(
    "Your code joins the leftmost pair that is in `ranks`. The pair that was learned earliest comes first, wherever it "
    "is."
)
def leftmost_first(piece, vocabulary, ranks):
    return encoded(printable_bytes(piece), vocabulary, ranks, lambda pairs: pairs[0])


@encode_piece.mistake(
    "Your code gives a whole piece that is in the vocabulary as one token, though no merge makes it. A vocabulary also "
    "has tokens such as `<|im_start|>`, and text must not become one of these: let the merges alone decide."
)
def whole_piece_first(piece, vocabulary, ranks):
    whole = "".join(printable_bytes(piece))
    return [vocabulary[whole]] if whole in vocabulary else byte_pairs.encode_piece(piece, vocabulary, ranks)


@encode_piece.mistake(
    "Your code joins pairs in the order in which `ranks` lists them. The ranks themselves decide: the smallest comes "
    "first."
)
def in_the_order_of_the_dictionary(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    for pair in ranks:
        tokens = joined(tokens, pair)
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake("Your code joins the pair that was learned latest. The one with the smallest rank comes first.")
def latest_first(piece, vocabulary, ranks):
    return encoded(printable_bytes(piece), vocabulary, ranks, lambda pairs: max(pairs, key=ranks.get))


@encode_piece.mistake(
    "Your code joins the pair that was learned latest, one place at a time. The one with the smallest rank comes first."
)
def latest_one_by_one(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    while known := [(ranks[pair], -i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = -max(known)[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake(
    "Your tokens are the longest of the vocabulary that fit, from left to right. Byte pairs work differently: join "
    "pairs in the order of their ranks."
)
def longest_fit(piece, vocabulary, ranks):
    text, ids = "".join(printable_bytes(piece)), []
    while text:
        token = next(text[:n] for n in range(len(text), 0, -1) if text[:n] in vocabulary)
        ids.append(vocabulary[token])
        text = text[len(token) :]
    return ids


@encode_piece.mistake(
    "Your code joins one pair only. Go on until no pair of neighbours is in `ranks`: a merge may make another one "
    "possible."
)
def one_merge(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    pairs = [pair for pair in pairwise(tokens) if pair in ranks]
    if pairs:
        tokens = joined(tokens, min(pairs, key=ranks.get))
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake(
    "Your code lists the pairs once, before the first merge. A merge makes new pairs of neighbours: list them again "
    "after each."
)
def pairs_listed_once(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    for pair in sorted({pair for pair in pairwise(tokens) if pair in ranks}, key=ranks.get):
        tokens = joined(tokens, pair)
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake("Your code merges nothing: each byte keeps a token of its own.")
def bytes_only(piece, vocabulary, ranks):
    return [vocabulary[token] for token in printable_bytes(piece)]


@encode_piece.mistake(
    "Your code finds no token for a space or an é, since it starts from the letters of the piece. Start from "
    "`printable_bytes(piece)`."
)
def from_letters(piece, vocabulary, ranks):
    return encoded(list(piece), vocabulary, ranks, lambda pairs: min(pairs, key=ranks.get))


@encode_piece.mistake(
    "Your code stops at é, because it looks for the letter in the vocabulary. It has two bytes, which are two "
    "characters at first: start from `printable_bytes(piece)`."
)
def from_letters_with_a_sign_for_the_space(piece, vocabulary, ranks):
    return encoded(list(piece.replace(" ", "Ġ")), vocabulary, ranks, lambda pairs: min(pairs, key=ranks.get))


@encode_piece.mistake("Your ids of merged tokens are 256 + rank, as in 03. Here the ids are those of the vocabulary.")
def ids_from_ranks(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        tokens = joined(tokens, min(pairs, key=ranks.get))
    of_merges = {first + second: 256 + rank for (first, second), rank in ranks.items()}
    return [of_merges.get(token, vocabulary[token]) for token in tokens]


@encode_piece.mistake("Your code returns the tokens themselves. Look each up in the vocabulary: a model takes ids.")
def tokens_not_ids(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        tokens = joined(tokens, min(pairs, key=ranks.get))
    return tokens


@encode_piece.mistake(
    "Your code joins the leftmost pair that is in `ranks`, one place at a time. The pair that was learned earliest "
    "comes first, wherever it is."
)
def leftmost_one_by_one(piece, vocabulary, ranks):
    tokens, i = list(printable_bytes(piece)), 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) in ranks:
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
            i = 0
        else:
            i += 1
    return [vocabulary[token] for token in tokens]


@encode_piece.mistake(
    "Your code never joins the pair of rank 0, as with `ranks.get(pair) or …`, where 0 counts as false. Check whether "
    "`pair in ranks`, or write `ranks.get(pair, math.inf)`."
)
def rank_0_taken_for_none(piece, vocabulary, ranks):
    return byte_pairs.encode_piece(piece, vocabulary, {pair: rank for pair, rank in ranks.items() if rank})


@encode_piece.mistake(
    "Your ids lack a token of id 0. If your code asks whether there is an id, note that 0 counts as false: check "
    "whether the token is `in vocabulary`."
)
def id_0_left_out(piece, vocabulary, ranks):
    return [i for i in byte_pairs.encode_piece(piece, vocabulary, ranks) if i]


@encode_piece.right_for_whole_course
def with_positions(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    while len(tokens) > 1:
        best = min(range(len(tokens) - 1), key=lambda i: ranks.get((tokens[i], tokens[i + 1]), len(ranks)))
        if (tokens[best], tokens[best + 1]) not in ranks:
            break
        tokens = [*tokens[:best], tokens[best] + tokens[best + 1], *tokens[best + 2 :]]
    return [vocabulary[token] for token in tokens]


@encode_piece.right
def merge_by_merge(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    for pair in sorted(ranks, key=ranks.get):
        tokens = joined(tokens, pair)
    return [vocabulary[token] for token in tokens]
