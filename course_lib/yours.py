"""Your parts of the Transformer. `yours.softmax` is your softmax once you have written it, and the course's until then.

    from course_lib import yours
    yours.strip(1)           # where notebook 01 is on the way through the course
    yours.report()           # which parts are yours, on the map and in a list
    yours.parts()            # for a model that is to use them: load_translator(parts=yours.parts())

Your parts are saved in the folder `my_course/my_transformer`, one file each.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from torch import nn

from course_lib.exercises import Exercise, Panel, all_exercises
from course_lib.exercises.catalogue import find
from course_lib.exercises.keeping import parts as current_parts
from course_lib.exercises.keeping import store
from course_lib.transformer.build import Parts

if TYPE_CHECKING:
    from course_lib.pictures.figures import MapStrip, TransformerMap


# No name in this module may be that of a part: it would hide the part.
def __getattr__(name: str) -> Any:
    if name in __dir__():
        return current_parts.part(name).implementation
    raise AttributeError(f"there is no part {name!r}; the parts are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return [exercise.name for exercise in all_exercises()]


def report(notebook: int | None = None) -> Panel:
    """Show which parts are the learner's: marked on the map of the Transformer, and in the list.

    Where a learner's file is not used, a sentence says why. No file is changed.

    Takes the number of the notebook whose exercises are listed; None lists all of them.
    """
    exercises = [exercise for exercise in all_exercises() if notebook in (None, exercise.notebook)]
    part_of = {exercise: current_parts.look_at(exercise.name) for exercise in exercises}
    paragraphs = [part.problem for part in part_of.values() if part.problem]
    if any(_is_in_own_file(*each) for each in part_of.items()):
        paragraphs.append(f"Your parts are saved in the folder `{store.display_path(store.folder())}`, one file each.")
    scope = "" if notebook is None else f" of notebook {notebook:02d}"
    title = f"{sum(part.is_yours for part in part_of.values())} of {len(part_of)} parts{scope} are yours."
    code = "\n".join(map(_list_entry, part_of, part_of.values()))
    return Panel(title, tuple(paragraphs), code, _map() if notebook is None else strip(notebook))


def strip(notebook: int, now: str | Iterable[str] = (), not_used: str | Iterable[str] = ()) -> "MapStrip":
    """Show where a notebook is on the way through the course, how much is the learner's, and the map, folded.

    Takes the notebook's number, the parts of the map that it is about, and those that its model does without, as
    `figures.transformer_map` has them. Raises what that raises, and ValueError for a number that is no notebook's.
    """
    from course_lib.pictures.figures import map_strip

    all_parts, own = Counter[int](), Counter[int]()
    for exercise in all_exercises():
        all_parts[exercise.notebook] += 1
        own[exercise.notebook] += current_parts.look_at(exercise.name).is_yours
    shares = {number: (own[number], count) for number, count in all_parts.items()}
    return map_strip(notebook, shares, _map(now=now, not_used=not_used, lesson=notebook))


def _map(**marks: Any) -> "TransformerMap":
    # Imported here, since it takes time to load, and most uses of this module show no map.
    from course_lib.pictures.figures import transformer_map

    return transformer_map(yours=on_map(), **marks)


def on_map() -> set[str]:
    """The parts of the map that are the learner's, for `figures.transformer_map(yours=yours.on_map())`."""
    return {exercise.on_map for exercise in all_exercises() if current_parts.look_at(exercise.name).is_yours} - {""}


def _list_entry(exercise: Exercise, part: current_parts.Part) -> str:
    mark = "✓ yours" if part.is_yours else "  the course's"
    difficulty = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    about = f"{exercise.notebook:02d}  {exercise.name:30}{mark:15}{difficulty}  {exercise.minutes:2} minutes"
    note = "saved" if _is_in_own_file(exercise, part) else part.note
    return f"{about}  {note}".rstrip()


def _is_in_own_file(exercise: Exercise, part: current_parts.Part) -> bool:
    return part.note == f"saved in {store.display_path(store.part_file(exercise.name))}"


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


def train_translator(
    pairs: Any, *, make: Callable[..., nn.Module] | None = None, smoothing: float = 0.1, epochs: int = 2, seed: int = 0
) -> Any:
    """Train a translator made of your parts, by your loss and your learning rate, as in notebook 07.

    mine, history = yours.train_translator(grammar.translation_split().train)

    Args:
        pairs: sentences with their translations.
        make: the class of the model; None: your `Transformer`.
        smoothing: the share of each label that is given away.
        epochs: how often it goes through the pairs.
        seed: of its first parameters and of the order of the batches.

    Returns the translator, which translates with your `greedy_translation` and shows the weights that your
    `scaled_dot_product_attention` returns, and the history of its training.
    """
    # Imported here, since most uses of this module train nothing.
    from course_lib.learning.training import TrainingSettings
    from course_lib.pretrained.translator import Translator
    from course_lib.pretrained.translator import train_translator as train

    own = {
        name: current_parts.part(name).implementation
        for name in (
            "Transformer",
            "smoothed_cross_entropy",
            "learning_rate",
            "greedy_translation",
            "scaled_dot_product_attention",
        )
    }
    made = own["Transformer"] if make is None else make
    trained, history = train(
        pairs,
        TrainingSettings(epochs=epochs, batch_tokens=1024, seed=seed),
        make=lambda english, french: made(english, french, 64, 4, 128, 1, 0.0),
        loss=lambda logits, labels: own["smoothed_cross_entropy"](logits, labels, smoothing),
        rate=lambda step: 0.5 * own["learning_rate"](step, 64, 100),
    )
    write, attention = own["greedy_translation"], own["scaled_dot_product_attention"]
    return Translator(trained.model, trained.english, trained.french, write, attention), history


def calls(run: Callable[[], Any]) -> Panel:
    """Call `run`, and show which of your parts it used, and how often each was called.

    yours.calls(lambda: translator.translate("the detective investigated"))
    """
    counts = count_calls(run)
    if not counts:
        return Panel("No part of yours was at work: all of them were the course's.")
    lines = [f"{name:30}{count:8,} {'call' if count == 1 else 'calls'}" for name, count in counts.items()]
    return Panel("Your own code was at work.", code="\n".join(lines))


def count_calls(run: Callable[[], Any]) -> dict[str, int]:
    """Call `run`, and count the calls of each of your functions, and of the `forward` of each of your classes.

    Of a model that can `decode`, the calls of that are counted, since a translator calls it directly.
    """
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
        function = getattr(implementation, "decode", getattr(implementation, "forward", implementation))
    return getattr(inspect.unwrap(function), "__code__", None)


def reset(*names: str) -> Panel:
    """Start again, with these parts or with all: move the saved versions aside. Nothing is deleted.

    Raises ValueError if no exercise has one of these names.
    """
    try:
        return move_aside(*names)
    except store.FolderError as error:
        return Panel(f"Not everything was moved aside, because {error}.")


def move_aside(*names: str) -> Panel:
    """The same as `reset`, for programs. Raises ValueError as that does, and FolderError if a file cannot be moved."""
    moved = current_parts.reset([find(name).name for name in names or __dir__()])
    if not moved:
        return Panel("There is nothing of yours to move aside.")
    return Panel(
        "These parts are the course's again.", (f"What you wrote is in {', '.join(map(store.display_path, moved))}.",)
    )
