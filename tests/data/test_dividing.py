"""The division of examples at random, which all sets share."""

import pytest

from course_lib.data.dividing import divide_at_random


def test_each_item_is_in_one_part_and_the_seed_decides_in_which():
    train, validation, test = divide_at_random(range(20), "a", 3, 5, "numbers")
    assert [len(train), len(validation), len(test)] == [12, 3, 5]
    assert sorted(train + validation + test) == list(range(20))
    assert divide_at_random(range(20), "a", 3, 5, "numbers") == (train, validation, test)
    assert divide_at_random(range(20), "b", 3, 5, "numbers") != (train, validation, test)


def test_a_larger_test_set_contains_a_smaller_one():
    assert divide_at_random(range(20), "a", 3, 9, "numbers")[2][:5] == divide_at_random(range(20), "a", 3, 5, "n")[2]


@pytest.mark.parametrize(("validation", "test"), [(-1, 1), (1, -1), (1_000, 1_000)])
def test_a_division_that_leaves_nothing_is_refused(validation: int, test: int):
    words = f"of 2,000 numbers, {validation:,} for validation and {test:,} for the test leave nothing to learn from"
    with pytest.raises(ValueError, match=words):
        divide_at_random(range(2_000), "a", validation, test, "numbers")
