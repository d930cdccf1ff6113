"""What is measured of a trained model."""

from types import SimpleNamespace
from typing import Any

import pytest

from course_lib.experiments import (
    LOSS,
    RIGHT,
    Measure,
    Trained,
    measures,
    right_when_long,
    right_with_beams,
    translations,
)
from course_lib.learning.training import History

DATA = translations(train=60, test=40)


def trained(history: History | None = None) -> Trained:
    return Trained(None, history or History(), DATA, None)  # type: ignore[arg-type]


def test_lower_losses_and_more_right_translations_are_better():
    assert (LOSS.better, RIGHT.better) == ("lower", "higher")
    assert (right_with_beams(2).better, right_when_long(9).better) == ("higher", "higher")


def test_the_loss_is_the_one_after_the_last_step():
    history = History(loss=[1.0] * 4, validation=[3.0, 2.0], validation_steps=[2, 4])
    assert LOSS.function(trained(history)) == 2.0


def test_the_share_counts_exact_translations_of_long_enough_sentences(monkeypatch: pytest.MonkeyPatch):
    english, french = DATA.more["english"], DATA.more["french"]
    target = {tuple(english.encode(pair.english)): french.encode(pair.french) for pair in DATA.more["pairs"]}
    lengths = sorted({len(pair.english) for pair in DATA.more["pairs"]})
    shortest = lengths[len(lengths) // 2]

    def right_when_exactly_this_long(model: Any, sources: Any, length: int, **ends: Any) -> Any:
        assert ends == {"bos": french.bos, "stop": [french.eos], "pad": english.pad}
        return [target[tuple(each)] if len(each) == shortest else [] for each in sources]

    monkeypatch.setattr(measures, "greedy", right_when_exactly_this_long)
    count = sum(len(pair.english) == shortest for pair in DATA.more["pairs"])
    long = sum(len(pair.english) >= shortest for pair in DATA.more["pairs"])
    assert RIGHT.function(trained()) == pytest.approx(count / 40)
    assert right_when_long(shortest).function(trained()) == pytest.approx(count / long)
    with pytest.raises(ValueError, match="there is no sentence of 99 words or more"):
        right_when_long(99).function(trained())


def test_beams_reach_the_search(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def search(model: Any, sources: Any, length: int, *, beams: int, **ends: Any) -> Any:
        asked.append(beams)
        return [[SimpleNamespace(ids=[])] for _ in sources]

    monkeypatch.setattr(measures, "beam_search", search)
    assert right_with_beams(3).function(trained()) == 0.0
    assert asked == [3]


@pytest.mark.parametrize(("function", "better", "error"), [(3, "lower", TypeError), (len, "smaller", ValueError)])
def test_what_is_no_measure_is_refused(function: Any, better: Any, error: type[Exception]):
    with pytest.raises(error, match="should be"):
        Measure(function, better)
