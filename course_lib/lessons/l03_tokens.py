"""The exercises of notebook 03: tokens and embeddings."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.text.byte_pairs import (
    BYTES,
    apply_merges,
    bpe_decode,
    byte_ids,
    count_pairs,
    count_words,
    learn_merges,
    merge_pair,
)

Words = Mapping[tuple[int, ...], int]
Pair = tuple[int, int]

# Counting and merging.


def _each_word_once(words: Words) -> dict[Pair, int]:
    """You counted each word once. A word that stands in the text 50 times counts 50 times."""
    return count_pairs(dict.fromkeys(words, 1))


def _in_either_order(words: Words) -> dict[Pair, int]:
    """You counted (b, a) as (a, b). The order matters: *th* is not *ht*."""
    counts: Counter[Pair] = Counter()
    for (a, b), times in count_pairs(words).items():
        counts[min(a, b), max(a, b)] += times
    return dict(counts)


def _without_overlap(words: Words) -> dict[Pair, int]:
    """You went on two places after each pair, and missed every other one. Each place but the last begins a pair."""
    counts: Counter[Pair] = Counter()
    for word, times in words.items():
        for i in range(0, len(word) - 1, 2):
            counts[word[i], word[i + 1]] += times
    return dict(counts)


def _across_words(words: Words) -> dict[Pair, int]:
    """You counted pairs across the ends of words. A pair stands inside one word."""
    counts = Counter(count_pairs(words))
    counts.update((one[-1], other[0]) for one, other in pairwise(words))
    return dict(counts)


def _pairs_of_a_word_once(words: Words) -> dict[Pair, int]:
    """A pair that stands in a word twice counts twice: you counted it once for each word.

    Seen in https://github.com/google/sentencepiece/issues/318.
    """
    counts: Counter[Pair] = Counter()
    for word, times in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += times
    return dict(counts)


def _overwritten(words: Words) -> dict[Pair, int]:
    """You set a pair's count anew each time that you meet it. Add to what is there: the pair may stand in other words,
    or twice in one.
    """
    return {pair: times for word, times in words.items() for pair in pairwise(word)}


def _last_pair_lost(words: Words) -> dict[Pair, int]:
    """You leave out the last pair of each word. A word of n ids has n − 1 pairs: `range(len(word) - 1)`."""
    return count_pairs({word[:-1]: times for word, times in words.items()})


def _single_ids(words: Words) -> dict[int, int]:
    """You counted single ids. What is merged is two that stand side by side."""
    counts: Counter[int] = Counter()
    for word, times in words.items():
        for i in word:
            counts[i] += times
    return dict(counts)


COUNT_PAIRS = Exercise(
    name="count_pairs",
    notebook=3,
    reference=count_pairs,
    returns=("the counts",),
    minutes=10,
    difficulty=1,
    on_map="source_embedding",
    cases=(
        case({(1, 2, 3): 2, (2, 3): 5}),
        case({(3, 1, 2): 4, (1, 2): 1}),
        case({(1, 2): 3, (2, 1): 4, (2, 1, 2, 1): 1}, having="pairs in both orders"),
        case({(7, 7, 7): 2, (7,): 9}, having="the same id again and again"),
        case({(5, 6, 5, 6): 3}, having="a pair that stands in a word twice"),
        case({(4,): 8}, having="a word of one id"),
    ),
    mistakes=mistakes(
        _each_word_once,
        _in_either_order,
        _overwritten,
        _last_pair_lost,
        _without_overlap,
        _across_words,
        _pairs_of_a_word_once,
        _single_ids,
    ),
    hints=paragraphs("""
        Go through the words, and in each through its neighbours. A dictionary keeps the counts.

        `zip(word, word[1:])` gives all neighbours of a word. How much does a pair count that stands in a word which the
        text has 50 times?

        Start with an empty dictionary; `counts.get(pair, 0)` is the count so far. Add the word's own count to it.
    """),
)


def _first_only(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """You stop after the first place. The pair is merged wherever it stands in the word."""
    for i in range(len(word) - 1):
        if (word[i], word[i + 1]) == pair:
            return [*word[:i], new_id, *word[i + 2 :]]
    return list(word)


def _second_kept(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """Only the first of the two becomes the new id in yours, and the second stays. One new id stands for both."""
    merged: list[int] = []
    for i, this in enumerate(word):
        merged.append(new_id if (this, *word[i + 1 : i + 2]) == pair else this)
    return merged


def _from_the_right(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """You merge from the right. Three in a row show it: from the left, the first two are merged."""
    return merge_pair(word[::-1], (pair[1], pair[0]), new_id)[::-1]


def _both_orders(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """You merge (b, a) as well. The order matters: *th* is not *ht*."""
    return merge_pair(merge_pair(word, pair, new_id), (pair[1], pair[0]), new_id)


def _last_lost(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """The word's last id is lost where it is not merged: after the last pair, one id may be left."""
    merged, i = list[int](), 0
    while i < len(word) - 1:
        found = (word[i], word[i + 1]) == pair
        merged.append(new_id if found else word[i])
        i += 2 if found else 1
    return merged


