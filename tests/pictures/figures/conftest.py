"""The axes on which figures are drawn. No window opens on a desktop during the tests."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

from course_lib.pictures.figures import style

mpl.use("agg")


@pytest.fixture(params=["light", "dark"])
def ax(request: pytest.FixtureRequest) -> Iterator[Axes]:
    """Axes in either theme, of the size that the test's file has as FIGSIZE."""
    with style(request.param):
        fig, ax = plt.subplots(figsize=getattr(request.module, "FIGSIZE", None))
        yield ax
    plt.close(fig)
