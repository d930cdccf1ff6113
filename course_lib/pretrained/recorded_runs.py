"""Tables of runs that a recipe recorded and a notebook shows: how they are written, and on what they were made."""

import json
import math
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from course_lib.learning.descriptions import describe_machine

Run = TypeVar("Run")
Planned = TypeVar("Planned", bound=Hashable)


def as_json(runs: Sequence[Any], note: Mapping[str, Any]) -> str:
    """Write a note, and the runs, which are dataclasses, under "runs", one a line."""
    lines = ",\n".join(json.dumps(asdict(each)) for each in runs)
    return f'{json.dumps(note, indent=1)[:-2]},\n "runs": [\n{lines}\n]}}\n'


def made_here(*others: str) -> dict[str, str]:
    """Say on what a table was made, and when: the first two entries of its note. `others` name further libraries."""
    machine = ", ".join((describe_machine(), *others, "one thread"))
    return {"machine": machine, "date": datetime.now(UTC).date().isoformat()}


def complete(
    done: Sequence[Run],
    plan: Iterable[Planned],
    planned_as: Callable[[Run], Planned],
    make: Callable[[Planned], Run],
    part: Path | None = None,
    minutes: float = math.inf,
    tell: Callable[[Run], str] = str,
) -> list[Run]:
    """Make the runs of a plan that are still missing, so that a recipe can be stopped, and continued later.

    Args:
        done: the runs that were made before, dataclasses.
        plan: what is to be made, what matters most first.
        planned_as: gives what in the plan a run is.
        make: makes a run.
        part: a file to which each run is added as a line of JSON, once it is made.
        minutes: after so many, no further run is begun.
        tell: says on standard error what came of a run.

    Returns the runs that were made before, and the new ones.
    """
    runs, known = list(done), {planned_as(each) for each in done}
    until = time.monotonic() + 60 * minutes
    for planned in plan:
        if planned in known or time.monotonic() > until:
            continue
        latest: Any = make(planned)
        runs.append(latest)
        sys.stderr.write(f"{tell(latest)}\n")
        if part:
            with part.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(latest)) + "\n")
    return runs


def read_table(file: Path, kind: type[Run]) -> tuple[list[Run], dict[str, Any]]:
    """Read the runs of a table and its note, as `as_json` wrote them. Takes the file, and the class of the runs."""
    content = json.loads(file.read_text(encoding="utf-8"))
    return [kind(**each) for each in content.pop("runs")], content


def lines_of(part: Path | None) -> list[Any]:
    """Read the lines of JSON that `complete` has kept in a file; none if there is no file."""
    if part is None or not part.exists():
        return []
    return [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
