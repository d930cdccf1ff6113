"""JupyterLab as a newcomer gets it from `course.py lab`, on a copy of the checkout, and a page that logs requests."""

import html
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from course_lib.exercises import catalogue
from tests.notebooks import kernels

START_SECONDS = 60
RUN_SECONDS = 300
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "my_course", "my_transformer")
OWN_FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """Start `course.py lab` on a copy of the checkout in `folder`, give the address that it opens, and stop it later.

    A copy, since JupyterLab saves into the notebooks. Settings, workspaces and history are a newcomer's: none yet.
    """
    checkout = folder / "course"
    shutil.copytree(kernels.ROOT, checkout, ignore=NOT_COPIED)
    variables = environment(folder)
    command = [sys.executable, "course.py", "lab", "--no-browser", f"--port={_free_port()}"]
    # The page's model of the notebook also has the cells that are out of sight and therefore not in the document.
    command.append("--LabApp.expose_app_in_browser=True")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with (folder / "lab.log").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=checkout, env=variables, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        address = _address(process, folder)
        yield address
        _ask_to_end(address)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()


def environment(folder: Path) -> dict[str, str]:
    """The environment of `course.py` on the copy of the checkout in `folder`."""
    variables = kernels.environment(folder) | {name: str(folder / name.lower()) for name in OWN_FOLDERS}
    offline = str(kernels.ROOT / "tests" / "notebooks" / "offline")
    return variables | {"COURSE_VENV": sys.prefix, "PYTHONPATH": os.pathsep.join([offline, str(folder / "course")])}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Wait for the page that Jupyter writes for the learner's browser, and read the address in it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for page in folder.glob("jupyter_runtime_dir/jpserver-*-open.html"):
            if found := re.search(r'url=(http://[^"]+)"', page.read_text(encoding="utf-8")):
                return html.unescape(found[1])
        time.sleep(0.1)
    said = (folder / "lab.log").read_text(encoding="utf-8")
    raise RuntimeError(f"course.py lab opened no page in {START_SECONDS} s. It said:\n{said}")


def _ask_to_end(address: str) -> None:
    """Stop the server and its kernels as its menu does, which works on every system."""
    parts = urlsplit(address)
    token = parse_qs(parts.query)["token"][0]
    shutdown = f"http://{parts.netloc}/api/shutdown"
    request = urllib.request.Request(shutdown, method="POST", headers={"Authorization": f"token {token}"})
    urllib.request.urlopen(request, timeout=10).close()


class LabPage:
    """A page of JupyterLab with an open notebook, its requests, and its console messages."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self._note_request(request.url))
        page.on("websocket", lambda websocket: self._note_request(websocket.url))
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.outside.append(url)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def cells(self) -> list[dict[str, Any]]:
        """Give the notebook's current cells in nbformat's format."""
        return self.page.evaluate("jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells")

    def wait_until_open(self) -> None:
        """Wait until a notebook is the active tab and its kernel responds."""
        kernel = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=START_SECONDS * 1000)

    def run_all(self) -> None:
        """Call Run All Cells, and wait until the last cell has finished or one has failed."""
        self.page.evaluate(
            """seconds => Promise.race([
                jupyterapp.commands.execute("notebook:run-all-cells"),
                new Promise((_, refuse) => setTimeout(refuse, 1000 * seconds, `It still runs after ${seconds} s.`)),
            ])""",
            RUN_SECONDS,
        )

    def cell(self, words: str) -> Locator:
        """Scroll to the first cell whose source contains these words, and give it."""
        index = next(index for index, cell in enumerate(self.cells()) if words in "".join(cell["source"]))
        self.page.evaluate("index => jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')", index)
        return self.page.locator(f'.jp-Notebook [data-windowed-list-index="{index}"]')

    def run_cell(self, words: str, source: str = "") -> Locator:
        """Type another source into the first cell that contains these words, run it by keyboard, and give it."""
        self.cell(words).locator(".cm-content").click()
        if source:
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")
        return self.cell(words)

    def restart_kernel(self) -> None:
        """Restart the kernel, and wait until it responds again."""
        self.page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
        self.wait_until_open()

    def save(self) -> None:
        """Save the notebook, and again for as long as it changes meanwhile, as it does when an output arrives."""
        self.page.wait_for_function(
            """async () => {
                await jupyterapp.commands.execute("docmanager:save");
                return !jupyterapp.shell.currentWidget.context.model.dirty;
            }""",
            polling=200,
        )

    def resize(self, width: int, height: int) -> None:
        """Give the window another size, and wait until all of JupyterLab's widgets have their new sizes."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_function(
            """([width, height]) => {
                const size = (widget) => [widget.offsetWidth, widget.offsetHeight];
                const whole = size(document.querySelector("#main"));
                const all = JSON.stringify([...document.querySelectorAll(".lm-Widget")].map(size));
                const settled = whole[0] === width && whole[1] === height && all === window.allBefore;
                window.allBefore = all;
                return settled;
            }""",
            arg=[width, height],
            polling=300,
        )

    def use_theme(self, theme: str) -> None:
        """Change JupyterLab's theme to "Light" or "Dark", and wait until the page shows it."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}"
        )
        self.page.wait_for_selector(f"body[data-jp-theme-light={str(theme == 'Light').lower()}]", state="attached")


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[LabPage]:
    """Open a notebook in a new window, and run all of it once."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = LabPage(context.new_page())
    page.page.goto(address)
    page.wait_until_open()
    page.run_all()
    yield page
    context.close()


@contextmanager
def opened_lesson(browser: Browser, lab: str, name: str) -> Iterator[LabPage]:
    """Open a notebook by its name, such as `01_attention`, in a workspace of its own, and run all of it once."""
    with opened(browser, lab.replace("/lab/tree/00_start_here", f"/lab/workspaces/{name}/tree/{name}")) as page:
        yield page


def outputs_of_all_cells(page: LabPage) -> list[dict[str, Any]]:
    """Give all outputs of a notebook, after checking that each cell ran once, in order and without an error."""
    code = [cell for cell in page.cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    return outputs


def shown_message(exercise: str, mistake: str) -> str:
    """Give the message of a known mistake as a page shows it: code without its backticks."""
    messages = {each.name: each.message for each in catalogue.find(exercise).mistakes}
    return messages[mistake].replace("`", "")


def check_that_nothing_went_outside(page: LabPage, folder: Path) -> None:
    """Check that neither the page nor a kernel asked for anything outside, and that the console shows no error."""
    assert page.outside == []
    assert page.errors == []
    log = kernels.network_log(folder)
    assert not log.exists(), log.read_text(encoding="utf-8")
