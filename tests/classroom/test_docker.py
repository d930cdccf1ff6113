"""A hub that runs the servers of its members in containers, from the image that class/hub.md has a teacher build."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.classroom.room import DEFAULTS, open_room
from tests.classroom.server import RunningHub, open_folder, running_hub, why_no_hub
from tests.classroom.visitor import Visitor

pytest.importorskip("dockerspawner", reason="The package dockerspawner is not installed")


def why_no_containers() -> str | None:
    """Say why no container can be started here; None if one can."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    asked = subprocess.run(["docker", "image", "inspect", DEFAULTS["image"]], capture_output=True, check=False)
    if asked.returncode:
        return f"Docker does not run, or has no image {DEFAULTS['image']}"
    return why_no_hub()


REASON = why_no_containers()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"No container is started, because {REASON}")

# In the name of a container it would be another: - and _ are written differently there.
NAME = "ana-maria_b"


@pytest.fixture(scope="module")
def hub() -> Iterator[RunningHub]:
    with open_folder() as folder, running_hub(folder, NAME, words=("--spawner=docker", "--memory=1")) as hub:
        yield hub


@pytest.fixture(scope="module")
def student(hub: RunningHub) -> Iterator[Visitor]:
    """A student who is logged in, with a server."""
    visitor = Visitor(hub.address, NAME, hub.passwords()[NAME])
    visitor.log_in()
    visitor.start_server()
    yield visitor
    visitor.stop_server()


def test_a_member_works_in_a_container_with_their_home_folder_and_no_other(hub: RunningHub, student: Visitor):
    room = open_room(hub.room)
    assert student.contents("00_start_here.ipynb")["type"] == "notebook"
    student.save("answer.txt", "mine")
    saved = room.home(NAME) / "my_course" / "answer.txt"
    assert (saved.read_text(), saved.stat().st_uid) == ("mine", room.uids[NAME])
    code = f"""
        import json, os, pathlib
        from course_lib.data import places
        print(json.dumps([os.getuid(), str(places.parts_folder()), os.path.exists({str(room.folder)!r})]))
        """
    answer = json.loads(student.run(code, student.start_kernel()))
    assert answer == [room.uids[NAME], "/home/member/my_course/my_transformer", False]


def test_the_image_holds_no_work_of_anybody(student: Visitor):
    code = "import json, os; print(json.dumps(os.listdir('/opt/course')))"
    found = {*json.loads(student.run(code, student.start_kernel()))}
    assert {"course_lib", "notebooks"} <= found
    assert [name for name in found if Path(name).name.startswith("my_")] == []


def test_the_memory_of_a_member_is_limited(student: Visitor):
    kernel = student.start_kernel()
    assert student.run("print(len(bytearray(500_000_000)))", kernel) == "500000000\n"
    assert student.run("print(len(bytearray(1_500_000_000)))", kernel) == "the kernel died"
