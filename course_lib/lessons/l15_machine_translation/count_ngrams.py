"""The exercise `count_ngrams` of notebook 15."""

import itertools
from collections import Counter

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import bleu

count_ngrams = Exercise(
    reference=bleu.count_ngrams,
    notebook=15,
    order=10,
    minutes=5,
    difficulty=1,
    returns=(Result("the counts"),),
    example=case(["the", "cat", "saw", "the", "cat"], 2),
    another=case(["a", "dog", "a", "dog", "barked"], 2),
    cases=(
        case(["the", "cat", "saw", "the", "cat"], 1, having=("single words",)),
        case(["the", "cat", "saw", "the", "cat"], 3, having=("runs of three",)),
        case(
            ["the", "the", "the", "the"],
            2,
            having=("the same word again and again", "a run that occurs more than twice"),
        ),
        case(["a", "cat", "a", "cat", "a", "cat"], 2, having=("a run that occurs more than twice",)),
        case(["the", "cat"], 2, having=("a single run",)),
        case(["the", "cat"], 4, having=("a text that is too short",)),
        case([], 1, having=("no words", "single words")),
        case(["a", "cat", "at", "a", "cat"], 2, having=("a word that is a part of another",)),
        case(["a", "cat", "at"], 1, having=("a word that is a part of another", "single words")),
        case(["b", "a", "a", "b"], 2, having=("the same words in another order",)),
    ),
    hints=(
        "Write all pairs of neighbouring words of `the cat saw the cat` on paper. How many are there?",
        "A run of n words that starts at position i ends before position i + n. What is the last i that fits?",
        "`tokens[i : i + n]` is a run. A list cannot be counted, a tuple can: `Counter(tuple(…) for i in range(…))`.",
    ),
)


@count_ngrams.mistake(
    "Your code leaves out the last run. It starts at position `len(tokens) - n`, and `range(k)` stops before k: add 1."
)
def last_left_out(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n))


@count_ngrams.mistake(
    "Your code also counts what is left at the end, which is shorter than n. Stop at the last place where a run of n "
    "tokens still fits."
)
def short_ones_too(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens)))


@count_ngrams.mistake(
    "Your runs do not overlap: each begins n words after the one before. Go on by one word, so that each start counts."
)
def without_overlap(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(0, len(tokens) - n + 1, n))


@count_ngrams.mistake(
    "Your counts are all 1, however often a run occurs. Count every occurrence: a `Counter` does, a set does not."
)
def once_each(tokens, n):
    return Counter({tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)})


@count_ngrams.mistake(
    "The words of your runs are in alphabetical order, so that runs of the same words count as one. Keep their order."
)
def without_order(tokens, n):
    return Counter(tuple(sorted(tokens[i : i + n])) for i in range(len(tokens) - n + 1))


@count_ngrams.mistake("Your code counts all runs up to the length n. Count the runs of exactly n words.")
def all_lengths(tokens, n):
    return sum((bleu.count_ngrams(tokens, k) for k in range(1, n + 1)), Counter())


@count_ngrams.mistake(
    "Your code takes any n words, with others between them. A run consists of neighbours: `tokens[i : i + n]`."
)
def any_words(tokens, n):
    return Counter(itertools.combinations(tokens, n))


@count_ngrams.mistake(
    "Your code also counts a run inside longer words, as a search in the joined text does: `at` is in `cat`. Compare "
    "whole words: count the runs `tokens[i : i + n]`."
)
def inside_longer_words(tokens, n):
    text, runs = " ".join(tokens), bleu.count_ngrams(tokens, n)
    return Counter({run: sum(text.startswith(" ".join(run), i) for i in range(len(text))) for run in runs})


@count_ngrams.mistake(
    "Your counts are those of a search in the joined text, as with `str.count`: runs that overlap are missed, and "
    "parts of longer words are counted. Compare whole words: count the runs `tokens[i : i + n]`."
)
def by_a_search_in_the_text(tokens, n):
    text = " ".join(tokens)
    return Counter({run: text.count(" ".join(run)) for run in bleu.count_ngrams(tokens, n)})


@count_ngrams.mistake("Your runs are one word too long. `tokens[i : i + n]` ends before position i + n.")
def one_too_long(tokens, n):
    return bleu.count_ngrams(tokens, n + 1)


@count_ngrams.mistake("Your runs are strings, in which the words are joined. Keep the words apart, in a tuple.")
def joined(tokens, n):
    return Counter(" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


@count_ngrams.mistake("Your runs are pairs, whatever n is. A run has n words.")
def always_pairs(tokens, n):
    return Counter(itertools.pairwise(tokens))


@count_ngrams.right_for_whole_course
def in_a_loop(tokens, n):
    counts = Counter()
    for start in range(len(tokens)):
        if start + n <= len(tokens):
            counts[tuple(tokens[start : start + n])] += 1
    return counts


@count_ngrams.right
def by_zip(tokens, n):
    return Counter(zip(*(tokens[k:] for k in range(n)), strict=False))


@count_ngrams.right
def as_a_plain_dict(tokens, n):
    counts = {}
    for start in range(len(tokens) - n + 1):
        run = tuple(tokens[start : start + n])
        counts[run] = counts.get(run, 0) + 1
    return counts
