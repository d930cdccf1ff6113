"""Run the committed notebooks, with no exercise solved, and print how long each takes from start to end of its kernel.

    python -m benchmarks.notebook_time                        # all of them, on two threads, as on a learner's laptop
    python -m benchmarks.notebook_time 11 12 --threads 1      # some of them, on one thread, as the tests run them

Run it on a machine that does nothing else. At the end it prints the largest memory that any of these kernels took,
which Linux and macOS can say.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat

from tests.notebooks import kernels

TARGET, TARGET_FROM_11 = 60, 90
MEMORY = 2e9


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("notebooks", nargs="*", metavar="NUMBER", help="such as 11; without one, all")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    kernels.prepare()
    missed = 0
    for path in kernels.NOTEBOOKS:
        number = path.stem[:2]
        if options.notebooks and number not in options.notebooks:
            continue
        target = TARGET if int(number) <= 10 else TARGET_FROM_11
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            variables = kernels.environment(Path(folder)) | {"OMP_NUM_THREADS": str(options.threads)}
            began = time.monotonic()
            kernels.execute(notebook, Path(folder), variables)
            took = time.monotonic() - began
        missed += took > target
        print(f"{path.stem:28}{took:6.0f} s, target: {target} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    missed += peak > MEMORY
    print(f"peak memory of a kernel {peak / 1e9:.2f} GB, target: below {MEMORY / 1e9:.0f} GB")
    print(f"{options.threads} threads; {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
