"""The map of the Transformer: the same picture at the head of every notebook, with the lesson's parts lit.

The drawing is `course_lib/pictures/map.svg`, which also names the parts. Here they are only marked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

from course_lib.pictures.figures.svg_files import SVG, as_html_image, as_text, read_svg, set_description

State = Literal["later", "given", "now", "yours", "not_used"]

# What a box says of its part's state, and the same without its mark for a sentence.
_MARKED = {"later": "later", "given": "given", "now": "▶ now", "yours": "✓ yours", "not_used": "not used here"}
_WORDS = {state: words.lstrip("▶✓ ") for state, words in _MARKED.items()}


@dataclass(frozen=True)
class MapPart:
    """One part of the map, as its group in map.svg describes it.

    Attributes:
        id: what code calls it.
        name: what its box says.
        full_name: its name where the place is missing, since there are two feed-forwards and two self-attentions.
        lesson: the notebook that builds it.
        place: where on the map it lies.
        halves: "encoder", "decoder", both, or neither: what does not work without it.
    """

    id: str
    name: str
    full_name: str
    lesson: int
    place: str
    halves: tuple[str, ...]


def _read_parts() -> tuple[MapPart, ...]:
    parts = []
    for place in read_svg("map").iterfind(f"{SVG}g[@class='place']"):
        for group in place:
            lesson = int(group.findtext(".//*[@class='notebook']", "")[-2:])
            names = group.findtext("*[@class='name']", ""), group.attrib["data-name"]
            halves = tuple(group.get("data-half", "").split())
            parts.append(MapPart(group.attrib["id"], *names, lesson, place.attrib["data-place"], halves))
    return tuple(parts)


MAP_PARTS = _read_parts()


@dataclass(frozen=True)
class TransformerMap:
    """The map with its parts' states: a picture, and the same in words. `transformer_map` makes it."""

    states: dict[str, tuple[State, ...]]
    lesson: int | None
    norm_place: Literal["pre", "post"]

    @property
    def alt(self) -> str:
        """The map in at most 60 words."""
        where = "" if self.lesson is None else f", notebook {self.lesson:02d}"
        sentences = [
            f"Map of the Transformer{where}: encoder on the left, decoder on the right, the memory between them."
        ]
        listed: tuple[State, ...] = ("now", "yours", "not_used")
        for state in listed:
            names = [part.full_name for part in MAP_PARTS if state in self.states[part.id]]
            if names:
                what = ", ".join(names) if len(names) <= 4 else f"{len(names)} of {len(MAP_PARTS)} parts"
                sentences.append(f"{_WORDS[state].capitalize()}: {what}.")
        given, later = len(self.parts_that_are("given")), len(self.parts_that_are("later"))
        return " ".join([*sentences, f"Given: {given}, later: {later}."])

    def parts_that_are(self, state: State) -> list[str]:
        """Return the ids of the parts in that state."""
        return [part.id for part in MAP_PARTS if state in self.states[part.id]]

    def words(self, part: MapPart) -> str:
        """Return a part's state in words: "now, yours, notebook 05"."""
        return ", ".join([*(_WORDS[state] for state in self.states[part.id]), f"notebook {part.lesson:02d}"])

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        root = read_svg("map")
        set_description(root, self.alt)
        root.set("class", f"{self.norm_place}-norm")
        states = self.states | {"decoder_norm": self._decoder_norm()}
        for group in root.iter(f"{SVG}g"):
            part = group.get("data-part") or group.get("id")
            if part in states:
                group.set("class", " ".join([group.attrib["class"], *states[part]]))
                if (words := group.find("*[@class='state']/*")) is not None:
                    words.text = " ".join(_MARKED[state] for state in states[part])
        return as_text(root)

    def _decoder_norm(self) -> tuple[State, ...]:
        """The decoder's norms are built with the encoder's, but each half can be used without the other."""
        if self.states["decoder_feed_forward"] == ("not_used",):
            return ("not_used",)
        if self.states["encoder_norm"] == ("not_used",):
            return ("given",)
        return self.states["encoder_norm"]

    def _by_place(self) -> dict[str, list[str]]:
        places: dict[str, list[str]] = {}
        for part in MAP_PARTS:
            places.setdefault(part.place, []).append(f"{part.name}: {self.words(part)}")
        return places

    def __repr__(self) -> str:
        lines = [self.alt]
        for place, parts in self._by_place().items():
            lines += [place, *(f"  {part}" for part in parts)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        places = "".join(
            f"<li>{escape(place)}<ul>{''.join(f'<li>{escape(part)}</li>' for part in parts)}</ul></li>"
            for place, parts in self._by_place().items()
        )
        image = as_html_image(self.svg(), self.alt, widest=1056, narrowest=720)
        return f"{image}\n<details><summary>The map in words</summary><ol>{places}</ol></details>"


def transformer_map(
    now: str | Iterable[str] = (),
    yours: str | Iterable[str] = (),
    not_used: str | Iterable[str] = (),
    lesson: int | None = None,
    norm_place: Literal["pre", "post"] = "post",
) -> TransformerMap:
    """Show the encoder–decoder of Vaswani et al. 2017, arXiv:1706.03762, figure 1, with its parts marked.

    Args:
        now: ids from `MAP_PARTS` that this lesson is about.
        yours: ids of the parts that the learner has built.
        not_used: ids that this lesson's model does without, or "encoder" or "decoder" for a whole half.
        lesson: the notebook that the map heads. What later notebooks build is drawn as later. Without it, the
            latest of the parts in `now` decides; with neither, nothing is later.
        norm_place: "post" draws the norms on the residual streams, as in the paper of 2017, "pre" before the sublayers.

    Returns:
        A picture that shows itself at the end of a cell, with the same content as a list in words.

    Raises:
        ValueError: if an id is not on the map, or `norm_place` is neither "pre" nor "post".

    >>> transformer_map(now="cross_attention", yours=["softmax"]).parts_that_are("later")
    ['choose']
    """
    if norm_place not in ("pre", "post"):
        raise ValueError(f'norm_place should be "pre" or "post", but it is {norm_place!r}')
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
    return TransformerMap(states, lesson, norm_place)


def _ids(chosen: str | Iterable[str], argument: str) -> set[str]:
    """Check the ids given for an argument. For `not_used`, a half means all parts that need it."""
    known = [part.id for part in MAP_PARTS]
    ids: set[str] = set()
    for word in (chosen,) if isinstance(chosen, str) else chosen:
        if argument == "not_used" and word in ("encoder", "decoder"):
            ids.update(part.id for part in MAP_PARTS if word in part.halves)
        elif word in known:
            ids.add(word)
        else:
            raise ValueError(f"{argument} has {word!r}, which is not on the map; its parts are {', '.join(known)}")
    return ids
