"""The parts on which the course runs: the learner's version if it exists and passes, or else the course's.

A saved file is executed only if it passed a check, with the present versions of the course and PyTorch. A version that
has not passed yet, because it was changed by hand or the course is newer, is checked in another process first. Loading
parts never moves or changes a learner's file.
"""

import hashlib
import inspect
import io
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache, partial, partialmethod, update_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from course_lib.exercises.catalogue import all_exercises, find
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.keeping import store
from course_lib.exercises.keeping.separate_check import Verdict, Version, check_separately
from course_lib.exercises.keeping.source import standalone

SESSION_ONLY = "for this session only"


@dataclass(frozen=True)
class Part:
    """A part on which the course runs.

    Attributes:
        implementation: the function, class or module.
        note: where the learner's version is saved, for the list of parts.
        is_yours: whether it is the learner's.
        source: the content of the learner's file; None if there is none.
        problem: sentences that say why the learner's file is not used; "" if it is.
    """

    implementation: Any
    note: str = ""
    is_yours: bool = False
    source: bytes | None = None
    problem: str = ""


# The learner's parts by name, loaded or defined in this session. One without a source exists only in this session.
_loaded: dict[str, Part] = {}
# Verdicts on saved versions, and the sources of those whose verdicts are not recorded in the folder yet.
_verdicts: dict[Version, Verdict] = {}
_not_recorded: dict[Version, bytes] = {}
# The names of the parts that are being checked or loaded. One that uses itself in a circle gets the course's version.
_under_way: list[str] = []
# Problems that the learner has been told of.
_told: set[str] = set()


def part(name: str) -> Part:
    """The part with an exercise's name: the learner's if it exists and passes, or else the course's.

    A warning says once why a learner's file is not used. What was found out about saved files is recorded.
    """
    found = look_at(name)
    if not _under_way:  # Otherwise another part asks for this one, and that one may only be looked at.
        _record_verdicts()
    if found.problem and found.problem not in _told:
        _told.add(found.problem)
        warnings.warn(found.problem, stacklevel=2)
    return found


def look_at(name: str) -> Part:
    """The same as `part`, but without a warning, and without a change to any file."""
    exercise, known = find(name), _loaded.get(name)
    file = store.display_path(store.part_file(name))
    try:
        source = store.read(name)
    except OSError as error:
        return _course_part(exercise, f"{file} is not used, because it cannot be read ({error.strerror}).")
    if known is not None and known.source in (None, source):
        return known
    if source is None:
        if known is not None and known.source and not store.former_version(name, store.digest(known.source)):
            problem = f"{file} is gone. The course uses your version {SESSION_ONLY}: run its cell again to save it."
            _loaded[name] = Part(known.implementation, SESSION_ONLY, True, None, problem)
            return _loaded[name]
        return _course_part(exercise)
    if name in _under_way:
        return Part(exercise.reference)
    implementation, verdict = _load_if_right(exercise, source, store.part_file(name))
    if not verdict.reason:
        return _remember(exercise, implementation, source)
    if not verdict.is_at_fault:
        return _course_part(exercise, f"{file} stays as it is, but is not used here, because {verdict.reason}.")
    problem = f"{file} is not used, because {verdict.reason}."
    return _last_that_passed(exercise, source, problem) or _course_part(exercise, problem)


def adopt(exercise: Exercise, answer: Any) -> str:
    """Make an answer that passed the learner's part, and save its source. Returns sentences that say so."""
    implementation = _callable(exercise, answer)
    try:
        text = _file_content(exercise, answer)
    except Exception as error:  # most often a ValueError with half a sentence
        return _use_in_session(exercise, implementation, _words(error))
    source = text.encode("utf-8", errors="replace")
    verdict = _check_guarded(exercise.name, source)
    if verdict.reason:
        return _use_in_session(exercise, implementation, verdict.reason)
    try:
        replaced = store.save(exercise.name, text, checked_with())
    except (store.FolderError, UnicodeEncodeError) as error:
        return _use_in_session(exercise, implementation, _words(error))
    _verdicts[exercise.name, store.digest(source)] = Verdict()
    _remember(exercise, implementation, source)
    saved = f"Saved in {store.display_path(store.part_file(exercise.name))}. From here on the course uses your version."
    if replaced is None:
        return saved
    return f"{saved} That file held another version, which is now in {store.display_path(replaced)}."


