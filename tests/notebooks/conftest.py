"""A small notebook that follows every rule, for the tests of the code that checks the real ones."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HEADER = "# A sample\n\nAbout 5 minutes. You need nothing. At the end you will have counted."
FIGURE = """\
import matplotlib.pyplot as plt
from IPython.display import display

figure, axes = plt.subplots(figsize=(1, 1))
axes.plot([0, 1], [1, 0])
plt.close(figure)
display(figure, metadata={"image/png": {"alt": "A line that falls."}})"""

WIDGET = """\
import ipywidgets


class Slider(ipywidgets.IntSlider):
    def _repr_mimebundle_(self, **_):
        return super()._repr_mimebundle_() | {"text/plain": "A slider at 0.", "text/html": "<p>A slider at 0.</p>"}


Slider()"""


@pytest.fixture
def sample() -> NotebookNode:
    """Give a notebook that has not been run: a header, a sum, prints to two streams, a figure and a widget."""
    cells = [
        new_markdown_cell(HEADER, id="header"),
        new_code_cell("1 + 1", id="sum"),
        new_code_cell("import sys\n\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')", id="prints"),
        new_code_cell(FIGURE, id="figure"),
        new_code_cell(WIDGET, id="widget"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "any"}})
