"""The strip of notebooks: its marks are those of the parts, in the picture and in words."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from course_lib.pictures.figures import JOURNEY_STOPS, MapStrip, map_strip, transformer_map

SVG = "{http://www.w3.org/2000/svg}"


def strip(notebook: int = 2, **parts: tuple[int, int]) -> MapStrip:
    return map_strip(notebook, {int(name[1:]): counts for name, counts in parts.items()}, transformer_map())


def stations(shown: MapStrip) -> dict[str, ElementTree.Element]:
    groups = ElementTree.fromstring(shown.svg()).iterfind(f"{SVG}g")
    return {group.findtext(f"{SVG}text[@class='number']", ""): group for group in groups}


def test_there_is_a_station_for_each_notebook_in_order_inside_the_picture_and_apart() -> None:
    found = stations(strip())
    assert list(found) == [f"{stop.notebook:02d}" for stop in JOURNEY_STOPS]
    edges = []
    for group in found.values():
        circle = group.find(f"{SVG}circle")
        assert circle is not None
        middle, radius = float(circle.attrib["cx"]), float(circle.attrib["r"])
        edges.append((middle - radius, middle + radius))
    assert edges[0][0] > 0
    assert edges[-1][1] < 760
    assert all(right + 4 < left for (_, right), (left, _) in pairwise(edges))


def test_todays_station_and_those_that_are_whole_are_marked_and_a_share_is_drawn_and_written() -> None:
    found = stations(strip(n00=(1, 1), n01=(7, 7), n02=(2, 8), n03=(0, 6)))
    marks = {number: group.get("class") for number, group in found.items()}
    assert marks | {"00": "stop yours", "01": "stop yours", "02": "stop now", "03": "stop"} == marks
    shares = {number: group.findtext(f"{SVG}text[@class='share']") for number, group in found.items()}
    assert shares == {**dict.fromkeys(found), "00": "✓", "01": "✓", "02": "2/8"}
    parts = [number for number, group in found.items() if group.find(f"{SVG}circle[@class='part']") is not None]
    assert parts == ["02"]
    ring = found["02"].find(f"{SVG}circle[@class='part']")
    assert ring is not None
    drawn, around = map(float, ring.get("stroke-dasharray", "").split())
    assert drawn / around == pytest.approx(2 / 8, abs=0.001)


def test_today_is_marked_even_if_all_its_parts_are_the_learners() -> None:
    assert stations(strip(n02=(8, 8)))["02"].get("class") == "stop now yours"


@pytest.mark.parametrize(
    ("own", "words"), [(0, "no parts are yours yet"), (1, "1 part is yours"), (5, "5 parts are yours")]
)
def test_the_number_of_the_learners_parts_is_written(own: int, words: str) -> None:
    assert ElementTree.fromstring(strip(n01=(own, 7)).svg()).findtext(f"{SVG}text[@class='note']") == words


def test_the_words_say_what_the_picture_shows_in_at_most_60_words() -> None:
    shown = strip(n00=(1, 1), n02=(2, 8), n03=(0, 6))
    assert shown.alt == (
        "The notebooks of the course, 00 to 17, as stations on a line. This is 02, multi-head attention. Parts that "
        "are yours: 1 of 1 in 00, 2 of 8 in 02."
    )
    assert "Parts that are yours: none yet." in strip().alt
    every = map_strip(17, {stop.notebook: (3, 10) for stop in JOURNEY_STOPS}, transformer_map())
    assert len(every.alt.split()) <= 60
    assert "and in 14 more" in every.alt
    assert repr(shown).startswith(shown.alt)


def test_the_page_has_the_strip_and_the_map_folded_below_it() -> None:
    page = strip()._repr_html_()
    above, _, below = page.partition("<details>")
    assert above.count("<img") == below.count("<img") == 1
    assert strip().alt in above
    assert transformer_map().alt in below


def test_what_is_not_in_the_course_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no notebook 18; the course has 00 to 17"):
        strip(18)
    with pytest.raises(ValueError, match="there is no notebook 40"):
        strip(1, n40=(1, 2))
    with pytest.raises(ValueError, match="notebook 01 has 7 parts, so 8 of them cannot be the learner's"):
        strip(1, n01=(8, 7))
