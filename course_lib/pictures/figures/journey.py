"""The way through the course in one picture: its notebooks, and what the learner has after each.

The drawing is `course_lib/pictures/journey.svg`, which also has the words.
"""

from dataclasses import dataclass
from html import escape

from course_lib.pictures.figures.svg import SVG, as_html_image, as_text, read_svg, set_description


@dataclass(frozen=True)
class Stage:
    """One notebook of the course, and what the learner has after it."""

    notebook: int
    title: str
    gives: str
    is_milestone: bool

    def __str__(self) -> str:
        return f"{self.notebook:02d} {self.title}: {self.gives}"


def _read_stages() -> tuple[Stage, ...]:
    stages = []
    for card in read_svg("journey").iterfind(f"{SVG}g"):
        gives = " ".join(line.text or "" for line in card.iterfind("*[@class='gives']"))
        title = card.findtext("*[@class='name']", "")
        stages.append(Stage(int(card.attrib["data-notebook"]), title, gives, "milestone" in card.attrib["class"]))
    return tuple(stages)


STAGES = _read_stages()


class Journey:
    """The way through the course: a picture, and the same as a list. `journey` makes it."""

    @property
    def alt(self) -> str:
        """The picture in at most 60 words."""
        (halfway,) = (stage for stage in STAGES if stage.is_milestone)
        return (
            f"The way through the course: {len(STAGES)} notebooks, 00 to {STAGES[-1].notebook:02d}, along one path, "
            f"each with what you have after it. Halfway, notebook {halfway.notebook:02d}, {halfway.title}, is marked: "
            f"{halfway.gives}."
        )

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        root = read_svg("journey")
        set_description(root, self.alt)
        return as_text(root)

    def __repr__(self) -> str:
        return "\n".join([self.alt, *(f"  {stage}" for stage in STAGES)])

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(str(stage))}</li>" for stage in STAGES)
        image = as_html_image(self.svg(), self.alt, widest=1060, narrowest=720)
        return f"{image}\n<details><summary>The way in words</summary><ul>{rows}</ul></details>"


def journey() -> Journey:
    """Show the course's notebooks as one path, with what the learner has after each.

    >>> journey()  # doctest: +ELLIPSIS
    The way through the course: 14 notebooks, 00 to 13, ...
    """
    return Journey()
