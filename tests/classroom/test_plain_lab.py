"""JupyterLab without what the packages of a class add to it."""

import json
import os
import sys
from pathlib import Path

import pytest

from course_lib.classroom.plain_lab import CONFIGURATION, use_plain_lab


def test_the_folder_comes_before_those_that_were_chosen_already():
    variables = {"JUPYTER_CONFIG_PATH": "/mine"}
    use_plain_lab(variables)
    assert variables["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(CONFIGURATION), "/mine"])
    use_plain_lab(variables)
    assert variables["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(CONFIGURATION), "/mine"])
    empty: dict[str, str] = {}
    use_plain_lab(empty)
    assert empty == {"JUPYTER_CONFIG_PATH": str(CONFIGURATION)}


@pytest.mark.parametrize("package", ["nbgrader", "notebook"])
def test_every_extension_that_a_package_switches_on_is_switched_off(package: str):
    off = json.loads((CONFIGURATION / "jupyter_server_config.d" / "course.json").read_text())
    file = Path(sys.prefix, "etc", "jupyter", "jupyter_server_config.d", f"{package}.json")
    on = json.loads(file.read_text())["ServerApp"]["jpserver_extensions"]
    assert on
    assert dict.fromkeys(on, False).items() <= off["ServerApp"]["jpserver_extensions"].items()
