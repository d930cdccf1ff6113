"""A hub that runs the servers of its members as services of systemd, with accounts of the computer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classroom.server import open_folder, running_hub
from tests.classroom.system_accounts import system_accounts, why_no_accounts
from tests.classroom.visitor import Visitor

pytest.importorskip("systemdspawner", reason="The package jupyterhub-systemdspawner is not installed")
pwd = pytest.importorskip("pwd", reason="There are no accounts of Unix here")


def why_no_systemd() -> str | None:
    """Say why no service of systemd can be started here; None if one can."""
    # sd_booted(3) in systemd's documentation looks for this folder.
    if not Path("/run/systemd/system").is_dir():
        return "systemd does not run here"
    return why_no_accounts()


REASON = why_no_systemd()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"No service of systemd is started, because {REASON}")


@pytest.fixture(scope="module")
def student() -> Iterator[Visitor]:
    """A student who is logged in, with a server."""
    # Not in /tmp, since each service has one of its own.
    with open_folder("/opt") as folder, system_accounts(folder, "teacher", "student") as passwords:
        teacher, name = passwords
        words = ("--login=pam", "--spawner=systemd", "--memory=1", "--teacher", teacher)
        with running_hub(folder, name, words=words) as hub:
            visitor = Visitor(hub.address, name, passwords[name])
            visitor.log_in()
            visitor.start_server()
            yield visitor
            visitor.stop_server()


def test_a_member_works_as_their_account_in_its_home_folder(student: Visitor):
    account = pwd.getpwnam(student.name)
    assert student.contents("00_start_here.ipynb")["type"] == "notebook"
    code = """
        import json, os
        from course_lib.data import places
        print(json.dumps([os.getuid(), str(places.parts_folder()), os.umask(0o077), os.listdir("/tmp")]))
        """
    answer = json.loads(student.run(code, student.start_kernel()))
    assert answer == [account.pw_uid, f"{account.pw_dir}/my_course/my_transformer", 0o077, ["jupyter"]]


def test_the_memory_of_a_member_is_limited(student: Visitor):
    kernel = student.start_kernel()
    assert student.run("print(len(bytearray(500_000_000)))", kernel) == "500000000\n"
    assert student.run("print(len(bytearray(1_500_000_000)))", kernel) == "the kernel died"
