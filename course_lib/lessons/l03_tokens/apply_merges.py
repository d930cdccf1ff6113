"""The exercise `apply_merges` of notebook 03."""

from collections import Counter
from functools import reduce
from itertools import pairwise

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs
from course_lib.text.byte_pairs import merge_pair

MERGES = [(2, 3), (1, 2), (256, 4), (1, 258)]
OTHER_MERGES = [(1, 2), (3, 1), (1, 1), (256, 256), (1, 256)]
MORE_MERGES = [(2, 3), (3, 4), (256, 4), (2, 256), (2, 4)]

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
        case((2, 3, 2, 3), MERGES, having=("a pair that occurs twice",)),
        case(
            (2, 3, 1, 2, 3, 1, 2, 1, 2),
            MERGES,
            having=("pairs that occur several times", "five or more ids", "a pair that occurs twice"),
        ),
        case(
            (2, 3, 4, 3, 1, 2, 3),
            MERGES,
            having=("five or more ids", "a merge of a merge", "a pair that occurs twice"),
        ),
        case(
            (1, 2, 3, 4, 3, 2, 3),
            MERGES,
            having=("five or more ids", "a merge of a merge", "a pair that occurs twice"),
        ),
        case(
            (1, 3, 1, 1, 1, 2),
            OTHER_MERGES,
            having=("five or more ids", "other merges", "a merge of a merge", "a pair that occurs twice"),
        ),
        case(
            (1, 2, 3, 4, 2, 2, 3),
            MORE_MERGES,
            having=("five or more ids", "other merges", "a merge of a merge", "a pair that occurs twice"),
        ),
        case(
            (1, 1, 1, 1, 1),
            [(1, 1), (256, 256)],
            having=(
                "the same id again and again",
                "five or more ids",
                "a merge of a merge",
                "a pair that occurs twice",
            ),
        ),
        case((3, 4, 1, 2), [(1, 2), (3, 4)], having=("other merges",)),
        case(
            (5, 1, 2, 3, 4, 3, 4),
            [(1, 2), (3, 4)],
            having=("other merges", "five or more ids", "a pair that occurs twice"),
        ),
        case([2, 3, 4], MERGES, having=("a list for a word", "a merge of a merge")),
        case((1,), MERGES, having=("a single id",)),
        case((1, 2, 3), [], having=("no merges at all",)),
    ),
    hints=(
        (
            "When two merges are possible, one of them has to go first. Ask which one went first while the merges were "
            "learned, since the word should be split into the same pieces as then."
        ),
        (
            "The place of a pair in `merges` shows when it was learned. Going through `merges` once, from the first "
            "to the last, and replacing each pair wherever it occurs, keeps that order."
        ),
        (
            "With `enumerate(merges)` each merge comes with its number k. Your `merge_pair` puts the id 256 + k in the "
            "place of the pair; keep what it returns for the next merge."
        ),
    ),
)


