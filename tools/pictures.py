"""Write the pictures that the README and the site show: `python -m tools.pictures docs/`."""

import argparse
from pathlib import Path

from course_lib.pictures.figures.journey import journey
from course_lib.pictures.figures.map import transformer_map


def write_pictures(folder: Path) -> list[Path]:
    """Write map.svg and journey.svg into a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"map.svg": transformer_map().svg(), "journey.svg": journey().svg()}
    for name, svg in pictures.items():
        # The same bytes on every system, so that the committed files can be compared.
        (folder / name).write_text(svg, encoding="utf-8", newline="\n")
    return [folder / name for name in pictures]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write map.svg and journey.svg")
    write_pictures(parser.parse_args().folder)
