"""Which wheels run on which computers, held equal to what packaging says of the computer that runs the tests."""

import platform
import sys

import pytest
from packaging import markers, tags
from packaging.utils import parse_wheel_filename

from course_lib.classroom.bundle.targets import Target
from course_lib.network.stick import SYSTEMS, this_system

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.skipif(this_system() is None, reason="bundles are not made for this kind of computer")
def test_wheels_for_this_kind_of_computer_run_on_this_computer():
    system = this_system()
    assert system is not None
    # A newer C library or macOS than this computer's may be needed; an older one is always among those that are.
    oldest = {"Linux": "manylinux2014", "Darwin": "macosx_11_0", "Windows": "win"}[platform.system()]
    ours = {tag for tag in Target(system, HERE).tags if tag.platform.startswith(oldest) or tag.platform == "any"}
    assert ours
    assert ours <= {*tags.sys_tags()}


@pytest.mark.skipif(this_system() is None, reason="bundles are not made for this kind of computer")
def test_the_markers_of_this_kind_of_computer_are_those_of_this_computer():
    system = this_system()
    assert system is not None
    ours, real = Target(system, HERE).markers, markers.default_environment()
    assert ours.keys() == real.keys()
    for name in ("os_name", "platform_machine", "platform_system", "python_version", "sys_platform"):
        assert ours[name] == real[name]  # type: ignore[literal-required]


@pytest.mark.parametrize(
    ("system", "runs", "does_not"),
    [
        ("linux", "a-1-cp312-cp312-manylinux_2_17_x86_64.whl", "a-1-cp312-cp312-manylinux_2_35_x86_64.whl"),
        ("linux", "a-1-cp38-abi3-manylinux2014_x86_64.whl", "a-1-cp312-cp312-musllinux_1_2_x86_64.whl"),
        ("linux-arm", "a-1-cp312-cp312-manylinux_2_28_aarch64.whl", "a-1-cp312-cp312-manylinux_2_28_x86_64.whl"),
        ("macos", "a-1-cp312-cp312-macosx_11_0_arm64.whl", "a-1-cp312-cp312-macosx_14_0_arm64.whl"),
        ("macos", "a-1-cp312-cp312-macosx_10_13_universal2.whl", "a-1-cp312-cp312-macosx_11_0_x86_64.whl"),
        ("windows", "a-1-cp312-cp312-win_amd64.whl", "a-1-cp312-cp312-win32.whl"),
        ("windows", "a-1-py3-none-any.whl", "a-1-cp313-cp313-win_amd64.whl"),
    ],
)
def test_wheels_are_distinguished_by_their_names(system: str, runs: str, does_not: str):
    target = Target(system, "3.12")
    assert parse_wheel_filename(runs)[3] & target.tags
    assert not parse_wheel_filename(does_not)[3] & target.tags


def test_every_system_has_its_tags_and_markers():
    for system in SYSTEMS:
        target = Target(system, "3.12")
        assert len(target.tags) > 10
        assert target.markers["platform_machine"].lower() in target.platforms[0]
