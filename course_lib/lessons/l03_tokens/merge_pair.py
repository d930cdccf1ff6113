"""The exercise `merge_pair` of notebook 03."""

from itertools import pairwise

import numpy as np

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.text import byte_pairs

merge_pair = Exercise(
    reference=byte_pairs.merge_pair,
    notebook=3,
    order=20,
    minutes=10,
    difficulty=2,
    on_map="source_embedding",
    returns=(Result("the merged word"),),
    example=case((5, 1, 2, 6), (1, 2), 256),
    another=case((4, 1, 2, 7), (1, 2), 256),
    cases=(
        case((1, 2, 1, 2, 3), (1, 2), 300, having=("a pair that occurs twice", "the pair in reverse order")),
        case(
            (7, 7, 7),
            (7, 7),
            256,
            having=("in which the same id occurs three or more times in a row", "a pair that occurs twice"),
        ),
        case(
            (1, 3, 2, 1, 1, 2, 2, 3, 1, 1),
            (1, 2),
            258,
            having=("ids of the pair that are apart", "the pair in reverse order"),
        ),
        case((2, 1, 3, 1, 2), (1, 2), 257, having=("the pair in reverse order",)),
        case((5, 6, 7), (1, 2), 256, having=("no such pair",)),
        case((9,), (9, 9), 256, having=("a single id",)),
        case((1, 2), (1, 2), 256, having=("nothing but the pair",)),
        case(
            (7, 7, 7, 7, 7),
            (7, 7),
            256,
            having=(
                "the same id many times",
                "in which the same id occurs three or more times in a row",
                "a pair that occurs twice",
            ),
        ),
        case([5, 1, 2, 6], (1, 2), 256, having=("a list for a word",)),
        case((11, 2, 1, 25, 1, 2), (1, 2), 256, having=("ids of two digits", "the pair in reverse order")),
    ),
    hints=(
        (
            "Walk through the word from left to right and write a new list. At each position there are two "
            "possibilities: the pair begins here, or it does not."
        ),
        (
            "If this id and the next are the pair, write the new id and move on by two positions. Otherwise write this "
            "id and move on by one. A `for` loop cannot skip a position, but a `while` loop can."
        ),
        (
            "In a loop `while i < len(word)`, the slice `word[i : i + 2]` is the candidate for the pair. At the last "
            "id it has only one element, so it raises no error and equals no pair. Make it a tuple before you "
            "compare, since a word may be a list."
        ),
    ),
)


@merge_pair.mistake("Your code returns the word unchanged. Replace the pair with the new id wherever it occurs.")
def unchanged(word, pair, new_id):
    return list(word)


@merge_pair.mistake("Your code replaces only the first occurrence. Replace the pair wherever it occurs in the word.")
def first_only(word, pair, new_id):
    for i in range(len(word) - 1):
        if (word[i], word[i + 1]) == pair:
            return [*word[:i], new_id, *word[i + 2 :]]
    return list(word)


@merge_pair.mistake(
    "The second id of every merged pair stays. One new id replaces both, so skip the second: move on by two positions. "
    "If you loop with `for`, `i += 1` has no effect there; a `while` loop can skip one."
)
def second_kept(word, pair, new_id):
    merged = []
    for i, this in enumerate(word):
        merged.append(new_id if (this, *word[i + 1 : i + 2]) == pair else this)
    return merged


@merge_pair.mistake("Your code inserts the new id and keeps both ids of the pair. The new id replaces them.")
def both_kept(word, pair, new_id):
    merged = []
    for i, this in enumerate(word):
        merged.append(this)
        if (this, *word[i + 1 : i + 2]) == pair:
            merged.append(new_id)
    return merged


@merge_pair.mistake(
    "Your code replaces each id that belongs to the pair. Replace only the two together, in this order, by one new id."
)
def each_id_of_the_pair(word, pair, new_id):
    return [new_id if this in pair else this for this in word]


@merge_pair.mistake("Your code looks at the first id of the pair only. Compare both: this id and the next.")
def second_not_compared(word, pair, new_id):
    merged, i = list[int](), 0
    while i < len(word):
        matches = word[i] == pair[0]
        merged.append(new_id if matches else word[i])
        i += 2 if matches else 1
    return merged


@merge_pair.mistake(
    "Your code merges from right to left. Merge from left to right: of three equal ids in a row, the first two are "
    "merged."
)
def from_the_right(word, pair, new_id):
    return byte_pairs.merge_pair(word[::-1], (pair[1], pair[0]), new_id)[::-1]


@merge_pair.mistake("Your code merges (b, a) as well as (a, b). The order matters: `th` is not `ht`.")
def both_orders(word, pair, new_id):
    return byte_pairs.merge_pair(byte_pairs.merge_pair(word, pair, new_id), (pair[1], pair[0]), new_id)


