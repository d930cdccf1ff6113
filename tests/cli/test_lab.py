"""How JupyterLab is started."""

import pytest
from jupyterlab.labapp import LabApp

from course_lib import cli
from tests.cli.workplace import ROOT


def test_lab_opens_notebook_00_and_passes_further_arguments_on(monkeypatch: pytest.MonkeyPatch):
    started = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda words: started.extend(words))
    assert cli.main(["lab", "--no-browser", "--port", "9999"]) == 0
    assert started == [
        f"--ServerApp.root_dir={ROOT / 'notebooks'}",
        "--LabApp.default_url=/lab/tree/00_start_here.ipynb",
        "--no-browser",
        "--port",
        "9999",
    ]
    assert (ROOT / "notebooks" / "00_start_here.ipynb").is_file()
