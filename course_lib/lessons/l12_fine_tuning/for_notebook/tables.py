"""The recorded table of notebook 12 in words: a line for each way to learn, a column for each number of examples."""

from statistics import fmean

from course_lib.pretrained.text_tuning import WAYS, Recorded


def lines(table: Recorded, task: str) -> list[str]:
    """Write the mean accuracy over seeds of each way, with the number of seeds in brackets, as lines of text.

    Takes the recorded table, and "film" or "topics". What the recipe did not run has a dash.
    """
    sizes = sorted({run.examples for run in table.runs if run.task == task})
    written = [f"{'':10}" + "".join(f"{size:>13,}" for size in sizes)]
    for way in WAYS:
        found = table.of(way, task)
        cells = [f"{fmean(r.accuracy for r in found[n]):.1%} ({len(found[n])})" if n in found else "–" for n in sizes]
        written.append(f"{way:10}" + "".join(f"{cell:>13}" for cell in cells))
    return written