def _list_for_a_tuple(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """Right where the word is a tuple. A piece of a list is a list, and never equals the pair, which is a tuple: make
    it one first, `tuple(…)`.
    """
    return merge_pair(word, pair, new_id) if isinstance(word, tuple) else list(word)


def _as_text(word: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """You made text of the ids, and replaced there: in "11 2" stands "1 2" too. Compare ids, not their digits."""
    text = " ".join(map(str, word)).replace(f"{pair[0]} {pair[1]}", str(new_id))
    return [int(i) for i in text.split()]


MERGE_PAIR = Exercise(
    name="merge_pair",
    notebook=3,
    reference=merge_pair,
    returns=("the merged word",),
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    cases=(
        case((5, 1, 2, 6), (1, 2), 256),
        case((4, 1, 2, 7), (1, 2), 256),
        case((1, 2, 1, 2, 3), (1, 2), 300, having="a pair that stands twice"),
        case((7, 7, 7), (7, 7), 256, having="the same id three times"),
        case((2, 1, 3, 1, 2), (1, 2), 257, having="the pair turned round"),
        case((5, 6, 7), (1, 2), 256, having="no such pair"),
        case((9,), (9, 9), 256, having="a single id"),
        case((1, 2), (1, 2), 256, having="nothing but the pair"),
        case((7, 7, 7, 7, 7), (7, 7), 256, having="the same id many times"),
        case([5, 1, 2, 6], (1, 2), 256, having="a list for a word"),
        case((11, 2, 1, 25, 1, 2), (1, 2), 256, having="ids of two digits"),
    ),
    mistakes=mistakes(
        _first_only, _second_kept, _from_the_right, _both_orders, _last_lost, _list_for_a_tuple, _as_text
    ),
    hints=paragraphs("""
        Walk through the word from left to right, and write a new list. At each place there are two possibilities.

        If this id and the next one are the pair, write the new id and go on two places. Otherwise write this id and go
        on one.

        A `while i < len(word)` loop can step by one or by two. `tuple(word[i : i + 2]) == pair` also holds its peace at
        the last id.
    """),
)


# Learning.


def _merged_by(words: Words, count: int, key: Callable[[Pair, int], tuple[int, ...]]) -> list[Pair]:
    """What `learn_merges` does, with another rule for which pair comes next: the one whose key is smallest."""
    merges: list[Pair] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: key(pair, counts[pair]))
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


def _counted_once(words: Words, count: int) -> list[Pair]:
    """You counted once, and took the most frequent pairs of that count. Each merge changes the words: count anew before
    the next.

    Seen in https://github.com/karpathy/minbpe/issues/95.
    """
    counts = count_pairs(words)
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:count]


def _rarest(words: Words, count: int) -> list[Pair]:
    """You merge the rarest pair. The most frequent one saves the most."""
    return _merged_by(words, count, lambda pair, times: (times, *pair))


