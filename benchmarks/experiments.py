"""What the experiments' bench costs: its share of a run's processor time, and what a second process adds.

    python -m benchmarks.experiments

The overhead is all processor time of a study that is not spent in building, training and measuring its models. For two
processes, the same runs are done by one and by two processes in turn, and throughput counts in runs per second. On a
machine that others use too, the second number is lower than on a quiet one; so beside it is what two processes reach
that do nothing but compute.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from statistics import median

import torch

from course_lib.experiments import Study, grid, running, translations, workers
from course_lib.experiments.ready import BASE

MOST_OVERHEAD = 0.02
LEAST_SPEED_UP = 1.7
ROUNDS = 3


def study_of(steps: int, seeds: int) -> Study:
    """A study like the ready ones."""
    return Study(
        name="benchmark",
        question="What does the bench cost?",
        data=translations(),
        settings=BASE,
        variants=grid(heads=[1, 4]),
        seeds=range(seeds),
        steps=steps,
    )


def overhead(study: Study) -> float:
    """The share of the bench in the processor time of a study in this process, its second run in it."""
    spent = 0.0
    plain = running.run

    def timed(*arguments: object) -> object:
        nonlocal spent
        began = time.process_time()
        try:
            return plain(*arguments)
        finally:
            spent += time.process_time() - began

    running.run = timed
    try:
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            study.run(workers=1, progress=False, folder=folder)
            total = time.process_time() - began
    finally:
        running.run = plain
    return (total - spent) / spent


def seconds_with(count: int, study: Study, worked: dict[int, list[float]]) -> float:
    """How long a study takes with so many processes, their start included. Notes its trainings' processor time."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        # One process of its own, too, so that both pay for starting it.
        with workers.processes(count) as executor:
            results = study.run(executor=executor, progress=False, folder=folder)
        worked[count].append(sum(run.outcome.seconds for run in results.runs))
        return time.monotonic() - began


def multiply(times: int) -> float:
    """Compute without pause, on one thread."""
    torch.set_num_threads(1)
    x = torch.eye(64)
    for _ in range(times):
        x = x @ x
    return float(x[0, 0])


def seconds_to_multiply(count: int) -> float:
    """How long so many processes take for the same 8 long computations."""
    with ProcessPoolExecutor(count) as executor:
        list(executor.map(abs, range(count)))
        began = time.monotonic()
        list(executor.map(multiply, [150_000] * 8))
        return time.monotonic() - began


def speed_up(seconds: Callable[[int], float]) -> float:
    """How many times as fast two processes are as one, measured in turn: the median of some rounds."""
    return median(seconds(1) / seconds(2) for _ in range(ROUNDS))


def main() -> int:
    """Measure, print, and return the exit status."""
    study = study_of(steps=200, seeds=2)
    running.run(study.data, study.measures, study.plans()["heads=1"], 0)  # what torch loads for its first training
    share = overhead(study)
    possible = speed_up(seconds_to_multiply)
    worked: dict[int, list[float]] = {1: [], 2: []}
    reached = speed_up(lambda count: seconds_with(count, replace(study, seeds=range(4)), worked))
    print(f"overhead of the bench: {share:.1%} of the runs' processor time (target: below {MOST_OVERHEAD:.0%})")
    print(f"two processes against one: {reached:.2f} times as many runs (target: {LEAST_SPEED_UP})")
    print(f"    by the processor time that the same trainings take: {2 * sum(worked[1]) / sum(worked[2]):.2f}")
    print(f"    what two processes reach here that only multiply matrices: {possible:.2f}")
    return 0 if share < MOST_OVERHEAD and reached >= LEAST_SPEED_UP else 1


if __name__ == "__main__":
    sys.exit(main())
