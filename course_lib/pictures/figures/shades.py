"""A matplotlib figure on a dark page: the same picture, turned dark by the page, and shades that can be read on both.

A figure is saved once, as a light PNG, which any reader of notebooks shows. Where the page says that its theme is dark,
the style sheet beside the picture inverts the lightness and turns the hue back by half a circle. So a blue stays blue,
and no picture is stored twice. The filters are those of the W3C's Filter Effects, https://www.w3.org/TR/filter-effects.
"""

from functools import cache

from matplotlib.colors import ListedColormap

from course_lib.pictures.look import Theme, contrast, digit_colour, ramp_colour

_INVERT = 0.93  # not wholly, so that the paper becomes the dark grey of the page and not black
_AA = 4.5
_STEPS = 256
FIGURE_CLASS = "course-figure"
"""The class of the words below a figure, by which the style sheet finds the picture before them."""
_PICTURE = f".jp-OutputArea-child:has(+ .jp-OutputArea-child .{FIGURE_CLASS}) .jp-RenderedImage img"
FIGURE_CSS = (
    f"{_PICTURE} {{ border-radius: 8px; }}\n"
    f':is(body[data-jp-theme-light="false"], html[data-theme="dark"] body) {_PICTURE} '
    f"{{ filter: invert({_INVERT}) hue-rotate(180deg); }}\n"
)


def on_dark_page(hex_colour: str) -> str:
    """Return the colour that one of a light figure's colours becomes on a dark page.

    >>> on_dark_page("#FFFFFF"), on_dark_page("#1E3A8A")
    ('#121212', '#A4BCFF')
    """
    red, green, blue = (
        _INVERT - (2 * _INVERT - 1) * int(hex_colour[start : start + 2], 16) / 255 for start in (1, 3, 5)
    )
    turned = (
        -0.574 * red + 1.430 * green + 0.144 * blue,
        0.426 * red + 0.430 * green + 0.144 * blue,
        0.426 * red + 1.430 * green - 0.856 * blue,
    )
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, channel))):02X}" for channel in turned)


def shade(ramp: str, share: float, theme: Theme = "light") -> str:
    """Return the colour of a cell in a figure: the ramp's, except where no digit could be read on it on both pages.

    There it is the nearest colour of the ramp on which one can.

    >>> shade("weights", 0.0), shade("weights", 1.0)
    ('#FFFFFF', '#1E3A8A')
    """
    step = int(min(1.0, max(0.0, share)) * _STEPS)  # as matplotlib finds the colour of a number
    return _shades(ramp, theme)[min(step, _STEPS - 1)]


def digit(cell: str, theme: Theme = "light") -> str:
    """Return black or white, whichever is easier to read on a cell of that colour, on a light and on a dark page.

    >>> digit("#FFFFFF"), digit("#1E3A8A")
    ('#000000', '#FFFFFF')
    """
    return digit_colour(cell) if theme == "dark" else max(("#000000", "#FFFFFF"), key=lambda ink: _worse(ink, cell))


def colour_map(ramp: str, theme: Theme = "light") -> ListedColormap:
    """Return one of the course's ramps for matplotlib, with the shades of `shade`."""
    return ListedColormap(_shades(ramp, theme), name=ramp)


def _worse(ink: str, cell: str) -> float:
    """The contrast of a digit with its cell on the page where it is lower."""
    return min(contrast(ink, cell), contrast(on_dark_page(ink), on_dark_page(cell)))


@cache
def _shades(ramp: str, theme: Theme) -> list[str]:
    shades = [ramp_colour(ramp, step / (_STEPS - 1), theme) for step in range(_STEPS)]
    if theme == "dark":
        return shades
    clear = [step for step, cell in enumerate(shades) if _worse(digit(cell), cell) >= _AA]
    return [shades[min(clear, key=lambda other: abs(other - step))] for step in range(_STEPS)]
