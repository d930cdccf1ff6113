"""The map and the journey: their geometry, their states and their descriptions."""

import math
import re
import subprocess
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont

from course_lib.pictures import figures
from course_lib.pictures.figures import JOURNEY_STOPS, MAP_PARTS, Journey, TransformerMap, transformer_map
from course_lib.pictures.look import colour

ROOT = Path(__file__).resolve().parents[3]
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]

# The parts in the table of the curriculum, written out again here.
LESSONS = {
    "softmax": 0,
    "encoder_attention": 1,
    "source_embedding": 3,
    "target_embedding": 3,
    "positions": 4,
    "encoder_feed_forward": 5,
    "encoder_norm": 5,
    "masked_attention": 6,
    "decoder_feed_forward": 7,
    "projection": 6,
    "loss": 6,
    "memory": 7,
    "cross_attention": 7,
    "choose": 9,
}

STATES = {"later": "later", "given": "given", "now": "now", "yours": "yours", "not_used": "not used here"}

MAPS = {
    "all given": transformer_map(),
    "one lesson": transformer_map(now=("memory", "cross_attention"), yours="softmax", lesson=7),
    "all yours and now": transformer_map(now=LESSONS, yours=LESSONS),
    "all later": transformer_map(now="softmax"),
    "no decoder": transformer_map(now="encoder_norm", not_used="decoder", norm_place="pre"),
    "no encoder": transformer_map(now="masked_attention", not_used="encoder"),
}
EVERY_MAP = pytest.mark.parametrize("picture", MAPS.values(), ids=MAPS)
DRAWINGS: dict[str, TransformerMap | Journey] = {**MAPS, "journey": figures.journey()}
EVERY_DRAWING = pytest.mark.parametrize("picture", DRAWINGS.values(), ids=DRAWINGS)


class Drawn(NamedTuple):
    """A visible element of a picture: the offset of its group, and the classes of all elements that contain it."""

    element: ElementTree.Element
    x: float
    y: float
    classes: set[str]

    @property
    def words(self) -> str:
        """The words of a text. If two states need the space, the notebook's number is not shown."""
        parts = self.element.findall(f"{SVG}tspan") or [self.element]
        shown = parts[:1] if {"now", "yours"} <= self.classes else parts
        return "".join(part.text or "" for part in shown)


def read(picture: TransformerMap | Journey) -> ElementTree.Element:
    return ElementTree.fromstring(picture.svg())


def classes(element: ElementTree.Element) -> set[str]:
    return set(element.get("class", "").split())


def visible(root: ElementTree.Element) -> list[Drawn]:
    """All elements that the style sheet does not hide, in drawing order."""
    norms = "before-sublayer" if "post-norm" in classes(root) else "after-addition"
    is_any_unused = any("not_used" in classes(group) for group in root.iter() if group.get("data-part"))
    drawn: list[Drawn] = []

    def walk(parent: ElementTree.Element, x: float, y: float, around: set[str]) -> None:
        for element in parent:
            own = classes(element)
            is_hidden = (
                element.tag == f"{SVG}defs"
                or norms in own
                or (own == {"legend", "not_used"} and not is_any_unused)
                or ("tick" in own and "yours" not in around)
            )
            if not is_hidden:
                dx, dy = map(float, re.findall(r"[\d.]+", element.get("transform", "0 0")))
                drawn.append(Drawn(element, x + dx, y + dy, around | own))
                walk(element, x + dx, y + dy, around | own)

    walk(root, 0, 0, classes(root))
    return drawn


def tagged(drawn: Iterable[Drawn], tag: str) -> list[Drawn]:
    return [each for each in drawn if each.element.tag == f"{SVG}{tag}"]


def groups(root: ElementTree.Element) -> dict[str, list[Drawn]]:
    """The elements in the group of each part of the map, or in each card of the journey."""
    named: dict[str, list[Drawn]] = {}
    for group in visible(root):
        name = group.element.get("id") or group.element.get("data-notebook")
        if name:
            inside = set(group.element.iter())
            named[name] = [each for each in visible(root) if each.element in inside]
    return named


