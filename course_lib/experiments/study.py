"""A study: a question, what varies, what is measured, and the runs that answer it."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from course_lib.data.places import experiments_folder, place
from course_lib.experiments import running, workers
from course_lib.experiments.digests import digest, versions
from course_lib.experiments.keeping import Folder, Run, StudyError
from course_lib.experiments.material import Data
from course_lib.experiments.measures import LOSS, Measure
from course_lib.experiments.results import Results
from course_lib.experiments.running import Outcome
from course_lib.experiments.variants import Budget, Plan, Settings, check_setting, make_plan
from course_lib.learning.descriptions import describe_machine
from course_lib.transformer.build import COURSE, Parts

_SECONDS_BETWEEN_LOOKS = 0.5
_TOO_LARGE_A_SEED = 2**63


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question about a Transformer, to be answered by training each variant once with each seed.

        study = Study(
            name="heads",
            question="Do more heads help at equal width?",
            data=translations(),
            settings=dict(d_model=64, d_ff=128, layers=1, dropout=0.0, learning_rate=5e-3),
            variants=grid(heads=[1, 4]),
            steps=300,
        )
        study.run().table()

    Args:
        name: the name of its folder: letters, digits, `-` and `_`.
        question: what is asked, in a sentence.
        data: what the models learn, such as `translations()`.
        variants: by name, the settings in which each differs from the others: of `TransformerConfig`, of
            `TrainingSettings`, a part of the model by its name in `Parts`, the number of `examples`, or a function
            `start` that changes a new model before it learns. `SETTINGS` lists them all, and `grid` combines them.
        settings: the settings that all variants share.
        measures: by name, what is measured of each trained model; the first one is what `plot` and `compare` show.
        seeds: each variant is trained once with each.
        steps: the budget, the same for all: updates of the weights, …
        seconds: … or seconds of training, …
        tokens: … or ids to read, padding not counted. Exactly one of the three.
        parts: what models are built from where a variant has no part of its own, such as `yours.parts()`.

    Raises TypeError or ValueError, in one sentence, for whatever cannot be run.
    """

    name: str
    question: str
    data: Data
    variants: Mapping[str, Settings]
    settings: Settings = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=lambda: {"loss": LOSS})
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    steps: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    parts: Parts = COURSE

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", self.name):
            raise ValueError(f"a study's name is a folder's: letters, digits, - and _, but this is {self.name!r}")
        if not isinstance(self.question, str) or not self.question.strip():
            raise ValueError("a study needs a question, in words")
        if not isinstance(self.data, Data):
            raise TypeError(f"data should be a Data, such as translations(), but is a {type(self.data).__name__}")
        _check_mapping("variants", self.variants, "heads=[1, 4]: variants=grid(heads=[1, 4])")
        _check_mapping("measures", self.measures, "the loss: measures={'loss': LOSS}")
        for name, measure in self.measures.items():
            if not isinstance(measure, Measure):
                raise TypeError(
                    f"the measure {name} should say what is good, Measure(function, better='lower') or "
                    f"better='higher', but is {measure!r}"
                )
        _check_seeds(self.seeds)
        for setting in self.settings:
            check_setting("the study's settings", setting)
        alike: dict[str, str] = {}
        for name, plan in self.plans().items():
            key = digest(plan)
            if key in alike:
                raise ValueError(f"the variants {alike[key]!r} and {name!r} are equal: nothing would be compared")
            alike[key] = name

    @property
    def budget(self) -> Budget:
        """How long each training may be. Raises ValueError for none, or more than one, or one of nothing."""
        return Budget(self.steps, self.seconds, self.tokens)

    def plans(self) -> dict[str, Plan]:
        """What each variant comes to, by name. Raises as `Study` does."""
        plans = {}
        for name, settings in self.variants.items():
            if not isinstance(settings, Mapping):
                raise TypeError(
                    f"{name}: its settings should be in a dict, such as dict(heads=4), but are {settings!r}"
                )
            merged = {**self.settings, **settings}
            plans[name] = make_plan(name, merged, self.data.sizes, self.budget, self.parts)
        return plans

    def folder(self, folder: str | Path | None = None) -> Folder:
        """Where its runs are kept: in this folder, or else in `my_course/experiments/NAME`."""
        return Folder(experiments_folder() / self.name if folder is None else place(folder))

    def keys(self) -> dict[tuple[str, int], str]:
        """The key of each run, by variant and seed, the runs of the first seed first.

        A key is the digest of everything that could change a result: settings, data, the code of parts and measures,
        the course's code, and the versions of Python and torch.
        """
        common = digest([self.data, dict(self.measures), versions()])
        plans = {name: digest([plan, common]) for name, plan in self.plans().items()}
        return {(name, seed): digest([key, seed]) for seed in self.seeds for name, key in plans.items()}

    def results(self, folder: str | Path | None = None) -> Results:
        """What is known so far, without a run. Takes what `folder` takes."""
        return self._results(self.folder(folder), self.keys())

    def run(
        self,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        progress: bool = True,
        repeat_failed: bool = False,
        folder: str | Path | None = None,
    ) -> Results:
        """Run what has not been run yet, and return everything that is known.

        Interrupting it (Ctrl-C, Jupyter's ■) keeps what is done; the next call continues. A run that fails is kept with
        its error, and the others go on.

        Args:
            workers: how many processes, each on one thread; None: as many as there are cores. With 1, everything
                happens in this process.
            executor: whatever has the interface of `concurrent.futures`, to run elsewhere: for example
                `dask.distributed.Client(address).get_executor()`. The course must be installed there. It is not shut
                down.
            progress: show a bar, with the time left.
            repeat_failed: run those again that failed.
            folder: where runs are kept; None: `my_course/experiments/NAME`.

        Raises StudyError where another program runs the same study, the folder cannot be written to, or a process was
        killed; TypeError for a measure that gives no number, or for parts that cannot be called as the course calls
        them; ValueError for workers that are not 1 or more.
        """
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise ValueError(f"workers is a number of processes, 1 or more, but is {workers!r}")
        kept, keys = self.folder(folder), self.keys()
        with kept.locked():
            known = kept.runs()
            waiting = [
                each for each, key in keys.items() if key not in known or (repeat_failed and known[key].outcome.error)
            ]
            interrupted = False
            if waiting:
                kept.check_room()
                try:
                    self._try_out({variant for variant, _ in waiting})
                    with _bar(len(keys), len(keys) - len(waiting), progress) as bar:
                        for (variant, seed), outcome in self._outcomes(waiting, keys, kept, workers, executor, bar):
                            kept.add(Run(keys[variant, seed], variant, seed, outcome, _made()))
                            bar.set_postfix_str(f"{variant}, seed {seed}", refresh=False)
                            bar.update(1)
                except KeyboardInterrupt:
                    interrupted = True
        return self._results(kept, keys, interrupted)

    def _results(self, kept: Folder, keys: Mapping[tuple[str, int], str], interrupted: bool = False) -> Results:
        known = kept.runs()
        runs = [known[key] for key in keys.values() if key in known]
        # A run is known by its key; the name of a variant may have changed since.
        names = {key: variant for (variant, _), key in keys.items()}
        found = [Run(run.key, names[run.key], run.seed, run.outcome, run.made) for run in runs]
        curves = {run.key: kept.curves(run.key) for run in found}
        return Results(
            self.question,
            tuple(self.variants),
            dict(self.measures),
            tuple(self.seeds),
            self.budget,
            found,
            curves,
            interrupted,
        )

    def _try_out(self, variants: Set[str]) -> None:
        """Try measures and parts on models that hardly learn, so that a wrong one is found before hours of training.

        Raises TypeError for a measure that gives no number, and for parts of a variant that cannot be called as the
        course calls them; StudyError, with what was raised first, where nothing can be trained and measured at all.
        """
        first: Exception | None = None
        measures = dict(self.measures)
        for name, plan in self.plans().items():
            if name not in variants or not (measures or plan.parts != self.parts):
                continue
            try:
                running.try_out(self.data, measures, plan)
                measures = {}  # they work
            except TypeError as error:
                if str(error).startswith("the measure "):
                    raise
                if plan.parts != self.parts:
                    words = running.in_one_line(error)
                    raise TypeError(f"{name}: a part should take what the course's takes, but {words}") from error
                first = first or error
            except Exception as error:  # the variant fails, and its runs will say so
                first = first or error
        if measures:
            words = running.in_one_line(first) if first else ""
            raise StudyError(f"no variant of {self.name} can be trained and measured at all: {words}")

    def _outcomes(
        self,
        waiting: list[tuple[str, int]],
        keys: Mapping[tuple[str, int], str],
        kept: Folder,
        count: int | None,
        executor: Executor | None,
        bar: Any,
    ) -> Iterator[tuple[tuple[str, int], Outcome]]:
        """Run what is waiting, and give each outcome as soon as it is known."""
        plans = self.plans()
        count = min(workers.cores() if count is None else count, len(waiting))
        # Training by the clock cannot be continued later: the clock would begin again.
        checkpoints = {each: None if self.seconds else kept.checkpoint(keys[each]) for each in waiting}
        if executor is None and count == 1:
            for variant, seed in waiting:
                file = checkpoints[variant, seed]
                yield (variant, seed), running.run(self.data, self.measures, plans[variant], seed, file)
            return
        if executor is None and workers.is_worker():
            raise StudyError(
                "this script is being imported again by one of its own processes: put study.run() under "
                "`if __name__ == '__main__':`"
            )
        data = running.pack(self.data)
        packed = {name: running.pack((dict(self.measures), plan)) for name, plan in plans.items()}
        with _executor(executor, count) as chosen:
            futures = {}
            for variant, seed in waiting:
                file = checkpoints[variant, seed] if executor is None else None  # another machine has another disk
                place_of_state = None if file is None else str(file)
                future = chosen.submit(running.run_packed, data, packed[variant], seed, place_of_state)
                futures[future] = (variant, seed)
            try:
                yield from _as_they_come(futures, bar)
            except (BrokenProcessPool, CancelledError) as error:
                raise StudyError(
                    "a process that was training ended, perhaps for lack of memory: the runs that are done are kept; "
                    "run it again, with fewer workers"
                ) from error
            finally:
                for future in futures:
                    future.cancel()


