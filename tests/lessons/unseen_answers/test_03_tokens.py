"""Unseen answers to the exercises of notebook 03_tokens."""

from collections import Counter
from itertools import pairwise

import torch

from course_lib.exercises.catalogue import find
from course_lib.text.byte_pairs import BYTES, count_pairs, merge_pair
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("count_pairs", says="leaves out pairs that occur once")
def frequent_pairs_only(words):
    return {pair: times for pair, times in find("count_pairs").reference(words).items() if times >= 2}


@wrong(
    "learn_merges",
    says="your code does not take the one with the smaller second id",
    never="looks at the first id only",
)
def largest_second_id(words, count):
    merges: list[tuple[int, int]] = []
    while len(merges) < count and (counts := count_pairs(words)):
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair[0], -pair[1])))
        new_id = 255 + len(merges)
        words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
    return merges


@wrong("apply_merges", says="returns the word unchanged", never="`merge_pair` returns")
def as_it_is(word, merges):
    return [*word]


@wrong("embed", says="takes row 0 for the id 6")
def ids_wrapped_round(ids, table):
    return table[ids % len(table)]


@wrong("embed", says="takes row 5 for the id 6")
def ids_clamped(ids, table):
    return table[ids.clamp(max=len(table) - 1)]


@wrong("merge_pair", says="work on a copy, `list(word)`", never=".copy()")
def merged_in_place(word, pair, new_id):
    i = 0
    word = word if isinstance(word, list) else list(word)
    while i < len(word) - 1:
        if (word[i], word[i + 1]) == pair:
            word[i : i + 2] = [new_id]
        i += 1
    return word


@wrong("merge_pair", says="compare its index with the length", never="one earlier")
def next_id_without_asking(word, pair, new_id):
    merged, i = [], 0
    while i < len(word):
        is_pair = word[i] == pair[0] and word[i + 1] == pair[1]
        merged.append(new_id if is_pair else word[i])
        i += 2 if is_pair else 1
    return merged


def by_ties(key):
    def learn(words, count):
        merges: list[tuple[int, int]] = []
        while len(merges) < count and (counts := count_pairs(words)):
            merges.append(min(counts, key=lambda pair: (-counts[pair], key(pair))))
            new_id = 255 + len(merges)
            words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
        return merges

    return learn


wrong("learn_merges", says=("is (256, 3), and it should be (4, 256)", "equally often there, 7 times"))(by_ties(sum))
wrong("learn_merges", says=("is (256, 3), and it should be (4, 256)", "equally often there, 7 times"))(by_ties(str))


@wrong("bpe_decode", says="of length 256, not 255: from index 255 on")
def without_the_last_byte(ids, merges):
    return find("bpe_decode").reference([i for i in ids if i != 255], merges)


@wrong("embed", says="numbers the different ids")
def among_the_different_ids(ids, table):
    different, places = ids.unique(return_inverse=True)
    return table[: len(different)][places]


@wrong("apply_merges", says="stops as soon as the word has only two ids left")
def more_than_two_ids(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(word)
    while len(ids) > 2:
        best = min(pairwise(ids), key=lambda pair: rank.get(pair, len(merges)))
        if best not in rank:
            break
        ids = merge_pair(ids, best, 256 + rank[best])
    return ids


def bytes_of_ids(merges):
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return table


@wrong("bpe_decode", says=("your whole text becomes a single �", "the rest of the text survives"))
def one_character_for_all(ids, merges):
    table = bytes_of_ids(merges)
    try:
        return b"".join(table[i] for i in ids).decode("utf-8")
    except UnicodeDecodeError:
        return "�"


@wrong("bpe_decode", says="should give `'the�'`", never="length 256")
def nothing_after_a_broken_character(ids, merges):
    table = bytes_of_ids(merges)
    whole = b"".join(table[i] for i in ids)
    try:
        return whole.decode("utf-8")
    except UnicodeDecodeError as error:
        return whole[: error.start].decode("utf-8")


@wrong("bpe_decode", says="é has two bytes and 👩 four", never="an emoji four")
def a_character_for_each_byte(ids, merges):
    return "".join(piece.decode("latin-1") for piece in map(bytes_of_ids(merges).__getitem__, ids))


@wrong("count_pairs", says="counts pairs across the ends of words")
def words_in_one_row(words):
    stream = []
    for word, times in words.items():
        stream.extend(word * times)
    return Counter(pairwise(stream))


@wrong("merge_pair", says="the last id of a word unless that id was merged")
def last_id_lost(word, pair, new_id):
    merged = []
    i = 0
    while i < len(word) - 1:
        if word[i] == pair[0] and word[i + 1] == pair[1]:
            merged.append(new_id)
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return merged


@wrong("learn_merges", says=("your code takes the largest", "as Python compares tuples"))
def larger_of_equally_frequent_pairs(words, count):
    merges = []
    for k in range(count):
        counts = count_pairs(words)
        if not counts:
            break
        _, best = max((times, pair) for pair, times in counts.items())
        merges.append(best)
        words = {tuple(merge_pair(word, best, 256 + k)): times for word, times in words.items()}
    return merges


@wrong("apply_merges", says="only merges whose pairs are in the word at the start")
def pairs_of_the_start(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    possible = sorted({rank[pair] for pair in pairwise(word) if pair in rank})
    for k in possible:
        word = merge_pair(word, merges[k], 256 + k)
    return word


@wrong("apply_merges", says=("never applies the first of the merges", "`if k`"), never=("two mistakes", "one too high"))
def rank_0_taken_for_false(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    while True:
        ranks = [rank.get(pair) for pair in pairwise(word)]
        possible = [k for k in ranks if k]
        if not possible:
            return word
        k = min(possible)
        word = merge_pair(word, merges[k], 256 + k)


@wrong("bpe_decode", says="Your code looks the bytes up the wrong way round, as `BYTES.index(i)` does")
def bytes_looked_up_backwards(ids, merges):
    def spell(i):
        if i < 256:
            return bytes([list(BYTES).index(i)])
        first, second = merges[i - 256]
        return spell(first) + spell(second)

    return b"".join(spell(i) for i in ids).decode("utf-8", errors="replace")


@wrong("embed", says="In a batch it mixes the sentences")
def stacked_and_reshaped(ids, table):
    B, T = ids.shape
    steps = [table[ids[:, t]] for t in range(T)]
    return torch.stack(steps).reshape(B, T, table.size(1))


@wrong("merge_pair", says="loses an id such as the third 7 of (7, 7, 7)")
def follower_left_out(word, pair, new_id):
    merged, skip = [], False
    for i, this in enumerate(word):
        if skip:
            skip = False
        elif tuple(word[i : i + 2]) == pair:
            merged.append(new_id)
            skip = True
        elif i == 0 or (word[i - 1], this) != pair:
            merged.append(this)
    return merged


@wrong("learn_merges", says="Your merges are all the same pair", never="Your words are never merged")
def merged_but_counted_before(words, count):
    counts, merges = count_pairs(words), []
    for k in range(count if counts else 0):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        words = {tuple(merge_pair(word, pair, 256 + k)): times for word, times in words.items()}
        merges.append(pair)
    return merges


@wrong("embed", says="in the order (d_model, B, T)")
def columns_reshaped(ids, table):
    return table.T[:, ids].reshape(ids.size(0), ids.size(1), table.size(1))


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_embeddings_by_a_product_with_one_hot_vectors_pass():
    def embed(ids, table):
        return (ids[..., None] == torch.arange(len(table))).to(table.dtype) @ table

    assert find("embed").check(embed).passed
