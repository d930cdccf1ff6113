"""Your parts of the Transformer. `yours.softmax` is your softmax once you wrote it, and the course's until then.

    from course_lib import yours
    yours.report()           # whose each part is, on the map
    yours.parts()            # for a model that is to run on them: load_translator(parts=yours.parts())

Your parts are kept in the folder `my_transformer`, one file each.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from types import CodeType, FrameType
from typing import Any

from torch import nn

from course_lib.exercises import Exercise, Panel, all_exercises, store
from course_lib.exercises import parts as lending
from course_lib.exercises.catalogue import find
from course_lib.transformer.build import Parts


# Names here must not be a part's: it would hide the learner's own.
def __getattr__(name: str) -> Any:
    if name in __dir__():
        return lending.part(name).implementation
    raise AttributeError(f"there is no part {name!r}; the parts are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return [exercise.name for exercise in all_exercises()]


def report(notebook: int | None = None) -> Panel:
    """Show whose each part is: on the map of the Transformer, with the learner's lit, and in the list of exercises.

    Takes the number of the notebook whose exercises are listed; None: all of them.
    """
    # Imported here, since drawing takes time to load, and most that ask for a part want no map.
    from course_lib.pictures.figures import transformer_map

    exercises = [exercise for exercise in all_exercises() if notebook in (None, exercise.notebook)]
    whose = {exercise: lending.part(exercise.name) for exercise in exercises}
    place = "" if notebook is None else f" of notebook {notebook:02d}"
    title = f"{sum(part.is_yours for part in whose.values())} of {len(whose)} parts{place} are yours."
    return Panel(title, code="\n".join(map(_line, whose, whose.values())), map=transformer_map(yours=on_map()))


def on_map() -> set[str]:
    """The parts of the Transformer's map that are the learner's: `figures.transformer_map(yours=yours.on_map())`."""
    return {exercise.on_map for exercise in all_exercises() if lending.part(exercise.name).is_yours} - {""}


def _line(exercise: Exercise, part: lending.Part) -> str:
    mark = "✓ yours" if part.is_yours else "  the course's"
    difficulty = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    about = f"{exercise.notebook:02d}  {exercise.name:30}{mark:15}{difficulty}  {exercise.minutes:2} minutes"
    return f"{about}  {part.note}".rstrip()


def parts() -> Parts:
    """Your parts, and the course's in place of those that you have not written yet, for models to be built from.

    translator = load_translator(parts=yours.parts())
    """
    own = {}
    for field in fields(Parts):
        part = lending.part(field.name)
        if part.is_yours:
            own[field.name] = lending.as_function(part.implementation)
    return Parts(**own)


def calls(run: Callable[[], Any]) -> Panel:
    """Run something, and show which parts of yours were at work in it, and how often each was called.

    yours.calls(lambda: translator.translate("the detective investigated"))
    """
    counts = count_calls(run)
    if not counts:
        return Panel("No part of yours was at work: all of them were the course's.")
    lines = [f"{name:30}{count:8,} calls" for name, count in counts.items()]
    return Panel("Your own code was at work.", code="\n".join(lines))


def count_calls(run: Callable[[], Any]) -> dict[str, int]:
    """Run something, and count the calls of each part of yours: a function's own, or those of a class's `forward`."""
    own = {exercise.name: lending.part(exercise.name) for exercise in all_exercises()}
    names = {_code(part.implementation): name for name, part in own.items() if part.is_yours}
    counts: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in names:
            counts[names[frame.f_code]] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return {name: counts[name] for name in own if counts[name]}


def _code(implementation: Any) -> CodeType | None:
    """The code that runs when a part is called; None where it is not Python's."""
    function: Any = implementation
    if inspect.isclass(implementation) or isinstance(implementation, nn.Module):
        function = getattr(implementation, "forward", implementation)
    return getattr(inspect.unwrap(function), "__code__", None)


def reset(*names: str) -> Panel:
    """Start again, with these parts or with all: move the saved versions aside. Nothing is deleted.

    Raises ValueError for a name that is no exercise's.
    """
    kept = [part.name for part in map(find, names or __dir__()) if store.read(part.name) is not None]
    places = [store.shown(store.set_aside(name)) for name in kept]
    lending.forget()
    if not places:
        return Panel("There is nothing of yours to move aside.")
    return Panel("These parts are the course's again.", (f"What you wrote is in {', '.join(places)}.",))