def _as_they_come(
    futures: Mapping["Future[Outcome]", tuple[str, int]], bar: Any
) -> Iterator[tuple[tuple[str, int], Outcome]]:
    """Give the outcomes as they come, and move the bar's clock meanwhile."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
        bar.refresh()
        for future in sorted(done, key=lambda each: futures[each]):
            yield futures[future], future.result()


@contextmanager
def _executor(given: Executor | None, count: int) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    with workers.processes(count) as made:
        yield made


def _bar(total: int, done: int, shown: bool) -> Any:
    parts = "{n_fmt} of {total_fmt} runs |{bar}| {elapsed}, {remaining} left{postfix}"
    return tqdm(total=total, initial=done, bar_format=parts, disable=not shown)


def _made() -> dict[str, Any]:
    """Say where and with what a run was made."""
    return {"machine": describe_machine(), "date": datetime.now(UTC).date().isoformat(), "versions": versions()}


def _check_mapping(name: str, value: Any, example: str) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} should be a dict, by name, but is {value!r}")
    if not value:
        raise ValueError(f"a study needs {name}, for example {example}")
    for each in value:
        if not isinstance(each, str) or not each.strip():
            raise TypeError(f"the names of {name} should be texts, but one is {each!r}")


def _check_seeds(seeds: Any) -> None:
    if isinstance(seeds, str) or not isinstance(seeds, Sequence):
        raise TypeError(f"seeds should be a list of whole numbers, such as range(5), but is {seeds!r}")
    if not seeds:
        raise ValueError("a study needs seeds: with none, nothing is run")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < _TOO_LARGE_A_SEED:
            raise ValueError(f"seeds should be whole numbers from 0 to below 2**63, but one is {seed!r}")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"each seed counts once, but they are {list(seeds)}")