def style_of(root: ElementTree.Element, selector: str) -> dict[str, str]:
    """The declarations for one selector in the picture's style sheet."""
    declarations: dict[str, str] = {}
    for selectors, block in re.findall(r"([^{}]+)\{([^}]*)\}", root.findtext(f"{SVG}style", "")):
        if selector in [each.strip() for each in selectors.split(",")]:
            declarations |= dict(re.findall(r"([\w-]+): ([^;]+);", block))
    return declarations


def box_of(rectangle: Drawn) -> Box:
    x, y, width, height = (float(rectangle.element.get(name, 0)) for name in ("x", "y", "width", "height"))
    return x + rectangle.x, y + rectangle.y, x + rectangle.x + width, y + rectangle.y + height


def box_of_text(root: ElementTree.Element, text: Drawn) -> Box:
    """The extent of a text in DejaVu Sans, the widest typeface that the style sheet lists."""
    style: dict[str, str] = {}
    for name in text.element.attrib["class"].split():
        style |= style_of(root, f".{name}")
    family = "DejaVu Sans Mono" if "monospace" in style.get("font-family", "") else "DejaVu Sans"
    weight = int(style.get("font-weight", 400))
    size = float(style["font-size"].removesuffix("px"))
    # It is measured at a large size, since small sizes are rounded to whole pixels.
    face = ImageFont.truetype(findfont(FontProperties(family=[family], weight=weight)), 200)
    width = face.getlength(text.words) * size / 200
    x, y = text.x + float(text.element.attrib["x"]), text.y + float(text.element.attrib["y"])
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[style.get("text-anchor", "start")] * width
    return left, y - 0.74 * size, left + width, y + 0.2 * size


def inside(inner: Box, outer: Box, margin: float) -> bool:
    return (
        inner[0] >= outer[0] + margin
        and inner[1] >= outer[1] + margin
        and inner[2] <= outer[2] - margin
        and inner[3] <= outer[3] - margin
    )


def touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def points_of(path: Drawn) -> list[tuple[float, float]]:
    """The corners of a path of horizontal and vertical lines."""
    points: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([A-Za-z])([\d. ]+)", path.element.attrib["d"]):
        x, y = points[-1] if points else (0.0, 0.0)
        match letter:
            case "M":
                x, y = map(float, numbers.split())
            case "H":
                x = float(numbers)
            case "V":
                y = float(numbers)
            case _:
                pytest.fail(f"this path has a {letter}: {path.element.attrib['d']}")
        points.append((x, y))
    return points


@EVERY_DRAWING
def test_all_text_is_inside_its_box(picture: TransformerMap | Journey) -> None:
    root = read(picture)
    for name, group in groups(root).items():
        frame = box_of(tagged(group, "rect")[0])
        for text in tagged(group, "text"):
            assert inside(box_of_text(root, text), frame, margin=3), (name, text.words)


@EVERY_DRAWING
def test_no_two_boxes_overlap(picture: TransformerMap | Journey) -> None:
    frames = {name: box_of(tagged(group, "rect")[0]) for name, group in groups(read(picture)).items()}
    assert len(frames) == (18 if isinstance(picture, Journey) else 14)
    for one, other in combinations(frames, 2):
        assert not touch(frames[one], frames[other]), (one, other)


@EVERY_DRAWING
def test_no_two_texts_overlap_and_all_are_inside_the_picture(picture: TransformerMap | Journey) -> None:
    root = read(picture)
    page: Box = (0.0, 0.0, *(float(side) for side in root.attrib["viewBox"].split()[2:]))  # type: ignore[assignment]
    texts = [(text.words, box_of_text(root, text)) for text in tagged(visible(root), "text")]
    assert len(texts) > 20
    for words, box in texts:
        assert inside(box, page, margin=2), words
    for (one, first), (other, second) in combinations(texts, 2):
        assert not touch(first, second), (one, other)


