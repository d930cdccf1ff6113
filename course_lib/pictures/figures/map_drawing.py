"""The drawing of the map: both streams run upwards, and a layer's boxes hang beside its stream."""

from dataclasses import dataclass
from typing import Literal

from course_lib.pictures.figures.map_parts import MAP_PARTS, NAMES_IN_A_SENTENCE, States
from course_lib.pictures.figures.svg import Drawing, PageTheme
from course_lib.pictures.look import LOOK

WIDTH, HEIGHT = 1040, 752
_BOX_WIDTH, _BOX_HEIGHT = 210, 48
_NARROW_WIDTH, _NARROW_HEIGHT = 122, 70
# From the stream to the nearer edge of a box, and from a frame's edge to its stream.
_TO_BOX, _TO_FRAME = 74, 30
# From the stream to the wires of query, key and value.
_ROLE_WIRES = {"query": 104, "key": 172, "value": 240}


@dataclass(frozen=True)
class _Half:
    """The encoder's or the decoder's half: its stream's x, and the side its boxes lie on (1 right, -1 left)."""

    stream: float
    inwards: Literal[1, -1]
    embedding: str
    feed_forward: str
    exit: float

    def x(self, distance: float) -> float:
        return self.stream + self.inwards * distance

    def left(self, near: float, width: float) -> float:
        """The left edge of what begins `near` the stream and is `width` wide."""
        return min(self.x(near), self.x(near + width))


_ENCODER = _Half(170, 1, "source_embedding", "encoder_feed_forward", exit=272)
_DECODER = _Half(806, -1, "target_embedding", "decoder_feed_forward", exit=146)


def draw_map(states: States, norm_place: Literal["pre", "post"], title: str, description: str, theme: PageTheme) -> str:
    """Return the whole map as the text of an SVG file."""
    drawing = Drawing(WIDTH, HEIGHT, title, description, theme)
    picture = _Picture(drawing, states, norm_place)
    picture.legend(title)
    picture.frame(_ENCODER, 322, "encoder layer × N")
    picture.frame(_DECODER, 194, "decoder layer × N")
    picture.stream(_ENCODER)
    picture.stream(_DECODER)
    picture.memory()
    picture.sublayer(_ENCODER, "encoder_attention", leaves=562, joins=470)
    picture.sublayer(_ENCODER, "encoder_feed_forward", leaves=432, joins=356)
    picture.sublayer(_DECODER, "masked_attention", leaves=562, joins=470)
    picture.sublayer(_DECODER, "cross_attention", leaves=432, joins=340)
    picture.sublayer(_DECODER, "decoder_feed_forward", leaves=304, joins=228)
    picture.input(_ENCODER, ("the", "detective", "investigated"), "source tokens", "(S, d_model)")
    picture.input(_DECODER, ("[bos]", "le", "détective", "a"), "target so far", "(T, d_model)")
    picture.positions()
    picture.output()
    return drawing.svg()


def draw_strip(states: States, title: str, description: str, theme: PageTheme) -> str:
    """Return the parts alone, as two rows of boxes in the order of `MAP_PARTS`."""
    columns, width, height, gap = 7, 140, 66, 8
    drawing = Drawing(columns * (width + gap) + gap, 2 * (height + gap) + gap, title, description, theme)
    picture = _Picture(drawing, states, "pre")
    for i, part in enumerate(MAP_PARTS):
        row, column = divmod(i, columns)
        name = NAMES_IN_A_SENTENCE[part.id].rsplit(" ", 1)
        picture.box(part.id, gap + column * (width + gap), gap + row * (height + gap), width, height, name)
    return drawing.svg()


