"""Bring notebooks to their canonical form, in which running an unchanged one again changes no byte.

    python -m tools.canonical [FILE...]      tidy these notebooks, or all
    python -m tools.canonical --run          first run each from top to bottom in a fresh kernel
    python -m tools.canonical --check        write nothing; fail if a notebook would change

The form keeps sources, outputs, execution counts, cell ids, tags and attached pictures. It leaves out everything that
changes with the machine, the time or the editor: all other metadata, the versions of Python and of the kernel, and the
following.

*Widget views.* A live view refers to its model by a random id that is valid in one kernel only, and a saved one opens
as "Error displaying widget". So the view is removed and the rest of its output stays: a page without a kernel shows the
`text/html` or `text/plain` beside it, and a new run restores the live view. nbval does not compare views.

*Streams.* However a cell's prints were divided into messages, they become one output for each stream, with only the
last state of a progress bar. They are merged by the function that nbval uses to compare them.

*Tracebacks.* They contain paths of the machine. Only the error's name and message stay.

*Pictures.* If a run draws the picture that is already saved, except for rounding on another processor, the saved one
stays. `figures.show` does not record the version of matplotlib in its PNG files.
"""

import argparse
import base64
import copy
import io
import sys
import tempfile
from pathlib import Path

import matplotlib.image
import nbformat
import numpy as np
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbval.plugin import coalesce_streams

from tests.notebooks import kernels

PNG = "image/png"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Between processors, anti-aliased edges differ by one or two of 255 steps; a changed line or letter by far more.
ROUNDING = 8 / 255


def canonical(notebook: NotebookNode, earlier: NotebookNode | None = None) -> NotebookNode:
    """Return a copy in canonical form, with the pictures of an `earlier` run if they look the same."""
    result = copy.deepcopy(notebook)
    result.nbformat, result.nbformat_minor = 4, 5
    result.metadata = nbformat.from_dict(METADATA)
    for cell in result.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": sorted(tags)} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [_canonical_output(output) for output in coalesce_streams(cell.outputs)]
    if earlier is not None:
        _keep_pictures(result, earlier)
    return result


def text(notebook: NotebookNode) -> str:
    """Write a notebook as the text of its file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _canonical_output(output: NotebookNode) -> NotebookNode:
    if output.output_type == "error":
        output.traceback = [f"{output.ename}: {output.evalue}"]
    if "data" in output:
        output.data.pop(WIDGET_VIEW, None)
        output.metadata.pop(WIDGET_VIEW, None)
    return output


def _cell_pictures(cell: NotebookNode) -> list[NotebookNode]:
    bundles = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [bundle for bundle in bundles if PNG in bundle]


def _keep_pictures(notebook: NotebookNode, earlier: NotebookNode) -> None:
    saved = {cell.id: _cell_pictures(cell) for cell in earlier.cells}
    for cell in notebook.cells:
        for new, old in zip(_cell_pictures(cell), saved.get(cell.id, []), strict=False):
            if _look_alike(new[PNG], old[PNG]):
                new[PNG] = old[PNG]


def _look_alike(one: str, other: str) -> bool:
    first, second = (matplotlib.image.imread(io.BytesIO(base64.b64decode(picture))) for picture in (one, other))
    return first.shape == second.shape and bool(np.abs(first - second).max() <= ROUNDING)


def _run(notebook: NotebookNode) -> NotebookNode:
    with tempfile.TemporaryDirectory() as folder:
        return kernels.execute(notebook, Path(folder), kernels.environment(Path(folder)))


def main(arguments: list[str]) -> int:
    """Tidy or check the notebooks named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", action="store_true", help="run each notebook in a fresh kernel first")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a notebook would change")
    parser.add_argument("files", nargs="*", type=Path, default=kernels.NOTEBOOKS)
    options = parser.parse_args(arguments)
    if options.run:
        kernels.prepare()
    status = 0
    for path in options.files:
        saved = path.read_text(encoding="utf-8")
        earlier = nbformat.reads(saved, as_version=4)
        try:
            new = text(canonical(_run(earlier) if options.run else earlier, canonical(earlier)))
        except CellExecutionError as error:
            print(f"{path.name}: a cell fails, so the file is not changed.\n{error}")
            status = 1
            continue
        if new == saved:
            print(f"{path.name}: canonical")
        elif options.check:
            print(f"{path.name}: not canonical; python -m tools.canonical {path} makes it so")
            status = 1
        else:
            path.write_text(new, encoding="utf-8", newline="\n")
            print(f"{path.name}: written")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
