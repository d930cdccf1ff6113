"""The functions that notebook cells call: `@exercise(...)`, `hint(...)` and `solution(...)`."""

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from IPython.display import display

from course_lib.exercises.catalogue import find
from course_lib.exercises.parts import adopt, part
from course_lib.exercises.reports import Panel
from course_lib.exercises.source import standalone

_hints_shown: Counter[str] = Counter()


def exercise(name: str) -> Callable[[Any], Any]:
    """Check the function or class below, show the report, and return the part with which the notebook continues.

    If the answer passes, that is the answer itself, and its source is saved in `my_transformer/`. If not, it is the
    learner's last version that passed, or the course's.

    Raises ValueError if no exercise has this name.
    """
    this_exercise = find(name)

    def check_answer(answer: Any) -> Any:
        _bind_own_name(answer)
        report = this_exercise.check(answer)
        if report.passed:
            next_step = adopt(this_exercise, answer)
        else:
            earlier = part(name)
            version = f"your version that passed before, {earlier.note}" if earlier.is_yours else "the course's version"
            next_step = f'The notebook goes on with {version}. For a hint: `hint("{name}")`.'
        display(Panel(report.title, (*report.paragraphs, next_step)))  # type: ignore[no-untyped-call]
        return part(name).implementation

    return check_answer


def _bind_own_name(answer: Any) -> None:
    """Bind an answer to its own name in its notebook before the check; Python does so only afterwards.

    Without this, a recursive answer would call the former holder of its name: an earlier version, or the course's.
    """
    if "<locals>" in getattr(answer, "__qualname__", "<locals>"):
        return
    methods = vars(answer).values() if inspect.isclass(answer) else ()
    for function in filter(inspect.isfunction, (answer, *methods)):
        function.__globals__[answer.__name__] = answer


def hint(name: str) -> Panel:
    """Show the next of an exercise's three hints; once all have been shown, show the last one again."""
    hints = find(name).hints
    number = _hints_shown[name] = min(_hints_shown[name] + 1, len(hints))
    more = f'`solution("{name}")` shows a solution.' if number == len(hints) else "The same call shows the next one."
    return Panel(f"Hint {number} of {len(hints)} for {name}", (hints[number - 1], more))


def solution(name: str) -> Panel:
    """Show the course's version of a part, as a cell that could replace the stub. Its text is in `.code`."""
    reference = find(name).reference
    imports, definitions = standalone(reference, helpers=reference.__module__)
    code = "\n".join(imports) + f'\n\n\n@exercise("{name}")\n{definitions[-1]}'
    return Panel(f"One solution for {name}", ("The course's own; yours may look quite different.",), code.lstrip())
