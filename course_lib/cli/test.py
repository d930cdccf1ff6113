"""Run every check, or only pytest with the options that follow.

An example: test -k attention
"""

import argparse
import os
import subprocess
import sys

from course_lib.cli.common import ROOT, accept_any_words, shell_command

EXTRAS = ("test",)
# The tests of a file stay in one process, because they share what is slow to make, and start in their order.
IN_ORDER = ("--dist=loadfile", "--no-loadscope-reorder")
MOST_PROCESSES = 4  # each needs memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Pass everything on to pytest."""
    accept_any_words(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the checks one after another, also after one that fails."""
    if arguments.words:
        checks = {"tests": ["pytest", *arguments.words]}
    else:
        checks = {
            "style": ["ruff", "check"],
            "layout": ["ruff", "format", "--check"],
            "types": ["mypy"],
            "tests": ["pytest", f"--numprocesses={_processes()}", *IN_ORDER],
        }
    failed = []
    for name, words in checks.items():
        print(f"Checking the {name} ...", flush=True)
        if subprocess.run([sys.executable, "-m", *words], cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        print(f"✗ Not everything passes: see the output for the {' and the '.join(failed)} above.")
        return 1
    if arguments.words:
        print(f"✓ The selected tests pass; `{shell_command('test')}` alone runs every check.")
    else:
        print("✓ Every check passes.")
    return 0


def _processes() -> int:
    """How many processes run tests: one more than there are cores, since many tests wait for a server or a browser."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)
