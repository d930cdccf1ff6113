"""The one door of the course.

    python3 course.py lab     opens the notebooks
    python3 course.py test    runs every check
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def lab(arguments):
    """Open the notebooks in JupyterLab."""
    install("")
    return run("-m", "jupyterlab", str(ROOT / "notebooks" / "00_start_here.ipynb"), *arguments)


def test(arguments):
    """Run every check of the project."""
    install("[test]")
    return run("-m", "pytest", *arguments)


def install(extras):
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    run("-m", "pip", "install", "--quiet", "-e", str(ROOT) + extras)


def run(*arguments):
    return subprocess.run([str(PYTHON), *arguments], cwd=str(ROOT)).returncode


if __name__ == "__main__":
    commands = {"lab": lab, "test": test}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](sys.argv[2:]))