def _first_met(words: Words, count: int) -> list[Pair]:
    """Of equally frequent pairs you take the one that you met first. Any rule would do, but it has to be the same
    everywhere; here, as in the `tokenizers` library, the smallest ids win.

    Seen in https://github.com/karpathy/minbpe/issues/93.
    """
    return _merged_by(words, count, lambda _pair, times: (-times,))


def _first_id_only(words: Words, count: int) -> list[Pair]:
    """Of equally frequent pairs you take one whose first id is smallest. Where several share it, the smaller second id
    wins.
    """
    return _merged_by(words, count, lambda pair, times: (-times, pair[0]))


def _largest_ids(words: Words, count: int) -> list[Pair]:
    """Of equally frequent pairs you take the one with the largest ids. Here, as in the `tokenizers` library, the
    smallest win.
    """
    return _merged_by(words, count, lambda pair, times: (-times, -pair[0], -pair[1]))


def _same_id_for_all(words: Words, count: int) -> list[Pair]:
    """All your merges make the same new id, 256. The k-th merge, counted from 0, makes 256 + k."""
    merges: list[Pair] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        words = {tuple(merge_pair(word, pair, 256)): times for word, times in words.items()}
        merges.append(pair)
    return merges


def _never_merged(words: Words, count: int) -> list[Pair]:
    """You never merge the words, so that the same pair is the most frequent each time."""
    counts = count_pairs(words)
    return [min(counts, key=lambda p: (-counts[p], p))] * count if counts else []


_WORDS = {(5, 6, 7): 4, (5, 6): 3, (6, 7): 2}

LEARN_MERGES = Exercise(
    name="learn_merges",
    notebook=3,
    reference=learn_merges,
    returns=("the merges",),
    minutes=15,
    difficulty=2,
    on_map="source_embedding",
    cases=(
        case(_WORDS, 2),
        case({(8, 9, 7): 4, (8, 9): 3, (9, 7): 2}, 2),
        case({(1, 2, 3, 4): 5, (3, 4): 2, (2, 3): 1}, 3, having="three merges"),
        case({(9, 8): 2, (1, 2): 2, (5, 5): 2}, 3, having="pairs that are equally frequent"),
        case({(1, 9): 2, (3, 4): 2, (1, 2): 2}, 3, having="equally frequent pairs that share their first id"),
        case({(1, 2): 3}, 10, having="more merges than there are pairs"),
        case(dict(count_words("the thin thing that thinks then thaws")), 8, having="real words"),
        case(_WORDS, 0, having="no merges at all"),
    ),
    mistakes=mistakes(
        _counted_once, _rarest, _first_met, _first_id_only, _largest_ids, _same_id_for_all, _never_merged
    ),
    hints=paragraphs("""
        A loop: count all pairs, choose one, merge it in every word, write it down.

        Your `count_pairs` and `merge_pair` do the work. Merged words go into a new dictionary, as tuples, with their
        counts. The new id is 256 plus the number of merges so far.

        To choose: `min` over the counts with a key that is a tuple, the negative count first and then the pair itself.
        Stop early where nothing is left to count.
    """),
)


# Using.


