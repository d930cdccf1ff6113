"""The explorer of few seeds, in Chromium, without a kernel."""

import math
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from course_lib.experiments import Comparison
from course_lib.pictures.explorers import SeedsExplorer, guesses
from course_lib.scoring.confidence import interval_of_mean
from tests.browser.explorer_page import put, readable


class Opened(SeedsExplorer):
    """The explorer with its functions in reach."""

    _esm = f"{SeedsExplorer._esm}\nwindow.inside = {{ lossesOf, intervalOfMean, inWords, randomNumbers }};"


def compare(differences: list[float]) -> Comparison:
    """What the course's comparison makes of these differences."""
    pairs = dict(enumerate(differences))
    return Comparison("new", "old", "loss", "nats", "lower", pairs, interval_of_mean(differences))


def differences_of(page: Page, drawing: int, seeds: int, difference: float) -> Any:
    """What the explorer draws, in full precision."""
    return page.evaluate(
        """([drawing, seeds, difference]) => inside
            .lossesOf(drawing, { seeds, difference }, model.get("data"))
            .map(([ours, theirs]) => ours - theirs)""",
        [drawing, seeds, difference],
    )


def test_the_browser_draws_the_same_whole_numbers_as_torch(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, Opened(), ["data"], light)
    for seed, n in ((0, 7), (5, 20)):
        ours = tab.evaluate(
            "([seed, n]) => { const next = inside.randomNumbers(seed); return Array.from({ length: 2000 }, "
            "() => next() % n); }",
            [seed, n],
        )
        assert ours == torch.randint(n, (2000,), generator=torch.Generator().manual_seed(seed)).tolist()


def test_interval_and_verdict_are_those_of_the_courses_comparison(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, Opened(difference=0.1), ["data"], light)
    verdicts = set()
    for drawing, (seeds, difference) in enumerate(
        [(2, 0.0), (3, 0.0), (3, 0.2), (5, 0.1), (5, 0.2), (9, 0.05), (20, 0.0), (20, 0.2)], start=1
    ):
        differences = differences_of(tab, drawing, seeds, difference)
        expected = compare(differences)
        got = tab.evaluate("([x, n]) => inside.intervalOfMean(x, model.get('data').widening[n])", [differences, seeds])
        assert got == pytest.approx(expected.interval, abs=1e-12)
        assert tab.evaluate("([x, ends]) => inside.inWords(x, ends)", [differences, got]) == str(expected)
        verdicts.add(expected.can_tell)
    assert verdicts == {True, False}
    worse = [0.1, 0.12, 0.09, 0.11]
    assert tab.evaluate("x => inside.inWords(x, [0.05, 0.15])", worse) == (
        "new against old, loss: worse in 4 of 4 seeds, by 0.05 to 0.15 nats."
    )


def test_the_losses_vary_as_the_kernel_says(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, Opened(shared=0.1, own=0.02, loss=4.0), ["data"], light)
    pairs = torch.tensor(
        tab.evaluate(
            """() => Array.from({ length: 100 }, (_, i) =>
                inside.lossesOf(i + 1, { seeds: 20, difference: 0.15 }, model.get("data"))).flat()"""
        )
    )
    # The standard error of a standard deviation from 2,000 draws is 1.6 % of it, and of a mean 2.2 % of that.
    assert pairs.mean(0).tolist() == pytest.approx([3.85, 4.0], abs=0.01)
    assert pairs.std(0).tolist() == pytest.approx([math.hypot(0.1, 0.02)] * 2, rel=0.08)
    assert (pairs[:, 0] - pairs[:, 1]).std().item() == pytest.approx(0.02 * math.sqrt(2), rel=0.08)


def test_the_verdict_is_that_of_the_differences_shown(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, Opened(difference=0.1), ["data"], light)
    verdict = tab.locator(".status").first
    tab.get_by_text("Show numbers").click()
    for drawing in (1, 2, 3):
        differences = differences_of(tab, drawing, 3, 0.1)
        expect(verdict).to_have_text(str(compare(differences)))
        shown = [row.locator("td").last.inner_text() for row in tab.locator("tbody tr").all()]
        assert [float(x.replace("−", "-")) for x in shown] == pytest.approx(differences, abs=6e-5)
        tab.get_by_role("button", name="New seeds", exact=True).click()
    readable(tab)


