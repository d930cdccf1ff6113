"""Draw the README's first picture, the attention of a translation: `python -m tools.draw_translation`."""

from pathlib import Path

import matplotlib.pyplot as plt

from course_lib.pictures.figures import alignment, style
from course_lib.pretrained import load_translator

SENTENCE, SELECTED = "the old detective did not find the small key", "a"


def draw_translation(path: Path) -> None:
    """Write the picture as a PNG with twice the resolution at which the page shows it."""
    translation = load_translator().translation(SENTENCE)
    with style():
        fig, ax = plt.subplots(figsize=(9, 2.8))
        selected = translation.target.index(SELECTED)
        alignment(ax, translation.weights, translation.source, translation.target, selected)
        fig.savefig(path, dpi=200, metadata={"Software": None})
        plt.close(fig)


if __name__ == "__main__":
    draw_translation(Path(__file__).parents[1] / "docs" / "translation.png")
