"""Hold every known mistake against its exercise's check, and print what came of it.

    python -m course_lib.exercises

The status is 1 where a reference fails, or a mistake is let through or taken for another one.
"""

import sys
from collections.abc import Iterator

from course_lib.exercises import all_exercises


def rows() -> Iterator[tuple[str, str, bool, bool]]:
    """Each exercise and mistake, whether it is rejected, and whether it is named by its own sentence."""
    for exercise in all_exercises():
        passed = exercise.check(exercise.reference).passed
        yield exercise.name, "(the reference passes)", passed, passed
        for mistake in exercise.mistakes:
            report = exercise.check(mistake.implementation)
            name = getattr(mistake.implementation, "__name__", "").strip("_").replace("_", " ")
            named = report.mistake is mistake and report.message == mistake.message
            yield exercise.name, name, not report.passed, named


def main() -> int:
    """Print the table and return the exit status."""
    lines = [f"{'exercise':30}{'mistake':40}{'rejected':10}named\n"]
    failed = 0
    for name, mistake, rejected, named in rows():
        lines.append(f"{name:30}{mistake:40}{'yes' if rejected else 'NO':10}{'yes' if named else 'NO'}\n")
        failed += not (rejected and named)
    sys.stdout.write("".join(lines) + f"{len(lines) - 1} rows, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
