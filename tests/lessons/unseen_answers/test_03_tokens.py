"""Unseen answers to the exercises of notebook 03_tokens."""

import torch

from course_lib.exercises.catalogue import find
from course_lib.text.byte_pairs import count_pairs, merge_pair
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("count_pairs", says="leaves out pairs that occur once")
def frequent_pairs_only(words):
    return {pair: times for pair, times in find("count_pairs").reference(words).items() if times >= 2}


@wrong(
    "learn_merges",
    says="your code does not take the one with the smaller second id",
    never="looks at the first id only",
)
def largest_second_id(words, count):
    merges: list[tuple[int, int]] = []
    while len(merges) < count and (counts := count_pairs(words)):
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair[0], -pair[1])))
        new_id = 255 + len(merges)
        words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
    return merges


@wrong("apply_merges", says="returns the word unchanged", never="`merge_pair` returns")
def as_it_is(word, merges):
    return [*word]


@wrong("embed", says="takes row 0 for the id 6")
def ids_wrapped_round(ids, table):
    return table[ids % len(table)]


@wrong("embed", says="takes row 5 for the id 6")
def ids_clamped(ids, table):
    return table[ids.clamp(max=len(table) - 1)]


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_embeddings_by_a_product_with_one_hot_vectors_pass():
    def embed(ids, table):
        return (ids[..., None] == torch.arange(len(table))).to(table.dtype) @ table

    assert find("embed").check(embed).passed