def test_no_tick_covers_a_word_or_is_outside_the_picture() -> None:
    root = read(MAPS["all yours and now"])
    texts = [(text.words, box_of_text(root, text)) for text in tagged(visible(root), "text")]
    ticks = [tick for tick in tagged(visible(root), "use") if "tick" in tick.classes]
    # One for each part, one for the second box of the positions, one in the legend.
    assert len(ticks) == 16
    for tick in ticks:
        x, y = float(tick.element.attrib["x"]), float(tick.element.attrib["y"])
        assert inside((x - 10, y - 10, x + 10, y + 10), (0, 0, 1056, 752), margin=2)
        for words, (left, top, right, bottom) in texts:
            nearest = max(left, min(x, right)), max(top, min(y, bottom))
            assert math.dist((x, y), nearest) > 10, words


@pytest.mark.parametrize("picture", [MAPS["all given"], MAPS["no decoder"]], ids=["post-norm", "pre-norm"])
def test_no_line_crosses_the_words_between_the_boxes(picture: TransformerMap) -> None:
    root = read(picture)
    # Labels and norms have their own boxes on the line, and so do the tokens.
    texts = [text for text in tagged(visible(root), "text") if not text.classes & {"part", "norm", "token"}]
    boxes = [(text.words, box_of_text(root, text)) for text in texts]
    lines = [path for path in tagged(visible(root), "path") if "wire" in path.classes]
    assert len(boxes) > 15
    assert len(lines) > 25
    for line in lines:
        for (x0, y0), (x1, y1) in pairwise(points_of(line)):
            reach: Box = (min(x0, x1) - 0.5, min(y0, y1) - 0.5, max(x0, x1) + 0.5, max(y0, y1) + 0.5)
            for text, box in boxes:
                assert not touch(reach, box), (text, line.element.attrib["d"])


def test_the_two_streams_are_straight_unbroken_and_the_thickest_grey_lines() -> None:
    root = read(transformer_map())
    streams = [path for path in tagged(visible(root), "path") if "stream" in path.classes]
    # The first belongs to the legend.
    assert len(streams) == 3
    for stream in streams[1:]:
        (x0, y0), (x1, y1) = points_of(stream)
        assert x0 == x1
        assert y0 - y1 > 300
    widths = {name: style_of(root, f".{name}")["stroke-width"] for name in ("wire", "stream", "value")}
    assert widths == {"wire": "2px", "stream": "6px", "value": "4px"}


def test_the_norms_are_on_the_streams_after_the_additions_or_on_the_loops_before_the_sublayers() -> None:
    def norms(norm_place: Literal["pre", "post"]) -> list[float]:
        texts = tagged(visible(read(transformer_map(norm_place=norm_place))), "text")
        return sorted(float(text.element.attrib["x"]) for text in texts if text.words == "norm")

    # Before: one on each of five loops, and one at each stream's end. After: all five on the streams, none at the end.
    assert norms("pre") == [170, 208, 208, 768, 768, 768, 806]
    assert norms("post") == [170, 170, 806, 806, 806]


@pytest.mark.parametrize(
    ("arguments", "encoder", "decoder"),
    [
        ({}, "given", "given"),
        ({"now": "encoder_norm"}, "now", "now"),
        ({"now": "decoder_feed_forward", "not_used": "encoder"}, "not_used", "given"),
        ({"now": "encoder_norm", "not_used": "decoder"}, "now", "not_used"),
    ],
)
def test_the_norms_of_both_halves_share_a_state_unless_one_half_is_unused(
    arguments: dict[str, str], encoder: str, decoder: str
) -> None:
    root = read(transformer_map(**arguments))  # type: ignore[arg-type]
    drawn = {group.get("data-part"): classes(group) for group in root.iter() if "norms" in classes(group)}
    assert drawn == {"encoder_norm": {"norms", encoder}, "decoder_norm": {"norms", decoder}}


def test_the_parts_are_those_of_the_curriculum_each_once() -> None:
    assert {part.id: part.lesson for part in MAP_PARTS} == LESSONS
    assert len(MAP_PARTS) == 14


