"""The course's look, for figures, explorers and reports: colours from `look.css`, ramps and lines from `look.json`.

Contrast is computed as the Web Content Accessibility Guidelines 2.2 define it, https://www.w3.org/TR/WCAG22/.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from course_lib.text.wording import with_minus_signs

Theme = Literal["light", "dark"]

_FOLDER = Path(__file__).parent
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LOOK: dict[str, Any] = json.loads((_FOLDER / "look.json").read_text(encoding="utf-8"))
LOOK_CSS = (_FOLDER / "look.css").read_text(encoding="utf-8")
"""The style sheet for whatever the course puts on a page: explorers, SVG pictures and reports."""

COLOURS: dict[str, dict[Theme, str]] = {
    name.replace("-", "_"): {"light": light, "dark": dark}
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#\w+), (#\w+)\);", LOOK_CSS)
}


def colour(name: str, theme: Theme = "light") -> str:
    """Return one of the course's colours, as "#RRGGBB".

    Raises KeyError with the names there are when `name` is none of them.

    >>> colour("query")
    '#1E3A8A'
    """
    if name not in COLOURS:
        raise KeyError(f"there is no colour {name!r}; look.css has {', '.join(COLOURS)}")
    return COLOURS[name][theme]


def ramp_colour(ramp: str, share: float, theme: Theme = "light") -> str:
    """Return the colour at `share`, 0 to 1, of the way along a ramp, as "#RRGGBB"; between its stops they are mixed.

    >>> ramp_colour("weights", 0.0), ramp_colour("weights", 1.0)
    ('#FFFFFF', '#1E3A8A')
    """
    stops = LOOK["ramps"][ramp][theme]
    position = min(1.0, max(0.0, share)) * (len(stops) - 1)
    below = min(int(position), len(stops) - 2)
    part = position - below
    pairs = ((int(stops[below][i : i + 2], 16), int(stops[below + 1][i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(low + (high - low) * part):02X}" for low, high in pairs)


def luminance(hex_colour: str) -> float:
    """Return a colour's relative luminance, from 0 for black to 1 for white.

    >>> round(luminance("#FFFFFF"), 3)
    1.0
    """
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 for the same to 21 for black and white.

    >>> round(contrast("#000000", "#FFFFFF"), 1)
    21.0
    """
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def digit_colour(cell: str) -> str:
    """Return black or white, whichever is easier to read on a cell of that colour.

    >>> digit_colour("#FFFFFF"), digit_colour("#1E3A8A")
    ('#000000', '#FFFFFF')
    """
    return "#000000" if luminance(cell) > LOOK["digits_switch_at_luminance"] else "#FFFFFF"


def with_minus(number: float, digits: int = 2) -> str:
    """Return a number in decimals, with a real minus sign.

    >>> with_minus(-0.5)
    '−0.50'
    """
    return with_minus_signs(f"{number:.{digits}f}")


def token_label(token: str) -> str:
    """Return a token as its chip shows it: each space visible, nothing left blank.

    >>> token_label(" the"), token_label("[bos]")
    ('␣the', '[bos]')
    """
    return token.replace(" ", "␣").replace("\n", "↵") or "∅"


def token_labels(tokens: Sequence[str]) -> list[str]:
    """Return the labels of a sentence's tokens; those that occur more than once are numbered.

    >>> token_labels(["the", "king", "saw", "the", "key"])
    ['the¹', 'king', 'saw', 'the²', 'key']
    """
    so_far = Counter[str]()
    labels = []
    for token in tokens:
        so_far[token] += 1
        number = str(so_far[token]).translate(_SUPERSCRIPTS) if tokens.count(token) > 1 else ""
        labels.append(token_label(token) + number)
    return labels
