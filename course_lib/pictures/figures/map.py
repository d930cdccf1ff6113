"""The map of the Transformer: the same picture at the head of every notebook, with the lesson's part lit."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

from course_lib.pictures.figures.map_drawing import draw_map, draw_strip
from course_lib.pictures.figures.map_parts import (
    MAP_HALVES,
    MAP_PARTS,
    NAMES_IN_A_SENTENCE,
    PART_NAMES,
    MapPart,
    State,
    States,
)
from course_lib.pictures.figures.svg import PageTheme, as_html_image
from course_lib.pictures.look import LOOK

_TITLE = "The map of the Transformer"


@dataclass(frozen=True)
class TransformerMap:
    """The map with its parts' states: a picture, and the same in words. `transformer_map` makes it."""

    states: States
    lesson: int | None
    norm_place: Literal["pre", "post"]
    theme: PageTheme
    compact: bool

    @property
    def alt(self) -> str:
        """The map in at most 60 words."""
        where = "" if self.lesson is None else f", notebook {self.lesson:02d}"
        sentences = [
            f"Map of the Transformer{where}: encoder on the left, decoder on the right, the memory between them."
        ]
        marked: tuple[tuple[State, str], ...] = (("now", "Now"), ("yours", "Yours"), ("not_used", "Not used here"))
        for state, opening in marked:
            ids = self.parts_that_are(state)
            if 0 < len(ids) <= 4:
                sentences.append(f"{opening}: {', '.join(NAMES_IN_A_SENTENCE[i] for i in ids)}.")
            elif ids:
                sentences.append(f"{opening}: {len(ids)} of {len(MAP_PARTS)} parts.")
        given, later = len(self.parts_that_are("given")), len(self.parts_that_are("later"))
        return " ".join([*sentences, f"Given: {given}, later: {later}."])

    def parts_that_are(self, state: State) -> list[str]:
        """The ids of the parts in that state."""
        return [part.id for part in MAP_PARTS if state in self.states[part.id]]

    def words(self, part: MapPart) -> str:
        """A part's state in words: "now, yours, notebook 05"."""
        states = ", ".join(LOOK["states"][state]["word"] for state in self.states[part.id])
        return f"{states}, notebook {part.lesson:02d}"

    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        if self.compact:
            return draw_strip(self.states, _TITLE, self.alt, self.theme)
        return draw_map(self.states, self.norm_place, _TITLE, self.alt, self.theme)

    def __repr__(self) -> str:
        lines = [self.alt]
        for place, parts in _by_place():
            lines += [place, *(f"  {part.name}: {self.words(part)}" for part in parts)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        image = as_html_image(self.svg(), self.alt, widest=1040, narrowest=720)
        places = "".join(
            f"<li>{escape(place)}<ul>"
            + "".join(f"<li>{escape(part.name)}: {escape(self.words(part))}</li>" for part in parts)
            + "</ul></li>"
            for place, parts in _by_place()
        )
        return f"{image}\n<details><summary>The map in words</summary><ol>{places}</ol></details>"


def transformer_map(
    now: str | Iterable[str] = (),
    yours: str | Iterable[str] = (),
    not_used: str | Iterable[str] = (),
    lesson: int | None = None,
    norm_place: Literal["pre", "post"] = "post",
    theme: PageTheme = "auto",
    compact: bool = False,
) -> TransformerMap:
    """Draw the encoder–decoder of Vaswani et al. 2017, arXiv:1706.03762, figure 1, with its parts marked.

    Args:
        now: ids from `MAP_PARTS` that this lesson is about.
        yours: ids of the parts that the learner has built.
        not_used: ids that this lesson's model does without, or "encoder" or "decoder" for a whole half.
        lesson: the notebook that the map heads. What later notebooks build is drawn as later. Without it, the
            latest of the parts in `now` decides; with neither, nothing is later.
        norm_place: "post" draws the norms on the streams, as 2017's paper has them, "pre" on the loops.
        theme: "auto" follows the page; "light" and "dark" are fixed.
        compact: rows of boxes instead of the whole drawing.

    Returns:
        A picture that shows itself at the end of a cell, with the same content as a list in words.

    Raises:
        ValueError: if an id is not on the map, or `norm_place` or `theme` is none of its words.

    >>> transformer_map(now="cross_attention", yours=["softmax"]).parts_that_are("later")
    ['choose']
    """
    if norm_place not in ("pre", "post"):
        raise ValueError(f'norm_place should be "pre" or "post", but it is {norm_place!r}')
    if theme not in ("light", "dark", "auto"):
        raise ValueError(f'theme should be "light", "dark" or "auto", but it is {theme!r}')
    lit, built, unused = _ids(now, "now"), _ids(yours, "yours"), _ids(not_used, "not_used")
    if lesson is None:
        lesson = max((part.lesson for part in MAP_PARTS if part.id in lit), default=None)
    states: dict[str, tuple[State, ...]] = {}
    for part in MAP_PARTS:
        marks: list[State] = ["now"] if part.id in lit else []
        if part.id in built:
            marks.append("yours")
        if not marks and part.id in unused:
            marks.append("not_used")
        if not marks:
            marks.append("later" if lesson is not None and part.lesson > lesson else "given")
        states[part.id] = tuple(marks)
    return TransformerMap(states, lesson, norm_place, theme, compact)


def _ids(chosen: str | Iterable[str], argument: str) -> frozenset[str]:
    ids: set[str] = set()
    for word in (chosen,) if isinstance(chosen, str) else chosen:
        if argument == "not_used" and word in MAP_HALVES:
            ids.update(MAP_HALVES[word])
        elif word in PART_NAMES:
            ids.add(word)
        else:
            raise ValueError(f"{argument} has {word!r}, which is not on the map; its parts are {', '.join(PART_NAMES)}")
    return frozenset(ids)


def _by_place() -> list[tuple[str, list[MapPart]]]:
    places = dict.fromkeys(part.place for part in MAP_PARTS)
    return [(place, [part for part in MAP_PARTS if part.place == place]) for place in places]
