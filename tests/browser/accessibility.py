"""The accessibility of a page: contrast as WCAG 2 computes it, and the accessibility tree for screen readers."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

TEXT, LARGE_TEXT, EDGE = 4.5, 3.0, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11, level AA

# The colour of each text and of the edge of each control, with every layer of colour below it, the nearest first. The
# background of a digit in a matrix is the rectangle before it; everything else is on the elements that contain it.
COLOURS = """root => {
    const below = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.push(getComputedStyle(at).backgroundColor);
        return layers;
    };
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const words = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!words || !element.checkVisibility() || ["STYLE", "title", "OPTION"].includes(element.tagName)) continue;
        const style = getComputedStyle(element);
        const cell = element.previousElementSibling?.matches("rect.cell") ? element.previousElementSibling : null;
        const layers = cell ? [getComputedStyle(cell).fill, ...below(element)] : below(element);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const colour = element instanceof SVGElement ? style.fill : style.color;
        found.push({words, kind: large ? "large text" : "text", colour, layers});
    }
    for (const control of root.querySelectorAll("input[type=text], select, button")) {
        const words = control.tagName.toLowerCase();
        const [style, layers] = [getComputedStyle(control), below(control.parentElement)];
        found.push({words: `${words}'s edge`, kind: "edge", colour: style.borderTopColor, layers});
        const inside = [style.backgroundColor, ...layers];
        found.push({words: `${words}'s words`, kind: "text", colour: style.color, layers: inside});
    }
    return found;
}"""


@dataclass(frozen=True)
class Colour:
    """Red, green, blue and opacity, each from 0 to 1."""

    red: float
    green: float
    blue: float
    opacity: float

    @classmethod
    def parse(cls, words: str) -> "Colour":
        """Parse a computed style, `rgb(1, 2, 3)` or `rgba(1, 2, 3, 0.5)`. Raises ValueError for anything else."""
        name, _, numbers = words.rstrip(")").partition("(")
        if name not in ("rgb", "rgba"):
            raise ValueError(f"a colour should be rgb(...) or rgba(...), but it is {words}")
        red, green, blue, *opacity = map(float, numbers.split(","))
        return cls(red / 255, green / 255, blue / 255, *(opacity or [1.0]))

    def over(self, other: "Colour") -> "Colour":
        """This colour over an opaque one."""
        pairs = ((self.red, other.red), (self.green, other.green), (self.blue, other.blue))
        return Colour(*(self.opacity * above + (1 - self.opacity) * under for above, under in pairs), opacity=1.0)

    @property
    def luminance(self) -> float:
        """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
        linear = [
            x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in (self.red, self.green, self.blue)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, layers: list[str]) -> float:
    """The contrast of a colour with the layers below it, from 1 to 21."""
    ground = Colour(1, 1, 1, 1)
    for layer in reversed(layers):
        ground = Colour.parse(layer).over(ground)
    lighter, darker = sorted((Colour.parse(colour).over(ground).luminance, ground.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def too_faint(root: Locator) -> tuple[int, list[str]]:
    """Compare every text and every control's edge with its background; return their number, and those that fail."""
    expected = {"text": TEXT, "large text": LARGE_TEXT, "edge": EDGE}
    found = root.evaluate(COLOURS)
    ratios = [(each, contrast(each["colour"], each["layers"])) for each in found]
    short = [(each, ratio) for each, ratio in ratios if ratio < expected[each["kind"]]]
    return len(found), [
        f"{each['words']}: {ratio:.2f}, {each['colour']} on {each['layers'][0]}" for each, ratio in short
    ]


def tree(page: Page, root: Locator) -> list[tuple[str, str]]:
    """The accessibility tree of an element: the role and name of each node, in order."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    mark = "data-tree-root"
    root.evaluate("(element, mark) => element.setAttribute(mark, '')", mark)
    found = session.send("Runtime.evaluate", {"expression": f"document.querySelector('[{mark}]')"})
    nodes: list[dict[str, Any]] = session.send("Accessibility.queryAXTree", {"objectId": found["result"]["objectId"]})[
        "nodes"
    ]
    session.detach()
    return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
