"""Measure how long the exercises' checks take, in seconds of processor time.

Run with `python -m benchmarks.check_time`. For each exercise it checks the reference, a wrong answer in which nothing
is to be recognised, and every known mistake: each as the first answer of a session, and once more as a later one. The
exit status is 1 if a check takes 1 s or more.
"""

import sys
import time

from course_lib.exercises import all_exercises
from course_lib.exercises.judging.checking import forget_outcomes
from tools.spoiled import spoiled

TARGET = 1.0  # seconds
SHOWN = 10


def main() -> int:
    times = []
    for exercise in all_exercises():
        answers = {"(the reference)": exercise.reference, "(nothing to be recognised)": spoiled(exercise)}
        answers |= {mistake.name: mistake.implementation for mistake in exercise.mistakes}
        for name, answer in answers.items():
            forget_outcomes()
            for when in ("first", "later"):
                start = time.process_time()
                exercise.check(answer)
                times.append((time.process_time() - start, when, exercise.name, name))
    times.sort(reverse=True)
    for when in ("first", "later"):
        own = [each for each in times if each[1] == when]
        print(f"{len(own)} checks, each as the {when} one: {sum(seconds for seconds, *_ in own):.1f} s in all")
        for seconds, _, name, answer in own[:SHOWN]:
            print(f"{seconds:6.3f}  {name:32}{answer}")
    print(f"target: each below {TARGET:.0f} s")
    return int(times[0][0] >= TARGET)


if __name__ == "__main__":
    sys.exit(main())
