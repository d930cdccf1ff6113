"""The functions that notebook cells call: `@exercise(...)`, `hint(...)` and `solution(...)`."""

import ast
import inspect
import re
import sys
from collections import Counter
from typing import Any

from IPython.display import display

from course_lib.exercises.catalogue import all_exercises, find
from course_lib.exercises.keeping.parts import adopt, part
from course_lib.exercises.keeping.source import standalone, unwrapped
from course_lib.exercises.reports import Panel

_hints_shown: Counter[str] = Counter()


def exercise(name: Any) -> Any:
    """Check the function or class below, show the report, and return the part with which the notebook continues.

    If the answer passes, that is the answer itself, and its source is saved in the learner's folder. If not, it is the
    learner's last version that passed, or the course's. `@exercise` without a name checks what is below as the exercise
    of its own name.

    Raises ValueError if no exercise has this name.
    """
    if _is_being_defined(name):
        return exercise(_name_of(name, "exercise"))(name)
    this_exercise = find(_name_of(name, "exercise"))
    name = this_exercise.name

    def check_answer(answer: Any) -> Any:
        _bind_own_name(answer)
        report = this_exercise.check(answer)
        if report.passed:
            next_step = adopt(this_exercise, answer)
        else:
            earlier = part(name)
            version = f"your version that passed before, {earlier.note}" if earlier.is_yours else "the course's version"
            next_step = f'The notebook continues with {version}. For a hint: `hint("{name}")`.'
        display(Panel(report.title, (*report.paragraphs, next_step)))  # type: ignore[no-untyped-call]
        return part(name).implementation

    return check_answer


def _name_of(given: Any, function: str) -> str:
    """The name of an exercise, given as a text or, without quotes, as the function or class of that name.

    Raises ValueError, which shows how to write it, if it is neither.
    """
    if isinstance(given, str):
        return given
    name = _own_name(given)
    if name in {each.name for each in all_exercises()}:
        return name
    at = "@" if function == "exercise" else ""
    raise ValueError(f'Write the name of the exercise in quotes: `{at}{function}("softmax")`.')


def _own_name(given: Any) -> str:
    """The name of a function or class; "" for anything else, and for an object that does not let one ask."""
    try:
        return str(getattr(given, "__name__", ""))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return ""


def _is_being_defined(given: Any) -> bool:
    """Whether `@exercise` without a name is above a definition. Python binds the definition's name only afterwards."""
    if not inspect.isfunction(given) and not inspect.isclass(given):
        return False
    name = _own_name(given)
    return name != "" and vars(sys.modules.get(given.__module__, inspect)).get(name) is not given


def _bind_own_name(answer: Any) -> None:
    """Bind an answer to its own name in its notebook before the check; Python does so only afterwards.

    Without this, a recursive answer would call the former holder of its name: an earlier version, or the course's.
    """
    name = _own_name(answer)
    if not name or "<locals>" in str(getattr(answer, "__qualname__", "<locals>")):
        return
    methods = vars(answer).values() if inspect.isclass(answer) else ()
    for function in map(unwrapped, (answer, *methods)):
        if inspect.isfunction(function) and function.__module__ == function.__globals__.get("__name__"):
            function.__globals__[name] = answer


def hint(name: Any) -> Panel:
    """Show the next of an exercise's three hints; once all have been shown, show the last one again.

    Raises ValueError if no exercise has this name.
    """
    this_exercise = find(_name_of(name, "hint"))
    name, hints = this_exercise.name, this_exercise.hints
    number = _hints_shown[name] = min(_hints_shown[name] + 1, len(hints))
    more = f'`solution("{name}")` shows a solution.' if number == len(hints) else "The same call shows the next one."
    return Panel(f"Hint {number} of {len(hints)} for {name}", (hints[number - 1], more))


def solution(name: Any) -> Panel:
    """Show the course's version of a part, as a cell that could replace the stub. Its text is in `.code`.

    Where the library has more than the exercise asks for, it shows a plain version, without checks of the arguments.

    Raises ValueError if no exercise has this name.
    """
    exercise = find(_name_of(name, "solution"))
    shown = exercise.plain_answer or exercise.reference
    imports, definitions = standalone(shown, helpers=shown.__module__)
    definition = _without_checks(definitions[-1]).replace(f"def {shown.__name__}(", f"def {exercise.name}(", 1)
    needed = [line for line in imports if re.search(rf"\b{line.split()[-1]}\b", definition)]
    code = "\n".join(needed) + f'\n\n\n@exercise("{exercise.name}")\n{definition}'
    said = "The course's own; yours may look quite different."
    if definition.count("\n") < definitions[-1].count("\n"):
        said = "The course's own, without its checks of the arguments; yours may look quite different."
    return Panel(f"One solution for {exercise.name}", (said,), code.lstrip())


def _without_checks(definition: str) -> str:
    """Leave out the lines that only call a private function of the library: these check the arguments."""
    left_out = set[int]()
    for node in ast.walk(ast.parse(definition)):
        called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
        if isinstance(node, ast.Expr) and isinstance(called, ast.Name) and called.id.startswith("_"):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return "\n".join(line for number, line in enumerate(definition.splitlines(), 1) if number not in left_out)
