"""The explorers of lessons 04, 05 and 07 in Chromium, by keyboard, in both themes: the scripts that JupyterLab runs."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from course_lib.explorers import AlignmentExplorer, DepthExplorer, PositionsExplorer
from course_lib.explorers.base import Explorer
from tests.browser.accessibility import too_faint
from tests.test_lesson_explorers import example, runs

# What anywidget hands to a script, without a kernel behind it.
PAGE = """<!doctype html><title>explorer</title><style>%s</style>
<body data-jp-theme-light="%s"><div id="root"></div><script type="module">
%s
const state = %s;
const model = { get: (name) => state[name], set: (name, x) => (state[name] = x), save_changes() {}, on() {}, off() {} };
explorer.render({ model, el: document.getElementById("root") });
</script>"""


def page_of(explorer: Explorer, names: list[str], light: bool) -> str:
    script = str(explorer._esm).replace("export default", "const explorer =")
    state = json.dumps({name: getattr(explorer, name) for name in names})
    return PAGE % (explorer._css, str(light).lower(), script, state)


@pytest.fixture(params=[True, False], ids=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, bool, list[str]]]:
    page, errors = browser.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page, request.param, errors
    page.close()
    assert errors == []


def readable(page: Page) -> None:
    counted, faint = too_faint(page.locator("#root"))
    assert counted > 5
    assert faint == []


def test_positions_answer_slider_and_keys(page: tuple[Page, bool, list[str]]):
    tab, light, _ = page
    tab.set_content(page_of(PositionsExplorer(), ["table"], light))
    status = tab.locator(".status")
    expect(status).to_contain_text("Positions 5 and 8: dot product 12.27")
    tab.get_by_role("slider", name="Position").press("ArrowRight")
    expect(status).to_contain_text("Positions 6 and 9: dot product 12.27")
    tab.get_by_role("slider", name="Position").press("]")
    expect(status).to_contain_text("Positions 6 and 10")
    tab.get_by_role("slider", name="Position").press("End")
    expect(status).to_contain_text("Positions 47 and 47: dot product 16.00")
    tab.get_by_role("slider", name="Length").press("Home")
    expect(status).to_contain_text("Positions 7 and 7")
    readable(tab)


def test_depth_answers_steps_and_leaves_out_what_went_astray(page: tuple[Page, bool, list[str]]):
    tab, light, _ = page
    tab.set_content(page_of(DepthExplorer(runs()), ["runs"], light))
    status = tab.locator(".status")
    expect(status).to_contain_text(
        "Step 1. even: last layer 1.0 times the first; astray: last layer 8.0 times the first."
    )
    tab.get_by_role("slider", name="Step").press("]")
    expect(status).to_contain_text("Step 2.")
    tab.get_by_role("checkbox", name="even").uncheck()
    expect(status).not_to_contain_text("even:")
    readable(tab)


def test_alignment_answers_heads_and_rows_over_the_rings(page: tuple[Page, bool, list[str]]):
    tab, light, _ = page
    tab.set_content(page_of(AlignmentExplorer([example()]), ["data", "head"], light))
    status = tab.locator(".status")
    expect(status).to_contain_text("“le” reads 0.80 of “the”; it belongs to “the”.")
    assert tab.locator(".gold").count() == 4
    tab.get_by_role("radio", name="enquêté").check(force=True)
    expect(status).to_contain_text("“enquêté” reads 0.80 of “investigated”; it belongs to “investigated”.")
    tab.get_by_label("Layer and head").press("]")
    expect(status).to_contain_text("“enquêté” reads 0.80 of “the”")
    expect(status).to_contain_text("Alignment error rate of layer 0, head 1: 0.75")
    readable(tab)
