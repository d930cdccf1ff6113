"""Drawing in SVG with the design tokens: a few shapes, light and dark, the same bytes on every machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Literal
from urllib.parse import quote

from course_lib.pictures.look import LOOK, Theme, colour

Point = tuple[float, float]
PageTheme = Literal["light", "dark", "auto"]


class Drawing:
    """An SVG picture in the making. Colours are names of tokens in `look.json`.

    The colours of the light theme stand in the elements' own attributes, so that the picture is right even where
    styles are dropped. With `theme="auto"` a style sheet swaps them where the reader prefers dark.

    >>> drawing = Drawing(100, 20, title="A line", description="One line.")
    >>> drawing.path([(0, 10), (100, 10)])
    >>> drawing.svg().startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20" role="img"')
    True
    """

    def __init__(self, width: float, height: float, title: str, description: str, theme: PageTheme = "auto") -> None:
        if theme not in ("light", "dark", "auto"):
            raise ValueError(f'theme should be "light", "dark" or "auto", but it is {theme!r}')
        self.width, self.height = width, height
        self._title, self._description, self._theme = title, description, theme
        self._lines: list[str] = []
        self._used: set[tuple[str, str]] = set()
        self.rectangle(0, 0, width, height, fill="paper", radius=10)

    @contextmanager
    def group(self, **attributes: str) -> Iterator[None]:
        """Put what is drawn inside the block into one <g> with `data-…` attributes."""
        named = "".join(f' data-{name}="{escape(value)}"' for name, value in attributes.items())
        self._lines.append(f"<g{named}>")
        yield
        self._lines.append("</g>")

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "paper",
        stroke: str | None = None,
        stroke_width: float = 1.5,
        dash: Sequence[float] = (),
        radius: float = LOOK["sizes"]["box_radius"],
    ) -> None:
        """Draw a box with round corners."""
        line = self._stroke(stroke, stroke_width, dash)
        self._lines.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
            f"{self._paint(fill=fill, stroke=stroke)}{line}/>"
        )

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: str = "paper",
        stroke: str | None = None,
        stroke_width: float = 2,
        dash: Sequence[float] = (),
    ) -> None:
        """Draw a circle around (x, y)."""
        self._lines.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {self._paint(fill=fill, stroke=stroke)}'
            f"{self._stroke(stroke, stroke_width, dash)}/>"
        )

    def path(
        self,
        points: Sequence[Point],
        stroke: str = "stream",
        width: float = 2,
        dash: Sequence[float] = (),
        arrow: bool = False,
    ) -> None:
        """Draw a line through the points. An arrow's head touches the last of them."""
        line = list(points)
        if arrow:
            (x0, y0), (x, y) = line[-2:]
            head = (5 + 1.5 * width) / ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5
            dx, dy = (x - x0) * head, (y - y0) * head
            corners = [(x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2)]
            self.area("M" + _joined(corners) + "Z", stroke)
            line[-1] = (x - dx * 0.8, y - dy * 0.8)
        self._lines.append(
            f'<path d="M{_joined(line)}" {self._paint(fill=None, stroke=stroke)}{self._stroke(stroke, width, dash)} '
            f'stroke-linejoin="round"/>'
        )

    def area(self, shape: str, fill: str) -> None:
        """Fill the inside of an SVG path."""
        self._lines.append(f'<path d="{shape}" {self._paint(fill=fill, stroke=None)}/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 13,
        fill: str = "ink",
        anchor: Literal["start", "middle", "end"] = "start",
        bold: bool = False,
        tokens: bool = False,
    ) -> None:
        """Write words with their base line at y. `tokens=True` sets them in the chips' fixed-width face."""
        face = f' font-family="{LOOK["fonts"]["tokens"]}"' if tokens else ""
        weight = ' font-weight="700"' if bold else ""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._lines.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}"{place}{weight}{face} '
            f"{self._paint(fill=fill, stroke=None)}>{escape(words, quote=False)}</text>"
        )

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-label="{escape(self._description)}" font-family="{LOOK["fonts"]["words"]}">'
        )
        names = f"<title>{escape(self._title)}</title>\n<desc>{escape(self._description)}</desc>"
        return "\n".join([head, names, *self._style(), *self._lines, "</svg>"]) + "\n"

    def _paint(self, fill: str | None, stroke: str | None) -> str:
        theme: Theme = "dark" if self._theme == "dark" else "light"
        classes, attributes = [], []
        for kind, name in (("fill", fill), ("stroke", stroke)):
            if name is not None:
                self._used.add((kind, name))
                classes.append(f"{kind}-{name}")
                attributes.append(f'{kind}="{colour(name, theme)}"')
            elif kind == "fill":
                attributes.append('fill="none"')
        named = f'class="{" ".join(classes)}" ' if self._theme == "auto" and classes else ""
        return named + " ".join(attributes)

    @staticmethod
    def _stroke(stroke: str | None, width: float, dash: Sequence[float]) -> str:
        if stroke is None:
            return ""
        dashes = f' stroke-dasharray="{" ".join(f"{d:g}" for d in dash)}"' if dash else ""
        return f' stroke-width="{width:g}"{dashes}'

    def _style(self) -> list[str]:
        if self._theme != "auto":
            return []
        rules = "".join(f".{k}-{name}{{{k}:{colour(name, 'dark')}}}" for k, name in sorted(self._used))
        return [f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"]


def _joined(points: Sequence[Point]) -> str:
    return "L".join(f"{x:g} {y:g}" for x, y in points)


def as_html_image(svg: str, alt: str, widest: float, narrowest: float) -> str:
    """Return an <img> that holds a whole SVG file, for the HTML of a notebook's output.

    JupyterLab throws <svg> and <style> out of a notebook that was not yet run on this machine, and leaves the words
    in between as a jumble; it keeps an <img>. A picture inside <img> follows its element's `color-scheme`: the style
    sheet beside it ties that to the page's own theme, and where it is dropped the reader's own preference holds.
    """
    light, dark = (
        ",".join(f"{page} .look-picture" for page in LOOK[which]) for which in ("page_is_light", "page_is_dark")
    )
    address = "data:image/svg+xml," + quote(svg, safe=" ='/:;,()!*@$-_.~+")
    return (
        f"<style>{light}{{color-scheme:light}}{dark}{{color-scheme:dark}}</style>\n"
        f'<div style="overflow-x:auto"><img class="look-picture" alt="{escape(alt)}" '
        f'style="width:100%;min-width:{narrowest:g}px;max-width:{widest:g}px" src="{address}"></div>'
    )
