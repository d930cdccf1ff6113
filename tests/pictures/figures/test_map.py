"""The map and the journey: their geometry, their states and their words."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont

from course_lib.pictures import figures
from course_lib.pictures.figures import MAP_PARTS, STAGES, transformer_map
from tools.pictures import write_pictures

ROOT = Path(__file__).resolve().parents[3]
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]

# As the curriculum's table has them, written out here once more.
LESSONS = {
    "softmax": 0,
    "encoder_attention": 1,
    "source_embedding": 3,
    "target_embedding": 3,
    "positions": 4,
    "encoder_feed_forward": 5,
    "encoder_norm": 5,
    "masked_attention": 6,
    "decoder_feed_forward": 6,
    "projection": 6,
    "loss": 6,
    "memory": 7,
    "cross_attention": 7,
    "choose": 8,
}

STATES = {"later": "later", "given": "given", "now": "now", "yours": "yours", "not_used": "not used here"}

MAPS = {
    "all given": transformer_map(),
    "one lesson": transformer_map(now=("memory", "cross_attention"), yours="softmax", lesson=7),
    "all yours and now": transformer_map(now=LESSONS, yours=LESSONS),
    "all later": transformer_map(now="softmax"),
    "no decoder": transformer_map(now="encoder_norm", not_used="decoder", norm_place="post"),
    "no encoder": transformer_map(now="masked_attention", not_used="encoder"),
    "compact": transformer_map(now="choose", yours=LESSONS, compact=True),
    "compact, unused": transformer_map(now="softmax", not_used="decoder", compact=True),
}
EVERY_MAP = pytest.mark.parametrize("picture", MAPS.values(), ids=MAPS)
DRAWINGS = {**MAPS, "journey": figures.journey()}
EVERY_DRAWING = pytest.mark.parametrize("picture", DRAWINGS.values(), ids=DRAWINGS)


def read(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def box_of(rectangle: ElementTree.Element) -> Box:
    x, y, width, height = (float(rectangle.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def box_of_text(text: ElementTree.Element) -> Box:
    """Where a text lies if it is set in DejaVu Sans, the widest face among those that the drawing asks for."""
    family = "DejaVu Sans Mono" if "Mono" in text.attrib.get("font-family", "") else "DejaVu Sans"
    weight = int(text.attrib.get("font-weight", 400))
    size = float(text.attrib["font-size"])
    # Measured large: small sizes are rounded to whole pixels.
    face = ImageFont.truetype(findfont(FontProperties(family=[family], weight=weight)), 200)
    width = face.getlength(text.text or "") * size / 200
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib.get("text-anchor", "start")] * width
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


def groups(svg: str) -> dict[str, ElementTree.Element]:
    named = {}
    for group in read(svg).iter(f"{SVG}g"):
        part = group.attrib.get("data-part") or group.attrib["data-notebook"]
        assert part not in named, f"{part} is drawn twice"
        named[part] = group
    return named


@EVERY_DRAWING
def test_all_text_lies_inside_its_box(picture: figures.TransformerMap | figures.Journey) -> None:
    for name, group in groups(picture.svg()).items():
        frame = box_of(next(iter(group.iter(f"{SVG}rect"))))
        for text in group.iter(f"{SVG}text"):
            assert inside(box_of_text(text), frame, margin=3), (name, text.text, box_of_text(text), frame)


@EVERY_DRAWING
def test_no_two_boxes_overlap(picture: figures.TransformerMap | figures.Journey) -> None:
    frames = {name: box_of(next(iter(group.iter(f"{SVG}rect")))) for name, group in groups(picture.svg()).items()}
    assert len(frames) == 14
    for one, other in combinations(frames, 2):
        assert not touch(frames[one], frames[other]), (one, other)


@EVERY_DRAWING
def test_no_two_texts_overlap_and_none_leaves_the_picture(picture: figures.TransformerMap | figures.Journey) -> None:
    root = read(picture.svg())
    page: Box = (0.0, 0.0, *(float(side) for side in root.attrib["viewBox"].split()[2:]))  # type: ignore[assignment]
    texts = [(text.text, box_of_text(text)) for text in root.iter(f"{SVG}text")]
    assert len(texts) > 20
    for words, box in texts:
        assert inside(box, page, margin=2), words
    for (one, first), (other, second) in combinations(texts, 2):
        assert not touch(first, second), (one, other)


@pytest.mark.parametrize("picture", [MAPS["all given"], MAPS["no decoder"]], ids=["pre-norm", "post-norm"])
def test_no_line_runs_through_the_words_between_the_boxes(picture: figures.TransformerMap) -> None:
    root = read(picture.svg())
    # Norms and the second "positions" stand on their line, in a pill that covers it.
    words = [text for text in root.findall(f"{SVG}text") if text.text not in ("norm", "positions")]
    chips = {"the", "detective", "investigated", "[bos]", "le", "détective", "a", "enquêté"}
    boxes = [(text.text, box_of_text(text)) for text in words if text.text not in chips]
    lines = [path.attrib["d"] for path in root.findall(f"{SVG}path") if path.attrib["fill"] == "none"]
    assert len(boxes) > 15
    assert len(lines) > 25
    for line in lines:
        points = [tuple(map(float, point.split())) for point in line[1:].split("L")]
        for (x0, y0), (x1, y1) in pairwise(points):
            reach: Box = (min(x0, x1) - 0.5, min(y0, y1) - 0.5, max(x0, x1) + 0.5, max(y0, y1) + 0.5)
            for text, box in boxes:
                assert not touch(reach, box), (text, line)


@pytest.mark.parametrize("norm_place", ["pre", "post"])
def test_the_two_streams_are_straight_unbroken_and_the_thickest_grey_lines(norm_place: str) -> None:
    root = read(transformer_map(norm_place=norm_place).svg())  # type: ignore[arg-type]
    thick = [
        path
        for path in root.findall(f"{SVG}path")
        if path.attrib.get("class") == "stroke-stream" and path.attrib["stroke-width"] == "6"
    ]
    # The first is the legend's.
    for stream in thick[1:]:
        (x0, y0), (x1, y1) = (tuple(map(float, point.split())) for point in stream.attrib["d"][1:].split("L"))
        assert x0 == x1
        assert y0 - y1 > 300
    assert len(thick) == 3


def test_the_norms_leave_the_loops_for_the_stream_when_they_come_after_the_addition() -> None:
    def norms(norm_place: str) -> list[float]:
        root = read(transformer_map(norm_place=norm_place).svg())  # type: ignore[arg-type]
        return sorted(float(text.attrib["x"]) for text in root.iter(f"{SVG}text") if text.text == "norm")

    # Before: one on each of five loops, and one at each stream's end. After: all five on the streams, none at the end.
    assert norms("pre") == [170, 208, 208, 768, 768, 768, 806]
    assert norms("post") == [170, 170, 806, 806, 806]


def test_the_parts_are_those_of_the_curriculum_each_once() -> None:
    assert {part.id: part.lesson for part in MAP_PARTS} == LESSONS
    assert len(MAP_PARTS) == 14


@EVERY_MAP
def test_picture_and_list_name_the_same_parts_in_the_same_states(picture: figures.TransformerMap) -> None:
    lines = [line.strip() for line in repr(picture).splitlines() if line.startswith("  ")]
    drawn = groups(picture.svg())
    assert set(drawn) == set(LESSONS)
    for part, line in zip(MAP_PARTS, lines, strict=True):
        texts = " ".join(text.text or "" for text in drawn[part.id].iter(f"{SVG}text"))
        name, words = line.split(": ")
        assert name == part.name
        assert name in texts
        *states, notebook = words.split(", ")
        assert states == [STATES[state] for state in drawn[part.id].attrib["data-state"].split()]
        assert all(state in texts for state in states), (part.id, states, texts)
        assert notebook == f"notebook {LESSONS[part.id]:02d}"


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


def test_half_a_model_greys_the_other_half_and_its_words_say_so() -> None:
    without = set(transformer_map(not_used="encoder").parts_that_are("not_used"))
    assert without == {part for part in LESSONS if part.startswith(("source", "encoder"))} | {
        "memory",
        "cross_attention",
    }
    assert "positions" not in transformer_map(not_used="decoder").parts_that_are("not_used")
    drawn = groups(transformer_map(not_used="decoder").svg())["masked_attention"]
    assert any("not used here" in (text.text or "") for text in drawn.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"now": "mlp"}, "now has 'mlp', which is not on the map; its parts are source_embedding"),
        ({"yours": ["softmax", "encoder"]}, "yours has 'encoder'"),
        ({"norm_place": "middle"}, 'norm_place should be "pre" or "post", but it is \'middle\''),
        ({"theme": "blue"}, 'theme should be "light", "dark" or "auto", but it is \'blue\''),
    ],
)
def test_what_is_not_on_the_map_is_refused_in_a_sentence(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        transformer_map(**arguments)  # type: ignore[arg-type]


@EVERY_DRAWING
def test_alt_has_at_most_60_words_and_stands_in_the_svg_and_on_the_page(
    picture: figures.TransformerMap | figures.Journey,
) -> None:
    assert 10 <= len(picture.alt.split()) <= 60
    root = read(picture.svg())
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == picture.alt == root.findtext(f"{SVG}desc")
    assert root.findtext(f"{SVG}title")
    assert page(picture).alts == [picture.alt]


def test_alt_counts_the_parts_that_are_the_learners() -> None:
    assert "Yours: softmax, cross-attention." not in transformer_map(yours=["softmax"]).alt
    assert "Yours: cross-attention, softmax." in transformer_map(yours=["softmax", "cross_attention"]).alt
    assert "Yours: 14 of 14 parts. Given: 0, later: 0." in transformer_map(yours=LESSONS).alt


class Page(HTMLParser):
    """What is on the page once JupyterLab has cleaned the output of a notebook not yet run here."""

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


def page(picture: figures.TransformerMap | figures.Journey) -> Page:
    return Page(picture._repr_html_())


@EVERY_DRAWING
def test_the_page_needs_no_tag_that_an_untrusted_notebook_loses(
    picture: figures.TransformerMap | figures.Journey,
) -> None:
    # Of these, JupyterLab 4.6 drops the style alone, and the picture is right without it.
    assert set(page(picture).tags) <= {"style", "div", "img", "details", "summary", "ol", "ul", "li"}
    (source,) = page(picture).sources
    assert source.startswith("data:image/svg+xml,")
    assert unquote(source.removeprefix("data:image/svg+xml,")) == picture.svg()


@EVERY_MAP
def test_the_list_on_the_page_has_the_words_of_the_plain_text(picture: figures.TransformerMap) -> None:
    lines = [line.strip() for line in repr(picture).splitlines()[1:]]
    assert page(picture).items == lines


def test_auto_draws_in_light_and_swaps_every_colour_for_the_dark_theme() -> None:
    def colours(svg: str) -> set[str]:
        return set(re.findall("#[0-9A-F]{6}", svg))

    states = {"now": "memory", "yours": "softmax", "not_used": "loss"}
    light, dark, auto = (transformer_map(**states, theme=theme).svg() for theme in ("light", "dark", "auto"))  # type: ignore[arg-type]
    assert colours(light).isdisjoint(colours(dark))
    assert "<style>" not in light
    head, _, body = auto.partition("</style>")
    assert colours(body) == colours(light)
    assert colours(head) == colours(dark)


def test_the_page_is_the_same_to_the_byte_in_another_process() -> None:
    script = """if True:
        from course_lib.pictures.figures import transformer_map
        print(transformer_map(now='memory', yours='softmax')._repr_html_())
    """
    other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert other.stdout.decode().rstrip() == transformer_map(now="memory", yours="softmax")._repr_html_()


def test_the_committed_pictures_are_what_their_recipe_writes(tmp_path: Path) -> None:
    written = write_pictures(tmp_path)
    assert [path.name for path in written] == ["map.svg", "journey.svg"]
    for path in written:
        assert path.read_bytes() == (ROOT / "docs" / path.name).read_bytes(), "run python -m tools.pictures docs/"


def test_the_journey_goes_through_all_notebooks_in_order_and_says_what_each_gives() -> None:
    assert [stage.notebook for stage in STAGES] == list(range(14))
    drawn = groups(figures.journey().svg())
    for stage, item in zip(STAGES, page(figures.journey()).items, strict=True):
        texts = [text.text for text in drawn[f"{stage.notebook:02d}"].iter(f"{SVG}text")]
        assert texts == [f"{stage.notebook:02d}", stage.title, *stage.holds]
        assert item == f"{stage.notebook:02d} {stage.title}: {' '.join(stage.holds)}"