class _Picture:
    """The map's pieces, drawn one by one in the states that the parts have."""

    def __init__(self, drawing: Drawing, states: States, norm_place: Literal["pre", "post"]) -> None:
        self.drawing, self.states, self.norm_place = drawing, states, norm_place

    def box(
        self,
        part_id: str,
        x: float,
        y: float,
        width: float = _BOX_WIDTH,
        height: float = _BOX_HEIGHT,
        name: list[str] | None = None,
    ) -> None:
        """A part's box: its name, its state in marks and words and, unless the name has its own lines, its notebook."""
        part = next(part for part in MAP_PARTS if part.id == part_id)
        states = self.states[part_id]
        marks = " ".join(f"{LOOK['states'][s]['mark']} {LOOK['states'][s]['word']}".strip() for s in states)
        notebook = f"notebook {part.lesson:02d}"
        if name:
            below = [marks]
        elif height == _NARROW_HEIGHT:
            below = [marks, notebook]
        else:
            below = [marks if len(states) > 1 else f"{marks} · {notebook}"]
        lines = [*(name or [part.name]), *below]
        middle, colour = x + width / 2, self._text_colour(states)
        with self.drawing.group(part=part_id, state=" ".join(states)):
            self.outline(states, x, y, width, height)
            line = y + (height - 18 * len(lines)) / 2 + (15.5 if len(lines) > 2 else 13.5)
            for i, words in enumerate(lines):
                names = i < len(lines) - len(below)
                size, bold = (14.5 if name else 15.5, colour == "ink") if names else (13.5, False)
                self.drawing.text(middle, line + 18 * i, words, size, colour, "middle", bold)

    def outline(self, states: tuple[str, ...], x: float, y: float, width: float, height: float) -> None:
        """A box's border: its width and dashes tell the state, and a dark corner with a tick says "yours"."""
        look, radius = LOOK["states"][states[0]], LOOK["sizes"]["box_radius"]
        self.drawing.rectangle(
            x,
            y,
            width,
            height,
            fill="now" if "now" in states else "paper",
            stroke="ink" if self._lit(states) else "border",
            stroke_width=look["width"],
            dash=look["dash"],
        )
        if "yours" in states:
            right, corner = x + width, min(23, 0.8 * height)
            rounded = f"H{right - radius:g}Q{right:g} {y:g} {right:g} {y + radius:g}"
            self.drawing.area(f"M{right - corner:g} {y:g}{rounded}V{y + corner:g}Z", "ink")
            tick = [(0.61, 0.33), (0.46, 0.48), (0.2, 0.2)]
            self.drawing.path([(right - corner * across, y + corner * down) for across, down in tick], "paper", 2)

    def legend(self, title: str) -> None:
        """The states and the lines, each by shape and word."""
        draw = self.drawing
        draw.text(20, 36, title, 21, bold=True)
        present = {state for states in self.states.values() for state in states}
        rows = [s for s in LOOK["states"] if s != "not_used" or s in present]
        for row, state in enumerate(rows):
            y, look = 54 + 27 * row, LOOK["states"][state]
            self.outline((state,), 20, y, 42, 21)
            draw.text(70, y + 15.5, f"{look['mark']} {look['word']}".strip(), 13.5, bold=True)
            if look["means"]:
                draw.text(148, y + 15.5, look["means"], 13.5)
        draw.path([(388, 64.5), (428, 64.5)], "stream", LOOK["sizes"]["stream_width"])
        draw.text(440, 69.5, "residual stream", 13.5)
        for row, (name, role) in enumerate(LOOK["roles"].items(), start=1):
            middle = 64.5 + 27 * row
            self._wire(name, [(388, middle), (428, middle)], name)
            draw.text(440, middle + 5, role["letter"], 13.5, name, bold=True)
            draw.text(459, middle + 5, f"{name} {role['does']}", 13.5)

    def frame(self, half: _Half, top: float, words: str) -> None:
        """The frame around one layer. A second edge behind it says that the layer is there N times."""
        width, height = _TO_FRAME + _TO_BOX + _BOX_WIDTH + 16, 576 - top
        left = half.left(-_TO_FRAME, width)
        for shift in (6, 0):
            self.drawing.rectangle(left + shift, top - shift, width, height, "panel", "border", radius=12)
        anchor: Literal["start", "end"] = "end" if half.inwards == 1 else "start"
        self.drawing.text(
            half.x(_TO_BOX + _BOX_WIDTH),
            top + 21,
            words,
            13.5,
            fill="stream" if self._unused(half.embedding) else "ink",
            anchor=anchor,
            bold=True,
        )

    def stream(self, half: _Half) -> None:
        """A residual stream: straight, thick, never interrupted."""
        colour = self._wire_colour(half.embedding)
        line = [(half.stream, 626.0), (half.stream, half.exit)]
        self.drawing.path(line, colour, LOOK["sizes"]["stream_width"], arrow=True)
        if self.norm_place == "pre":
            self._norm(half, half.stream, half.exit + 27)

    def memory(self) -> None:
        """The memory's box, and the double line that carries it to cross-attention's keys and values."""
        colour = "masked" if self._unused("memory") else "memory"
        end = _DECODER.x(_ROLE_WIRES["key"])
        self._wire("memory", [(275, 246), (490, 246), (490, 432), (end, 432)], colour)
        self.drawing.text(282, 234, "M", 14, "stream" if colour == "masked" else colour, bold=True)
        self.drawing.text(302, 234, "(S, d_model)", 13.5, "stream")
        self.box("memory", _ENCODER.stream - _BOX_WIDTH / 2, 222)

    def sublayer(self, half: _Half, part_id: str, leaves: float, joins: float) -> None:
        """A sublayer: out of the stream at `leaves`, through its box, and added to the stream at `joins`."""
        colour = self._wire_colour(part_id)
        attends = part_id.endswith("attention")
        top = joins + 16
        middle = half.x(_TO_BOX + _BOX_WIDTH / 2)
        self.drawing.path([(middle, top), (middle, joins), (half.x(10), joins)], colour, arrow=True)
        if attends:
            # Cross-attention asks the stream for its queries only; keys and values come from the memory.
            last = "query" if part_id == "cross_attention" else "value"
            self.drawing.path([(half.stream, leaves), (half.x(_ROLE_WIRES[last]), leaves)], colour)
            for name, distance in _ROLE_WIRES.items():
                x = half.x(distance)
                self._wire(name, [(x, leaves), (x, top + _BOX_HEIGHT)], "masked" if colour == "masked" else name)
                self.drawing.text(
                    x + 6,
                    leaves - 9,
                    LOOK["roles"][name]["letter"],
                    14,
                    "stream" if colour == "masked" else name,
                    bold=True,
                )
        else:
            self.drawing.path(
                [(half.stream, leaves), (middle, leaves), (middle, top + _BOX_HEIGHT)], colour, arrow=True
            )
        if self.norm_place == "pre":
            self._norm(half, half.x(38), leaves)
        else:
            self._norm(half, half.stream, joins - 22)
        self.box(part_id, half.left(_TO_BOX, _BOX_WIDTH), top)
        self._plus(half, joins)
        if part_id == "masked_attention":
            self._staircase(half.left(_TO_BOX, _BOX_WIDTH) + 2, top + _BOX_HEIGHT + 7)

    def input(self, half: _Half, tokens: tuple[str, ...], words: str, shape: str) -> None:
        """A sentence as chips, and the embedding that starts the stream."""
        self.drawing.path([(half.stream, 694), (half.stream, 676)], self._wire_colour(half.embedding), arrow=True)
        self._chips(half.stream, 694, tokens, self._unused(half.embedding))
        self.drawing.text(half.stream, 741, words, 13.5, "stream", "middle")
        anchor: Literal["start", "end"] = "start" if half.inwards == 1 else "end"
        self.drawing.text(half.x(14), 614, shape, 13.5, "stream", anchor)
        self.box(half.embedding, half.stream - _BOX_WIDTH / 2, 626)
        self._plus(half, 598)

    def positions(self) -> None:
        """Positions, added to both streams, and what the circles and pills are called."""
        draw, colour = self.drawing, self._wire_colour("positions")
        draw.path([(_NARROW_WIDTH + 8, 598), (_ENCODER.x(-10), 598)], colour, arrow=True)
        draw.path([(862, 598), (_DECODER.x(-10), 598)], colour, arrow=True)
        self.box("positions", 8, 548, _NARROW_WIDTH, _NARROW_HEIGHT)
        states = self.states["positions"]
        self.outline(states, 862, 582, 100, 32)
        text = self._text_colour(states)
        draw.text(912, 603, "positions", 14.5, text, "middle", bold=text == "ink")
        draw.path([(_NARROW_WIDTH + 8, 470), (_ENCODER.x(-9), 470)], "border", 1.5, [2, 3])
        self.box("encoder_norm", 8, 435, _NARROW_WIDTH, _NARROW_HEIGHT)

    def output(self) -> None:
        """From the decoder's stream to the next token, and with it back to the target so far."""
        draw, x = self.drawing, _DECODER.stream
        draw.path([(x, 94), (x, 84)], self._wire_colour("projection"), arrow=True)
        chosen = self._wire_colour("choose")
        dashes = [5, 4]
        draw.path([(911, 60), (917, 60), (917, 151), (928, 151)], chosen, arrow=True)
        draw.path([(911, 60), (928, 60)], self._wire_colour("loss"), arrow=True)
        draw.path([(988, 186), (988, 708), (924, 708)], chosen, dash=dashes, arrow=True)
        self.box("projection", x - _BOX_WIDTH / 2, 94)
        self.box("softmax", x - _BOX_WIDTH / 2, 36)
        self.box("loss", 928, 25, 108, _NARROW_HEIGHT)
        self.box("choose", 928, 116, 108, _NARROW_HEIGHT)
        draw.text(982, 17, "to train", 13.5, "stream", "middle")
        draw.text(982, 110, "to translate", 13.5, "stream", "middle")
        self._chips(988, 330, ("enquêté",), chosen == "masked")
        draw.text(978, 320, "next token", 13.5, "stream", "end")

    def _wire(self, role_name: str, points: list[tuple[float, float]], colour: str) -> None:
        """A line in its role's width and dashes."""
        role = LOOK["roles"][role_name]
        self.drawing.path(points, colour, role["width"], role["dash"])
        if role.get("double"):
            self.drawing.path(points, "paper", role["width"] - 4.5)

    def _plus(self, half: _Half, y: float) -> None:
        x, colour = half.stream, "masked" if self._unused(half.embedding) else "ink"
        self.drawing.circle(x, y, 9, stroke=colour)
        self.drawing.path([(x - 5, y), (x + 5, y)], colour)
        self.drawing.path([(x, y - 5), (x, y + 5)], colour)

    def _norm(self, half: _Half, x: float, y: float) -> None:
        """A norm's pill around (x, y). The decoder's norms are of the encoder's kind, and share its state."""
        states = self.states["encoder_norm"]
        if half is _DECODER and self._unused(half.feed_forward):
            states = ("not_used",)
        elif half is _DECODER and states == ("not_used",):
            states = ("given",)
        look = LOOK["states"][states[0]]
        self.drawing.rectangle(
            x - 23,
            y - 9.5,
            46,
            19,
            fill="now" if "now" in states else "paper",
            stroke="ink" if self._lit(states) else "border",
            stroke_width=min(look["width"], 2.5),
            dash=look["dash"],
            radius=9.5,
        )
        self.drawing.text(x, y + 4, "norm", 13, self._text_colour(states), "middle")

    def _staircase(self, x: float, y: float) -> None:
        """The causal mask in small: each row reads one token more than the row above."""
        for row in range(3):
            for column in range(row + 1):
                self.drawing.rectangle(x + 5 * column, y + 5 * row, 4, 4, fill="stream", radius=0)

    def _chips(self, middle: float, y: float, tokens: tuple[str, ...], unused: bool) -> None:
        sizes, ink = LOOK["sizes"], "stream" if unused else "ink"
        widths = [8.7 * len(token) + 16 for token in tokens]
        x = middle - (sum(widths) + 6 * (len(tokens) - 1)) / 2
        for token, width in zip(tokens, widths, strict=True):
            height = sizes["chip_height"]
            self.drawing.rectangle(x, y, width, height, "paper", "border", radius=sizes["chip_radius"])
            if token.startswith("["):
                self.drawing.rectangle(x + 3, y + 3, width - 6, height - 6, "paper", "border", 1, radius=4)
            self.drawing.text(x + width / 2, y + 19, token, sizes["chip_text"], ink, "middle", tokens=True)
            x += width + 6

    def _unused(self, part_id: str) -> bool:
        return self.states[part_id] == ("not_used",)

    def _wire_colour(self, part_id: str) -> str:
        return "masked" if self._unused(part_id) else "stream"

    @staticmethod
    def _lit(states: tuple[str, ...]) -> bool:
        return "now" in states or "yours" in states

    def _text_colour(self, states: tuple[str, ...]) -> str:
        return "ink" if self._lit(states) or states == ("given",) else "stream"
