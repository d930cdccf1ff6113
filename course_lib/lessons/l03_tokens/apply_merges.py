"""The exercise `apply_merges` of notebook 03."""

from collections import Counter
from itertools import pairwise

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import merge_pair

MERGES = [(2, 3), (1, 2), (256, 4), (1, 258)]

apply_merges = Exercise(
    reference=byte_pairs.apply_merges,
    notebook=3,
    order=40,
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    returns=(Result("the ids"),),
    example=case((1, 2, 3), MERGES),
    another=case((1, 2, 5), MERGES),
    cases=(
        case((2, 3, 4), MERGES, having=("a merge of a merge",)),
        case((1, 2, 3, 4), MERGES, having=("a merge of a merge",)),
        case((5, 6, 7), MERGES, having=("nothing to merge",)),
        case((2, 3, 2, 3), MERGES, having=("a pair that stands twice",)),
        case((2, 3, 1, 2, 3, 1, 2, 1, 2), MERGES, having=("pairs that stand there several times",)),
        case((1,), MERGES, having=("a single id",)),
        case((1, 2, 3), [], having=("no merges at all",)),
    ),
    hints=(
        (
            "When two merges are possible, which goes first? The word has to fall into the same pieces as when the "
            "merges were learned."
        ),
        (
            "The one that was learned first. Going through `merges` in order, and merging each wherever it stands, "
            "does it."
        ),
        "`enumerate(merges)` gives each merge its number k; your `merge_pair` puts 256 + k in its place.",
    ),
)


@apply_merges.mistake(
    "You merge the first pair that you meet in the word. The merge that was *learned* first goes first, wherever it "
    "stands.",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/558",
)
def from_left_to_right(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(word)
    while ranks := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        ids = merge_pair(ids, merges[ranks[0]], 256 + ranks[0])
    return ids


@apply_merges.mistake(
    "You merge the pair that stands most often in the word. The merge that was *learned* first goes first, however "
    "often it stands here."
)
def most_frequent(word, merges):
    ids = list(word)
    while counts := Counter(pair for pair in pairwise(ids) if pair in merges):
        k = merges.index(max(counts, key=lambda pair: counts[pair]))
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


@apply_merges.mistake("You merge once, and stop. Go on until no learned pair is left in the word.")
def one_round(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ranks = [rank[pair] for pair in pairwise(word) if pair in rank]
    return merge_pair(word, merges[min(ranks)], 256 + min(ranks)) if ranks else list(word)


@apply_merges.mistake(
    "You apply the merges in the reverse order. What was learned first goes first: later merges build on it."
)
def latest_first(word, merges):
    ids = list(word)
    for k in reversed(range(len(merges))):
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


@apply_merges.mistake("Your new ids count from 0, and mean bytes already. The k-th merge makes 256 + k.")
def ids_from_zero(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        ids = merge_pair(ids, pair, k)
    return ids


@apply_merges.mistake("Your new ids are one too high: the first merge, number 0, makes 256.")
def ids_from_one(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges, start=1):
        ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.right_for_whole_course
def applied_in_order(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        if pair[0] in ids:
            ids = merge_pair(ids, tuple(pair), 256 + k)
    return ids


@apply_merges.right
def applied_by_rank(word, merges):
    word = tuple(word)
    while len(word) > 1:
        pairs = [p for p in pairwise(word) if p in merges]
        if not pairs:
            break
        first = min(pairs, key=merges.index)
        word = merge_pair(word, first, 256 + merges.index(first))
    return word
