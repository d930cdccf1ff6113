"""A course installed from a bundle in a network namespace of its own, in which there is no network at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.network.stick import this_system
from tests.classroom.small_wheels import PYPROJECT, TEXT, TOYS, add_wheel
from tests.cli.workplace import ROOT
from tests.data.places import sha256, write

BUILDER = "toy_builder-1.0-py3-none-any.whl"
# It stands in for setuptools, which would have to be downloaded.
BACKEND = b"""
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name, information = "transformer_course-0.1.0-py3-none-any.whl", "transformer_course-0.1.0.dist-info"
    needs = "Metadata-Version: 2.1\\nName: transformer-course\\nVersion: 0.1.0\\nRequires-Dist: course-toys\\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("course.pth", os.getcwd())
        wheel.writestr(information + "/METADATA", needs)
        wheel.writestr(information + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(information + "/RECORD", "course.pth,,\\n")
    return name
"""
READ_DATA = f"""
import pathlib, sys, course_toys
from course_lib.data.downloading import download
from course_lib.data.sources import WebFile
source = WebFile(filename="toys.txt", urls=("http://192.0.2.1/",), sha256="{sha256(TEXT)}", size_bytes={len(TEXT)})
came = download(source, pathlib.Path(sys.argv[1]), lambda size: None)
print(came.read_text(), course_toys.__file__)
"""


def without_network() -> list[str] | None:
    """The words that run a program where there is no network, or None if that is not allowed here."""
    if shutil.which("unshare"):
        for words in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
    return None


def test_a_copy_of_a_bundle_installs_itself_and_has_its_data_with_the_network_off(
    course: Path, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    offline = without_network()
    if offline is None:
        pytest.skip("network namespaces are not allowed here")
    if this_system() is None:
        pytest.skip("bundles are not made for this kind of computer")

    # The real course.py and library, which need one wheel here: it borrows the packages of this Python.
    shutil.copy(ROOT / "course.py", course)
    shutil.copytree(ROOT / "course_lib", course / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    builder = 'requires = ["toy-builder"]\nbuild-backend = "toy_builder"'
    project = PYPROJECT.replace("requires = []", builder) + "[tool.setuptools]\n"
    write(course, "pyproject.toml", project.encode())
    borrowed = "\n".join(path for path in sys.path if path.endswith("-packages")).encode()
    add_wheel(index, TOYS, files={"borrowed.pth": borrowed})
    add_wheel(index, BUILDER, files={"toy_builder.py": BACKEND})
    folder = tmp_path / "stick"
    assert cli.COMMANDS["bundle"].run(cli.parse(["bundle", str(folder)])) == 0
    capsys.readouterr()

    laptop = tmp_path / "my laptop"
    shutil.move(folder, laptop)
    shutil.rmtree(index)
    shutil.rmtree(tmp_path / "mirror")
    left_out = ("PIP_", "COURSE_", "PYTHONPATH")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    variables |= {"PIP_CONFIG_FILE": os.devnull, "COURSE_DATA": str(tmp_path / "data"), "PYTHONIOENCODING": "utf-8"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*offline, *words], cwd=laptop, env=variables, capture_output=True, encoding="utf-8", check=False
        )

    ran = run(sys.executable, "course.py", "data", "--list", "tales")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "The packages come from wheels, without a network." in ran.stdout
    assert "not downloaded yet" in ran.stdout
    ran = run(str(laptop / ".venv" / "bin" / "python"), "-c", READ_DATA, str(tmp_path / "came"))
    assert ran.returncode == 0, ran.stderr
    assert TEXT.decode() in ran.stdout
    assert str(laptop / ".venv") in ran.stdout

    # A second command installs nothing, and a damaged wheel is named before anything is installed.
    assert "Installing" not in run(sys.executable, "course.py", "data", "--list", "tales").stdout
    shutil.rmtree(laptop / ".venv")
    (laptop / "wheels" / TOYS).write_bytes(b"damaged")
    ran = run(sys.executable, "course.py", "data", "--list", "tales")
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"✗ The file wheels/{TOYS} is damaged: copy the whole folder again")