@apply_merges.mistake(
    "Your code merges the first pair that it finds in the word. The merge that was learned first goes first, wherever "
    "it occurs in the word.",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/558",
)
def from_left_to_right(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(word)
    while ranks := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        ids = merge_pair(ids, merges[ranks[0]], 256 + ranks[0])
    return ids


@apply_merges.mistake(
    "Your code merges the first pair that it finds from the left. The merge that was learned first goes first, "
    "wherever it occurs in the word.",
    seen="https://github.com/huggingface/course/issues/608",
)
def first_pair_and_again(word, merges):
    ids, i = list(word), 0
    while i < len(ids) - 1:
        pair = ids[i], ids[i + 1]
        if pair in merges:
            ids[i : i + 2] = [256 + merges.index(pair)]
            i = 0
        else:
            i += 1
    return ids


@apply_merges.mistake(
    "Your code merges every pair as it comes, as in one walk through the word. The merge that was learned first goes "
    "first, so go through the merges, not through the word."
)
def one_walk(word, merges):
    ids, i = list(word), 0
    while i < len(ids) - 1:
        pair = ids[i], ids[i + 1]
        if pair in merges:
            ids[i : i + 2] = [256 + merges.index(pair)]
        else:
            i += 1
    return ids


@apply_merges.mistake(
    "Your code merges every pair as it comes, as in one walk through the word, and never merges a new id again. Later "
    "merges build on earlier ones, so apply them all, in the order in which they were learned."
)
def one_walk_without_new_ids(word, merges):
    ids, i = list[int](), 0
    while i < len(word):
        pair = tuple(word[i : i + 2])
        ids.append(256 + merges.index(pair) if pair in merges else word[i])
        i += 2 if pair in merges else 1
    return ids


@apply_merges.mistake(
    "Your code merges the pair that occurs most often in the word. The merge that was learned first goes first, "
    "however often it occurs here."
)
def most_frequent(word, merges):
    ids = list(word)
    while counts := Counter(pair for pair in pairwise(ids) if pair in merges):
        k = merges.index(max(counts, key=lambda pair: counts[pair]))
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


@apply_merges.mistake(
    "Your code always takes the longest known piece at the left end. Apply the merges in the order in which they were "
    "learned, which may give other pieces."
)
def longest_piece_first(word, merges):
    pieces = {(i,): i for i in word}
    spelled = {i: (i,) for i in range(256)}
    for k, (first, second) in enumerate(merges):
        spelled[256 + k] = spelled[first] + spelled[second]
        pieces[spelled[256 + k]] = 256 + k
    ids, rest = list[int](), tuple(word)
    while rest:
        piece = max((piece for piece in pieces if rest[: len(piece)] == piece), key=len)
        ids.append(pieces[piece])
        rest = rest[len(piece) :]
    return ids


@apply_merges.mistake("Your code applies a single merge. Continue until no learned pair is left in the word.")
def one_round(word, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ranks = [rank[pair] for pair in pairwise(word) if pair in rank]
    return merge_pair(word, merges[min(ranks)], 256 + min(ranks)) if ranks else list(word)


@apply_merges.mistake(
    "Your code applies only the first of the merges. If it loops over them, the `return` belongs after the loop."
)
def first_merge_only(word, merges):
    return merge_pair(word, merges[0], 256) if merges else list(word)


@apply_merges.mistake(
    "Your code never applies the first of the merges, whose number is 0. A condition such as `if k` leaves it out, "
    "since 0 counts as `False`, and so does a loop that begins at 1."
)
def without_merge_0(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        if k:
            ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.mistake(
    "Your code applies only merges whose pairs are in the word at the start. A merge may make new pairs, which later "
    "merges join: look for the pairs again after each merge."
)
def pairs_at_the_start_only(word, merges):
    ids, at_the_start = list(word), set(pairwise(word))
    for k, pair in enumerate(merges):
        if pair in at_the_start:
            ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.mistake(
    "Your code stops at the first merge whose pair is not in the word. Skip that merge and continue with the next."
)
def stops_at_a_missing_pair(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        if pair not in list(pairwise(ids)):
            break
        ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.mistake(
    "Your code replaces only the first occurrence of each pair. Replace it wherever it occurs in the word, as your "
    "`merge_pair` does."
)
def first_occurrence_only(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        positions = [i for i, other in enumerate(pairwise(ids)) if other == pair]
        if positions:
            ids[positions[0] : positions[0] + 2] = [256 + k]
    return ids


@apply_merges.mistake(
    "Your ids are those of the merges in reverse order. What was learned first goes first, since later merges build on "
    "it."
)
def latest_first(word, merges):
    ids = list(word)
    for k in reversed(range(len(merges))):
        ids = merge_pair(ids, merges[k], 256 + k)
    return ids


@apply_merges.mistake(
    "Of the pairs in the word your code always merges the one that was learned last. Take the one that was learned "
    "first, which has the smallest place in the list: `min`."
)
def largest_rank_first(word, merges):
    ids = list(word)
    while ranks := [merges.index(pair) for pair in pairwise(ids) if pair in merges]:
        ids = merge_pair(ids, merges[max(ranks)], 256 + max(ranks))
    return ids


@apply_merges.mistake(
    "Your ids are those of merges sorted by their ids. Their order in `merges` is the order in which they were "
    "learned: keep it."
)
def sorted_by_ids(word, merges):
    ids = list(word)
    for pair in sorted(merges):
        ids = merge_pair(ids, pair, 256 + merges.index(pair))
    return ids


@apply_merges.mistake(
    "Your code returns the word unchanged. If you call `merge_pair`, keep what it returns: a new list, while the old "
    "one stays as it is."
)
def result_not_kept(word, merges):
    return list(word)


@apply_merges.mistake(
    "Only the last of the merges shows in your result, as if each were applied to the original word. Apply it to the "
    "result of the merges before."
)
def always_the_original_word(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        ids = merge_pair(word, pair, 256 + k)
    return ids


@apply_merges.mistake("Your new ids count from 0, but these ids are bytes already. The k-th merge makes 256 + k.")
def ids_from_zero(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        ids = merge_pair(ids, pair, k)
    return ids


@apply_merges.mistake("Your new ids are one too high. The first merge, number 0, makes the id 256.")
def ids_from_one(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges, start=1):
        ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.mistake("All your merges make the same new id, 256. The k-th merge, counted from 0, makes 256 + k.")
def same_id_for_all(word, merges):
    ids = list(word)
    for pair in merges:
        ids = merge_pair(ids, pair, 256)
    return ids


@apply_merges.mistake(
    "Your code counts only the merges that it uses in this word. The number k of a merge is its place in `merges`, "
    "used or not."
)
def used_merges_counted(word, merges):
    ids, used = list(word), 0
    for pair in merges:
        if pair in list(pairwise(ids)):
            ids = merge_pair(ids, pair, 256 + used)
            used += 1
    return ids


@apply_merges.mistake("Your code learns new merges from the word itself. Use those in `merges`, in their order.")
def merges_learned_again(word, merges):
    ids = list(word)
    for k, pair in enumerate(byte_pairs.learn_merges({tuple(word): 1}, len(merges))):
        ids = merge_pair(ids, pair, 256 + k)
    return ids


@apply_merges.mistake(
    "Your code stops as soon as the word has only two ids left, as `while len(ids) > 2` does. Two ids are a pair too, "
    "which may be merged."
)
def two_ids_left_alone(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        for i in range(len(ids) - 1):
            if len(ids) > 2 and tuple(ids[i : i + 2]) == pair:
                ids[i : i + 2] = [256 + k]
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


apply_merges.right(
    lambda word, merges: reduce(lambda ids, merge: merge_pair(ids, merge[1], 256 + merge[0]), enumerate(merges), word)
)


@apply_merges.right
def applied_by_hand(word, merges):
    ids = list(word)
    for k, (first, second) in enumerate(merges):
        i = 0
        while i < len(ids) - 1:
            if ids[i] == first and ids[i + 1] == second:
                ids[i : i + 2] = [256 + k]
            i += 1
    return ids
