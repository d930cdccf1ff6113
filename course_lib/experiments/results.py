"""The answer to a study: a table with bands, curves, and comparisons that say how sure they are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from course_lib.data.atomic import write_atomically
from course_lib.data.places import place
from course_lib.experiments.keeping import Run
from course_lib.experiments.measures import Measure
from course_lib.experiments.variants import Budget
from course_lib.scoring.confidence import interval_of_mean

if TYPE_CHECKING:
    import pandas as pd

_CURVES_IN_A_PANEL = 4


@dataclass(frozen=True)
class Comparison:
    """How two variants differ in one measure, seed by seed.

    Attributes:
        first: the name of the one.
        second: the name of the other.
        measure: the name of the measure.
        unit: what it counts.
        better: whether "lower" or "higher" is better.
        differences: by seed, what the first has minus what the second has.
        interval: where the mean difference is with 95 % confidence; None with fewer than two seeds.
    """

    first: str
    second: str
    measure: str
    unit: str
    better: str
    differences: Mapping[int, float]
    interval: tuple[float, float] | None

    @property
    def mean(self) -> float:
        """The mean difference; not a number where no seed has both."""
        return fmean(self.differences.values()) if self.differences else math.nan

    @property
    def can_tell(self) -> bool:
        """Whether there is a difference: whether 0 is outside the interval."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def __str__(self) -> str:
        n, pair = len(self.differences), f"{self.first} against {self.second}, {self.measure}"
        if n == 0:
            return f"{pair}: no seed was run with both."
        if n == 1:
            return f"{pair}: {self.mean:+.3g}{_spaced(self.unit)} with a single seed, which cannot tell."
        if not any(self.differences.values()):
            return (
                f"{pair}: equal in {n} of {n} seeds. Either the measure does not see what they differ in, or the model "
                "does not use it."
            )
        assert self.interval is not None
        low, high = self.interval
        if not self.can_tell:
            return (
                f"{pair}: {n} seeds cannot tell. The difference is between {low:+.3g} and {high:+.3g}"
                f"{_spaced(self.unit)}."
            )
        sign = 1 if (self.mean > 0) == (self.better == "higher") else -1
        word = "better" if sign > 0 else "worse"
        count = sum((each > 0) == (self.mean > 0) and each != 0 for each in self.differences.values())
        near, far = sorted(map(abs, self.interval))
        return f"{pair}: {word} in {count} of {n} seeds, by {near:.3g} to {far:.3g}{_spaced(self.unit)}."

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Results:
    """What is known of a study. `table()`, `plot()` and `compare(…)` answer its question.

    Attributes:
        question: what was asked.
        variants: their names, in the study's order.
        measures: by name.
        seeds: of the study.
        budget: of each run.
        runs: those that are done, also those that failed.
        curves: of each run, by its key.
        interrupted: whether there is more to run because somebody stopped it.
    """

    question: str
    variants: tuple[str, ...]
    measures: Mapping[str, Measure]
    seeds: tuple[int, ...]
    budget: Budget
    runs: list[Run]
    curves: Mapping[str, Mapping[str, list[float]]]
    interrupted: bool = False

    def __repr__(self) -> str:
        total, failed = len(self.variants) * len(self.seeds), len(self.failed())
        words = [f"{self.question} {len(self.runs)} of {total} runs are done."]
        if failed:
            first = self.failed()[0]
            words.append(f"{failed} failed; the first, {first.variant} with seed {first.seed}: {first.outcome.error}.")
        if self.interrupted:
            words.append("It was interrupted: run the cell again to continue.")
        return " ".join(words)

    def failed(self) -> list[Run]:
        """The runs that failed, each with its error in `outcome.error`."""
        return [run for run in self.runs if run.outcome.error is not None]

    def values(self, variant: str, measure: str | None = None) -> dict[int, float]:
        """What each seed of a variant measured. Raises ValueError for a name that the study does not have."""
        name = self._measure(measure)
        if variant not in self.variants:
            raise ValueError(f"there is no variant {variant!r}: they are {', '.join(map(repr, self.variants))}")
        return {run.seed: run.outcome.measured[name] for run in self._right(variant)}

    def _right(self, variant: str) -> list[Run]:
        return [run for run in self.runs if run.variant == variant and run.outcome.error is None]

    def _measure(self, name: str | None) -> str:
        if name is None:
            return next(iter(self.measures))
        if name not in self.measures:
            raise ValueError(f"there is no measure {name!r}: they are {', '.join(map(repr, self.measures))}")
        return name

    def table(self) -> "pd.DataFrame":
        """One row for each variant: each measure's mean, lowest and highest value over the seeds, and what it cost.

        `n` is how many seeds there are, without those that failed. The band of a single seed is empty. `seconds` are
        a run's processor time in training.
        """
        import pandas as pd  # it takes time to load, and most uses of this room show no table

        rows = {}
        for variant in self.variants:
            right = self._right(variant)
            failed = sum(run.variant == variant for run in self.failed())
            row: dict[str, Any] = {}
            for name in self.measures:
                values = [run.outcome.measured[name] for run in right]
                row[name] = fmean(values) if values else math.nan
                row[f"{name}, lowest"] = min(values) if len(values) > 1 else math.nan
                row[f"{name}, highest"] = max(values) if len(values) > 1 else math.nan
            row["n"] = len(right)
            row["failed"] = failed
            row["seconds"] = fmean(run.outcome.seconds for run in right) if right else math.nan
            row["parameters"] = right[0].outcome.parameters if right else 0
            rows[variant] = row
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")
        if not frame["failed"].any():
            frame = frame.drop(columns="failed")
        return frame.round({name: 4 for name in frame.columns if name != "seconds"} | {"seconds": 1})

    def compare(self, first: str, second: str, measure: str | None = None) -> Comparison:
        """Compare two variants by the seeds that both have; the first one's value minus the second's.

        Raises ValueError for names that the study does not have, or twice the same.
        """
        if first == second:
            raise ValueError(f"two variants are compared, but {first!r} came twice")
        name = self._measure(measure)
        ours, theirs = self.values(first, name), self.values(second, name)
        differences = {seed: ours[seed] - theirs[seed] for seed in ours if seed in theirs}
        chosen = self.measures[name]
        interval = interval_of_mean(list(differences.values()))
        return Comparison(first, second, name, chosen.unit, chosen.better, differences, interval)

    def plot(self, *variants: str, curve: str = "validation") -> None:
        """Draw the loss on the way: the mean of the seeds, and a band from the lowest to the highest.

        Takes the names of variants (none: all are drawn), and the curve: "validation", or "training". Raises ValueError
        for a name that the study does not have, or where nothing is there to draw.
        """
        from course_lib.pictures.figures import bands, draw_side_by_side

        if curve not in ("validation", "training"):
            raise ValueError(f'curve should be "validation" or "training", but is {curve!r}')
        axis = "tokens" if self.budget.unit == "tokens" else "steps"
        series = {}
        for variant in variants or self.variants:
            self.values(variant)  # refuses a name that there is not
            found = [self.curves[run.key] for run in self._right(variant) if self.curves.get(run.key)]
            if found:
                # By the clock, one seed takes more steps than another: what all have is drawn.
                shared = min(len(each[axis]) for each in found)
                x = [fmean(each[axis][i] for each in found) for i in range(shared)]
                series[variant] = (x, [each[curve][:shared] for each in found])
        if not series:
            raise ValueError("there are no curves to draw: no run is done, or all failed")
        names = [*series]
        groups = [names[i : i + _CURVES_IN_A_PANEL] for i in range(0, len(names), _CURVES_IN_A_PANEL)]
        x_name = "ids read" if axis == "tokens" else "steps"
        panels = [({name: series[name] for name in group}, x_name, f"{curve} loss (nats)") for group in groups]
        columns = min(2, len(panels))
        size = (6.5 * columns, 3.6 * math.ceil(len(panels) / columns))
        n = sorted({len(self._right(name)) for name in names})
        seeds = "a single seed" if n == [1] else f"the mean of {' or '.join(map(str, n))} seeds, and their band"
        draw_side_by_side(bands, panels, size=size, columns=columns, claim=f"{self.question} Shown is {seeds}.")

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Give the table in Markdown, and write it to a file if one is named."""
        frame = self.table().reset_index()
        rows = [[*map(str, frame.columns)], ["---"] * len(frame.columns)]
        rows += [["" if value != value else f"{value}" for value in row] for row in frame.itertuples(index=False)]
        text = "".join(f"| {' | '.join(each.replace('|', chr(92) + '|') for each in row)} |\n" for row in rows)
        return self._written(text, path)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Give one line for each run as comma-separated values, and write them to a file if one is named."""
        import pandas as pd  # as in `table`

        rows = [
            {
                "variant": run.variant,
                "seed": run.seed,
                **{name: run.outcome.measured.get(name, math.nan) for name in self.measures},
                "seconds": run.outcome.seconds,
                "steps": run.outcome.steps,
                "tokens": run.outcome.tokens,
                "parameters": run.outcome.parameters,
                "error": run.outcome.error or "",
            }
            for run in self.runs
        ]
        return self._written(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"), path)

    def _written(self, text: str, path: str | Path | None) -> str:
        if path is not None:
            write_atomically(place(path), text.encode())
        return text


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
