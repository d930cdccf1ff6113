"""The answers of a study: tables, comparisons and files."""

import csv
import io
import itertools
from pathlib import Path

import pytest

from course_lib.experiments import LOSS, RIGHT, Comparison, Results
from course_lib.experiments.keeping import Run
from course_lib.experiments.running import Outcome
from course_lib.experiments.variants import Budget
from course_lib.pictures import figures

CURVES = {"steps": [1, 2], "tokens": [10, 20], "training": [3.0, 2.0], "validation": [3.5, 2.5]}


def results(losses: dict[str, list[float]], failed: int = 0, right: float = 0.5) -> Results:
    """Results with these losses, the seeds counted from 0, and so many runs more that failed."""
    seeds = tuple(range(max(map(len, losses.values())) + failed))
    runs = [
        Run(f"{name}{seed}", name, seed, Outcome({"loss": loss, "right": right}, None, 2.0, 100, 2, 20), {})
        for name, values in losses.items()
        for seed, loss in enumerate(values)
    ]
    runs += [
        Run(f"bad{seed}", next(iter(losses)), seed, Outcome({}, "ValueError: odd"), {})
        for seed in seeds[-failed:]
        if failed
    ]
    measures = {"loss": LOSS, "right": RIGHT}
    curves = {run.key: CURVES for run in runs if not run.outcome.error}
    return Results("Which?", tuple(losses), measures, seeds, Budget(steps=2), runs, curves)


def test_the_table_has_mean_band_and_number_of_each_variant():
    table = results({"a": [1.0, 2.0, 6.0], "b": [4.0]}).table()
    assert [*table.index] == ["a", "b"]
    assert table.loc["a", ["loss", "loss, lowest", "loss, highest", "n", "seconds", "parameters"]].tolist() == [
        3.0,
        1.0,
        6.0,
        3,
        2.0,
        100,
    ]
    assert table.loc["b", "loss"] == 4.0
    assert table.loc["b", ["loss, lowest", "loss, highest"]].isna().all()  # a single seed has no band
    assert "failed" not in table


def test_failed_runs_are_counted_apart():
    table = results({"a": [1.0, 2.0]}, failed=1).table()
    assert (table.loc["a", "n"], table.loc["a", "failed"], table.loc["a", "loss"]) == (2, 1, 1.5)


def test_nothing_but_failures_makes_a_table_without_numbers():
    found = Results(
        "Which?", ("a",), {"loss": LOSS}, (0,), Budget(steps=2), [Run("k", "a", 0, Outcome({}, "E"), {})], {}
    )
    assert found.table()["loss"].isna().all()
    assert found.table()["n"].tolist() == [0]


def test_a_clear_difference_is_said_with_its_seeds_and_its_size():
    found = results({"a": [1.0, 1.1, 0.9, 1.0, 1.05], "b": [2.0, 2.05, 1.95, 2.0, 2.1]}).compare("a", "b")
    assert found.can_tell
    assert found.mean == pytest.approx(-1.01)
    assert str(found).startswith("a against b, loss: better in 5 of 5 seeds, by ")
    assert str(found).endswith(" nats.")
    low, high = found.interval
    assert -1.2 < low < -1.01 < high < -0.9


def test_higher_is_better_where_the_measure_says_so():
    assert "worse in 4 of 5 seeds" in str(
        Comparison("a", "b", "right", "", "higher", dict(enumerate([-1, -1, -1, -1, 0.01])), (-1.2, -0.4))
    )


def test_a_difference_that_seeds_cannot_tell_is_said_to_be_one():
    found = results({"a": [1.0, 2.0, 3.0], "b": [2.0, 1.5, 3.1]}).compare("a", "b")
    assert not found.can_tell
    assert "3 seeds cannot tell. The difference is between -" in str(found)


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ({"a": [1.0], "b": [2.0]}, "-1 nats with a single seed, which cannot tell"),
        ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, "equal in 2 of 2 seeds. Either the measure does not see"),
        ({"a": [1.0, 2.0], "b": []}, "no seed was run with both"),
    ],
)
def test_what_cannot_be_compared_is_said_plainly(losses: dict, words: str):
    assert words in str(results(losses).compare("a", "b"))


