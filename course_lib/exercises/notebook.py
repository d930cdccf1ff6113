"""What a notebook's cell calls: `@exercise(...)` above a function or class, `hint(...)` and `solution(...)`."""

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from IPython.display import display

from course_lib.exercises.catalogue import find
from course_lib.exercises.parts import learn, part
from course_lib.exercises.reports import Panel
from course_lib.exercises.source import standalone

_hints_shown: Counter[str] = Counter()


def exercise(name: str) -> Callable[[Any], Any]:
    """Check the function or class below, show the report, and return the part with which the notebook continues.

    If the answer passes, that is the answer itself, and its source is saved in `my_transformer/`. If not, it is the
    learner's version that passed before, or the course's.

    Raises ValueError for a name that is no exercise's.
    """
    known = find(name)

    def judge(answer: Any) -> Any:
        _let_it_call_itself(answer)
        report = known.check(answer)
        if report.passed:
            after = learn(known, answer)
        else:
            earlier = part(name)
            whose = f"your version that passed before, {earlier.note}" if earlier.is_yours else "the course's version"
            after = f'The notebook goes on with {whose}. For a hint: `hint("{name}")`.'
        display(Panel(report.title, (*report.paragraphs, after)))  # type: ignore[no-untyped-call]
        return part(name).implementation

    return judge


def _let_it_call_itself(answer: Any) -> None:
    """Bind an answer to its own name in its notebook now: Python does so after the check, but it may be recursive.

    Otherwise a recursive answer would call what this name stood for before: an earlier version, or the course's.
    """
    if "<locals>" in getattr(answer, "__qualname__", "<locals>"):
        return
    methods = vars(answer).values() if inspect.isclass(answer) else ()
    for function in filter(inspect.isfunction, (answer, *methods)):
        function.__globals__[answer.__name__] = answer


def hint(name: str) -> Panel:
    """Show the next of an exercise's three hints; the last one again once all are shown."""
    hints = find(name).hints
    number = _hints_shown[name] = min(_hints_shown[name] + 1, len(hints))
    more = f'`solution("{name}")` shows a solution.' if number == len(hints) else "The same call shows the next one."
    return Panel(f"Hint {number} of {len(hints)} for {name}", (hints[number - 1], more))


def solution(name: str) -> Panel:
    """Show the course's own version of a part, as a cell that could replace the stub: `.code` is its text."""
    reference = find(name).reference
    imports, definitions = standalone(reference, helpers=reference.__module__)
    code = "\n".join(imports) + f'\n\n\n@exercise("{name}")\n{definitions[-1]}'
    return Panel(f"One solution for {name}", ("The course's own; yours may look quite different.",), code.lstrip())
