"""Measure how long the exercises' checks take on the reference and on every known mistake, in seconds.

Run with `python -m benchmarks.check_time`. It prints the slowest checks; the exit status is 1 if one takes 1 s or more.
"""

import sys
import time

from course_lib.exercises import all_exercises

TARGET = 1.0  # seconds
SHOWN = 10


def main() -> int:
    times = []
    for exercise in all_exercises():
        # The last mistake first: it is compared with all others, each of which is then tried for the first time.
        for answer in [exercise.reference, *(mistake.implementation for mistake in reversed(exercise.mistakes))]:
            start = time.perf_counter()
            exercise.check(answer)
            times.append((time.perf_counter() - start, exercise.name, answer.__name__))
    times.sort(reverse=True)
    for seconds, name, answer in times[:SHOWN]:
        print(f"{seconds:6.3f}  {name:32}{answer}")
    total = sum(seconds for seconds, *_ in times)
    print(f"{len(times)} checks, {total:.1f} s in all; target: each below {TARGET:.0f} s")
    return int(times[0][0] >= TARGET)


if __name__ == "__main__":
    sys.exit(main())
