"""The rules for every notebook of the course, checked in the file without running it."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from nbformat import NotebookNode

from course_lib.copies.notebook import TELLS_THE_ANSWER
from course_lib.exercises import all_exercises

IGNORED = "nbval-ignore-output"
TAGS = {IGNORED, "raises-exception", TELLS_THE_ANSWER}
PICTURE_TYPES = ("image/png", "image/jpeg", "image/svg+xml")
HEADER = {
    "a title": r"^# \S",
    "its minutes": r"\b\d+ minutes\b",
    "what you need": r"(?i)\byou need\b",
    "what you will have built": r"(?i)\byou will have\b",
}


def faults(notebook: NotebookNode) -> list[str]:
    """List what is wrong with a notebook, one sentence each."""
    return [
        *_header_faults(notebook.cells[0]),
        *_run_faults(notebook),
        *_borrowing_faults(notebook),
        *_heading_faults(notebook),
        *(fault for cell in notebook.cells for fault in _cell_faults(cell)),
    ]


def _header_faults(cell: NotebookNode) -> Iterator[str]:
    if cell.cell_type != "markdown":
        yield "The first cell should be the header, in markdown."
        return
    for name, pattern in HEADER.items():
        if not re.search(pattern, cell.source, re.MULTILINE):
            yield f"The header does not give {name}."


def _run_faults(notebook: NotebookNode) -> Iterator[str]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"It was not run once from top to bottom in a fresh kernel: its cells are numbered {counts}."
    ignored = sum(IGNORED in cell.metadata.get("tags", []) for cell in code)
    if 3 * ignored > len(code):
        yield f"{ignored} of {len(code)} code cells have their output ignored: more than a third."


def _borrowing_faults(notebook: NotebookNode) -> Iterator[str]:
    """Look for imports that replace the learner's part, defined above, with the library's."""
    own = set[str]()
    for cell in notebook.cells:
        for package, imported in re.findall(r"(?m)^from (course_lib\S*) import (.+)", cell.source):
            names = {name.split(" as ")[-1].strip() for name in imported.split(",")}
            for name in sorted(own & names if package != "course_lib.yours" else ()):
                yield f"It imports {name} from {package}, which hides the one that the learner wrote."
        own |= {*re.findall(r'@exercise\("(\w+)"\)', cell.source)}


def _heading_faults(notebook: NotebookNode) -> Iterator[str]:
    """Check that each heading agrees with its exercise, and that the header gives time for all exercises."""
    heading, known, minutes = "", {exercise.name: exercise for exercise in all_exercises()}, 0
    for cell in notebook.cells:
        heading = cell.source if cell.cell_type == "markdown" else heading
        for exercise in (known[name] for name in re.findall(r'@exercise\("(\w+)"\)', cell.source) if name in known):
            minutes += exercise.minutes
            dots = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
            if f"{dots} · {exercise.minutes} minutes" not in heading:
                yield f"The heading of {exercise.name} should say {dots} · {exercise.minutes} minutes."
    if (said := re.search(r"\b(\d+) minutes\b", notebook.cells[0].source)) and int(said[1]) < minutes:
        yield f"The header says {said[1]} minutes, but the exercises alone take {minutes}."


def _cell_faults(cell: NotebookNode) -> Iterator[str]:
    where = f"The cell that begins {cell.source.partition(chr(10))[0]!r}"
    if cell.cell_type == "markdown":
        for fault in _page_faults(_markdown_pictures_as_html(cell.source)):
            yield f"{where} {fault}."
    if cell.cell_type != "code":
        return
    for tag in set(cell.metadata.get("tags", [])) - TAGS:
        yield f"{where} has the tag {tag!r}, but only {sorted(TAGS)} are known."
    if re.search(r"(?im)^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
        yield f"{where} directs nbval by a comment; a tag does, where the counts see it."
    if re.search(r"(?m)^\s*[!%]\s*(pip|conda|mamba)\b", cell.source):
        yield f"{where} installs packages; pyproject.toml says what is needed."
    if not _shows_what_it_reveals(cell.source):
        yield f"{where} reveals an answer that is not shown: `reveal` belongs on the last line, or into `display`."
    for output in cell.outputs:
        for fault in _output_faults(output):
            yield f"{where} {fault}."


def _shows_what_it_reveals(source: str) -> bool:
    """Whether each `reveal(…)` is displayed: as the value of the last line, or by `display`."""
    if "reveal(" not in source:
        return True
    statements = ast.parse(source).body
    shown = list(ast.walk(statements[-1])) if isinstance(statements[-1], ast.Expr) else []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    shown += [node for call in calls if ast.unparse(call.func) == "display" for node in ast.walk(call)]
    is_shown = {ast.unparse(node) for node in shown if isinstance(node, ast.Call)}
    return all(ast.unparse(call) in is_shown for call in calls if ast.unparse(call.func) == "reveal")


def _output_faults(output: NotebookNode) -> Iterator[str]:
    data = output.get("data", {})
    for kind in PICTURE_TYPES:
        if kind in data and not output.metadata.get(kind, {}).get("alt", "").strip():
            yield f"shows a picture ({kind}) without alt text in its metadata"
    yield from _page_faults(data.get("text/html", ""))
    words = output.get("text", "") + data.get("text/plain", "") + data.get("text/html", "")
    if re.search(r"\bat 0x[0-9a-f]{6,}", words):
        yield "shows a memory address, which is another one in each run"


def _markdown_pictures_as_html(source: str) -> str:
    return re.sub(r"!\[([^\]]*)\]\(\s*([^\s)]+)[^)]*\)", r'<img alt="\1" src="\2">', source)


class _Page(HTMLParser):
    """Collects faults in the pictures of an HTML page, and the addresses that it would fetch from the network."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        source = (named.get("href") if tag == "link" else named.get("src")) or ""
        if re.match(r"(?i)(https?:)?//", source):
            self.faults.append(f"fetches {source} from the network")
        if tag == "img" and not (named.get("alt") or "").strip():
            self.faults.append(f"has a picture without alt text ({source[:60]})")
        hidden = named.get("aria-hidden") == "true"
        if tag == "svg" and not (hidden or named.get("aria-label") or named.get("aria-labelledby")):
            self.faults.append("has an SVG picture with neither aria-label, aria-labelledby nor aria-hidden")


def _page_faults(html: str) -> list[str]:
    page = _Page()
    page.feed(html)
    page.close()
    return page.faults