@merge_pair.mistake(
    "Your code merges any two neighbours that both belong to the pair. Both ids have to be there in the order of the "
    "pair."
)
def any_two_of_the_pair(word, pair, new_id):
    merged, i = list[int](), 0
    while i < len(word):
        matches = i + 1 < len(word) and word[i] in pair and word[i + 1] in pair
        merged.append(new_id if matches else word[i])
        i += 2 if matches else 1
    return merged


@merge_pair.mistake(
    "Your code loses the last id of a word unless that id was merged. After the last pair one id may be left: add it "
    "too."
)
def last_lost(word, pair, new_id):
    merged, i = list[int](), 0
    while i < len(word) - 1:
        matches = (word[i], word[i + 1]) == pair
        merged.append(new_id if matches else word[i])
        i += 2 if matches else 1
    return merged


@merge_pair.mistake(
    "Your code adds the last id in any case, also after it was merged. Add it only if it is not part of the last pair."
)
def last_added_twice(word, pair, new_id):
    return [*last_lost(word, pair, new_id), word[-1]]


@merge_pair.mistake(
    "Your code keeps the new ids only and loses the ids that are not merged. Write those into the list too."
)
def others_lost(word, pair, new_id):
    return [this for this in byte_pairs.merge_pair(word, pair, new_id) if this == new_id]


@merge_pair.mistake("Your code loses the id behind each pair, as if it moved on by three positions. Move on by two.")
def three_skipped(word, pair, new_id):
    merged, i = list[int](), 0
    while i < len(word):
        matches = tuple(word[i : i + 2]) == pair
        merged.append(new_id if matches else word[i])
        i += 3 if matches else 1
    return merged


@merge_pair.mistake(
    "Your code loses an id such as the third 7 of (7, 7, 7). The 7 before it is part of a merged pair already, so the "
    "two are not merged, and the third stays: write it into the list."
)
def follower_of_a_used_id_lost(word, pair, new_id):
    merged, used = list[int](), False
    for i, this in enumerate(word):
        begins = not used and tuple(word[i : i + 2]) == pair
        if begins or tuple(word[i - 1 : i + 1]) != pair:
            merged.append(new_id if begins else this)
        used = begins
    return merged


@merge_pair.mistake("Your new id is always 256. Write `new_id`.")
def id_written_into_the_code(word, pair, new_id):
    return byte_pairs.merge_pair(word, pair, 256)


@merge_pair.mistake(
    "Your function is right for a tuple, but leaves a list unchanged. A piece of a list is a list, and never equals "
    "the pair, which is a tuple. Make it a tuple before you compare: `tuple(…)`."
)
def list_for_a_tuple(word, pair, new_id):
    return byte_pairs.merge_pair(word, pair, new_id) if isinstance(word, tuple) else list(word)


@merge_pair.mistake(
    'Your code replaces digits, as in text: the text "11 2" contains "1 2" too. Compare ids, not their digits.'
)
def as_text(word, pair, new_id):
    text = " ".join(map(str, word)).replace(f"{pair[0]} {pair[1]}", str(new_id))
    return [int(i) for i in text.split()]


@merge_pair.mistake("Your code returns text. Return a list of ids, such as [5, 256, 6].")
def text_for_ids(word, pair, new_id):
    return " ".join(map(str, byte_pairs.merge_pair(word, pair, new_id)))


@merge_pair.mistake(
    "Your code loses the last id of each word, and keeps the second id of each pair. Run over every position, and move "
    "on by two after a pair: a `while` loop can do both."
)
def last_lost_and_second_kept(word, pair, new_id):
    return [new_id if (this, other) == pair else this for this, other in pairwise(word)]


@merge_pair.right_for_whole_course
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


@merge_pair.right
def merged_by_recursion(ids, pair, new):
    if len(ids) < 2:
        return tuple(ids)
    if (ids[0], ids[1]) == pair:
        return (new, *merged_by_recursion(ids[2:], pair, new))
    return (ids[0], *merged_by_recursion(ids[1:], pair, new))


@merge_pair.right
def merged_in_numpy(word, pair, new_id):
    ids, merged, i = np.array(word), [], 0
    while i < len(ids):
        matches = i + 1 < len(ids) and (ids[i : i + 2] == pair).all()
        merged.append(new_id if matches else ids[i])
        i += 1 + matches
    return merged


@merge_pair.right
def merged_as_characters(word, pair, new_id):
    text = "".join(map(chr, word)).replace("".join(map(chr, pair)), chr(new_id))
    return [ord(character) for character in text]


@merge_pair.right
def merged_with_a_flag(word, pair, new_id):
    merged, skip = [], False
    for i, this in enumerate(word):
        if skip:
            skip = False
        elif tuple(word[i : i + 2]) == tuple(pair):
            merged.append(new_id)
            skip = True
        else:
            merged.append(this)
    return merged


@merge_pair.right
def merged_in_a_copy(word, pair, new_id):
    word, i = list(word), 0
    while i < len(word) - 1:
        if word[i] == pair[0] and word[i + 1] == pair[1]:
            word[i : i + 2] = [new_id]
        i += 1
    return word
