"""Show which parts are yours, and which the course lends you."""

import argparse

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Print the report of `course_lib.yours`, and which notebooks have a newer version."""
    from course_lib import yours
    from course_lib.copies.news import news

    print(repr(yours.report()))
    print(*(f"\n{sentence}" for sentence in news()), sep="", end="")
    return 0
