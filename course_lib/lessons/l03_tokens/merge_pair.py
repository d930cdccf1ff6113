"""The exercise `merge_pair` of notebook 03."""

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
        case((1, 2, 1, 2, 3), (1, 2), 300, having=("a pair that stands twice",)),
        case((7, 7, 7), (7, 7), 256, having=("the same id three times",)),
        case((2, 1, 3, 1, 2), (1, 2), 257, having=("the pair in reverse order",)),
        case((5, 6, 7), (1, 2), 256, having=("no such pair",)),
        case((9,), (9, 9), 256, having=("a single id",)),
        case((1, 2), (1, 2), 256, having=("nothing but the pair",)),
        case((7, 7, 7, 7, 7), (7, 7), 256, having=("the same id many times",)),
        case([5, 1, 2, 6], (1, 2), 256, having=("a list for a word",)),
        case((11, 2, 1, 25, 1, 2), (1, 2), 256, having=("ids of two digits",)),
    ),
    hints=(
        "Walk through the word from left to right, and write a new list. At each position there are two possibilities.",
        (
            "If this id and the next one are the pair, write the new id and move on two positions. Otherwise write "
            "this id and move on one."
        ),
        (
            "A `while i < len(word)` loop can step by one or by two. `tuple(word[i : i + 2]) == pair` also holds its "
            "peace at the last id."
        ),
    ),
)


@merge_pair.mistake("You stop after the first occurrence. The pair is merged wherever it stands in the word.")
def first_only(word, pair, new_id):
    for i in range(len(word) - 1):
        if (word[i], word[i + 1]) == pair:
            return [*word[:i], new_id, *word[i + 2 :]]
    return list(word)


@merge_pair.mistake(
    "Only the first of the two becomes the new id in yours, and the second stays. One new id stands for both."
)
def second_kept(word, pair, new_id):
    merged = []
    for i, this in enumerate(word):
        merged.append(new_id if (this, *word[i + 1 : i + 2]) == pair else this)
    return merged


@merge_pair.mistake("You merge from the right. Three in a row show it: from the left, the first two are merged.")
def from_the_right(word, pair, new_id):
    return byte_pairs.merge_pair(word[::-1], (pair[1], pair[0]), new_id)[::-1]


@merge_pair.mistake("You merge (b, a) as well. The order matters: *th* is not *ht*.")
def both_orders(word, pair, new_id):
    return byte_pairs.merge_pair(byte_pairs.merge_pair(word, pair, new_id), (pair[1], pair[0]), new_id)


@merge_pair.mistake("The word's last id is lost where it is not merged: after the last pair, one id may be left.")
def last_lost(word, pair, new_id):
    merged, i = list[int](), 0
    while i < len(word) - 1:
        matches = (word[i], word[i + 1]) == pair
        merged.append(new_id if matches else word[i])
        i += 2 if matches else 1
    return merged


@merge_pair.mistake(
    "Right where the word is a tuple. A piece of a list is a list, and never equals the pair, which is a tuple: make "
    "it one first, `tuple(…)`."
)
def list_for_a_tuple(word, pair, new_id):
    return byte_pairs.merge_pair(word, pair, new_id) if isinstance(word, tuple) else list(word)


@merge_pair.mistake(
    'You made text of the ids, and replaced there: in "11 2" stands "1 2" too. Compare ids, not their digits.'
)
def as_text(word, pair, new_id):
    text = " ".join(map(str, word)).replace(f"{pair[0]} {pair[1]}", str(new_id))
    return [int(i) for i in text.split()]


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