def test_seeds_are_paired():
    found = results({"a": [1.0, 5.0, 9.0, 2.0, 7.0], "b": [1.1, 5.1, 9.1, 2.1, 7.1]})
    assert found.compare("a", "b").can_tell


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a", "c"), "there is no variant 'c': they are 'a', 'b'"),
        (("a", "a"), "'a' came twice"),
        (("a", "b", "taste"), "there is no measure 'taste': they are 'loss', 'right'"),
    ],
)
def test_names_that_there_are_not_are_refused(arguments: tuple, words: str):
    with pytest.raises(ValueError, match=words):
        results({"a": [1.0], "b": [2.0]}).compare(*arguments)


def test_the_files_have_the_numbers_of_the_table(tmp_path: Path):
    found = results({"a": [1.0, 2.0], "b|c": [4.0]}, failed=1)
    rows = [*csv.DictReader(io.StringIO(found.to_csv(tmp_path / "runs.csv")))]
    assert [(row["variant"], row["loss"], row["error"]) for row in rows] == [
        ("a", "1.0", ""),
        ("a", "2.0", ""),
        ("b|c", "4.0", ""),
        ("a", "", "ValueError: odd"),
    ]
    assert (tmp_path / "runs.csv").read_text() == found.to_csv()
    lines = found.to_markdown(tmp_path / "table.md").splitlines()
    assert lines[2].startswith("| a | 1.5 | 1.0 | 2.0 | 0.5 |")
    assert lines[3].startswith(r"| b\|c | 4.0 |  |  |")
    assert (tmp_path / "table.md").read_text() == found.to_markdown()


def test_curves_are_drawn_four_in_a_panel(monkeypatch: pytest.MonkeyPatch):
    drawn = []
    monkeypatch.setattr(figures, "draw_side_by_side", lambda *args, **more: drawn.append((args, more)))
    found = results({name: [1.0, 2.0] for name in "abcde"})
    found.plot()
    (_, panels), more = drawn[0]
    assert [[*series] for series, _, _ in panels] == [["a", "b", "c", "d"], ["e"]]
    assert panels[0][0]["a"] == ([1, 2], [[3.5, 2.5]] * 2)
    assert "the mean of 2 seeds" in more["claim"]
    found.plot("b", curve="training")
    assert [*drawn[1][0][1][0][0]] == ["b"]


@pytest.mark.parametrize(
    ("names", "curve", "words"), [(("z",), "validation", "no variant 'z'"), ((), "odd", "curve should be")]
)
def test_what_cannot_be_drawn_is_refused(names: tuple, curve: str, words: str):
    with pytest.raises(ValueError, match=words):
        results({"a": [1.0]}).plot(*names, curve=curve)


def test_without_runs_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="no curves to draw"):
        Results("Which?", ("a",), {"loss": LOSS}, (0,), Budget(steps=2), [], {}).plot()


def test_a_seed_in_which_both_are_equal_is_ahead_for_neither():
    found = Comparison("a", "b", "loss", "nats", "lower", dict(enumerate([-1, -1.1, -0.9, 0])), (-1.2, -0.3))
    assert "better in 3 of 4 seeds, by 0.3 to 1.2 nats" in str(found)


def test_of_curves_of_different_length_what_all_have_is_drawn_by_the_budgets_unit(monkeypatch: pytest.MonkeyPatch):
    drawn = []
    monkeypatch.setattr(figures, "draw_side_by_side", lambda *args, **more: drawn.append(args))
    runs = [Run(f"a{seed}", "a", seed, Outcome({"loss": 1.0}), {}) for seed in (0, 1)]
    longer = {"steps": [1, 2, 3], "tokens": [12, 24, 36], "training": [3.0, 2.0, 1.0], "validation": [3.5, 2.5, 1.5]}
    curves = {"a0": CURVES, "a1": longer}
    for budget, x, name in ((Budget(seconds=1.0), [1, 2], "steps"), (Budget(tokens=20), [11, 22], "ids read")):
        Results("Which?", ("a",), {"loss": LOSS}, (0, 1), budget, runs, curves).plot()
        ((series, x_name, _),) = drawn[-1][1]
        assert (series["a"], x_name) == ((x, [[3.5, 2.5], [3.5, 2.5]]), name)


def test_every_pair_of_seeds_counts_once():
    found = results({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0]}).compare("a", "b")
    assert list(itertools.chain(found.differences)) == [0, 1]
