"""What the explorer of few seeds sends to the browser."""

import math

import pytest
from scipy import stats

from course_lib.pictures.explorers import SeedsExplorer


def test_the_factors_are_students_for_each_number_of_seeds():
    sent = SeedsExplorer().data["widening"]
    assert [*sent] == [str(n) for n in range(2, 21)]
    for n in (2, 3, 20):
        expected = math.sqrt(n / (n - 1)) * stats.t.isf(0.025, n - 1) / 1.96
        assert sent[str(n)] == pytest.approx(expected, rel=1e-12)


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers():
    explorer = SeedsExplorer(seeds=5, difference=0.05)
    assert explorer.alt().startswith(
        "Losses of two variants with 5 seeds, drawn at random. The new one is better by 0.05"
    )
    assert "2.69 times with 3" in explorer.alt()
    page = explorer.static_html()
    assert explorer.alt() in page
    assert page.count('scope="row"') == 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": 1}, "from 2 to 20, but is 1"),
        ({"seeds": 2.5}, "from 2 to 20, but is 2.5"),
        ({"difference": -0.1}, "from 0 to 0.2 nats, but is -0.1"),
        ({"own": 0.0}, "more than 0 nats, but they are 0.06 and 0.0"),
        ({"shared": math.nan}, "more than 0 nats"),
        ({"loss": math.inf}, "loss should be a number, but is inf"),
    ],
)
def test_numbers_that_make_no_picture_are_refused(changes: dict, words: str):
    with pytest.raises(ValueError, match=words):
        SeedsExplorer(**changes)
