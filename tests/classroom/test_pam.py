"""A hub where members log in with the accounts of the computer, through PAM: accounts are made, used and removed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.classroom.server import RunningHub, open_folder, running_hub
from tests.classroom.system_accounts import GROUP, system_accounts, why_no_accounts
from tests.classroom.visitor import Refused, Visitor

grp = pytest.importorskip("grp", reason="There are no accounts of Unix here")
pwd = pytest.importorskip("pwd", reason="There are no accounts of Unix here")
REASON = why_no_accounts()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"No login through PAM is tested, because {REASON}")


class Class:
    """A running hub, and the accounts of its members and of somebody who is none."""

    def __init__(self, hub: RunningHub, passwords: dict[str, str]) -> None:
        self.hub = hub
        self.teacher, self.student, self.stranger = passwords
        self.passwords = passwords

    def visitor(self, name: str) -> Visitor:
        return Visitor(self.hub.address, name, self.passwords[name])


@pytest.fixture(scope="module")
def members() -> Iterator[Class]:
    with open_folder() as folder, system_accounts(folder, "teacher", "student", "stranger") as passwords:
        teacher, student, _ = passwords
        with running_hub(folder, student, words=("--login", "pam", "--teacher", teacher)) as hub:
            yield Class(hub, passwords)


def test_a_wrong_password_is_refused(members: Class):
    with pytest.raises(Refused, match="Invalid username or password"):
        Visitor(members.hub.address, members.student, members.passwords[members.teacher]).log_in()


def test_an_account_of_somebody_who_is_not_in_the_list_is_refused(members: Class):
    with pytest.raises(Refused, match="Invalid username or password"):
        members.visitor(members.stranger).log_in()
    # The password was the right one.
    assert f"User {members.stranger!r} not allowed" in (members.hub.room / "hub" / "hub.log").read_text()


@pytest.fixture(scope="module")
def student(members: Class) -> Visitor:
    """The student, logged in, with a server."""
    visitor = members.visitor(members.student)
    visitor.log_in()
    visitor.start_server()
    return visitor


def test_a_member_works_as_their_account_in_its_home_folder_and_its_groups(student: Visitor):
    account = pwd.getpwnam(student.name)
    assert student.contents("00_start_here.ipynb")["type"] == "notebook"
    assert Path(account.pw_dir, "my_course", "00_start_here.ipynb").stat().st_uid == account.pw_uid
    code = "import json, os; print(json.dumps([os.getuid(), os.getgid(), os.path.expanduser('~'), os.getgroups()]))"
    *who, groups = json.loads(student.run(code, student.start_kernel()))
    assert who == [account.pw_uid, account.pw_gid, account.pw_dir]
    assert {*groups} == {account.pw_gid, grp.getgrnam(GROUP).gr_gid}


def test_the_end_of_a_server_ends_what_it_started_and_nothing_else_of_the_account(student: Visitor):
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    left = psutil.Process(int(student.run(code, student.start_kernel())))
    # Whoever is logged in through ssh as well has such processes.
    with subprocess.Popen(["sleep", "600"], user=student.name, env={}) as elsewhere:
        try:
            student.stop_server()
            left.wait(10)
            assert elsewhere.poll() is None
        finally:
            elsewhere.kill()