def test_more_seeds_continue_the_drawing_and_the_true_difference_moves_it(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, SeedsExplorer(difference=0.1), ["data"], light)
    seeds, truth = tab.get_by_role("slider", name="Seeds"), tab.get_by_role("slider", name="True difference")
    hollow, filled = tab.locator(".dot.hollow"), tab.locator(".dot:not(.hollow)")
    expect(hollow).to_have_count(4)  # three old ones, and the mean
    expect(filled).to_have_count(6)  # three new ones, and three differences
    before = [dot.get_attribute("cx") for dot in hollow.all()[:3]]
    seeds.press("]")
    expect(hollow).to_have_count(5)
    assert [dot.get_attribute("cx") for dot in hollow.all()[:3]] == before
    expect(seeds).to_have_attribute("aria-valuetext", "4")
    moved = [float(dot.get_attribute("cx") or 0) for dot in filled.all()]
    truth.press("ArrowRight")
    expect(truth).to_have_attribute("aria-valuetext", "0.11 nats better")
    assert [dot.get_attribute("cx") for dot in hollow.all()[:3]] == before
    assert all(float(dot.get_attribute("cx") or 0) < x for dot, x in zip(filled.all(), moved, strict=True))
    truth.press("r")
    expect(seeds).to_have_attribute("aria-valuetext", "3")
    truth.press("Escape")
    expect(seeds).to_be_focused()
    seeds.press("Home")
    seeds.press("[")
    expect(seeds).to_have_attribute("aria-valuetext", "2")


def test_intervals_that_exclude_0_are_counted(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, Opened(difference=0.1), ["data"], light)
    count = tab.locator(".status").last
    tab.get_by_role("button", name="100 times").click()
    tab.get_by_role("button", name="New seeds", exact=True).press("Enter")
    expect(count).to_contain_text("of 102 drawings")
    found = sum(compare(differences_of(tab, drawing, 3, 0.1)).can_tell for drawing in range(1, 103))
    share = math.floor(100 * found / 102 + 0.5)
    expect(count).to_have_text(
        f"The interval excludes 0 in {found} of 102 drawings, or {share} %: so often it finds the difference."
    )
    tab.get_by_role("slider", name="True difference").press("Home")
    expect(count).to_contain_text("each is a false alarm")
    alarms = sum(compare(differences_of(tab, drawing, 3, 0.0)).can_tell for drawing in range(1, 103))
    assert re.findall(r"in (\d+) of 102", count.inner_text()) == [str(alarms)]
    tab.get_by_role("slider", name="Seeds").press("r")
    expect(count).to_contain_text("of 1 drawing,")


def test_the_reply_to_the_guess_is_what_the_count_says(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, SeedsExplorer().ask_first(*guesses.FEW_SEEDS), ["data", "guess"], light)
    tab.get_by_role("radio", name="in 1 of 5 drawings").check()
    tab.get_by_role("button", name="100 times").click()
    count, seeds = tab.locator(".status").last, tab.get_by_role("slider", name="Seeds")
    expect(count).to_contain_text("in 20 of 101 drawings")
    seeds.press("End")
    expect(count).to_contain_text("in 97 of 101 drawings")


@pytest.mark.parametrize(("width", "height"), [(914, 647), (400, 1300)])
def test_it_fits_on_one_screen_and_on_a_narrow_one(browser: Browser, width: int, height: int) -> None:
    page: Any = browser.new_page(viewport={"width": width, "height": height})
    put(page, SeedsExplorer(seeds=20).ask_first("how often?", {"seldom": "Right.", "often": "No."}), ["data", "guess"])
    page.get_by_role("radio", name="seldom").check()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate("document.scrollingElement.scrollHeight") <= height
    page.close()
