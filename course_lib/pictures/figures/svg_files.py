"""Pictures drawn by hand as SVG files: reading them, and putting them on a notebook's page."""

from html import escape
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from course_lib.pictures.look import LOOK_CSS

_FOLDER = Path(__file__).parents[1]
_NAMESPACE = "http://www.w3.org/2000/svg"
SVG = f"{{{_NAMESPACE}}}"
"""What goes in front of an element's name when one is looked for: `root.iter(f"{SVG}g")`."""


def read_svg(name: str) -> ElementTree.Element:
    """Read one of the SVG files in `course_lib/pictures`, without its comments."""
    return ElementTree.fromstring((_FOLDER / f"{name}.svg").read_text(encoding="utf-8"))


def set_description(root: ElementTree.Element, words: str) -> None:
    """Say what a picture shows, for screen readers that meet it as a label or as a description."""
    root.set("aria-label", words)
    for description in root.iter(f"{SVG}desc"):
        description.text = words


def as_text(root: ElementTree.Element) -> str:
    """Return a picture as the text of an SVG file."""
    ElementTree.register_namespace("", _NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def as_html_image(svg: str, alt: str, widest: float, narrowest: float) -> str:
    """Return an <img> that holds a whole SVG file, for the HTML of a notebook's output.

    JupyterLab removes <svg> and <style> from a notebook that has not yet been run on this machine and leaves the words
    in between as a jumble; it keeps an <img>. A picture inside <img> follows the `color-scheme` of its element. The
    style sheet in front of it ties that to the page's theme; where that is removed, the reader's preference decides.
    """
    address = "data:image/svg+xml," + quote(svg, safe=" ='/:;,()!*@$-_.~+")
    return (
        f"<style>{LOOK_CSS}</style>\n"
        f'<div style="overflow-x:auto"><img class="course-picture" alt="{escape(alt)}" '
        f'style="width:100%;min-width:{narrowest:g}px;max-width:{widest:g}px" src="{address}"></div>'
    )
