"""Download the data sets, or some by name, or --list them all.

Each is downloaded once, and checked byte by byte; one that is damaged is downloaded again. The notebooks then need no
network. A folder that has the files, such as a USB stick or a class's server, can be named in COURSE_MIRROR.
"""

import argparse

from course_lib.cli.common import CommandError

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take names of data sets, and a choice to list them only."""
    parser.add_argument("--list", action="store_true", help="list the data sets, and download none")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a data set; without a name, all that notebooks use")


def run(arguments: argparse.Namespace) -> int:
    """List or download data sets. One that cannot be had does not keep the next from being downloaded."""
    from course_lib import data

    unknown = [name for name in arguments.names if name not in data.SETS]
    if unknown:
        raise CommandError(f"There is no data set `{unknown[0]}`: choose among {', '.join(data.SETS)}.")
    if arguments.list:
        for name in arguments.names or data.SETS:
            print(_describe(name))
        return 0
    status = 0
    for name in arguments.names or [name for name, about in data.SETS.items() if about.notebooks]:
        try:
            print(f"✓ {_fetch(name)}", flush=True)
        except data.DataError as error:
            print(f"✗ {error}", flush=True)
            status = 1
    return status


def _fetch(name: str) -> str:
    """Download a data set if it is missing or damaged, and say what was done."""
    from course_lib import data

    try:
        damage = data.damage(name)
    except data.DataMissing:
        damage = None
    folder = data.fetch(name)
    if damage:
        return f"{name} was damaged ({damage}), and has been downloaded again to {folder}."
    return f"{name} is in {folder}."


def _describe(name: str) -> str:
    """Describe a data set: what it is, its size, whether it is here, which notebooks use it, its licence and origin."""
    from course_lib import data

    about = data.SETS[name]
    try:
        data.path(name)
        state = "downloaded"
    except data.DataMissing:
        state = "not downloaded yet"
    except data.DataBroken:
        state = "damaged"
    used = ", ".join(f"{notebook:02}" for notebook in about.notebooks) or "none, only a benchmark uses it"
    return (
        f"{name}: {about.description}\n"
        f"  {about.size_bytes / 1e6:.1f} MB, {state}\n"
        f"  notebooks: {used}\n"
        f"  licence: {about.licence}\n"
        f"  origin: {about.origin}"
    )
