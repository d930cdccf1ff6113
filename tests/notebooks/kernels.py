"""Run notebooks for the tests and for the canonical form: on one thread, without a network, in a separate folder."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.font_manager
from nbclient import NotebookClient
from nbformat import NotebookNode

from course_lib import data

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 300


def prepare() -> None:
    """Fetch every data set of these notebooks that is not present yet, and let matplotlib build its list of fonts.

    A set that comes from the web and not through pip may be out of reach; its notebook then uses a stand-in.

    matplotlib writes a warning into the first figure's cell where that list takes longer than five seconds.
    """
    matplotlib.font_manager.get_font_names()
    numbers = {int(notebook.name[:2]) for notebook in NOTEBOOKS}
    for name, about in data.SETS.items():
        if numbers & {*about.notebooks}:
            try:
                data.fetch(name)
            except data.Offline:
                if not any(isinstance(source, data.WebFile) for source in about.sources):
                    raise


def missing(notebook: Path) -> list[str]:
    """Name the data sets of a notebook that could not be fetched."""
    return [
        name
        for name, about in data.SETS.items()
        if int(notebook.name[:2]) in about.notebooks and not data.present(name)
    ]


def environment(folder: Path, data: Path | None = None) -> dict[str, str]:
    """Build the environment of a kernel that works in `folder`, with this checkout's library and no learner's parts.

    Args:
        folder: where the kernel keeps its own files, the parts that it builds, and the log of what it asked of the
            network.
        data: the folder of the data sets; the learner's own cache without it.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    offline = Path(__file__).parent / "offline"
    if data:
        inherited["COURSE_DATA"] = str(data)
    return inherited | {
        "COURSE_WORK": str(folder / "my_transformer"),
        "IPYTHONDIR": str(folder / "ipython"),
        "NETWORK_LOG": str(network_log(folder)),
        "OMP_NUM_THREADS": "1",
        # Otherwise the debugger's warning about frozen modules would appear in the output.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join([str(offline), str(ROOT)]),
    }


def network_log(folder: Path) -> Path:
    """The file in which a kernel that works in `folder` records its attempts to use the network."""
    return folder / "network.log"


def execute(notebook: NotebookNode, folder: Path, variables: dict[str, str]) -> NotebookNode:
    """Run a copy of a notebook top to bottom in a fresh kernel, and return the copy with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the message holds its source and traceback.
    """
    result = copy.deepcopy(notebook)
    client = NotebookClient(
        result,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=variables, stderr=subprocess.DEVNULL)  # The stream of the kernel itself; cells have their own.
    return result


def validate(path: Path, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Let nbval, in strict mode, run a copy of the notebook in `folder` and compare each output with the saved one.

    A copy, since a notebook writes beside itself; a process of its own, since nbval hands its kernels no environment.
    """
    shutil.copy(path, folder)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--quiet", "--color=no"]
    command += [f"--nbval-cell-timeout={CELL_SECONDS}", "-p", "nbval.plugin", "-p", "no:cacheprovider", path.name]
    return subprocess.run(
        command,
        cwd=folder,
        env=variables | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
