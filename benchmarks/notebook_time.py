"""Run every committed notebook, with no exercise solved, and print how long each takes from start to end of its kernel.

Run with `python -m benchmarks.notebook_time`, on a machine that does nothing else. It uses one thread, as the tests do.
"""

import os
import tempfile
import time
from pathlib import Path

import nbformat

from tests.notebooks import kernels

TARGET = 60
LONGER = {"05_encoder": 120, "06_decoder": 120}


def main() -> int:
    kernels.prepare()
    missed = 0
    for path in kernels.NOTEBOOKS:
        notebook, target = nbformat.read(path, as_version=4), LONGER.get(path.stem, TARGET)
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            kernels.execute(notebook, Path(folder), kernels.environment(Path(folder)))
            took = time.monotonic() - began
        missed += took > target
        print(f"{path.stem:20}{took:6.0f} s, target: {target} s", flush=True)
    print(f"{os.cpu_count()} cores; {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
