"""The challenge of notebook 17 is fair: what it measures, and what it refuses."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from course_lib.experiments import translations
from course_lib.learning import training
from course_lib.lessons.l17_your_experiments.for_notebook import challenge
from course_lib.pretrained.translator import SETTINGS, SIZES
from course_lib.transformer.build import COURSE
from course_lib.transformer.layers import FeedForward
from tests.experiments.small import DATA, study


def test_an_attempt_is_timed_and_tested_on_sentences_that_it_has_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = []
    monkeypatch.setattr(challenge, "right_translations", lambda trained: tested.append(trained) or 0.995)
    found = challenge.attempt({**challenge.THE_COURSES, "layers": 1}, steps=2, pairs=300, tested=1_000)
    assert found.seconds > 0
    assert found.counts
    assert repr(found).endswith("It counts.")
    (trained,) = tested
    known = {tuple(source) for source, _ in trained.data.task.examples}
    english = trained.data.more["english"]
    pairs = trained.data.more["pairs"]
    assert len(pairs) == 1_000
    assert not {tuple(english.encode(pair.english)) for pair in pairs} & known
    assert trained.history.steps == 2


@pytest.mark.parametrize(
    ("settings", "sizes", "words"),
    [
        ({"start": print}, {}, "leave out start"),
        ({"head": 4}, {}, "no setting 'head'"),
        ({}, {"pairs": 0}, "from 1 to 20,000, but is 0"),
        ({}, {"pairs": 20_001}, "pairs should be a number of sentences from 1 to 20,000, but is 20001"),
        ({}, {"tested": 0}, "tested should be a number of sentences from 1 to 20,000, but is 0"),
        ({}, {"tested": 0.5}, "but is 0.5"),
    ],
)
def test_an_attempt_that_is_not_fair_is_refused(settings: dict, sizes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        challenge.attempt({**challenge.THE_COURSES, **settings}, steps=2, **{"pairs": 300, **sizes})


SHORT = {"steps": 2, "pairs": 60, "tested": 3}
TINY = {**challenge.THE_COURSES, "layers": 1, "d_model": 8, "d_ff": 8, "heads": 1}


def test_a_lucky_test_of_few_sentences_does_not_count() -> None:
    assert not challenge.Attempt(1.0, 1.0, 10).counts
    assert repr(challenge.Attempt(1.0, 1.0, 10)).endswith("It counts only with 1,000 sentences or more.")
    assert challenge.Attempt(1.0, 0.99, 1_000).counts


def test_no_part_knows_the_words_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    # Weights of an earlier attempt, or a table of translations by ids, are of no use in the next one.
    seen = []
    monkeypatch.setattr(challenge, "right_translations", lambda trained: seen.append(trained.data) or 0.0)
    for _ in range(2):
        challenge.attempt(TINY, **SHORT)
    plain = translations(train=60, test=1)
    for name, side in (("english", 0), ("french", 1)):
        one, two = (data.more[name] for data in seen)
        assert one.words != two.words
        assert sorted(one.words) == sorted(two.words) == sorted(plain.more[name].words)
        # They are still the same sentences, with the same special tokens.
        for data in seen:
            read = [data.more[name].decode_words(example[side]) for example in data.task.examples]
            assert read == [plain.more[name].decode_words(example[side]) for example in plain.task.examples]
            assert (data.sizes, data.task.pad) == (plain.sizes, plain.task.pad)
    assert seen[0].task.examples[0][1][0] == seen[0].more["french"].bos
    assert seen[0].task.examples[0][1][-1] == seen[0].more["french"].eos


def busy(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def test_the_clock_cannot_be_replaced_and_counts_what_constructors_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenge, "right_translations", lambda trained: 0.0)

    def slow(*sizes: Any, **more: Any) -> Any:
        busy(0.5)
        return FeedForward(*sizes, **more)

    def stopped() -> float:
        raise AssertionError("nobody should ask this clock")

    parts = replace(COURSE, FeedForward=slow)
    busy_once = challenge.attempt(TINY, parts=parts, **SHORT).seconds
    assert busy_once > 0.5
    monkeypatch.setattr(time, "process_time", stopped)
    monkeypatch.setattr(os, "times", stopped)
    assert challenge.attempt(TINY, **SHORT).seconds > 0


@pytest.mark.skipif(os.name == "nt", reason="Windows does not add up the time of other processes")
def test_the_clock_counts_what_other_processes_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    before = challenge._seconds()
    work = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    assert challenge._seconds() - before > 0.4


def test_a_model_that_learns_during_its_test_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Learns(FeedForward):
        def forward(self, x: Any) -> Any:
            if not self.training:
                next(self.parameters()).data += 1
            return super().forward(x)

    with pytest.raises(ValueError, match="the weights changed during the test"):
        challenge.attempt(TINY, parts=replace(COURSE, FeedForward=Learns), **SHORT)


def test_an_attempt_that_is_interrupted_is_not_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Any, examples: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training._Training, "step", stop)
    with pytest.raises(KeyboardInterrupt):
        challenge.attempt(TINY, **SHORT)


def test_the_courses_settings_are_those_of_its_translator() -> None:
    plan = study(settings=challenge.THE_COURSES, variants={"it": {}}, data=DATA, steps=2).plans()["it"]
    assert (plan.config.d_model, plan.config.layers) == (SIZES["d_model"], SIZES["layers"])
    assert replace(plan.training, steps=None, epochs=6, progress=True) == SETTINGS
