"""The recipe for the answers of the ready studies: run them over three seeds, on one thread, and write their tables.

Run with `python -m course_lib.recipes.record_experiments`, and names of studies if not all are to be recorded. What is
done is kept in the learner's folder, so that an interrupted recording continues.
"""

import sys
import time
from datetime import UTC, datetime

from course_lib.experiments.ready import READY, RECORDED, as_recorded, ready
from course_lib.experiments.study import Study
from course_lib.learning.descriptions import describe_machine
from course_lib.recipes.command import parser_of


def record(study: Study) -> str:
    """Run a study, and return the content of its file."""
    results = study.run(workers=1, progress=False)
    minutes = sum(run.outcome.seconds for run in results.runs) / 60
    return as_recorded(results, describe_machine(), datetime.now(UTC).date().isoformat(), minutes)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = parser_of("record_experiments", __doc__)
    parser.add_argument("names", nargs="*", help="the studies; none: all")
    RECORDED.mkdir(exist_ok=True)
    for name in parser.parse_args().names or READY:
        began = time.monotonic()
        (RECORDED / f"{name}.json").write_text(record(ready(name)), encoding="utf-8")
        sys.stdout.write(f"{name}: {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
