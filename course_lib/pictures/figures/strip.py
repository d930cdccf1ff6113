"""The strip at the head of a notebook: the course's notebooks as stations, and the map of the Transformer behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from math import pi

from course_lib.pictures.figures.journey import JOURNEY_STOPS, JourneyStop
from course_lib.pictures.figures.map import TransformerMap
from course_lib.pictures.figures.svg_files import as_html_image
from course_lib.pictures.look import COLOURS

_WIDTH, _HEIGHT = 760, 84
_LINE = 50  # the height of the stations
_RADIUS, _TODAY = 13, 16
_COLOURS = ("paper", "ink", "neutral", "border", "now")
_STYLE = f"""
svg {{
  color-scheme: light dark;
  {" ".join(f"--{name}: light-dark({COLOURS[name]['light']}, {COLOURS[name]['dark']});" for name in _COLOURS)}
  font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif;
}}
.paper {{ fill: var(--paper); }}
.line {{ stroke: var(--border); stroke-width: 3px; }}
.station {{ fill: var(--paper); stroke: var(--border); stroke-width: 1.5px; }}
.yours .station {{ fill: var(--ink); stroke: var(--ink); }}
.now .station {{ fill: var(--now); stroke: var(--ink); stroke-width: 3px; }}
.part {{ fill: none; stroke: var(--ink); stroke-width: 4px; }}
text {{ fill: var(--ink); font-size: 13px; text-anchor: middle; }}
.yours:not(.now) .number {{ fill: var(--paper); }}
.now .number, .title {{ font-weight: 700; }}
.title {{ font-size: 15px; text-anchor: start; }}
.note {{ fill: var(--neutral); text-anchor: end; }}
.share {{ font-size: 11px; }}
"""


@dataclass(frozen=True)
class MapStrip:
    """The notebooks as stations, with today's and the learner's marked, and the map. `map_strip` makes it.

    Attributes:
        notebook: today's.
        parts: notebook → (how many of its parts are the learner's, how many it has).
        map: the map of the Transformer, folded below the strip.
    """

    notebook: int
    parts: Mapping[int, tuple[int, int]]
    map: TransformerMap

    @property
    def alt(self) -> str:
        """The strip in at most 60 words."""
        last, today = JOURNEY_STOPS[-1].notebook, JOURNEY_STOPS[self.notebook]
        own = [f"{own} of {all_parts} in {stop:02d}" for stop, (own, all_parts) in sorted(self.parts.items()) if own]
        shown = ", ".join(own[:4]) + (f" and in {len(own) - 4} more" if len(own) > 4 else "")
        return (
            f"The notebooks of the course, 00 to {last:02d}, as stations on a line. This is {today.notebook:02d}, "
            f"{today.title}. Parts that are yours: {shown or 'none yet'}."
        )

    def svg(self) -> str:
        """Return the strip as the text of an SVG file."""
        today = JOURNEY_STOPS[self.notebook]
        step = (_WIDTH - 48) / (len(JOURNEY_STOPS) - 1)
        stations = "".join(self._station(stop, 24 + step * i) for i, stop in enumerate(JOURNEY_STOPS))
        own = sum(own for own, _ in self.parts.values())
        note = "1 part is yours" if own == 1 else f"{own or 'no'} parts are yours{'' if own else ' yet'}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{escape(self.alt)}"><style>{_STYLE}</style>\n'
            f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>\n'
            f'<text class="title" x="8" y="20">▶ {today.notebook:02d} {escape(today.title)}</text>\n'
            f'<text class="note" x="{_WIDTH - 8}" y="20">{note}</text>\n'
            f'<path class="line" d="M24 {_LINE}H{_WIDTH - 24}"/>\n{stations}</svg>\n'
        )

    def _station(self, stop: JourneyStop, x: float) -> str:
        own, all_parts = self.parts.get(stop.notebook, (0, 0))
        is_today, is_whole = stop.notebook == self.notebook, 0 < own == all_parts
        radius = _TODAY if is_today else _RADIUS
        marks = " ".join(["stop", *["now"] * is_today, *["yours"] * is_whole])
        drawn = [f'<circle class="station" cx="{x:.1f}" cy="{_LINE}" r="{radius}"/>']
        if own and not is_whole:
            around = 2 * pi * radius
            drawn.append(
                f'<circle class="part" cx="{x:.1f}" cy="{_LINE}" r="{radius}" transform="rotate(-90 {x:.1f} {_LINE})" '
                f'stroke-dasharray="{around * own / all_parts:.1f} {around:.1f}"/>'
            )
        drawn.append(f'<text class="number" x="{x:.1f}" y="{_LINE + 4}">{stop.notebook:02d}</text>')
        if own:
            share = "✓" if is_whole else f"{own}/{all_parts}"
            drawn.append(f'<text class="share" x="{x:.1f}" y="{_HEIGHT - 4}">{share}</text>')
        return f'<g class="{marks}">{"".join(drawn)}</g>\n'

    def __repr__(self) -> str:
        return f"{self.alt}\n{self.map!r}"

    def _repr_html_(self) -> str:
        image = as_html_image(self.svg(), self.alt, widest=880, narrowest=460)
        summary = "<summary>The map of the Transformer: today's parts, and yours</summary>"
        return f"{image}\n<details>{summary}{self.map._repr_html_()}</details>"


def map_strip(notebook: int, parts: Mapping[int, tuple[int, int]], transformer_map: TransformerMap) -> MapStrip:
    """Show where a notebook is on the way through the course, how much is the learner's, and the map, folded.

    Args:
        notebook: today's.
        parts: notebook → (how many of its parts are the learner's, how many it has); a notebook without parts may be
            left out.
        transformer_map: from `transformer_map`.

    Raises ValueError for a notebook that is not in the course, or more parts of the learner's than there are.
    """
    known = [stop.notebook for stop in JOURNEY_STOPS]
    for number in (notebook, *parts):
        if number not in known:
            raise ValueError(f"there is no notebook {number}; the course has {known[0]:02d} to {known[-1]:02d}")
    for number, (own, all_parts) in parts.items():
        if not 0 <= own <= all_parts:
            raise ValueError(f"notebook {number:02d} has {all_parts} parts, so {own} of them cannot be the learner's")
    return MapStrip(notebook, dict(parts), transformer_map)
