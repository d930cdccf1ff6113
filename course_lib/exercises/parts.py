"""Whose each part is: the learner's, where it exists and passes, or else the course's."""

import inspect
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from course_lib.exercises import store
from course_lib.exercises.catalogue import all_exercises, find
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.source import CannotWriteError, names_used, standalone


@dataclass(frozen=True)
class Part:
    """A part that the course runs on: whether it is the learner's, and where that is kept."""

    exercise: Exercise
    implementation: Any
    is_yours: bool
    note: str = ""


# By the folder and the exercise's name, with the source that was loaded, or None for one that lives in this session.
_known: dict[tuple[Path, str], tuple[str | None, Part]] = {}


def part(name: str) -> Part:
    """The part that goes by an exercise's name: the learner's where it exists and passes, else the course's.

    Kept source that no longer imports or passes is set aside, with a warning that says why, and where it is now.
    """
    exercise, key, source = find(name), (store.folder(), name), store.read(name)
    if key in _known and _known[key][0] in (None, source):
        return _known[key][1]
    if source is not None:
        try:
            answer, note = _load(exercise, source), f"kept in {store.folder().name}/{name}.py"
        except Exception as error:  # whatever the learner's file raises
            with suppress(FileNotFoundError):  # another notebook was faster
                store.set_aside(name)
            aside = f"set aside in {store.folder().name}/former, and the course's goes on"
            warnings.warn(f"Your {name} is {aside}: {error}", stacklevel=3)
        else:
            _known[key] = source, Part(exercise, answer, True, note)
            return _known[key][1]
    former = store.former(name)
    note = f"an earlier one of yours: {store.shown(former[-1])}" if former else ""
    return Part(exercise, _lent(exercise), False, note)


def learn(exercise: Exercise, answer: Any) -> str:
    """Make an answer that passed the learner's part, and keep its source. Returns what became of it, in a sentence."""
    source: str | None = None
    try:
        written = _file(exercise, answer)
        _load(exercise, written)
        note = f"kept in {store.shown(store.keep(exercise.name, written))}"
        source, sentence = written, f"It is yours now, {note}. The course goes on with it."
    except Exception as error:  # whatever the learner's file raises, or the disk
        note, sentence = "for this session only", f"It is yours, for this session only: {error}."
    _known[store.folder(), exercise.name] = (source, Part(exercise, _callable(exercise, answer), True, note))
    return sentence


def _lent(exercise: Exercise) -> Any:
    """The course's version of a part; where it is built from other exercises' parts, from the learner's own of them."""
    reference, file = exercise.reference, sys.modules[exercise.reference.__module__]
    if not file.__name__.startswith(f"{__package__}."):
        return reference  # the library's own, which models run on
    source = inspect.getsource(reference)
    used = {other.name for other in all_exercises()} & names_used(source) - {exercise.name}
    lent = {name: part(name).implementation for name in used}
    if all(lent[name] is vars(file)[name] for name in used):
        return reference
    namespace = vars(file) | lent
    exec(compile(source, str(file.__file__), "exec"), namespace)
    return namespace[exercise.name]


def forget() -> None:
    """Look at the files anew."""
    _known.clear()


def _callable(exercise: Exercise, answer: Any) -> Any:
    """What can be called as the exercise's reference can: of a class in a function's place, an instance."""
    return answer() if inspect.isclass(answer) and not inspect.isclass(exercise.reference) else answer


def _load(exercise: Exercise, source: str) -> Any:
    """Run the source of a part as the module that it is kept as. Raises what it raises, or that it does not pass."""
    module = ModuleType(f"my_transformer.{exercise.name}")
    module.__file__ = str(store.folder() / f"{exercise.name}.py")
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec"), vars(module))
    answer = getattr(module, exercise.name)
    report = exercise.check(answer)
    if not report.passed:
        raise CannotWriteError(f"as its file has it, it does not pass. {report.message}")
    return _callable(exercise, answer)


def _file(exercise: Exercise, answer: Any) -> str:
    imports, definitions = standalone(answer)
    if answer.__name__ != exercise.name or _callable(exercise, answer) is not answer:
        definitions.append(f"{exercise.name} = {answer.__name__}" + "()" * (_callable(exercise, answer) is not answer))
    about = f'"""{exercise.name}: yours, from notebook {exercise.notebook:02d}. The course copied it from your cell."""'
    return "\n\n\n".join(["\n\n".join(filter(None, (about, "\n".join(imports)))), *definitions]) + "\n"
