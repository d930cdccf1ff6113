"""Open the notebooks in JupyterLab, whose options may follow.

An example: lab --no-browser
"""

import argparse

from course_lib.cli.common import ROOT, accept_any_words

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Pass everything on to JupyterLab."""
    accept_any_words(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run JupyterLab in this process, until it is shut down."""
    from jupyterlab.labapp import LabApp

    start = [f"--ServerApp.root_dir={ROOT / 'notebooks'}", "--LabApp.default_url=/lab/tree/00_start_here.ipynb"]
    LabApp.launch_instance([*start, *arguments.words])
    return 0