def _use_in_session(exercise: Exercise, implementation: Any, reason: str) -> str:
    _remember(exercise, implementation)
    return f"The course uses your version {SESSION_ONLY}: {reason}."


def reset(names: list[str]) -> list[Path]:
    """Move the saved versions of these parts to `former/`, and return their paths. The course's are used from now on.

    Raises store.FolderError if the folder cannot be changed. The parts before the one that failed are moved then.
    """
    moved = []
    for name in dict.fromkeys(names):
        path = store.set_aside(name)
        _loaded.pop(name, None)
        if path is not None:
            moved.append(path)
    return moved


def forget_loaded() -> None:
    """Forget the loaded parts and what is known of them, as if Python had been started again."""
    for memory in (_loaded, _verdicts, _not_recorded, _told):
        memory.clear()


def _remember(exercise: Exercise, implementation: Any, source: bytes | None = None) -> Part:
    """Remember a part as the learner's. One without a source is not saved."""
    note = SESSION_ONLY if source is None else f"saved in {store.display_path(store.part_file(exercise.name))}"
    _loaded[exercise.name] = Part(implementation, note, True, source)
    return _loaded[exercise.name]


def _course_part(exercise: Exercise, problem: str = "") -> Part:
    """The course's version, if the learner has no file, or one that a sentence says cannot be used."""
    if problem:
        note = f"not used: {store.display_path(store.part_file(exercise.name))}"
        return Part(_course_version(exercise), note, problem=f"{problem} The course uses its own version instead.")
    former = store.former_versions(exercise.name)
    return Part(
        _course_version(exercise), f"an earlier one of yours: {store.display_path(former[-1])}" if former else ""
    )


def _last_that_passed(exercise: Exercise, source: bytes, problem: str) -> Part | None:
    """The learner's version that passed last, if there is one and it still passes. Their file does not."""
    record = store.records().get(exercise.name)
    path = store.former_version(exercise.name, record.passed) if record and record.passed else None
    if path is None:
        return None
    implementation, verdict = _load_if_right(exercise, path.read_bytes(), path)
    if verdict.reason:
        return None
    where = store.display_path(path)
    problem = f"{problem} The course uses your last version that passed, {where}, instead."
    _loaded[exercise.name] = Part(implementation, f"saved in {where}", True, source, problem)
    return _loaded[exercise.name]


def _course_version(exercise: Exercise) -> Any:
    """The course's version of a part, which uses the learner's smaller parts if it takes them as arguments.

    It takes another exercise's part if a keyword argument has that exercise's reference as its default.
    """
    names = {id(other.reference): other.name for other in all_exercises()}
    learner_parts: dict[str, Any] = {}
    for parameter in inspect.signature(exercise.reference).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and id(parameter.default) in names:
            implementation = look_at(names[id(parameter.default)]).implementation
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


def _load_if_right(exercise: Exercise, source: bytes, file: Path) -> tuple[Any, Verdict]:
    """Load a version of a part if it passes, and say why not otherwise."""
    try:
        unsafe = store.why_unsafe(file)
    except OSError as error:
        unsafe = f"it cannot be read ({error.strerror})"
    if unsafe:
        return None, Verdict(unsafe, is_at_fault=False)
    version = (exercise.name, store.digest(source))
    if version not in _verdicts:
        _read_verdicts()
    if version not in _verdicts:
        examine(exercise.name, source)
    if _verdicts[version].reason:
        return None, _verdicts[version]
    try:
        with _part_under_way(exercise.name):
            return _callable(exercise, getattr(_run(exercise, source), exercise.name)), Verdict()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the learner's file raises, in this process only
        return None, Verdict(_reason(error), is_at_fault=False)


def examine_separately(name: str, source: bytes) -> None:
    """Check a saved version in another process, and with it all saved parts that have no verdict yet."""
    sources = {(name, store.digest(source)): source}
    for exercise in all_exercises():
        with suppress(OSError):
            saved = store.read(exercise.name)
            if saved is not None and not store.why_unsafe(store.part_file(exercise.name)):
                sources[exercise.name, store.digest(saved)] = saved
    new = {version: source for version, source in sources.items() if version not in _verdicts}
    for version, verdict in check_separately(new, _verdicts).items():
        _learn(version, verdict, new.get(version))


