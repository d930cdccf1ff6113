"""Run pip in such a way that it ends with the program that started it: `python -P run_pip.py install ...`.

That program holds the other end of standard input and never writes to it. However it ends, also when it is killed,
standard input is then at its end, and so is this process: pip does not go on with nobody to watch it.
"""

import os
import runpy
import threading


def end_with_the_starter() -> None:
    """Wait until standard input is at its end, then end this process at once."""
    # Unlike `sys.stdin.read`, this takes no lock that the interpreter would wait for when pip has finished.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_starter, daemon=True).start()
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
