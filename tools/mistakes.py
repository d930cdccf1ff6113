"""Check every known mistake with its exercise, and print the results.

    python -m tools.mistakes
    python -m tools.mistakes softmax split_heads

The exit status is 1 if a reference fails, or a mistake passes or is taken for another one.
"""

import sys

from course_lib.exercises import all_exercises
from course_lib.exercises.catalogue import find


def main(names: list[str]) -> int:
    """Print a table for these exercises, or for all, and return the exit status."""
    exercises = [find(name) for name in names] or all_exercises()
    lines = [f"{'exercise':30}{'mistake':40}{'rejected':10}named"]
    for exercise in exercises:
        passed = exercise.check(exercise.reference).passed
        lines.append(f"{exercise.name:30}{'(the reference)':40}{'passes' if passed else 'NO'}")
        for mistake in exercise.mistakes:
            report = exercise.check(mistake.implementation)
            named = report.mistake is mistake and report.message == mistake.message
            lines.append(
                f"{'':30}{mistake.name[:38]:40}{'NO' if report.passed else 'yes':10}{'yes' if named else 'NO'}"
            )
    failed = sum(line.split()[-1] == "NO" for line in lines)
    sys.stdout.write("\n".join([*lines, f"{len(lines) - 1} rows, {failed} failed\n"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
