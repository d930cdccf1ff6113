"""The exercise `count_pairs` of notebook 03."""

from collections import Counter, defaultdict
from itertools import combinations, pairwise

import numpy as np

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
        case(
            {(1, 2): 3, (2, 1): 4, (2, 1, 2, 1): 1},
            having=("pairs in both orders", "a pair that occurs twice in a word", "a word that occurs once"),
        ),
        case(
            {(7, 7, 7): 2, (7,): 9},
            having=("the same id again and again", "a pair that occurs twice in a word", "a word of one id"),
        ),
        case({(5, 6, 5, 6): 3}, having=("a pair that occurs twice in a word", "pairs in both orders")),
        case(
            {(7, 7, 7, 7): 3, (7, 7): 2}, having=("the same id again and again", "a pair that occurs twice in a word")
        ),
        case(
            {(1, 2, 3, 4): 2, (4, 1): 3, (2, 3): 1}, having=("a word of four different ids", "a word that occurs once")
        ),
        case({(3, 4, 5): 1, (6, 3): 2}, having=("a word that occurs once",)),
        case({(1, 2, 1, 3): 2}, having=("an id that occurs twice in a word, before other ids",)),
        case({(4,): 8}, having=("a word of one id",)),
        case({}, having=("no words at all",)),
    ),
    hints=(
        (
            "Count one word on paper: how many pairs does a word of three ids have? Then loop over the words, and in "
            "each word over its pairs."
        ),
        (
            "Iterating over `words.items()` gives each word with the number of times that it occurs. `zip(word, "
            "word[1:])` gives all neighbours of a word."
        ),
        (
            "Start with an empty dictionary; `counts.get(pair, 0)` is the count so far. Add the word's own count to "
            "it, not 1, and return after both loops."
        ),
    ),
)


@count_pairs.mistake(
    "Your code counts each word once. A word that occurs 50 times in the text adds 50 to each of its pairs."
)
def each_word_once(words):
    return byte_pairs.count_pairs(dict.fromkeys(words, 1))


@count_pairs.mistake(
    "Your code counts 1 for the first occurrence of a pair. Begin with the word's own count, as for every later "
    "occurrence."
)
def first_meeting_counts_one(words):
    counts = {}
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] = counts[pair] + times if pair in counts else 1
    return counts


@count_pairs.mistake(
    "Your code counts 1 for each later occurrence of a pair. Add the word's own count, as for the first occurrence."
)
def later_meetings_count_one(words):
    counts = {}
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] = counts[pair] + 1 if pair in counts else times
    return counts


@count_pairs.mistake("Your code counts (b, a) as (a, b). The order matters: `th` is not `ht`.")
def in_either_order(words):
    counts = Counter()
    for (a, b), times in byte_pairs.count_pairs(words).items():
        counts[min(a, b), max(a, b)] += times
    return dict(counts)


@count_pairs.mistake(
    "Your pairs are the wrong way round. The id on the left comes first: (1, 2) in the word (1, 2, 3)."
)
def in_reverse(words):
    return {(b, a): times for (a, b), times in byte_pairs.count_pairs(words).items()}


@count_pairs.mistake(
    "In your code, only the last occurrence of a pair counts. Add to the count so far, since a pair may occur in "
    "several words, or several times in one."
)
def overwritten(words):
    return {pair: times for word, times in words.items() for pair in pairwise(word)}


@count_pairs.mistake(
    "Your code keeps the largest count of a pair. Add the counts of all the words in which the pair occurs."
)
def largest_count(words):
    counts = {}
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] = max(counts.get(pair, 0), times)
    return counts


@count_pairs.mistake(
    "Your code leaves out the last pair of each word. A word of n ids has n − 1 pairs: those that begin at "
    "`range(len(word) - 1)`."
)
def last_pair_lost(words):
    return byte_pairs.count_pairs({word[:-1]: times for word, times in words.items()})


@count_pairs.mistake(
    "Your code misses every other pair of a word, as if it moved on by two positions after each. Each id but the last "
    "begins a pair."
)
def without_overlap(words):
    counts = Counter()
    for word, times in words.items():
        for i in range(0, len(word) - 1, 2):
            counts[word[i], word[i + 1]] += times
    return dict(counts)


@count_pairs.mistake(
    "Your code counts (7, 7, 7) as one pair (7, 7). It has two: each id but the last begins a pair.",
    seen="https://github.com/google/sentencepiece/issues/318",
)
def equal_pairs_without_overlap(words):
    counts = Counter()
    for word, times in words.items():
        previous = None
        for pair in pairwise(word):
            if pair == previous:
                previous = None
            else:
                counts[pair] += times
                previous = pair
    return dict(counts)


