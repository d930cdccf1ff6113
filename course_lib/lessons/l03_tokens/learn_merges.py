"""The exercise `learn_merges` of notebook 03."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l03_tokens.inputs import Pair, Words
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import count_pairs, count_words, merge_pair


def merged_by(words: Words, count: int, key: Callable[[Pair, int], tuple[int, ...]]) -> list[Pair]:
    """Learn merges as `learn_merges` does, but choose the pair for which `key` is smallest."""
    merges: list[Pair] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: key(pair, counts[pair]))
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


WORDS = {(5, 6, 7): 4, (5, 6): 3, (6, 7): 2}

learn_merges = Exercise(
    reference=byte_pairs.learn_merges,
    notebook=3,
    order=30,
    minutes=15,
    difficulty=2,
    on_map="source_embedding",
    returns=(Result("the merges"),),
    example=case(WORDS, 2),
    another=case({(8, 9, 7): 4, (8, 9): 3, (9, 7): 2}, 2),
    cases=(
        case({(1, 2, 3, 4): 5, (3, 4): 2, (2, 3): 1}, 3, having=("three merges",)),
        case({(9, 8): 2, (1, 2): 2, (5, 5): 2}, 3, having=("pairs that are equally frequent",)),
        case({(1, 9): 2, (3, 4): 2, (1, 2): 2}, 3, having=("equally frequent pairs that share their first id",)),
        case({(1, 2): 3}, 10, having=("more merges than there are pairs",)),
        case(dict(count_words("the thin thing that thinks then thaws")), 8, having=("real words",)),
        case(WORDS, 0, having=("no merges at all",)),
    ),
    hints=(
        "A loop: count all pairs, choose one, merge it in every word, write it down.",
        (
            "Your `count_pairs` and `merge_pair` do the work. Merged words go into a new dictionary, as tuples, with "
            "their counts. The new id is 256 plus the number of merges so far."
        ),
        (
            "To choose: `min` over the counts with a key that is a tuple, the negative count first and then the pair "
            "itself. Stop early where nothing is left to count."
        ),
    ),
)


@learn_merges.mistake(
    "You counted once, and took the most frequent pairs of that count. Each merge changes the words: count again "
    "before the next.",
    seen="https://github.com/karpathy/minbpe/issues/95",
)
def counted_once(words, count):
    counts = count_pairs(words)
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:count]


@learn_merges.mistake("You merge the rarest pair. The most frequent one saves the most.")
def rarest(words, count):
    return merged_by(words, count, lambda pair, times: (times, *pair))


@learn_merges.mistake(
    "Of equally frequent pairs you take the one that you met first. Any rule would do, but it has to be the same "
    "everywhere; here, as in the `tokenizers` library, the smallest ids win.",
    seen="https://github.com/karpathy/minbpe/issues/93",
)
def first_seen(words, count):
    return merged_by(words, count, lambda _pair, times: (-times,))


@learn_merges.mistake(
    "Of equally frequent pairs you take one whose first id is smallest. Where several share it, the smaller second id "
    "wins."
)
def first_id_only(words, count):
    return merged_by(words, count, lambda pair, times: (-times, pair[0]))


@learn_merges.mistake(
    "Of equally frequent pairs you take the one with the largest ids. Here, as in the `tokenizers` library, the "
    "smallest win."
)
def largest_ids(words, count):
    return merged_by(words, count, lambda pair, times: (-times, -pair[0], -pair[1]))


@learn_merges.mistake("All your merges make the same new id, 256. The k-th merge, counted from 0, makes 256 + k.")
def same_id_for_all(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        words = {tuple(merge_pair(word, pair, 256)): times for word, times in words.items()}
        merges.append(pair)
    return merges


@learn_merges.mistake("You never merge the words, so that the same pair is the most frequent each time.")
def never_merged(words, count):
    counts = count_pairs(words)
    return [min(counts, key=lambda p: (-counts[p], p))] * count if counts else []


@learn_merges.right_for_whole_course
def learned_in_a_for_loop(words, count):
    words, merges = dict(words), []
    for new_id in range(256, 256 + count):
        counts = count_pairs(words)
        if not counts:
            break
        top = max(counts.values())
        merges.append(min(pair for pair, times in counts.items() if times == top))
        words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
    return merges


@learn_merges.right
def learned_on_a_list(words, count):
    texts = [(list(word), times) for word, times in words.items()]
    merges = []
    while len(merges) < count:
        counts = Counter()
        for word, times in texts:
            for pair in pairwise(word):
                counts[pair] += times
        if not counts:
            return tuple(merges)
        pair = sorted(counts, key=lambda pair: (-counts[pair], pair))[0]
        texts = [(merge_pair(word, pair, 256 + len(merges)), times) for word, times in texts]
        merges += [pair]
    return tuple(merges)