def test_the_file_shows_the_map_with_all_parts_given() -> None:
    file = ElementTree.parse(ROOT / "course_lib" / "pictures" / "map.svg").getroot()
    root = read(transformer_map())
    assert file.attrib == root.attrib
    assert ["".join(text.itertext()) for text in file.iter()] == ["".join(text.itertext()) for text in root.iter()]


@EVERY_MAP
def test_picture_and_list_name_the_same_parts_in_the_same_states(picture: TransformerMap) -> None:
    lines = [line.strip() for line in repr(picture).splitlines() if line.startswith("  ")]
    drawn = groups(read(picture))
    assert set(drawn) == set(LESSONS)
    for part, line in zip(MAP_PARTS, lines, strict=True):
        group, *inner = drawn[part.id]
        texts = " ".join(text.words for text in tagged(inner, "text"))
        name, words = line.split(": ")
        assert name == part.name
        assert name in texts
        *states, notebook = words.split(", ")
        assert set(states) == {STATES[state] for state in group.classes & set(STATES)}
        assert all(state in texts for state in states), (part.id, states, texts)
        assert notebook == f"notebook {LESSONS[part.id]:02d}"


@EVERY_MAP
def test_lines_and_second_boxes_have_the_state_of_their_part(picture: TransformerMap) -> None:
    groups = [group for group in read(picture).iter() if group.get("data-part") not in (None, "decoder_norm")]
    assert len(groups) == 14
    for group in groups:
        assert classes(group) >= set(picture.states[group.attrib["data-part"]])


def test_query_key_value_and_memory_differ_in_line_and_in_letter() -> None:
    root = read(transformer_map())
    lines = [style_of(root, ".wire") | style_of(root, f".{role}") for role in ("query", "key", "value", "memory")]
    assert len({(line["stroke-width"], line.get("stroke-dasharray")) for line in lines}) == 4
    letters = [text.words for text in tagged(visible(root), "text") if "letter" in text.classes]
    assert letters[:4] == ["Q", "K", "V", "M"]


def test_no_two_states_look_the_same_without_colour() -> None:
    root = read(transformer_map())
    base = style_of(root, ".box")
    boxes = {state: base | style_of(root, f".{state} .box") for state in STATES}
    shapes = {(box["stroke-width"], box.get("stroke-dasharray")) for box in boxes.values()}
    assert len(shapes) == len(STATES)


def test_what_later_notebooks_build_is_later_and_the_rest_is_given() -> None:
    picture = transformer_map(now="masked_attention")
    assert set(picture.parts_that_are("later")) == {part for part, lesson in LESSONS.items() if lesson > 6}
    assert picture.parts_that_are("now") == ["masked_attention"]
    assert transformer_map(now="loss", lesson=9).parts_that_are("later") == []
    assert len(transformer_map().parts_that_are("given")) == 14


def test_a_part_can_be_now_and_yours_but_is_never_unused_then() -> None:
    picture = transformer_map(now="cross_attention", yours=["cross_attention", "memory"], not_used="encoder")
    assert picture.states["cross_attention"] == ("now", "yours")
    assert picture.states["memory"] == ("yours",)
    assert picture.states["encoder_attention"] == ("not_used",)


