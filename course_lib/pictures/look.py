"""The design tokens of `look.json`, read once, for figures, explorers and reports alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

Theme = Literal["light", "dark"]

LOOK: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def colour(name: str, theme: Theme = "light") -> str:
    """Return a token's colour in one theme, as "#RRGGBB".

    Raises KeyError with the names there are when `name` is none of them.

    >>> colour("query")
    '#1E3A8A'
    """
    colours = LOOK["colours"]
    if name not in colours:
        raise KeyError(f"there is no colour {name!r}; look.json has {', '.join(colours)}")
    return str(colours[name][theme])


def ramp_colour(ramp: str, share: float, theme: Theme = "light") -> str:
    """Return the colour at `share`, 0 to 1, of the way along a ramp, as "#RRGGBB"; in between, its stops are mixed.

    >>> ramp_colour("weights", 0.0), ramp_colour("weights", 1.0)
    ('#FFFFFF', '#1E3A8A')
    """
    stops = LOOK["ramps"][ramp][theme]
    place = min(1.0, max(0.0, share)) * (len(stops) - 1)
    below = min(int(place), len(stops) - 2)
    pairs = ((int(stops[below][i : i + 2], 16), int(stops[below + 1][i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(low + (high - low) * (place - below)):02X}" for low, high in pairs)


def luminance(hex_colour: str) -> float:
    """Return a colour's relative luminance, from 0 for black to 1 for white.

    Web Content Accessibility Guidelines 2.2, "relative luminance".

    >>> round(luminance("#FFFFFF"), 3)
    1.0
    """
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def digit_colour(cell: str) -> str:
    """Return black or white, whichever reads better on a cell of that colour.

    >>> digit_colour("#FFFFFF"), digit_colour("#1E3A8A")
    ('#000000', '#FFFFFF')
    """
    return "#000000" if luminance(cell) > LOOK["digits_switch_at_luminance"] else "#FFFFFF"


def token_label(token: str) -> str:
    """Return a token as its chip shows it: each space visible, nothing left blank.

    >>> token_label(" the"), token_label("[bos]")
    ('␣the', '[bos]')
    """
    return token.replace(" ", "␣").replace("\n", "↵") or "∅"


def themed_css(selector: str, declarations: Callable[[Theme], str]) -> str:
    """Write the CSS that gives a selector its declarations in the theme of the page around it.

    Light is the default; dark applies where the page says so, or where the reader prefers it and the page is silent.
    """
    pages = [(page, theme) for theme in get_args(Theme) for page in LOOK[f"page_is_{theme}"]]
    preferred = f"@media (prefers-color-scheme:dark){{{selector}{{{declarations('dark')}}}}}"
    said = (f"{page} {selector}{{{declarations(theme)}}}" for page, theme in pages)
    return "".join([f"{selector}{{{declarations('light')}}}", preferred, *said])


def panel_css(selector: str) -> str:
    """Write the CSS of a panel in the theme of the page around it. Where a page drops styles, its own colours hold."""

    def declarations(theme: Theme) -> str:
        ink, paper, border = (colour(name, theme) for name in ("ink", "panel", "border"))
        return f"color:{ink};background:{paper};border:1.5px solid {border}"

    shape = f"{selector}{{border-radius:8px;padding:.2em 1em;max-width:48em}}"
    code = f"{selector} pre,{selector} code{{color:inherit;background:none;white-space:pre-wrap}}"
    return f"{shape}{code}{themed_css(selector, declarations)}"
