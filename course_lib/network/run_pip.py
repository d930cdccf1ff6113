"""Run pip in such a way that it ends with the program that started it: `python -P run_pip.py install ...`.

That program holds the other end of standard input and never writes to it. However it ends, also when it is killed,
standard input is then at its end, and so is this process: pip does not go on with nobody to watch it.
"""

import importlib
import json
import os
import runpy
import threading

MARKERS = "COURSE_PIP_MARKERS"
"""The environment variable with the markers of another computer, in JSON, for which pip is to choose packages."""


def end_with_the_starter() -> None:
    """Wait until standard input is at its end, then end this process at once."""
    # Unlike `sys.stdin.read`, this takes no lock that the interpreter would wait for when pip has finished.
    while os.read(0, 1):
        pass
    os._exit(1)


def evaluate_markers_for(computer: dict[str, str]) -> None:
    """Let pip evaluate markers such as `sys_platform == "win32"` for another computer.

    Its options `--platform` and `--python-version` choose wheels for one, but leave the markers as they are here.
    """
    markers = importlib.import_module("pip._vendor.packaging.markers")
    vars(markers)["default_environment"] = lambda: dict(computer)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_starter, daemon=True).start()
    if MARKERS in os.environ:
        evaluate_markers_for(json.loads(os.environ[MARKERS]))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
