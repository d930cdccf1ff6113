"""Which wheels pip chooses for another computer, and how one that is missing among them is found."""

from pathlib import Path

import pytest

from course_lib.classroom.bundle import wheels
from course_lib.classroom.bundle.errors import BundleError
from course_lib.classroom.bundle.targets import Target
from tests.classroom.small_wheels import (
    CORE,
    FOR_MACOS,
    FOR_WINDOWS,
    LINUX,
    MACOS,
    NEEDS,
    OLD_TOYS,
    TOYS,
    WINDOWS,
    add_wheel,
)
from tests.data.places import tar_of, write

TOYS_WANTED = ("course-toys>=1,<2",)


def choose(target: Target, folder: Path, *requirements: str) -> list[str]:
    built, working = folder / "built", folder / "working"
    built.mkdir(exist_ok=True)
    working.mkdir(exist_ok=True)
    return sorted(wheel.name for wheel in wheels.choose(requirements or TOYS_WANTED, target, built, working))


@pytest.mark.parametrize(
    ("target", "its_own"),
    [(LINUX, []), (MACOS, [FOR_MACOS]), (WINDOWS, [FOR_WINDOWS])],
    ids=["linux", "macos", "windows"],
)
def test_pip_chooses_by_the_tags_and_the_markers_of_the_other_computer(
    index: Path, tmp_path: Path, target: Target, its_own: list[str]
):
    assert choose(target, tmp_path) == sorted([TOYS, CORE[target], *its_own])


def test_a_computer_for_which_a_package_has_no_wheel_is_named(index: Path, tmp_path: Path):
    with pytest.raises(BundleError, match=r"^The packages for linux-arm with Python 3\.12 could not be fetched"):
        choose(Target("linux-arm", "3.12"), tmp_path)


def test_the_build_of_pytorch_with_cuda_is_refused(index: Path, tmp_path: Path):
    add_wheel(index, "torch-2.13.0-cp312-cp312-manylinux2014_x86_64.whl", needs=["nvidia-toys"])
    add_wheel(index, "nvidia_toys-1.0-py3-none-any.whl")
    with pytest.raises(BundleError, match="only PyTorch's build with CUDA was found"):
        choose(LINUX, tmp_path, "torch")


BACKEND = b"""
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "seqeval-1.2.2-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("seqeval-1.2.2.dist-info/METADATA", "Metadata-Version: 2.1\\nName: seqeval\\nVersion: 1.2.2\\n")
        wheel.writestr("seqeval-1.2.2.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("seqeval-1.2.2.dist-info/RECORD", "")
    return name
"""


def test_a_package_that_the_index_has_as_source_alone_is_built_for_all_computers(index: Path, tmp_path: Path):
    source = {
        "seqeval-1.2.2/PKG-INFO": b"Metadata-Version: 2.1\nName: seqeval\nVersion: 1.2.2\n",
        "seqeval-1.2.2/pyproject.toml": b"[build-system]\nrequires = []\nbuild-backend = 'own'\nbackend-path = ['.']\n",
        "seqeval-1.2.2/own.py": BACKEND,
    }
    write(index, "seqeval-1.2.2.tar.gz", tar_of(source))
    built = tmp_path / "built"
    built.mkdir()
    (wheel,) = wheels.build(["seqeval>=1.2", *TOYS_WANTED], built, tmp_path)
    assert (wheel.name, wheel.url) == ("seqeval-1.2.2-py3-none-any.whl", "")
    assert "seqeval-1.2.2-py3-none-any.whl" in choose(WINDOWS, tmp_path, "seqeval>=1.2", *TOYS_WANTED)


def problems(target: Target, folder: Path, *names: str) -> list[str]:
    return [*wheels.problems(TOYS_WANTED, target, folder, names)]


def test_wheels_that_are_complete_have_no_problems(index: Path):
    assert problems(LINUX, index, TOYS, CORE[LINUX]) == []
    assert problems(WINDOWS, index, TOYS, CORE[WINDOWS], FOR_WINDOWS) == []


@pytest.mark.parametrize(
    ("target", "names", "said"),
    [
        (LINUX, [CORE[LINUX]], "course-toys is missing for linux with Python 3.12"),
        (LINUX, [TOYS], "course-core is missing for linux with Python 3.12"),
        (WINDOWS, [TOYS, CORE[WINDOWS]], "course-doors is missing for windows with Python 3.12"),
        (MACOS, [TOYS, CORE[MACOS]], "course-naps is missing for macos with Python 3.12"),
        (LINUX, [OLD_TOYS], "course-toys 0.9 is not <2,>=1 for linux with Python 3.12"),
        (LINUX, [TOYS, CORE[LINUX], CORE[WINDOWS]], f"{CORE[WINDOWS]} does not run on linux with Python 3.12"),
        (Target("linux", "3.13"), [TOYS, CORE[LINUX]], f"{CORE[LINUX]} does not run on linux with Python 3.13"),
    ],
)
def test_each_problem_of_wheels_is_named(index: Path, target: Target, names: list[str], said: str):
    assert said in problems(target, index, *names)


def test_wheels_for_a_newer_python_and_damaged_ones_are_named(index: Path):
    add_wheel(index, TOYS, needs=NEEDS, requires_python=">=3.13")
    assert f"{TOYS} needs Python >=3.13, not 3.12" in problems(LINUX, index, TOYS, CORE[LINUX])
    (index / CORE[LINUX]).write_bytes(b"damaged")
    assert f"{CORE[LINUX]} cannot be read" in problems(LINUX, index, TOYS, CORE[LINUX])


def test_the_packages_of_an_extra_are_needed_too(index: Path):
    add_wheel(index, TOYS, needs=['course-doors; extra == "doors"'])
    assert [*wheels.problems(["course-toys"], LINUX, index, [TOYS])] == []
    assert [*wheels.problems(["course-toys[doors]"], LINUX, index, [TOYS])] == [
        "course-doors is missing for linux with Python 3.12"
    ]


def test_a_batch_is_small_in_bytes_and_in_files():
    small = [wheels.Wheel(f"a{number}.whl", "", "", 1_000) for number in range(20)]
    large = wheels.Wheel("large.whl", "", "", 200_000_000)
    unknown = wheels.Wheel("unknown.whl", "", "")
    sizes = [len(batch) for batch in wheels.batches([large, *small, unknown])]
    assert sizes == [16, 6]
    assert [len(batch) for batch in wheels.batches([large, large, small[0]])] == [2, 1]