def examine_here(name: str, source: bytes) -> None:
    """Check a saved version in this process."""
    _learn((name, store.digest(source)), _check_guarded(name, source), source)


def _learn(version: Version, verdict: Verdict, source: bytes | None) -> None:
    """Remember a verdict. It will be recorded if it holds in every place, and the source is given."""
    _verdicts[version] = verdict
    if source is not None and (verdict.is_at_fault or not verdict.reason):
        _not_recorded[version] = source


# How a saved version is checked that has no verdict yet.
examine: Callable[[str, bytes], None] = examine_separately


def answer_order(
    sources: dict[Version, bytes], known: dict[Version, Verdict], tell: Callable[[str, Version, Verdict], None]
) -> None:
    """Check saved versions in this process, made for it, and tell when each check starts and ends."""

    def examine_and_tell(name: str, source: bytes) -> None:
        version = (name, store.digest(source))
        tell("start", version, Verdict())
        _verdicts[version] = _check_guarded(name, source)
        tell("end", version, _verdicts[version])

    global examine
    examine = examine_and_tell
    _verdicts.update(known)
    for (name, digest), source in sources.items():
        if (name, digest) not in _verdicts:
            examine(name, source)


def _check_guarded(name: str, source: bytes) -> Verdict:
    """Run and check the source of a part, whatever it raises."""
    exercise = find(name)
    try:
        with _part_under_way(name):
            module = _run(exercise, source)
            if not hasattr(module, name):
                return Verdict(f"it defines no `{name}`")
            answer = getattr(module, name)
            report = exercise.check(answer)
            if report.passed:
                _callable(exercise, answer)
                return Verdict()
    except BaseException as error:
        # What cannot be imported or found here may be there in another place.
        return Verdict(_reason(error), is_at_fault=not isinstance(error, (ImportError, OSError)))
    words = " ".join(report.message.split()).rstrip(".")
    lacks_module = "ModuleNotFoundError" in words or "ImportError" in words
    return Verdict(f"it does not pass as it is in the file. {words}", is_at_fault=not lacks_module)


def _read_verdicts() -> None:
    """Read the verdicts that are recorded in the folder, and hold for the present versions."""
    for name, record in store.records().items():
        if record.passed_with == checked_with():
            _verdicts.setdefault((name, record.passed), Verdict())
        if record.failed_with == checked_with():
            _verdicts.setdefault((name, record.failed), Verdict(record.reason))


def _record_verdicts() -> None:
    """Record the verdicts that are new, if the folder can be written to; otherwise they are found out again."""
    if _not_recorded:
        checks = [(key[0], source, _verdicts[key].reason) for key, source in _not_recorded.items()]
        _not_recorded.clear()
        with suppress(store.FolderError):
            store.remember_checks(checks, checked_with())


@cache
def checked_with() -> str:
    """Name the versions of the course, PyTorch and Python, with which a check was made."""
    course = hashlib.sha256()
    for file in sorted(Path(__file__).parents[2].rglob("*.py")):
        course.update(file.read_bytes())
    return f"course {course.hexdigest()[:16]}, torch {torch.__version__}, Python {platform.python_version()}"


def _run(exercise: Exercise, source: bytes) -> ModuleType:
    """Run the source of a part as the module in which it is saved, and return the module.

    What it prints is not shown. Raises what the source raises.
    """
    module = ModuleType(f"my_transformer.{exercise.name}")
    module.__file__ = str(store.part_file(exercise.name))
    sys.modules[module.__name__] = module
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        exec(compile(source, module.__file__, "exec"), vars(module))
    return module


@contextmanager
def _part_under_way(name: str) -> Iterator[None]:
    _under_way.append(name)
    try:
        yield
    finally:
        _under_way.remove(name)


def _reason(error: BaseException) -> str:
    """Say why a part cannot be used, as the second half of a sentence without its full stop."""
    words = _words(error)
    if isinstance(error, ImportError):
        return f"it imports what is not there ({words})"
    if isinstance(error, SyntaxError):
        return f"Python cannot read it ({words})"
    return f"it raises {type(error).__name__}" + (f" ({words})" if words else "")


def _words(error: BaseException) -> str:
    """The message of an error, without its full stop."""
    try:
        return " ".join(str(error).split()).rstrip(".")[:300]
    except Exception:  # The error cannot be written as text.
        return type(error).__name__


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
