"""The server of one member of a class: `python -P -m course_lib.classroom.member_server`, started by the hub.

It runs as the member. First it brings their copies of the notebooks up to date, as `course.py lab` does, then it
becomes JupyterHub's own server for one user.
"""

import os
import sys
from pathlib import Path


def prepare() -> Path:
    """Make or update the member's copies, and give their folder. What cannot be done is said in the log."""
    from course_lib.copies import making
    from course_lib.data.folders import FolderError

    try:
        for sentence in making.update():
            sys.stderr.write(f"{sentence}\n")
    except FolderError as error:
        sys.stderr.write(f"The notebooks are not brought up to date, because {error}.\n")
    folder = making.folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Prepare, and serve until the hub stops it."""
    from course_lib.classroom.plain_lab import use_plain_lab

    prepare()
    use_plain_lab(os.environ)
    from jupyterhub.singleuser import main as serve

    serve()


if __name__ == "__main__":
    main()
