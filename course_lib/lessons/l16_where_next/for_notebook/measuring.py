"""What a computation takes: its time, and the memory of all tensors that are there at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from tqdm.auto import tqdm

from course_lib.exercises.allocations import Allocations
from course_lib.learning.threads import one_thread
from course_lib.scoring.growth import growth_exponent


def most_bytes(run: Callable[[], Any]) -> int:
    """Count how many bytes of tensors that `run()` makes are there at once, at most, its result included.

    What a kernel uses inside, and frees before it returns, is not counted.
    """
    with torch.no_grad(), Allocations() as allocations:
        run()
    most: int = allocations.most
    return most


def seconds(run: Callable[[], Any], times: int = 3) -> float:
    """Measure the processor time of `run()` on one thread: the least of several runs."""
    with torch.no_grad(), one_thread():
        run()  # the first run loads what torch needs
        spent = []
        for _ in range(times):
            began = time.process_time()
            run()
            spent.append(time.process_time() - began)
    return max(min(spent), 1e-6)


def costs(ways: Mapping[str, Callable[..., Any]], sizes: Sequence[int]) -> dict[str, tuple[list[float], list[float]]]:
    """Measure ways to attend on N tokens of width 64, for each N: seconds, and bytes at once.

    Takes functions of queries, keys and values, (N, 64).
    """
    generator = torch.Generator().manual_seed(0)
    inputs = {N: torch.randn(3, N, 64, generator=generator) for N in sizes}
    measured = {}
    with tqdm(total=len(ways) * len(sizes)) as bar:
        for name, attend in ways.items():
            times, bytes_at_once = list[float](), list[float]()
            for N in sizes:
                run = partial(attend, *inputs[N])
                times.append(seconds(run))
                bytes_at_once.append(most_bytes(run))
                bar.update()
            measured[name] = times, bytes_at_once
    return measured


def table(measured: Mapping[str, tuple[list[float], list[float]]], sizes: Sequence[int]) -> str:
    """Write what `costs` measured at the largest size, with the exponents of the upper half of the sizes."""
    upper = len(sizes) // 2
    lines = [f"{'N = ' + format(sizes[-1], ','):16} {'time':>9} {'exponent':>9} {'memory':>10} {'exponent':>9}"]
    for name, (times, kept) in measured.items():
        of_time, of_memory = (growth_exponent(sizes[upper:], each[upper:]) for each in (times, kept))
        lines.append(f"{name:16} {1_000 * times[-1]:6.1f} ms {of_time:9.2f} {kept[-1] / 1e6:7.1f} MB {of_memory:9.2f}")
    lines.append(f"(exponents from N = {sizes[upper]:,} to {sizes[-1]:,})")
    return "\n".join(lines)
