"""Your parts of the Transformer. `yours.softmax` is your softmax once you have written it, and the course's until then.

    from course_lib import yours
    yours.report()           # which parts are yours, on the map and in a list
    yours.parts()            # for a model that is to use them: load_translator(parts=yours.parts())

Your parts are saved in the folder `my_transformer`, one file each.
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
from course_lib.exercises import parts as current_parts
from course_lib.exercises.catalogue import find
from course_lib.transformer.build import Parts


# No name in this module may be that of a part: it would hide the part.
def __getattr__(name: str) -> Any:
    if name in __dir__():
        return current_parts.part(name).implementation
    raise AttributeError(f"there is no part {name!r}; the parts are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return [exercise.name for exercise in all_exercises()]


def report(notebook: int | None = None) -> Panel:
    """Show which parts are the learner's: highlighted on the map of the Transformer, and marked in the list.

    Takes the number of the notebook whose exercises are listed; None lists all of them.
    """
    # Imported here, since it takes time to load, and most uses of this module show no map.
    from course_lib.pictures.figures import transformer_map

    exercises = [exercise for exercise in all_exercises() if notebook in (None, exercise.notebook)]
    part_of = {exercise: current_parts.part(exercise.name) for exercise in exercises}
    scope = "" if notebook is None else f" of notebook {notebook:02d}"
    title = f"{sum(part.is_yours for part in part_of.values())} of {len(part_of)} parts{scope} are yours."
    return Panel(
        title, code="\n".join(map(_list_entry, part_of, part_of.values())), map=transformer_map(yours=on_map())
    )


def on_map() -> set[str]:
    """The parts of the map that are the learner's, for `figures.transformer_map(yours=yours.on_map())`."""
    return {exercise.on_map for exercise in all_exercises() if current_parts.part(exercise.name).is_yours} - {""}


def _list_entry(exercise: Exercise, part: current_parts.Part) -> str:
    mark = "✓ yours" if part.is_yours else "  the course's"
    difficulty = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    about = f"{exercise.notebook:02d}  {exercise.name:30}{mark:15}{difficulty}  {exercise.minutes:2} minutes"
    return f"{about}  {part.note}".rstrip()


def parts() -> Parts:
    """Your parts, and the course's for those that you have not written yet, from which models can be built.

    translator = load_translator(parts=yours.parts())
    """
    own = {}
    for field in fields(Parts):
        part = current_parts.part(field.name)
        if part.is_yours:
            own[field.name] = current_parts.as_function(part.implementation)
    return Parts(**own)


def calls(run: Callable[[], Any]) -> Panel:
    """Call `run`, and show which of your parts it used, and how often each was called.

    yours.calls(lambda: translator.translate("the detective investigated"))
    """
    counts = count_calls(run)
    if not counts:
        return Panel("No part of yours was at work: all of them were the course's.")
    lines = [f"{name:30}{count:8,} calls" for name, count in counts.items()]
    return Panel("Your own code was at work.", code="\n".join(lines))


def count_calls(run: Callable[[], Any]) -> dict[str, int]:
    """Call `run`, and count the calls of each of your functions, and of the `forward` of each of your classes."""
    own = {exercise.name: current_parts.part(exercise.name) for exercise in all_exercises()}
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
    """The code object that runs when a part is called; None if the part is not written in Python."""
    function: Any = implementation
    if inspect.isclass(implementation) or isinstance(implementation, nn.Module):
        function = getattr(implementation, "forward", implementation)
    return getattr(inspect.unwrap(function), "__code__", None)


def reset(*names: str) -> Panel:
    """Start again, with these parts or with all: move the saved versions aside. Nothing is deleted.

    Raises ValueError if no exercise has one of these names.
    """
    saved = [exercise.name for exercise in map(find, names or __dir__()) if store.read(exercise.name) is not None]
    moved_to = [store.display_path(store.set_aside(name)) for name in saved]
    current_parts.forget_loaded()
    if not moved_to:
        return Panel("There is nothing of yours to move aside.")
    return Panel("These parts are the course's again.", (f"What you wrote is in {', '.join(moved_to)}.",))
