"""One JupyterLab and one Chromium for all browser tests, and what happens if there is no Chromium."""

import os
import shutil
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.lab import running_lab
from tests.notebooks import kernels

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MISSING = (
    "No Chromium was found, so the browser tests cannot run. Install Chromium or Chrome, "
    "or set CHROMIUM to the path of its program."
)
ANSWER_SECONDS = 20
FLAGS = [
    # The browser's own background requests get no answer, nor even an address to which to send them.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def chromium_program() -> str:
    program = find_chromium()
    assert program is not None, MISSING
    return program


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium, skip the browser tests with a warning; in CI, let them fail."""
    mine = [item for item in items if item.path.is_relative_to(HERE) and "browser" in item.fixturenames]
    if mine and find_chromium() is None and os.environ.get("CI") != "true":
        warnings.warn(pytest.PytestWarning(MISSING), stacklevel=1)
        config.hook.pytest_deselected(items=mine)
        items[:] = [item for item in items if item not in mine]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium_program()
    flags = [*FLAGS, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else FLAGS
    expect.set_options(timeout=1000 * ANSWER_SECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(params=[True, False], ids=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, bool]]:
    """Give a page, and whether its theme is light. It should report no error."""
    page, errors = browser.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page, request.param
    page.close()
    assert errors == []


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(lab_folder: Path) -> Iterator[str]:
    """Start a JupyterLab with `course.py lab`, and give the address that it opens."""
    kernels.prepare()
    with running_lab(lab_folder) as address:
        yield address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save a screenshot of each open page when a browser test fails."""
    report = yield
    arguments = getattr(item, "funcargs", {})
    if report.failed and "browser" in arguments and "lab_folder" in arguments:
        pages = [page for context in arguments["browser"].contexts for page in context.pages]
        for number, page in enumerate(pages):
            picture = arguments["lab_folder"] / f"{item.name}-{number}.png"
            page.screenshot(path=picture)
            report.sections.append(("Screenshot", str(picture)))
    return report