def _from_left_to_right(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """You merge the first pair that you meet in the word. The merge that was *learned* first goes first, wherever it
    stands.

    Seen in https://github.com/rasbt/LLMs-from-scratch/issues/558.
    """
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(word)
    while found := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        ids = merge_pair(ids, merges[found[0]], 256 + found[0])
    return ids


def _most_frequent(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """You merge the pair that stands most often in the word. The merge that was *learned* first goes first, however
    often it stands here.
    """
    ids = list(word)
    while counts := Counter(pair for pair in pairwise(ids) if pair in merges):
        k = merges.index(max(counts, key=lambda pair: counts[pair]))
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


def _one_round(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """You merge once, and stop. Go on until no learned pair is left in the word."""
    rank = {pair: k for k, pair in enumerate(merges)}
    found = [rank[pair] for pair in pairwise(word) if pair in rank]
    return merge_pair(word, merges[min(found)], 256 + min(found)) if found else list(word)


def _latest_first(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """You apply the merges in the reverse order. What was learned first goes first: later merges build on it."""
    ids = list(word)
    for k in reversed(range(len(merges))):
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


def _ids_from_zero(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """Your new ids count from 0, and mean bytes already. The k-th merge makes 256 + k."""
    ids = list(word)
    for k, pair in enumerate(merges):
        ids = merge_pair(ids, pair, k)
    return ids


def _ids_from_one(word: Sequence[int], merges: Sequence[Pair]) -> list[int]:
    """Your new ids are one too high: the first merge, number 0, makes 256."""
    ids = list(word)
    for k, pair in enumerate(merges, start=1):
        ids = merge_pair(ids, pair, 256 + k)
    return ids


_MERGES = [(2, 3), (1, 2), (256, 4), (1, 258)]

APPLY_MERGES = Exercise(
    name="apply_merges",
    notebook=3,
    reference=apply_merges,
    returns=("the ids",),
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    cases=(
        case((1, 2, 3), _MERGES),
        case((1, 2, 5), _MERGES),
        case((2, 3, 4), _MERGES, having="a merge of a merge"),
        case((1, 2, 3, 4), _MERGES, having="a merge of a merge"),
        case((5, 6, 7), _MERGES, having="nothing to merge"),
        case((2, 3, 2, 3), _MERGES, having="a pair that stands twice"),
        case((2, 3, 1, 2, 3, 1, 2, 1, 2), _MERGES, having="pairs that stand there several times"),
        case((1,), _MERGES, having="a single id"),
        case((1, 2, 3), [], having="no merges at all"),
    ),
    mistakes=mistakes(_from_left_to_right, _most_frequent, _one_round, _latest_first, _ids_from_zero, _ids_from_one),
    hints=paragraphs("""
        When two merges are possible, which goes first? The word has to fall into the same pieces as when the merges
        were learned.

        The one that was learned first. Going through `merges` in order, and merging each wherever it stands, does it.

        `enumerate(merges)` gives each merge its number k; your `merge_pair` puts 256 + k in its place.
    """),
)


def _token_by_token(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You turn each token into text by itself, but a character may lie in pieces across tokens: é is two bytes. Join
    the bytes of all tokens first.

    Seen in https://github.com/Blaizzy/mlx-vlm/issues/835.
    """
    return "".join(bpe_decode([i], merges) for i in ids)


def _with_spaces(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You put spaces between the tokens. The spaces of the text are bytes of the tokens already: join with nothing.

    Seen in https://github.com/rasbt/LLMs-from-scratch/issues/1017.
    """
    return " ".join(bpe_decode([i], merges) for i in ids)


def _one_level(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You take a merge apart once, but its halves may be merges too. Build the bytes of all ids first, in the order in
    which they were learned.
    """
    flat = [byte for i in ids for byte in (merges[i - 256] if i > 255 else (i,))]
    return bytes(BYTES[i] for i in flat if i < 256).decode("utf-8", errors="replace")


def _ids_are_bytes(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You take an id below 256 for the byte itself. Which byte it stands for is in `BYTES`: printable ones first."""
    table = [bytes([i]) for i in range(256)]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


def _one_character_a_byte(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You read each byte as one character (Latin-1). The bytes are UTF-8, where é has two and an emoji four."""
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("latin-1")


def _left_out(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You leave out bytes that are no whole character. They become the sign �, so that a reader sees the gap:
    `errors="replace"`.
    """
    return bpe_decode(ids, merges).replace("�", "")


def _stripped(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """You cut the spaces at the ends off. They are bytes of the text like any other, and belong to it."""
    return bpe_decode(ids, merges).strip()


_THE, _E_ACUTE = [*byte_ids("the")], byte_ids("é")
_LEARNED = [(_THE[0], _THE[1]), (256, _THE[2])]

BPE_DECODE = Exercise(
    name="bpe_decode",
    notebook=3,
    reference=bpe_decode,
    returns=("the text",),
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    cases=(
        case([257, *byte_ids(" then")], _LEARNED),
        case([*byte_ids("ow"), 256, 257], _LEARNED),
        case([*byte_ids("naïve caf"), 256], [_E_ACUTE], having="an accent"),
        case([256, *byte_ids(" 👩 ï "), 258], [*_LEARNED, _E_ACUTE], having="an emoji, an accent"),
        case([257, 257], _LEARNED, having="a merge of a merge"),
        case([], _LEARNED, having="no ids at all"),
        case([*byte_ids(" then ")], _LEARNED, having="spaces at the ends"),
        case([257, _E_ACUTE[0]], _LEARNED, having="bytes that are no whole character"),
        case([*byte_ids("a 👩")[:-1], *_THE], _LEARNED, having="bytes that are no whole character"),
    ),
    mistakes=mistakes(
        _token_by_token,
        _with_spaces,
        _one_level,
        _ids_are_bytes,
        _one_character_a_byte,
        _left_out,
        _stripped,
    ),
    hints=paragraphs("""
        First a table: for each id the bytes that it stands for. Then the bytes of all ids in a row, and only then text.

        The table begins with `bytes([byte])` for each byte in `BYTES`. The k-th merge, a pair of ids that are in the
        table already, adds one more entry: the bytes of the first and then the bytes of the second.

        `b"".join(…)` joins bytes, and `.decode("utf-8", errors="replace")` reads them as text.
    """),
)


def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Look up each token's vector: ids (B, T) and a table (V, d_model) to (B, T, d_model)."""
    return table[ids]


def _columns(ids: Tensor, table: Tensor) -> Tensor:
    """You look up columns. A token's vector is a row of the table, (V, d_model)."""
    return table.T[ids % table.size(1)]


def _made_longer(ids: Tensor, table: Tensor) -> Tensor:
    """You scaled the vectors by √d_model. That comes in the next notebook, together with the positions: here, the rows
    as they are.
    """
    return table[ids] * math.sqrt(table.size(1))


def _next_row(ids: Tensor, table: Tensor) -> Tensor:
    """You look up the row after: ids count from 0, and token 0 has row 0."""
    return table[(ids + 1) % len(table)]


def _averaged(ids: Tensor, table: Tensor) -> Tensor:
    """You averaged the vectors of the text. Each token keeps its own."""
    return table[ids].mean(1)


def _each_once(ids: Tensor, table: Tensor) -> Tensor:
    """You look up each different token once, in the order of ids. Every place of the text gets its token's vector, as
    often as it comes.
    """
    return table[torch.unique(ids)].unsqueeze(0)


def _as_marks(ids: Tensor, table: Tensor) -> Tensor:
    """Those are one-hot vectors, as long as the vocabulary. Multiply them by the table, or look the rows up at once."""
    return torch.nn.functional.one_hot(ids, len(table)).to(table.dtype)


_TABLE = numbers(6, 3, seed=2)

EMBED = Exercise(
    name="embed",
    notebook=3,
    reference=embed,
    returns=("the vectors (B, T, d_model)",),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="target_embedding",
    cases=(
        case(torch.tensor([[4, 0, 4]]), _TABLE),
        case(torch.tensor([[2, 1, 5]]), _TABLE),
        case(torch.tensor([[1, 2], [3, 4], [5, 5]]), _TABLE, having="a batch"),
        case(torch.tensor([[3]]), numbers(4, 2), having="a single token"),
        case(torch.tensor([[0, 1, 2]]), numbers(3, 3), having="as many features as words"),
        case(torch.tensor([[1, 3, 2]]), numbers(3, 5).T, having="a table that is a view of another"),
        case(torch.tensor([[1, 0]]), numbers(3, 2, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(_columns, _made_longer, _next_row, _averaged, _each_once, _as_marks),
    hints=paragraphs("""
        Row 4 of the table is the vector of token 4. For a whole batch of ids there is a shorter way than a loop.

        torch takes a tensor of integers as an index: each integer is replaced by the row that it names.

        Square brackets behind the table, and the ids between them. The shape (B, T) becomes (B, T, d_model).
    """),
)

EXERCISES = (COUNT_PAIRS, MERGE_PAIR, LEARN_MERGES, APPLY_MERGES, BPE_DECODE, EMBED)
