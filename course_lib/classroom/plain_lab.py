"""Keep JupyterLab as it is without the packages of a class.

nbgrader comes with extensions of JupyterLab, and needs the package `notebook`, which comes with one too. Where they are
installed, they add menus and buttons that a learner of this course does not need, so they are switched off by a folder
of Jupyter's configuration.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

CONFIGURATION = Path(__file__).parent / "jupyter"


def use_plain_lab(variables: MutableMapping[str, str]) -> None:
    """Switch the extensions off for a JupyterLab that starts with these environment variables."""
    others = [path for path in variables.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep) if path]
    variables["JUPYTER_CONFIG_PATH"] = os.pathsep.join(dict.fromkeys([str(CONFIGURATION), *others]))
