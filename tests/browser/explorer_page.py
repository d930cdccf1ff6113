"""A page that shows a single explorer, with the scripts that JupyterLab runs and this process as their kernel."""

import json
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import Page

from course_lib.pictures.explorers.base import Explorer
from tests.browser.accessibility import too_faint

# The model that anywidget passes to a script. A kernel, if there is one, answers the values that the script sets.
PAGE = """<!doctype html><title>explorer</title><style>%s body { margin: 0 }</style>
<body data-jp-theme-light="%s"><div id="root"></div><script type="module">
%s
const state = %s;
const [listeners, set] = [{}, {}];
const model = {
  get: (name) => state[name],
  set: (name, x) => (state[name] = set[name] = x),
  on: (name, listen) => (listeners[name] ??= []).push(listen),
  off() {},
  async save_changes() {
    const answer = await window.kernel?.(JSON.stringify(set));
    for (const [name, x] of Object.entries(JSON.parse(answer ?? "{}"))) {
      if (JSON.stringify(state[name]) !== JSON.stringify(x)) model.arrive(name, x);
    }
  },
  arrive(name, x) {
    state[name] = x;
    listeners[`change:${name}`]?.forEach((listen) => listen());
  },
};
window.model = model; // for the tests
explorer.render({ model, el: document.getElementById("root") });
</script>"""


def put(page: Page, explorer: Explorer, names: Iterable[str], light: bool = True, kernel: bool = False) -> None:
    """Show an explorer on the page, with or without its kernel."""

    def state() -> dict[str, Any]:
        return {name: getattr(explorer, name) for name in names}

    def answer(changes: str) -> str:
        for name, value in json.loads(changes).items():
            setattr(explorer, name, value)
        return json.dumps(state())

    if kernel:
        page.expose_function("kernel", answer)
    script = str(explorer._esm).replace("export default", "const explorer =")
    page.set_content(PAGE % (explorer._css, str(light).lower(), script, json.dumps(state())))


def readable(page: Page) -> None:
    """Check the contrast of all that an explorer shows."""
    counted, faint = too_faint(page.locator("#root"))
    assert counted > 5
    assert faint == []
