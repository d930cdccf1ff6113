"""Your parts of the Transformer. `yours.softmax` is your softmax once you wrote it, and the course's until then.

    from course_lib import yours
    yours.report()           # whose each part is, on the map
    yours.install(model)     # the model attends with your attention

Your parts are kept in the folder `my_transformer`, one file each.
"""

from typing import Any

from torch import nn

from course_lib.exercises import Exercise, Panel, all_exercises, parts, store
from course_lib.exercises.catalogue import find
from course_lib.transformer import attention


# Names here must not be a part's: it would hide the learner's own.
def __getattr__(name: str) -> Any:
    if name in __dir__():
        return parts.part(name).implementation
    raise AttributeError(f"there is no part {name!r}; the parts are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return [exercise.name for exercise in all_exercises()]


def report() -> Panel:
    """Show whose each part is: on the map of the Transformer, with the learner's lit, and in the list of exercises."""
    # Imported here, since drawing takes time to load, and most that ask for a part want no map.
    from course_lib.pictures.figures import transformer_map

    whose = {exercise: parts.part(exercise.name) for exercise in all_exercises()}
    title = f"{sum(part.is_yours for part in whose.values())} of {len(whose)} parts are yours."
    return Panel(title, code="\n".join(map(_line, whose, whose.values())), map=transformer_map(yours=on_map()))


def on_map() -> set[str]:
    """The parts of the Transformer's map that are the learner's: `figures.transformer_map(yours=yours.on_map())`."""
    return {exercise.on_map for exercise in all_exercises() if parts.part(exercise.name).is_yours} - {""}


def _line(exercise: Exercise, part: parts.Part) -> str:
    mark = "✓ yours" if part.is_yours else "  the course's"
    difficulty = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    about = f"{exercise.notebook:02d}  {exercise.name:30}{mark:15}{difficulty}  {exercise.minutes:2} minutes"
    return f"{about}  {part.note}".rstrip()


def install(model: nn.Module) -> dict[str, str]:
    """Let every `MultiHeadAttention` in a model attend with the learner's `scaled_dot_product_attention`.

    Returns for each, by its name in the model, whose attention it runs on now: "yours", or "the course's" where there
    is none of the learner's that passes.
    """
    part = parts.part("scaled_dot_product_attention")
    heads = {name: each for name, each in model.named_modules() if isinstance(each, attention.MultiHeadAttention)}
    for each in heads.values():
        # A module would enter the model's own parts and weights, a method does not.
        each.attention = getattr(part.implementation, "forward", part.implementation)
    return dict.fromkeys(heads, "yours" if part.is_yours else "the course's")


def reset(*names: str) -> Panel:
    """Begin anew, with these parts or with all: move what is kept of them aside. Nothing is deleted.

    Raises ValueError for a name that is no exercise's.
    """
    kept = [part.name for part in map(find, names or __dir__()) if store.read(part.name) is not None]
    places = [store.shown(store.set_aside(name)) for name in kept]
    parts.forget()
    if not places:
        return Panel("There is nothing of yours to move aside.")
    return Panel("These parts are the course's again.", (f"What you wrote is in {', '.join(places)}.",))