@count_pairs.mistake("Your code leaves out pairs of two equal ids, such as (7, 7). They count like any other pair.")
def equal_ids_left_out(words):
    return {pair: times for pair, times in byte_pairs.count_pairs(words).items() if pair[0] != pair[1]}


@count_pairs.mistake(
    "Your code also counts the last id of a word with its first. Count only ids that are side by side. Note that "
    "`word[i - 1]` is the last id where i is 0."
)
def around_the_end(words):
    counts = Counter()
    for word, times in words.items():
        for i in range(len(word)):
            counts[word[i - 1], word[i]] += times
    return dict(counts)


@count_pairs.mistake("Your code counts pairs across the ends of words. Count only pairs inside one word.")
def across_words(words):
    counts = Counter(byte_pairs.count_pairs(words))
    counts.update((one[-1], other[0]) for one, other in pairwise(words))
    return dict(counts)


@count_pairs.mistake(
    "Your code counts pairs across the ends of words, as if all words, each as often as it occurs, stood in one row. "
    "Count only pairs inside one word."
)
def in_one_row(words):
    row = [i for word, times in words.items() for i in word * times]
    return dict(Counter(pairwise(row)))


@count_pairs.mistake(
    "A pair that occurs twice in a word counts twice. Your code counts it once for each word.",
)
def pairs_of_a_word_once(words):
    counts = Counter()
    for word, times in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += times
    return dict(counts)


@count_pairs.mistake(
    "Your code counts any two ids of a word, also those with other ids between them. Count neighbours only."
)
def any_two_ids(words):
    counts = Counter()
    for word, times in words.items():
        for pair in combinations(word, 2):
            counts[pair] += times
    return dict(counts)


@count_pairs.mistake(
    "Your code pairs each id with the one after the next. Pair it with its neighbour: `zip(word, word[1:])`."
)
def one_skipped(words):
    counts = Counter()
    for word, times in words.items():
        for pair in zip(word, word[2:], strict=False):
            counts[pair] += times
    return dict(counts)


@count_pairs.mistake("Your code counts single ids. Count two neighbouring ids as one key, (a, b).")
def single_ids(words):
    counts = Counter()
    for word, times in words.items():
        for i in word:
            counts[i] += times
    return dict(counts)


@count_pairs.mistake("Your code leaves out pairs that occur once. Count every pair.")
def pairs_that_occur_once_left_out(words):
    return {pair: times for pair, times in byte_pairs.count_pairs(words).items() if times > 1}


@count_pairs.mistake(
    "Your code counts the first word only. If it loops over the words, the `return` belongs after the loops."
)
def first_word_only(words):
    for word, times in words.items():
        return byte_pairs.count_pairs({word: times})
    return None


@count_pairs.mistake("Your keys are text. Use pairs of ids as keys, such as (5, 6): the next exercises look them up.")
def text_for_pairs(words):
    return {f"{a} {b}": times for (a, b), times in byte_pairs.count_pairs(words).items()}


@count_pairs.mistake("Your code returns a list of pairs and counts. Return a dictionary: `{(5, 6): 2, …}`.")
def list_of_counts(words):
    return Counter(byte_pairs.count_pairs(words)).most_common()


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


@count_pairs.right
def pairs_by_index_in_numpy(words):
    counts = {}
    for word, times in words.items():
        ids = np.array(word)
        for i in range(len(ids) - 1):
            pair = ids[i], ids[i + 1]
            counts[pair] = counts.get(pair, 0) + times
    return counts


@count_pairs.mistake(
    "Where an id occurs twice in a word, your code counts the neighbour after its first place twice, as with "
    "`word.index`, which always finds the first place. Go through the positions: `zip(word, word[1:])`."
)
def neighbour_of_the_first_place(words):
    counts = Counter()
    for word, times in words.items():
        for first in word[:-1]:
            counts[first, word[word.index(first) + 1]] += times
    return dict(counts)


@count_pairs.mistake(
    "Where a pair occurs in several words, your counts are those of the last of them, as with `update` of a "
    "dictionary, which replaces what was there. Add the counts up."
)
def counts_of_the_last_word(words):
    counts = {}
    for word, times in words.items():
        counts.update(byte_pairs.count_pairs({word: times}))
    return counts
