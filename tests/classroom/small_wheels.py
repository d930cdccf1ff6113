"""Small wheels for several systems, and the settings of the computer left out."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from course_lib.classroom.bundle import wheels
from course_lib.classroom.bundle.targets import Target
from tests.data.places import write, zip_of

LINUX, MACOS, WINDOWS = Target("linux", "3.12"), Target("macos", "3.12"), Target("windows", "3.12")
TEXT = b"a doll, a ball and a drum\n"
CORE = {
    LINUX: "course_core-1.0-cp312-cp312-manylinux2014_x86_64.whl",
    MACOS: "course_core-1.0-cp312-cp312-macosx_11_0_arm64.whl",
    WINDOWS: "course_core-1.0-cp312-cp312-win_amd64.whl",
}
TOYS = "course_toys-1.0-py3-none-any.whl"
OLD_TOYS = "course_toys-0.9-py3-none-any.whl"
FOR_WINDOWS, FOR_MACOS = "course_doors-1.0-py3-none-any.whl", "course_naps-1.0-py3-none-any.whl"
NEEDS = ('course-doors; sys_platform == "win32"', 'course-naps; platform_system == "Darwin"', "course-core")
PYPROJECT = """
[build-system]
requires = []
[project]
name = "transformer-course"
requires-python = ">=3.11,<3.15"
dependencies = ["course-toys>=1,<2"]
"""


def add_wheel(
    folder: Path,
    filename: str,
    *,
    needs: Sequence[str] = (),
    requires_python: str = "",
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Put a wheel into a folder, with a module of the package's name and with further files."""
    name, version, *tags = filename.removesuffix(".whl").split("-")
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {need}" for need in needs]
    information = f"{name}-{version}.dist-info"
    content = {
        f"{name}.py": b"",
        **files,
        f"{information}/METADATA": ("\n".join(lines) + "\n").encode(),
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {'-'.join(tags)}\n".encode(),
    }
    record = "".join(f"{file},,\n" for file in (*content, f"{information}/RECORD"))
    return write(folder, filename, zip_of({**content, f"{information}/RECORD": record.encode()}))


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the computer's own settings of pip, proxies and mirrors, and ask no index of PyTorch."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "COURSE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(wheels, "responds", lambda url, seconds: False)
