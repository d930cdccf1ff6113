"""The way through the course in one picture: its notebooks, and what the learner has after each.

The drawing is `course_lib/pictures/journey.svg`, which also has the words.
"""

from dataclasses import dataclass
from html import escape

from course_lib.pictures.figures.svg_files import SVG, as_html_image, as_text, read_svg, set_description


@dataclass(frozen=True)
class JourneyStop:
    """One notebook of the course, and what it gives the learner."""

    notebook: int
    title: str
    gives: str
    is_milestone: bool

    def __str__(self) -> str:
        return f"{self.notebook:02d} {self.title}: {self.gives}"


def _read_stops() -> tuple[JourneyStop, ...]:
    stops = []
    for card in read_svg("journey").iterfind(f"{SVG}g"):
        gives = " ".join(line.text or "" for line in card.iterfind("*[@class='gives']"))
        title = card.findtext("*[@class='name']", "")
        stops.append(JourneyStop(int(card.attrib["data-notebook"]), title, gives, "milestone" in card.attrib["class"]))
    return tuple(stops)


JOURNEY_STOPS = _read_stops()


class Journey:
    """The way through the course: a picture, and the same as a list. `journey` makes it."""

    @property
    def alt(self) -> str:
        """The picture in at most 60 words."""
        (halfway,) = (stop for stop in JOURNEY_STOPS if stop.is_milestone)
        last = JOURNEY_STOPS[-1].notebook
        return (
            f"The way through the course: {len(JOURNEY_STOPS)} notebooks, 00 to {last:02d}, along one path, each with "
            f"what you have after it. Halfway, notebook {halfway.notebook:02d}, {halfway.title}, is marked: "
            f"{halfway.gives}."
        )

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        root = read_svg("journey")
        set_description(root, self.alt)
        return as_text(root)

    def __repr__(self) -> str:
        return "\n".join([self.alt, *(f"  {stop}" for stop in JOURNEY_STOPS)])

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(str(stop))}</li>" for stop in JOURNEY_STOPS)
        image = as_html_image(self.svg(), self.alt, widest=1060, narrowest=720)
        return f"{image}\n<details><summary>The way in words</summary><ul>{rows}</ul></details>"


def journey() -> Journey:
    """Show the course's notebooks as one path, with what the learner has after each.

    >>> journey()  # doctest: +ELLIPSIS
    The way through the course: 18 notebooks, 00 to 17, ...
    """
    return Journey()
