"""The way through the course in one picture: its notebooks, and what the learner holds after each."""

from dataclasses import dataclass
from html import escape

from course_lib.pictures.figures.svg import Drawing, PageTheme, as_html_image
from course_lib.pictures.look import LOOK


@dataclass(frozen=True)
class Stage:
    """One notebook of the course, and what the learner holds in their hands after it."""

    notebook: int
    title: str
    holds: tuple[str, str]


STAGES: tuple[Stage, ...] = (
    Stage(0, "start here", ("a translator to question,", "and a softmax of your own")),
    Stage(1, "attention", ("a soft dictionary: queries,", "keys, values, weights")),
    Stage(2, "multi-head attention", ("many heads that read", "side by side")),
    Stage(3, "tokens, embeddings", ("text cut into tokens,", "tokens turned to vectors")),
    Stage(4, "positional encoding", ("vectors that know", "their place")),
    Stage(5, "encoder", ("an encoder that runs real", "pretrained weights")),
    Stage(6, "decoder", ("a language model that", "goes on with a tale")),
    Stage(7, "cross-attention", ("a whole Transformer: your", "own parts translate")),
    Stage(8, "sampling", ("beam search, sampling,", "and a cache for speed")),
    Stage(9, "pre-training", ("a model that learnt from", "plain text alone")),
    Stage(10, "fine-tuning", ("one encoder, three tasks:", "sentiment, topics, names")),
    Stage(11, "a modern LLM", ("a real LLM's weights", "in your own decoder")),
    Stage(12, "machine translation", ("real sentences translated,", "and their BLEU score")),
    Stage(13, "where to go next", ("attention on long texts,", "and a map of what follows")),
)

_MILESTONE = 7
_TITLE = "The way through the course"
_COLUMNS, _WIDTH, _HEIGHT, _GAP, _TOP = 4, 240, 106, 20, 66


@dataclass(frozen=True)
class Journey:
    """The way through the course: a picture, and the same as a list. `journey` makes it."""

    theme: PageTheme

    @property
    def alt(self) -> str:
        """The picture in at most 60 words."""
        end = STAGES[_MILESTONE]
        return (
            f"{_TITLE}: {len(STAGES)} notebooks, 00 to {STAGES[-1].notebook}, along one path, each with what you hold "
            f"after it. Half way, notebook {end.notebook:02d}, {end.title}, is marked: {' '.join(end.holds)}."
        )

    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        rows = -(-len(STAGES) // _COLUMNS)
        width = _COLUMNS * (_WIDTH + _GAP) + _GAP
        drawing = Drawing(width, _TOP + rows * (_HEIGHT + 2 * _GAP) - _GAP, _TITLE, self.alt, self.theme)
        drawing.text(_GAP, 38, _TITLE, 21, bold=True)
        drawing.text(width - _GAP, 38, "what you hold in your hands after each notebook", 14, "stream", "end")
        _path(drawing, rows)
        for stage in STAGES:
            _card(drawing, stage)
        _goal(drawing)
        return drawing.svg()

    def __repr__(self) -> str:
        lines = [f"  {stage.notebook:02d} {stage.title}: {' '.join(stage.holds)}" for stage in STAGES]
        return "\n".join([self.alt, *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li>{stage.notebook:02d} {escape(stage.title)}: {escape(' '.join(stage.holds))}</li>" for stage in STAGES
        )
        image = as_html_image(self.svg(), self.alt, widest=1060, narrowest=720)
        return f"{image}\n<details><summary>The way in words</summary><ul>{rows}</ul></details>"


def journey(theme: PageTheme = "auto") -> Journey:
    """Draw the course's notebooks as one path, with what the learner holds after each.

    >>> journey()  # doctest: +ELLIPSIS
    The way through the course: 14 notebooks, 00 to 13, ...
    """
    if theme not in ("light", "dark", "auto"):
        raise ValueError(f'theme should be "light", "dark" or "auto", but it is {theme!r}')
    return Journey(theme)


def _corner(stage: int) -> tuple[float, float]:
    row, column = divmod(stage, _COLUMNS)
    return _GAP + column * (_WIDTH + _GAP), _TOP + row * (_HEIGHT + 2 * _GAP)


def _path(drawing: Drawing, rows: int) -> None:
    """The path behind the cards: along each row, and back to the start of the next through the gap."""
    points: list[tuple[float, float]] = []
    for row in range(rows):
        x, y = _corner(row * _COLUMNS)
        last = min(_COLUMNS, len(STAGES) - row * _COLUMNS)
        middle, below = y + _HEIGHT / 2, y + _HEIGHT + _GAP
        right = _corner(_COLUMNS - 1)[0] + _WIDTH + _GAP / 2
        points.append((x, middle))
        if row < rows - 1:
            points += [(right, middle), (right, below), (x - _GAP / 2, below)]
            points.append((x - _GAP / 2, below + _GAP + _HEIGHT / 2))
        else:
            points.append((x + last * (_WIDTH + _GAP), middle))
    drawing.path(points, "stream", LOOK["sizes"]["stream_width"], arrow=True)


def _card(drawing: Drawing, stage: Stage) -> None:
    x, y = _corner(stage.notebook)
    lit = stage.notebook == _MILESTONE
    with drawing.group(notebook=f"{stage.notebook:02d}"):
        drawing.rectangle(
            x,
            y,
            _WIDTH,
            _HEIGHT,
            fill="now" if lit else "paper",
            stroke="ink" if lit else "border",
            stroke_width=3 if lit else 1.5,
        )
        drawing.rectangle(x + 12, y + 12, 34, 24, fill="ink", radius=6)
        drawing.text(x + 29, y + 29.5, f"{stage.notebook:02d}", 14.5, "paper", "middle", bold=True)
        drawing.text(x + 56, y + 29.5, stage.title, 14.5, bold=True)
        for i, words in enumerate(stage.holds):
            drawing.text(x + 14, y + 62 + 22 * i, words, 14)


def _goal(drawing: Drawing) -> None:
    """Where the path ends: the promise of the course."""
    x, y = _corner(len(STAGES))
    for i, words in enumerate(("What you have not built yet, the course", "lends you. You can start at any notebook.")):
        drawing.text(x + 14, y + 49 + 22 * i, words, 14, "stream")
