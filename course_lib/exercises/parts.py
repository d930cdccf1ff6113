"""Whose each part is: the learner's if it exists and passes, or else the course's."""

import inspect
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial, partialmethod, update_wrapper
from types import ModuleType
from typing import Any

from torch import nn

from course_lib.exercises import store
from course_lib.exercises.catalogue import all_exercises, find
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.source import standalone


@dataclass(frozen=True)
class Part:
    """A part on which the course runs: whose it is, where it is saved, and the learner's source as read there."""

    implementation: Any
    note: str = ""
    is_yours: bool = False
    source: str | None = None


# The learner's parts by name, loaded or defined in this session. One without a source exists in this session only.
_known: dict[str, Part] = {}


def part(name: str) -> Part:
    """The part with an exercise's name: the learner's if it exists and passes, or else the course's.

    Saved source that no longer imports or passes is set aside, with a warning that says why, and where it is now.
    """
    exercise, source = find(name), store.read(name)
    known = _known.get(name)
    if known is not None and known.source in (None, source):
        return known
    if source is not None:
        try:
            return _yours(exercise, _load(exercise, source), source)
        except Exception as error:  # whatever the learner's file raises
            with suppress(FileNotFoundError):  # another notebook was faster
                store.set_aside(name)
            aside = f"set aside in {store.folder().name}/former, and the course's goes on"
            warnings.warn(f"Your {name} is {aside}: {error}", stacklevel=3)
    former = store.former(name)
    return Part(_lent(exercise), f"an earlier one of yours: {store.shown(former[-1])}" if former else "")


def learn(exercise: Exercise, answer: Any) -> str:
    """Make an answer that passed the learner's part, and save its source. Returns what became of it, in a sentence."""
    implementation = _callable(exercise, answer)
    try:
        source = _written(exercise, answer)
        _load(exercise, source)
        store.keep(exercise.name, source)
    except Exception as error:  # whatever the learner's file raises, or the disk
        return f"It is yours, {_yours(exercise, implementation).note}: {error}."
    return f"It is yours now, {_yours(exercise, implementation, source).note}. The course goes on with it."


def forget() -> None:
    """Read all saved parts again when they are needed next."""
    _known.clear()


def _yours(exercise: Exercise, implementation: Any, source: str | None = None) -> Part:
    """Remember a part as the learner's; one without a source is not saved."""
    note = "for this session only" if source is None else f"kept in {store.shown(store.file(exercise.name))}"
    _known[exercise.name] = Part(implementation, note, True, source)
    return _known[exercise.name]


def _lent(exercise: Exercise) -> Any:
    """The course's version of a part, made of the learner's own smaller parts where it takes these as arguments.

    A reference takes another exercise's part where a keyword argument has that part as its default.
    """
    names = {id(other.reference): other.name for other in all_exercises()}
    handed: dict[str, Any] = {}
    for parameter in inspect.signature(exercise.reference).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and id(parameter.default) in names:
            implementation = part(names[id(parameter.default)]).implementation
            if implementation is not parameter.default:
                handed[parameter.name] = as_function(implementation)
    return _with_parts(exercise.reference, tuple(handed.items())) if handed else exercise.reference


def as_function(implementation: Any) -> Any:
    """A part that can be called: of a module in a function's place, its forward pass.

    As an attribute of another module, the module itself would join that one's sub-modules and weights.
    """
    return implementation.forward if isinstance(implementation, nn.Module) else implementation


@cache
def _with_parts(reference: Any, handed: tuple[tuple[str, Any], ...]) -> Any:
    """A function or class of the course's that is handed these parts whenever it is called or made."""
    if not inspect.isclass(reference):
        return update_wrapper(partial(reference, **dict(handed)), reference)
    members = {"__init__": partialmethod(reference.__init__, **dict(handed)), "__doc__": reference.__doc__}
    return type(reference.__name__, (reference,), members | {"__module__": reference.__module__})


def _callable(exercise: Exercise, answer: Any) -> Any:
    """What can be called as the exercise's reference can: if a class was written for a function, an instance of it."""
    return answer() if _is_class_for_function(exercise, answer) else answer


def _is_class_for_function(exercise: Exercise, answer: Any) -> bool:
    return inspect.isclass(answer) and not inspect.isclass(exercise.reference)


def _load(exercise: Exercise, source: str) -> Any:
    """Run the source of a part as the module as which it is saved.

    Raises whatever it raises, or ValueError if the part does not pass.
    """
    module = ModuleType(f"my_transformer.{exercise.name}")
    module.__file__ = str(store.file(exercise.name))
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec"), vars(module))
    answer = getattr(module, exercise.name)
    if not (report := exercise.check(answer)).passed:
        raise ValueError(f"as its file has it, it does not pass. {report.message}")
    return _callable(exercise, answer)


def _written(exercise: Exercise, answer: Any) -> str:
    """The file of a part: a line about it, imports, what it uses, and itself, under the exercise's name."""
    imports, definitions = standalone(answer)
    if _is_class_for_function(exercise, answer):
        definitions.append(f"{exercise.name} = {answer.__name__}()")
    elif answer.__name__ != exercise.name:
        definitions.append(f"{exercise.name} = {answer.__name__}")
    head = [
        f'"""{exercise.name}: yours, from notebook {exercise.notebook:02d}. The course copied it from your cell."""'
    ]
    if imports:
        head.append("\n".join(imports))
    return "\n\n\n".join(["\n\n".join(head), *definitions]) + "\n"
