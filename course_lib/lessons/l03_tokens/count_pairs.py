"""The exercise `count_pairs` of notebook 03."""

from collections import Counter, defaultdict
from itertools import pairwise

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs

count_pairs = Exercise(
    reference=byte_pairs.count_pairs,
    notebook=3,
    order=10,
    minutes=10,
    difficulty=1,
    on_map="source_embedding",
    returns=(Result("the counts"),),
    example=case({(1, 2, 3): 2, (2, 3): 5}),
    another=case({(3, 1, 2): 4, (1, 2): 1}),
    cases=(
        case({(1, 2): 3, (2, 1): 4, (2, 1, 2, 1): 1}, having=("pairs in both orders",)),
        case({(7, 7, 7): 2, (7,): 9}, having=("the same id again and again",)),
        case({(5, 6, 5, 6): 3}, having=("a pair that stands in a word twice",)),
        case({(4,): 8}, having=("a word of one id",)),
    ),
    hints=(
        "Go through the words, and in each through its neighbours. A dictionary keeps the counts.",
        (
            "`zip(word, word[1:])` gives all neighbours of a word. How much does a pair count that stands in a word "
            "which the text has 50 times?"
        ),
        "Start with an empty dictionary; `counts.get(pair, 0)` is the count so far. Add the word's own count to it.",
    ),
)


@count_pairs.mistake("You counted each word once. A word that stands in the text 50 times counts 50 times.")
def each_word_once(words):
    return byte_pairs.count_pairs(dict.fromkeys(words, 1))


@count_pairs.mistake("You counted (b, a) as (a, b). The order matters: *th* is not *ht*.")
def in_either_order(words):
    counts = Counter()
    for (a, b), times in byte_pairs.count_pairs(words).items():
        counts[min(a, b), max(a, b)] += times
    return dict(counts)


@count_pairs.mistake(
    "You set a pair's count again each time you meet it. Add to what is there: the pair may stand in other words, or "
    "twice in one."
)
def overwritten(words):
    return {pair: times for word, times in words.items() for pair in pairwise(word)}


@count_pairs.mistake(
    "You leave out the last pair of each word. A word of n ids has n − 1 pairs: `range(len(word) - 1)`."
)
def last_pair_lost(words):
    return byte_pairs.count_pairs({word[:-1]: times for word, times in words.items()})


@count_pairs.mistake(
    "You moved on two positions after each pair, and missed every other one. Each position but the last begins a pair."
)
def without_overlap(words):
    counts = Counter()
    for word, times in words.items():
        for i in range(0, len(word) - 1, 2):
            counts[word[i], word[i + 1]] += times
    return dict(counts)


@count_pairs.mistake("You counted pairs across the ends of words. A pair stands inside one word.")
def across_words(words):
    counts = Counter(byte_pairs.count_pairs(words))
    counts.update((one[-1], other[0]) for one, other in pairwise(words))
    return dict(counts)


@count_pairs.mistake(
    "A pair that stands in a word twice counts twice: you counted it once for each word.",
    seen="https://github.com/google/sentencepiece/issues/318",
)
def pairs_of_a_word_once(words):
    counts = Counter()
    for word, times in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += times
    return dict(counts)


@count_pairs.mistake("You counted single ids. What is merged is two that stand side by side.")
def single_ids(words):
    counts = Counter()
    for word, times in words.items():
        for i in word:
            counts[i] += times
    return dict(counts)


@count_pairs.right_for_whole_course
def pairs_in_a_plain_dictionary(words):
    counts = {}
    for word in words:
        for i in range(len(word) - 1):
            counts[(word[i], word[i + 1])] = counts.get((word[i], word[i + 1]), 0) + words[word]
    return counts


@count_pairs.right
def pairs_in_a_counter(words):
    return Counter(pair for word, times in words.items() for _ in range(times) for pair in pairwise(word))


@count_pairs.right
def pairs_in_a_default_dictionary(words):
    counts = defaultdict(int)
    for word, times in words.items():
        for a, b in pairwise(word):
            counts[a, b] += times
    return counts
