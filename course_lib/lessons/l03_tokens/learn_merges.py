"""The exercise `learn_merges` of notebook 03."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.calls import describe_call
from course_lib.lessons.l03_tokens.inputs import Pair, Words
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import count_pairs, count_words, merge_pair


def by_count_and_ids(pair: Pair, times: int) -> tuple[int, ...]:
    """What `learn_merges` chooses the smallest of: the most frequent pair, and of those the smallest ids."""
    return (-times, *pair)


def merged_by(
    words: Words,
    count: int,
    key: Callable[[Pair, int], tuple[int, ...]] = by_count_and_ids,
    first_id: int = 256,
    merge: Callable[[Sequence[int], Pair, int], Sequence[int]] = merge_pair,
) -> list[Pair]:
    """Learn merges as `learn_merges` does, but choose the pair for which `key` is smallest, or change another part."""
    merges: list[Pair] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: key(pair, counts[pair]))
        words = {tuple(merge(word, pair, first_id + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


def explain_list_as_key(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Say what to do about lists as keys of the new dictionary; "" if the answer ends in no such error."""
    try:
        answer(*arguments)
    except TypeError as error:
        if "unhashable" in str(error) and "list" in str(error):
            return (
                "Lists cannot be keys of a dictionary, and `merge_pair` returns a list. Make the merged word a tuple: "
                "`tuple(merge_pair(…))`."
            )
    return ""


