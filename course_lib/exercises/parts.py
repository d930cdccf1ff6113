"""The parts on which the course runs: the learner's version if it exists and passes, or else the course's."""

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
    """A part on which the course runs.

    Attributes:
        implementation: the function, class or module.
        note: where the learner's version is saved, for the list of parts.
        is_yours: whether it is the learner's.
        source: the learner's source as saved in its file; None if it is not saved.
    """

    implementation: Any
    note: str = ""
    is_yours: bool = False
    source: str | None = None


# The learner's parts by name, loaded or defined in this session. One without a source exists only in this session.
_loaded: dict[str, Part] = {}


def part(name: str) -> Part:
    """The part with an exercise's name: the learner's if it exists and passes, or else the course's.

    Saved source that no longer imports or passes is set aside, with a warning that says why and where it is now.
    """
    exercise, source = find(name), store.read(name)
    known = _loaded.get(name)
    if known is not None and known.source in (None, source):
        return known
    if source is not None:
        try:
            return _remember(exercise, _load(exercise, source), source)
        except Exception as error:  # anything that the learner's file raises
            with suppress(FileNotFoundError):  # another notebook was faster
                store.set_aside(name)
            aside = f"set aside in {store.folder().name}/former, and the course's goes on"
            warnings.warn(f"Your {name} is {aside}: {error}", stacklevel=3)
    former = store.former_versions(name)
    return Part(
        _course_version(exercise), f"an earlier one of yours: {store.display_path(former[-1])}" if former else ""
    )


def adopt(exercise: Exercise, answer: Any) -> str:
    """Make an answer that passed the learner's part, and save its source. Returns a sentence that says so."""
    implementation = _callable(exercise, answer)
    try:
        source = _file_content(exercise, answer)
        _load(exercise, source)
        store.save(exercise.name, source)
    except Exception as error:  # anything that the learner's file or the disk raises
        return f"It is yours, {_remember(exercise, implementation).note}: {error}."
    return f"It is yours now, {_remember(exercise, implementation, source).note}. The course goes on with it."


def forget_loaded() -> None:
    """Forget the loaded parts, so that they are read again when they are next needed."""
    _loaded.clear()


def _remember(exercise: Exercise, implementation: Any, source: str | None = None) -> Part:
    """Remember a part as the learner's. One without a source is not saved."""
    note = (
        "for this session only" if source is None else f"kept in {store.display_path(store.part_file(exercise.name))}"
    )
    _loaded[exercise.name] = Part(implementation, note, True, source)
    return _loaded[exercise.name]


def _course_version(exercise: Exercise) -> Any:
    """The course's version of a part, which uses the learner's smaller parts if it takes them as arguments.

    It takes another exercise's part if a keyword argument has that exercise's reference as its default.
    """
    names = {id(other.reference): other.name for other in all_exercises()}
    learner_parts: dict[str, Any] = {}
    for parameter in inspect.signature(exercise.reference).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and id(parameter.default) in names:
            implementation = part(names[id(parameter.default)]).implementation
            if implementation is not parameter.default:
                learner_parts[parameter.name] = as_function(implementation)
    return _with_parts(exercise.reference, tuple(learner_parts.items())) if learner_parts else exercise.reference


def as_function(implementation: Any) -> Any:
    """A part as a function: the `forward` method of a module, or else the part itself.

    If the module itself became an attribute of another module, its weights would be registered there as well.
    """
    return implementation.forward if isinstance(implementation, nn.Module) else implementation


@cache
def _with_parts(reference: Any, learner_parts: tuple[tuple[str, Any], ...]) -> Any:
    """The course's function or class, with the learner's parts as the defaults of its keyword arguments."""
    if not inspect.isclass(reference):
        return update_wrapper(partial(reference, **dict(learner_parts)), reference)
    members = {"__init__": partialmethod(reference.__init__, **dict(learner_parts)), "__doc__": reference.__doc__}
    return type(reference.__name__, (reference,), members | {"__module__": reference.__module__})


def _callable(exercise: Exercise, answer: Any) -> Any:
    """The answer, to be called like the reference: an instance, if a class was written instead of a function."""
    return answer() if _is_class_for_function(exercise, answer) else answer


def _is_class_for_function(exercise: Exercise, answer: Any) -> bool:
    return inspect.isclass(answer) and not inspect.isclass(exercise.reference)


def _load(exercise: Exercise, source: str) -> Any:
    """Run the source of a part as the module in which it is saved, and return the part.

    Raises what the source raises, or ValueError if the part does not pass.
    """
    module = ModuleType(f"my_transformer.{exercise.name}")
    module.__file__ = str(store.part_file(exercise.name))
    sys.modules[module.__name__] = module
    exec(compile(source, module.__file__, "exec"), vars(module))
    answer = getattr(module, exercise.name)
    if not (report := exercise.check(answer)).passed:
        raise ValueError(f"as its file has it, it does not pass. {report.message}")
    return _callable(exercise, answer)


def _file_content(exercise: Exercise, answer: Any) -> str:
    """The text of a part's file: a docstring, imports, its helpers, and the part under the exercise's name."""
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