def test_half_a_model_greys_out_the_other_half_and_the_description_says_so() -> None:
    without = set(transformer_map(not_used="encoder").parts_that_are("not_used"))
    assert without == {part for part in LESSONS if part.startswith(("source", "encoder"))} | {
        "memory",
        "cross_attention",
    }
    assert "positions" not in transformer_map(not_used="decoder").parts_that_are("not_used")
    drawn = groups(read(transformer_map(not_used="decoder")))["masked_attention"]
    assert "not used here · notebook 06" in [text.words for text in tagged(drawn, "text")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"now": "mlp"}, "now has 'mlp', which is not on the map; its parts are source_embedding"),
        ({"yours": ["softmax", "encoder"]}, "yours has 'encoder'"),
        ({"norm_place": "middle"}, 'norm_place should be "pre" or "post", but it is \'middle\''),
    ],
)
def test_names_that_are_not_on_the_map_are_refused_with_a_sentence(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        transformer_map(**arguments)  # type: ignore[arg-type]


@EVERY_DRAWING
def test_the_alt_text_has_at_most_60_words_and_is_in_the_svg_and_on_the_page(
    picture: TransformerMap | Journey,
) -> None:
    assert 10 <= len(picture.alt.split()) <= 60
    root = read(picture)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == picture.alt == root.findtext(f"{SVG}desc")
    assert root.findtext(f"{SVG}title")
    assert page(picture).alts == [picture.alt]


def test_the_alt_text_counts_the_learners_parts() -> None:
    assert "Yours: softmax, cross-attention." not in transformer_map(yours=["softmax"]).alt
    assert "Yours: cross-attention, softmax." in transformer_map(yours=["softmax", "cross_attention"]).alt
    assert "Yours: 14 of 14 parts. Given: 0, later: 0." in transformer_map(yours=LESSONS).alt


class Page(HTMLParser):
    """The page after JupyterLab has sanitised the output of an untrusted notebook."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.alts: list[str | None] = []
        self.sources: list[str] = []
        self.items: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.alts.append(dict(attributes)["alt"])
            self.sources.append(dict(attributes)["src"] or "")
        if tag == "li":
            self.items.append("")

    def handle_data(self, data: str) -> None:
        if self.items:
            self.items[-1] += data


def page(picture: TransformerMap | Journey) -> Page:
    return Page(picture._repr_html_())


@EVERY_DRAWING
def test_the_page_needs_no_tag_that_an_untrusted_notebook_removes(
    picture: TransformerMap | Journey,
) -> None:
    # Of these, JupyterLab 4.6 removes only the style, and the picture is right without it.
    assert set(page(picture).tags) <= {"style", "div", "img", "details", "summary", "ol", "ul", "li"}
    (source,) = page(picture).sources
    assert source.startswith("data:image/svg+xml,")
    assert unquote(source.removeprefix("data:image/svg+xml,")) == picture.svg()


@EVERY_MAP
def test_the_list_on_the_page_has_the_words_of_the_plain_text(picture: TransformerMap) -> None:
    lines = [line.strip() for line in repr(picture).splitlines()[1:]]
    assert page(picture).items == lines


@pytest.mark.parametrize("name", ["map", "journey"])
def test_the_colours_of_a_file_are_the_courses_in_both_themes(name: str) -> None:
    svg = (ROOT / "course_lib" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    palette = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\);", svg)
    assert len(palette) >= 5
    for colour_name, light, dark in palette:
        assert (light, dark) == (colour(colour_name, "light"), colour(colour_name, "dark"))
    assert len(re.findall("#[0-9A-Fa-f]{3,8}\\b", svg)) == 2 * len(palette), "a colour stands outside the palette"
    assert set(re.findall(r"var\(--([\w-]+)\)", svg)) == {colour_name for colour_name, *_ in palette}


def test_the_page_is_the_same_to_the_byte_in_another_process() -> None:
    script = """if True:
        from course_lib.pictures.figures import transformer_map
        print(transformer_map(now='memory', yours='softmax')._repr_html_())
    """
    other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert other.stdout.decode().rstrip() == transformer_map(now="memory", yours="softmax")._repr_html_()


def test_the_journey_lists_all_notebooks_in_order_with_what_each_gives() -> None:
    assert [stop.notebook for stop in JOURNEY_STOPS] == list(range(18))
    drawn = groups(read(figures.journey()))
    for stop, item in zip(JOURNEY_STOPS, page(figures.journey()).items, strict=True):
        number, title, *gives = [text.words for text in tagged(drawn[f"{stop.notebook:02d}"], "text")]
        assert (number, title) == (f"{stop.notebook:02d}", stop.title)
        assert " ".join(gives) == stop.gives
        assert item == f"{number} {title}: {stop.gives}"


def test_the_journey_marks_the_notebook_in_which_the_whole_transformer_translates() -> None:
    assert [stop.notebook for stop in JOURNEY_STOPS if stop.is_milestone] == [7]
    assert "Halfway, notebook 07, the Transformer, is marked: a whole Transformer" in figures.journey().alt
