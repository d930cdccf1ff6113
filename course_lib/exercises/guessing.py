"""Guesses: a learner commits to an answer before a run shows it. The learner's folder keeps them.

guess("spread", "How many times larger does the spread become?", unit="times")      in one cell
reveal("spread", ratio, close=1)                                                    in a later one
guessed(notebook=1)                                                                 at the end
"""

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course_lib.data.atomic import write_atomically
from course_lib.exercises.keeping.store import folder
from course_lib.exercises.reports import Panel

if TYPE_CHECKING:
    from course_lib.pictures.explorers.guess import Guess

FILE = "guesses.json"
NO_GUESS = "You have not guessed yet. To do so, answer the question above, then run this cell again."


def guess(name: str, question: str, choices: Sequence[str] = (), *, unit: str = "") -> "Guess":
    """Ask a question, and keep the answer until `reveal` compares it with the result.

    Args:
        name: the notebook's number and a word or two, such as "01 spread".
        question: one sentence.
        choices: the answers to choose from; empty if a number is to be typed.
        unit: what the number counts, such as "sentences".

    Raises ValueError for a single choice.
    """
    from course_lib.pictures.explorers.guess import Guess  # takes long to import, and not every notebook asks

    earlier = _read().get(name, {})
    if earlier and not _answers(str(earlier.get("guess", "")), choices):  # an update has changed the question
        _write({other: entry for other, entry in _read().items() if other != name})
        earlier = {}

    def keep(answer: str) -> None:
        kept = _read()
        if "right" not in kept.get(name, {}):  # the first guess counts, once the result has been seen
            _write({**kept, name: {"guess": answer} | ({"unit": unit} if unit else {})})

    return Guess(question, choices, unit=unit, guess=str(earlier.get("guess", "")), keep=keep)


def reveal(name: str, result: Any, *, close: float = 0) -> Panel:
    """Compare a guess with the result of a run.

    Args:
        name: the name of the guess.
        result: one of the choices, or a number.
        close: how far from the result a number may be to count as right.
    """
    kept = _read()
    entry = kept.get(name)
    if entry is None or not (isinstance(result, str) or _is_number(str(entry.get("guess", "")))):
        return Panel(f"{_answer(result)}.", (NO_GUESS,))
    is_right = _is_right(entry["guess"], result, close)
    if "right" not in entry:
        _write({**kept, name: {**entry, "right": is_right}})
    return Panel(_verdict(entry["guess"], result, is_right, str(entry.get("unit", ""))))


def guessed(notebook: int) -> Panel:
    """Say how many of a notebook's guesses were right."""
    entries = [entry for name, entry in _read().items() if name.startswith(f"{notebook:02d} ")]
    revealed = [entry for entry in entries if "right" in entry]
    if not revealed:
        return Panel("You made no guess in this notebook.")
    right = sum(entry["right"] for entry in revealed)
    return Panel(f"You guessed {right} of {len(revealed)} right.")


def _answers(guess: str, choices: Sequence[str]) -> bool:
    """Whether a guess is an answer to a question with these choices, or to one for a number if there are none."""
    return guess in choices if choices else _is_number(guess)


def _is_number(guess: str) -> bool:
    try:
        float(guess)
    except ValueError:
        return False
    return True


def _is_right(guess: str, result: Any, close: float) -> bool:
    if isinstance(result, str):
        return guess == result
    try:
        is_close = math.isclose(float(guess), float(result), rel_tol=0, abs_tol=close)
        return is_close or _is_as_shown(guess, result)
    except ValueError:
        return False


def _verdict(guess: str, result: Any, is_right: bool, unit: str) -> str:
    if isinstance(result, str):
        return f"✓ Right: {result}." if is_right else f"✗ You guessed “{guess}”. {_answer(result)}."
    unit = unit and f" {unit}"
    if _is_as_shown(guess, result):
        return f"✓ Right: {guess}{unit}."
    # The unit stands with the result alone: "You guessed 3 times" would count the guesses.
    mark = "✓ Close: you" if is_right else "✗ You"
    return f"{mark} guessed {guess}. {_answer(result)}{unit}."


def _is_as_shown(guess: str, result: Any) -> bool:
    """Whether a guess is the result itself or, if that is a fraction, what it is rounded to where it is shown."""
    value = float(result)
    return float(guess) in (value, value if value.is_integer() else float(f"{value:.4g}"))


def _answer(result: Any) -> str:
    return f"The answer is “{result}”" if isinstance(result, str) else f"It is {float(result):.4g}"


def _read() -> dict[str, dict[str, Any]]:
    try:
        kept = json.loads((folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(kept: dict[str, dict[str, Any]]) -> None:
    try:
        folder().mkdir(parents=True, exist_ok=True)
        write_atomically(folder() / FILE, json.dumps(kept, ensure_ascii=False, indent=1).encode("utf-8"))
    except OSError:
        pass  # a guess that cannot be kept is no reason to stop a lesson
