"""Open your copies of the notebooks in JupyterLab.

They are in my_course, and are made when they are missing. With --original, the course's own notebooks are opened.
JupyterLab's options may follow, for example: lab --no-browser
"""

import argparse
import ipaddress
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_lib.cli.common import accept_any_words

EXTRAS = ()
ORIGINAL = "--original"
FIRST = "00_start_here.ipynb"
# With these JupyterLab only prints something.
NO_START = {"-h", "--help", "--help-all", "--version", "--generate-config", "--show-config", "--show-config-json"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Pass everything on to JupyterLab."""
    accept_any_words(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run JupyterLab in this process, until it is shut down."""
    from jupyterlab.labapp import LabApp

    from course_lib.classroom.plain_lab import use_plain_lab
    from course_lib.data.places import notebooks_folder

    words = [word for word in arguments.words if word != ORIGINAL]
    for warning in warnings(words, os.environ):
        print(f"Warning: {warning}", file=sys.stderr, flush=True)
    is_for_learners = ORIGINAL not in arguments.words and not NO_START & {*words}
    folder = prepare_copies() if is_for_learners else notebooks_folder()
    use_plain_lab(os.environ)
    LabApp.launch_instance([f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{FIRST}", *words])
    return 0


def prepare_copies() -> Path:
    """Bring the learner's folder up to date, say what they should know, and give the folder to open.

    If it cannot be made, that is the folder of the course's own notebooks.
    """
    from course_lib.copies import making, moving
    from course_lib.copies.news import news
    from course_lib.data.folders import FolderError
    from course_lib.data.places import notebooks_folder

    try:
        if sentence := moving.bring_parts_along():
            print(sentence, flush=True)
    except FolderError as error:
        print(f"Warning: Your parts stay in my_transformer, because {error}.", file=sys.stderr, flush=True)
    try:
        for sentence in making.update():
            print(f"Warning: {sentence}", file=sys.stderr, flush=True)
        for sentence in news():
            print(sentence, flush=True)
    except FolderError as error:
        print(f"Warning: Your notebooks are not brought up to date, because {error}.", file=sys.stderr, flush=True)
    if (making.folder() / FIRST).is_file():
        return making.folder()
    print("Warning: You have no copies, so the course's own notebooks are opened.", file=sys.stderr, flush=True)
    return notebooks_folder()


def warnings(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Say which of JupyterLab's options let other people in, what that means, and how to be safe.

    Args:
        words: the options for JupyterLab.
        variables: the environment, where JUPYTER_TOKEN may be.
    """
    chosen = _options(words)
    found = []
    address = chosen.get("ip")
    if address is not None and not _is_loopback(address):
        found.append(
            f"Through the address {address!r} other computers can reach this JupyterLab. Whoever learns its token can "
            "run programs as you, and without a certificate (--certfile) the token is sent in the clear. To be safe, "
            "leave the option out, and reach this computer through `ssh -L 8888:localhost:8888`."
        )
    token = chosen.get("token", variables.get("JUPYTER_TOKEN"))
    password = chosen.get("password") or chosen.get("hashed_password")
    if token is not None and not token and not password:
        found.append(
            "With an empty token JupyterLab lets everybody in: whoever can reach its port, such as every user of this "
            "computer, can run programs as you. To be safe, leave the option out and JUPYTER_TOKEN unset: JupyterLab "
            "then makes a token of its own."
        )
    elif chosen.get("password", chosen.get("hashed_password")) == "":
        found.append(
            "An empty password is no password, so only JupyterLab's token protects it. To have both, leave the option "
            "out and set a password with `jupyter lab password`."
        )
    return found


def _options(words: Sequence[str]) -> dict[str, str]:
    """The values of JupyterLab's options, each by the last part of its name: `--ServerApp.ip=x` and `--ip x` alike."""
    options = {}
    for number, word in enumerate(words):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals:
                value = words[number + 1] if number + 1 < len(words) else ""
            options[name.rpartition(".")[2]] = value.strip("'\"")
    return options


def _is_loopback(address: str) -> bool:
    """Whether only this computer reaches an address."""
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
