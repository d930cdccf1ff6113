"""Show which parts are yours, and which the course lends you."""

import argparse

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Print the report of `course_lib.yours`."""
    from course_lib import yours

    print(repr(yours.report()))
    return 0