def explain(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Say what to do about lists as keys, or which of two equally frequent pairs should have been taken; else ""."""
    if sentence := explain_list_as_key(answer, arguments):
        return sentence
    words, count = arguments
    merges, right = answer(dict(words), count), byte_pairs.learn_merges(words, count)
    differing = (k for k, (one, other) in enumerate(zip(merges, right, strict=False)) if tuple(one) != other)
    if (k := next(differing, None)) is None:
        return ""
    for i, pair in enumerate(right[:k]):
        words = {tuple(merge_pair(word, pair, 256 + i)): times for word, times in words.items()}
    counts = count_pairs(words)
    if counts.get(tuple(merges[k])) != counts[right[k]]:
        return ""
    return (
        f"For {describe_call(learn_merges, answer, arguments)}, your merge number {k}, counted from 0, is {merges[k]}, "
        f"and it should be {right[k]}. Both pairs occur equally often there, {counts[right[k]]} times. Of such pairs "
        "take the one with the smaller first id, and if the first ids are equal, the one with the smaller second id."
    )


WORDS = {(5, 6, 7): 4, (5, 6): 3, (6, 7): 2}

learn_merges = Exercise(
    reference=byte_pairs.learn_merges,
    notebook=3,
    order=30,
    minutes=15,
    difficulty=2,
    on_map="source_embedding",
    explain=explain,
    returns=(Result("the merges"),),
    example=case(WORDS, 2),
    another=case({(8, 9, 7): 4, (8, 9): 3, (9, 7): 2}, 2),
    cases=(
        case({(1, 2, 3, 4): 5, (3, 4): 2, (2, 3): 1}, 3, having=("three merges",)),
        case(WORDS, 3, having=("three merges",)),
        case({(1, 2, 1, 2): 3, (5, 1, 2): 1}, 3, having=("a pair that occurs twice in a word", "three merges")),
        case(
            {(7, 7, 7, 7): 2, (8, 9): 5},
            3,
            having=("the same id again and again", "three merges", "a pair that occurs twice in a word"),
        ),
        case({(4, 6, 5, 3): 7, (6, 5): 2, (3, 4): 6, (4, 6): 1}, 5, having=("five merges",)),
        case({(9, 8): 2, (1, 2): 2, (5, 5): 2}, 3, having=("pairs that are equally frequent", "three merges")),
        case(
            {(1, 9): 2, (3, 4): 2, (1, 2): 2},
            3,
            having=(
                "equally frequent pairs that share their first id",
                "three merges",
                "pairs that are equally frequent",
            ),
        ),
        case({(1, 2): 3}, 10, having=("more merges than there are pairs",)),
        case(dict(count_words("the thin thing that thinks then thaws")), 8, having=("real words",)),
        case(WORDS, 0, having=("no merges at all",)),
    ),
    hints=(
        (
            "Do the first two merges of the example on paper. What you repeat is the body of a loop: count, choose, "
            "merge, write down."
        ),
        (
            "Your `count_pairs` and `merge_pair` do the work. After each merge build a new dictionary from the merged "
            "words, made into tuples, and their counts. The new id is 256 plus the number of merges so far."
        ),
        (
            "To choose with this rule for ties, take `min` over the counts with a key that returns a tuple: the "
            "negative count first, then the pair. Leave the loop where `count_pairs` returns nothing."
        ),
    ),
)


@learn_merges.mistake(
    "Your merges are the most frequent pairs of the first count. Each merge changes the words, so count again after "
    "each merge.",
    seen="https://github.com/karpathy/minbpe/issues/95",
)
def counted_once(words, count):
    counts = count_pairs(words)
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:count]


@learn_merges.mistake(
    "Your code takes two merges from each count. The first of them may change how often the second pair occurs, so "
    "count again after each merge.",
    seen="https://github.com/karpathy/minbpe/issues/69",
)
def two_merges_for_each_count(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        for pair in sorted(counts, key=lambda pair: (-counts[pair], pair))[:2]:
            if len(merges) < count:
                words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
                merges.append(pair)
    return merges


@learn_merges.mistake(
    "Only the pairs with the new id have new counts in your code, and the others keep their old ones. A merge also "
    "makes pairs rarer: count all pairs of the merged words."
)
def old_counts_kept(words, count):
    counts, merges = Counter(count_pairs(words)), []
    while len(merges) < count and counts:
        pair, new_id = min(counts, key=lambda pair: (-counts[pair], pair)), 256 + len(merges)
        words = {tuple(merge_pair(word, pair, new_id)): times for word, times in words.items()}
        merges.append(pair)
        del counts[pair]
        counts.update({pair: times for pair, times in count_pairs(words).items() if new_id in pair})
    return merges


@learn_merges.mistake(
    "Your code chooses by old counts as long as a pair still occurs, but a merge makes other pairs rarer. Choose by "
    "the counts of the merged words."
)
def old_counts_of_pairs_that_remain(words, count):
    counts, merges = count_pairs(words), []
    while len(merges) < count and counts:
        pair, new_id = min(counts, key=lambda pair: (-counts[pair], pair)), 256 + len(merges)
        words = {tuple(merge_pair(word, pair, new_id)): times for word, times in words.items()}
        merges.append(pair)
        counts = {pair: counts.get(pair, times) for pair, times in count_pairs(words).items()}
    return merges


@learn_merges.mistake(
    "Your code drops a pair for good once its count has changed. It has become rarer, but it still counts: put it back "
    "with its new count."
)
def changed_counts_dropped(words, count):
    counts, merges = count_pairs(words), []
    while len(merges) < count and counts:
        pair, new_id = min(counts, key=lambda pair: (-counts[pair], pair)), 256 + len(merges)
        words = {tuple(merge_pair(word, pair, new_id)): times for word, times in words.items()}
        merges.append(pair)
        now = count_pairs(words)
        kept = {pair: times for pair, times in counts.items() if now.get(pair) == times}
        counts = kept | {pair: times for pair, times in now.items() if new_id in pair}
    return merges


@learn_merges.mistake("Your code merges the rarest pair. Merge the most frequent one, which saves most.")
def rarest(words, count):
    return merged_by(words, count, lambda pair, times: (times, *pair))


@learn_merges.mistake(
    "Your code chooses the pair with the smallest ids, whatever its count. Choose the most frequent pair; the ids "
    "decide only between equally frequent ones."
)
def smallest_ids_first(words, count):
    return merged_by(words, count, lambda pair, _times: pair)


@learn_merges.mistake(
    "Of equally frequent pairs your code takes the one that it finds first. Take the one with the smallest ids, as "
    "the `tokenizers` library does, so that two programs agree.",
    seen="https://github.com/karpathy/minbpe/issues/93",
)
def first_seen(words, count):
    return merged_by(words, count, lambda _pair, times: (-times,))


@learn_merges.mistake(
    "Of equally frequent pairs that share their first id, your code does not take the one with the smaller second id. "
    "There the second id decides."
)
def first_id_only(words, count):
    return merged_by(words, count, lambda pair, times: (-times, pair[0]))


@learn_merges.mistake(
    "Of equally frequent pairs your code compares the second id first. The smaller first id decides, and only then the "
    "second."
)
def second_id_first(words, count):
    return merged_by(words, count, lambda pair, times: (-times, pair[1], pair[0]))


@learn_merges.mistake(
    "Of equally frequent pairs your code takes the largest. Take the smallest pair, as Python compares tuples."
)
def largest_ids(words, count):
    return merged_by(words, count, lambda pair, times: (-times, -pair[0], -pair[1]))


@learn_merges.mistake(
    "Each word counts once in your code. A word that occurs 50 times counts 50 times: keep its count when you build "
    "the new dictionary."
)
def each_word_once(words, count):
    return merged_by(dict.fromkeys(words, 1), count)


@learn_merges.mistake(
    "After the first merge each word counts once in your code. Give each merged word the count that it had before."
)
def counts_lost(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): 1 for word in words}
        merges.append(pair)
    return merges


@learn_merges.mistake("All your merges make the same new id, 256. The k-th merge, counted from 0, makes 256 + k.")
def same_id_for_all(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        words = {tuple(merge_pair(word, pair, 256)): times for word, times in words.items()}
        merges.append(pair)
    return merges


@learn_merges.mistake(
    "Your new id is the largest id in the words plus 1. The ids from 0 to 255 are all bytes, even those that are not "
    "in the words: the k-th merge, counted from 0, makes 256 + k."
)
def after_the_largest_id(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        new = max(map(max, words)) + 1
        words = {tuple(merge_pair(word, pair, new)): times for word, times in words.items()}
        merges.append(pair)
    return merges


@learn_merges.mistake("Your new ids begin at 257. The first merge, number 0, makes the id 256.")
def ids_from_257(words, count):
    return merged_by(words, count, first_id=257)


@learn_merges.mistake(
    "Your new ids begin at 255, which is already the id of a byte. The first merge, number 0, makes the id 256."
)
def ids_from_255(words, count):
    return merged_by(words, count, first_id=255)


@learn_merges.mistake(
    "Your new ids begin at 0, but the ids from 0 to 255 are already bytes. The k-th merge, counted from 0, makes 256 + "
    "k."
)
def ids_from_0(words, count):
    return merged_by(words, count, first_id=0)


@learn_merges.mistake(
    "Your merges are all the same pair, as if the words were never merged, or not counted again. Replace the pair in "
    "every word, and count again in what you get."
)
def never_merged(words, count):
    counts = count_pairs(words)
    return [min(counts, key=lambda p: (-counts[p], p))] * count if counts else []


@learn_merges.mistake(
    "Your code never merges a pair that contains a new id while there are pairs of bytes. A new id counts like any "
    "other: choose the most frequent pair of all."
)
def bytes_first(words, count):
    return merged_by(words, count, lambda pair, times: (max(pair) > 255, -times, *pair))


@learn_merges.mistake(
    "Your code chooses pairs of two equal ids, such as (7, 7), only where no others are left. They count like any "
    "other pair."
)
def equal_ids_last(words, count):
    return merged_by(words, count, lambda pair, times: (pair[0] == pair[1], -times, *pair))


def merge_first(word: Sequence[int], pair: Pair, new_id: int) -> Sequence[int]:
    """Replace only the first occurrence of a pair."""
    for i in range(len(word) - 1):
        if (word[i], word[i + 1]) == pair:
            return [*word[:i], new_id, *word[i + 2 :]]
    return word


@learn_merges.mistake(
    "Your code replaces only the first occurrence of a pair in a word. Replace all of them, as your `merge_pair` does."
)
def first_occurrence_only(words, count):
    return merged_by(words, count, merge=merge_first)


@learn_merges.mistake(
    "Your code stops when no pair occurs at least twice. Stop only when no pair is left.",
    seen="https://github.com/rsennrich/subword-nmt/issues/63",
)
def stops_below_two(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda p: (-counts[p], p))
        if counts[pair] < 2:
            break
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


@learn_merges.mistake("Your code learns one merge too many. Stop after `count` merges.")
def one_too_many(words, count):
    return merged_by(words, count + 1)


@learn_merges.mistake("Your code learns one merge too few. Learn `count` merges if there are enough pairs.")
def one_too_few(words, count):
    return merged_by(words, count - 1)


@learn_merges.mistake(
    "Your code returns a dictionary from pairs to new ids. Return a list of the pairs in the order of learning: the "
    "place in the list gives the id."
)
def dictionary_of_ids(words, count):
    return {pair: 256 + k for k, pair in enumerate(merged_by(words, count))}


@learn_merges.mistake(
    "Your code returns each pair together with its new id. Return the pairs alone: the place in the list gives the id."
)
def pairs_with_ids(words, count):
    return [(pair, 256 + k) for k, pair in enumerate(merged_by(words, count))]


@learn_merges.mistake(
    "Your pairs are lists. Return tuples such as (5, 6): the next exercises compare pairs with tuples and look them up."
)
def lists_for_pairs(words, count):
    return [list(pair) for pair in merged_by(words, count)]


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


@learn_merges.right
def learned_by_max(words, count):
    words, merges = Counter(words), []
    for k in range(count):
        counts = count_pairs(words)
        if len(counts) == 0:
            return merges
        pair = max(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]))
        merged = Counter()
        for word, times in words.items():
            merged[tuple(merge_pair(word, pair, 256 + k))] += times
        words = merged
        merges.append(pair)
    return merges


@learn_merges.right
def learned_by_sorting_twice(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = sorted(sorted(counts), key=counts.get, reverse=True)[0]
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges
