"""A hub with a teacher and two students, who log in through the proxy, and try what they should not be able to do."""

import json
import os
import re
import signal
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course_lib.classroom.room import open_room
from tests.classroom.server import RunningHub, open_folder, running_hub, why_no_hub
from tests.classroom.visitor import Refused, Visitor

REASON = why_no_hub()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"No hub is tested, because {REASON}")


class Class:
    """A running hub, and its members, logged in. The students' servers run."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub, self.room = hub, open_room(hub.room)
        (self.room.grading / "gradebook.db").write_text("grades")
        self.visitors = {name: Visitor(hub.address, name, word) for name, word in hub.passwords().items()}
        for visitor in self.visitors.values():
            visitor.log_in()
        for name in ("ana", "ben"):
            self.visitors[name].ask("POST", f"/hub/api/users/{name}/server")
        self.kernels = {name: self.start(name) for name in ("ana", "ben")}

    def start(self, name: str) -> str:
        self.visitors[name].wait_for_server()
        return self.visitors[name].start_kernel()

    def run(self, name: str, code: str) -> str:
        """Run code in a student's kernel."""
        return self.visitors[name].run(textwrap.dedent(code), self.kernels[name])

    def attempt(self, name: str, *lines: str) -> list[str]:
        """Try lines of code in a student's kernel, and give for each the name of the error, or "done"."""
        code = f"""
            import json, os, pathlib, shutil, signal, socket, subprocess, torch
            outcomes = []
            for line in {lines!r}:
                try:
                    exec(line)
                    outcomes.append("done")
                except Exception as error:
                    outcomes.append(type(error).__name__)
            print(json.dumps(outcomes))
            """
        return list(json.loads(self.run(name, code)))


@pytest.fixture(scope="module")
def members() -> Iterator[Class]:
    with open_folder() as folder, running_hub(folder, "ana", "# a comment", "", "ben") as hub:
        yield Class(hub)


def refused(visitor: Visitor, method: str, path: str, content: object = None) -> int:
    """The status with which a request is refused; 0 if it is not."""
    try:
        visitor.ask(method, path, content)
    except Refused as error:
        return error.status
    return 0


@pytest.mark.parametrize("name", ["ana", "nobody", "root", "teacher"])
def test_a_wrong_password_and_an_unknown_name_are_refused(members: Class, name: str):
    visitor = Visitor(members.hub.address, name, members.hub.passwords()["ben"])
    with pytest.raises(Refused, match="Invalid username or password"):
        visitor.log_in()


def test_each_student_has_copies_of_the_notebooks_and_saves_parts_beside_them(members: Class):
    names = {entry["name"] for entry in members.visitors["ana"].contents()["content"]}
    assert {"00_start_here.ipynb", "01_attention.ipynb", "17_your_experiments.ipynb"} <= names
    code = "from course_lib.data import places; print(places.parts_folder(), places.place('mine'))"
    home = members.room.home("ana")
    assert members.run("ana", code).split() == [str(home / "my_course" / "my_transformer"), str(home / "mine")]


def test_what_a_student_saves_in_jupyterlab_is_their_own_and_closed_to_others(members: Class):
    members.visitors["ben"].save("answer.txt", "mine")
    file = members.room.home("ben") / "my_course" / "answer.txt"
    status = file.stat()
    assert file.read_text() == "mine"
    assert status.st_uid == members.room.uids["ben"] != members.room.uids["ana"]
    assert (status.st_mode & 0o077, members.room.home("ben").stat().st_mode & 0o077) == (0, 0)


def test_code_of_a_student_reaches_no_file_of_another_nor_of_the_class(members: Class):
    ben, room, uid = members.room.home("ben"), members.room.folder, members.room.uids["ben"]
    (ben / "my_course" / "secret.txt").write_text("ben's answer")
    os.chown(ben / "my_course" / "secret.txt", uid, uid)
    kernel_of_ben = next(p.pid for p in psutil.process_iter() if p.uids().real == uid)
    lines = [
        f"os.listdir({str(ben)!r})",
        f"open({str(ben / 'my_course' / 'secret.txt')!r}).read()",
        f"open({str(ben / 'my_course' / 'secret.txt')!r}, 'w').write('x')",
        f"open({str(ben / 'new.txt')!r}, 'w').write('x')",
        f"shutil.move({str(ben)!r}, 'mine')",
        f"os.link({str(ben / 'my_course' / 'secret.txt')!r}, 'linked')",
        f"open({str(room / 'grading' / 'gradebook.db')!r}).read()",
        f"open({str(room / 'grading' / 'gradebook.db')!r}, 'w').write('x')",
        f"os.listdir({str(room / 'grading')!r})",
        f"open({str(room / 'passwords.csv')!r}).read()",
        f"open({str(room / 'jupyterhub_config.py')!r}).read()",
        f"open({str(room / 'class.json')!r}).read()",
        f"open({str(room / 'class.json')!r}, 'w').write('x')",
        f"open({str(room / 'hub' / 'jupyterhub.sqlite')!r}).read()",
        f"open({str(room / 'hub' / 'cookie_secret')!r}).read()",
        f"os.listdir({str(members.room.home('teacher'))!r})",
        f"open('/proc/{kernel_of_ben}/environ').read()",
        f"os.listdir('/run/transformer-course/{uid}')",
        f"os.kill({kernel_of_ben}, signal.SIGKILL)",
        f"os.setuid({uid})",
        "os.setuid(0)",
        "import course_lib; open(course_lib.__file__, 'a').write('x')",
    ]
    outcomes = members.attempt("ana", *lines)
    assert [line for line, outcome in zip(lines, outcomes, strict=True) if outcome != "PermissionError"] == []
    assert (ben / "my_course" / "secret.txt").read_text() == "ben's answer"
    assert psutil.pid_exists(kernel_of_ben)


def test_a_students_token_opens_no_server_but_their_own(members: Class):
    ana, ben = members.visitors["ana"], members.visitors["ben"]
    save = {"type": "file", "format": "text", "content": "x"}
    assert refused(ana, "GET", "/user/ben/api/contents/") == 403
    assert refused(ana, "GET", "/user/ben/api/contents/01_attention.ipynb") == 403
    assert refused(ana, "PUT", "/user/ben/api/contents/answer.txt", save) == 403
    assert refused(ana, "POST", "/user/ben/api/kernels", {"name": "python3"}) == 403
    assert refused(ana, "POST", "/user/ben/api/terminals") == 403
    assert refused(ana, "DELETE", "/hub/api/users/ben/server") in (403, 404)
    assert refused(ana, "POST", "/hub/api/users/ben/tokens", {}) in (403, 404)
    assert refused(ana, "GET", "/hub/api/users") == 403
    assert refused(ana, "PATCH", "/hub/api/users/ana", {"admin": True}) == 403
    assert refused(ana, "GET", "/user/ana/api/contents/../../ben/my_course/secret.txt") in (403, 404)
    assert refused(ben, "GET", "/user/ben/api/contents/") == 0


def test_a_student_cannot_talk_to_the_hub_or_the_proxy_behind_its_back(members: Class):
    settings = members.room.settings
    code = f"""
        import os, urllib.error, urllib.request
        token = os.environ["JUPYTERHUB_API_TOKEN"]
        for address in ("{settings["proxy_port"]}/api/routes", "{settings["hub_port"]}/hub/api/users"):
            request = urllib.request.Request("http://127.0.0.1:" + address)
            request.add_header("Authorization", "token " + token)
            try:
                print(urllib.request.urlopen(request).status)
            except urllib.error.HTTPError as error:
                print(error.code)
        """
    assert members.run("ana", code).split() == ["403", "403"]


def test_what_a_kernel_prints_goes_through_sockets_that_only_its_student_can_open(members: Class):
    code = "from ipykernel.connect import get_connection_info; print(get_connection_info())"
    connection = json.loads(members.run("ben", code))
    folder = Path("/run/transformer-course", str(members.room.uids["ben"]))
    assert connection["transport"] == "ipc"
    assert Path(connection["ip"]).parent == folder
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o077) == (members.room.uids["ben"], 0)


def test_jupyterlab_is_the_one_of_self_learners(members: Class):
    page = members.visitors["ana"].open("GET", "/user/ana/lab/tree/00_start_here.ipynb").decode()
    settings = json.loads(re.search(r'id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.S)[1])
    assert "anywidget" in [extension["name"] for extension in settings["federated_extensions"]]
    assert {"@jupyter-notebook/lab-extension", "@jupyter/nbgrader"} <= {*settings["disabledExtensions"]}


def test_the_teacher_sees_who_is_there_and_stops_servers_but_opens_none(members: Class):
    teacher = members.visitors["teacher"]
    assert {user["name"] for user in teacher.ask("GET", "/hub/api/users")} == {"ana", "ben", "teacher"}
    assert refused(teacher, "GET", "/user/ben/api/contents/") == 403
    assert refused(members.visitors["ana"], "GET", "/hub/admin") == 403
    assert b"JupyterHub" in teacher.open("GET", "/hub/admin")


def test_too_much_memory_is_refused_and_the_kernel_lives_on(members: Class):
    code = "import torch; torch.ones(3_000_000_000, dtype=torch.uint8)"
    assert "can't allocate memory" in members.run("ana", code)
    assert members.run("ana", "print(1)") == "1\n"


def test_time_processes_and_files_are_limited(members: Class):
    names = ("RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE")
    code = f"import resource; print(*[resource.getrlimit(getattr(resource, name))[1] for name in {names}])"
    assert members.run("ana", code).split() == ["2000000000", "7200", "400", "2000000000", "0"]


def test_what_a_student_left_running_ends_with_their_server(members: Class):
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    left = int(members.run("ben", code))
    assert psutil.pid_exists(left)
    members.visitors["teacher"].ask("DELETE", "/hub/api/users/ben/server")
    end = time.monotonic() + 30
    while psutil.pid_exists(left) and time.monotonic() < end:
        time.sleep(0.1)
    assert not psutil.pid_exists(left)
    uid = members.room.uids["ben"]
    assert [process.pid for process in psutil.process_iter() if process.uids().real == uid] == []


def test_a_hub_that_was_killed_starts_again_with_the_servers_that_still_run():
    with open_folder() as folder:
        with running_hub(folder, "ana") as hub:
            ana = Visitor(hub.address, "ana", hub.passwords()["ana"])
            ana.log_in()
            ana.start_server()
            ana.save("answer.txt", "mine")
            hub.process.send_signal(signal.SIGKILL)
            hub.process.wait()
        with running_hub(folder, "ana", "ben", port=hub.port) as again:
            assert again.passwords()["ana"] == ana.password
            ana.log_in()
            assert ana.ask("GET", "/hub/api/users/ana")["servers"][""]["ready"]
            assert ana.contents("answer.txt")["content"] == "mine"
