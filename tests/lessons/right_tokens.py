"""Right answers to the exercises of notebook 03, written as differently as learners write them."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from course_lib.text.byte_pairs import BYTES
from tests.lessons.right_answers import right


@right("count_pairs")
def pairs_in_a_plain_dictionary(words):
    counts = {}
    for word in words:
        for i in range(len(word) - 1):
            counts[(word[i], word[i + 1])] = counts.get((word[i], word[i + 1]), 0) + words[word]
    return counts


@right("count_pairs")
def pairs_in_a_counter(words):
    return Counter(pair for word, times in words.items() for _ in range(times) for pair in pairwise(word))


@right("count_pairs")
def pairs_in_a_default_dictionary(words):
    counts = defaultdict(int)
    for word, times in words.items():
        for a, b in pairwise(word):
            counts[a, b] += times
    return counts


@right("merge_pair")
def merged_by_a_while_loop(word, pair, new_id):
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


@right("merge_pair")
def merged_by_recursion(ids, pair, new):
    if len(ids) < 2:
        return tuple(ids)
    if (ids[0], ids[1]) == pair:
        return (new, *merged_by_recursion(ids[2:], pair, new))
    return (ids[0], *merged_by_recursion(ids[1:], pair, new))


@right("merge_pair")
def merged_in_numpy(word, pair, new_id):
    ids, merged, i = np.array(word), [], 0
    while i < len(ids):
        found = i + 1 < len(ids) and (ids[i : i + 2] == pair).all()
        merged.append(new_id if found else ids[i])
        i += 1 + found
    return merged


@right("merge_pair")
def merged_as_characters(word, pair, new_id):
    text = "".join(map(chr, word)).replace("".join(map(chr, pair)), chr(new_id))
    return [ord(character) for character in text]


def best_pair(words):
    counts = pairs_in_a_plain_dictionary(words)
    top = max(counts.values(), default=0)
    return min((pair for pair, n in counts.items() if n == top), default=None)


@right("learn_merges")
def learned_in_a_for_loop(words, count):
    words, merges = dict(words), []
    for new_id in range(256, 256 + count):
        pair = best_pair(words)
        if pair is None:
            break
        merges.append(pair)
        words = {tuple(merged_by_a_while_loop(w, pair, new_id)): n for w, n in words.items()}
    return merges


@right("learn_merges")
def learned_on_a_list(words, count):
    texts = [(list(word), times) for word, times in words.items()]
    found = []
    while len(found) < count:
        pair = best_pair({tuple(word): times for word, times in texts})
        if not pair:
            return tuple(found)
        texts = [(merged_by_a_while_loop(word, pair, 256 + len(found)), times) for word, times in texts]
        found += [pair]
    return tuple(found)


@right("apply_merges")
def applied_in_order(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        ids = merged_by_a_while_loop(ids, tuple(pair), 256 + k)
    return ids


@right("apply_merges")
def applied_by_rank(word, merges):
    word = tuple(word)
    while len(word) > 1:
        pairs = [p for p in pairwise(word) if p in merges]
        if not pairs:
            break
        first = min(pairs, key=merges.index)
        word = merged_by_recursion(word, first, 256 + merges.index(first))
    return word


@right("bpe_decode")
def decoded_by_a_dictionary(ids, merges):
    vocab = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for k, (a, b) in enumerate(merges):
        vocab[256 + k] = vocab[a] + vocab[b]
    out = b""
    for i in ids:
        out += vocab[i]
    return out.decode("utf-8", "replace")


@right("bpe_decode")
def decoded_by_taking_apart(ids, merges):
    def apart(i):
        return [BYTES[i]] if i < 256 else apart(merges[i - 256][0]) + apart(merges[i - 256][1])

    return str(bytes(byte for i in ids for byte in apart(i)), "utf-8", errors="replace")


right("embed")(lambda ids, table: F.embedding(ids, table))
right("embed")(lambda ids, table: F.one_hot(ids, table.shape[0]).to(table) @ table)


@right("embed")
def embedded_in_loops(ids, table):
    return torch.stack([torch.stack([table[i] for i in row]) for row in ids.tolist()])
