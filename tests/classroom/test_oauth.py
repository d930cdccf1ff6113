"""Members log in at the login of their school, with the configuration that class/hub.md gives."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.classroom.school_login import School, school_login
from tests.classroom.server import (
    ROOT,
    configure_further,
    free_port,
    hub_without_proxy,
    open_folder,
    running_hub,
    why_no_hub,
)
from tests.classroom.visitor import Refused, Visitor

pytest.importorskip("oauthenticator", reason="The package oauthenticator is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")

PASSWORDS = {"ana": "word of ana", "teacher": "word of the teacher", "mallory": "word of mallory"}
ID, SECRET = "the class", "the class's own word"


def lines_of_the_guide() -> str:
    """The lines of class/hub.md that a teacher writes into the configuration."""
    guide = (ROOT / "class" / "hub.md").read_text(encoding="utf-8")
    (lines,) = [code for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "OAuth" in code]
    return lines


@contextmanager
def school_of(folder: Path, port: int) -> Iterator[School]:
    """A school, and the configuration of a hub at a port that asks it."""
    address = f"http://127.0.0.1:{port}"
    with school_login(School(PASSWORDS, ID, SECRET, f"{address}/hub/oauth_callback")) as school:
        lines = lines_of_the_guide().replace("https://class.example.org", address)
        lines = lines.replace("https://login.example.org", school.address)
        for name, value in (("client_id", ID), ("client_secret", SECRET)):
            lines = lines.replace(f'{name} = "…"', f"{name} = {value!r}")
        assert "example.org" not in lines
        assert "…" not in lines
        configure_further(folder, lines)
        yield school


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a hub with the student ana, which asks a school who somebody is."""
    port = free_port()
    with (
        open_folder() as folder,
        school_of(folder, port),
        hub_without_proxy(folder, "ana", "ben", port=port, login="oauth"),
    ):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("name", ["ana", "teacher"])
def test_a_member_whom_the_school_knows_is_let_in_under_that_name(address: str, name: str):
    visitor = Visitor(address, name, PASSWORDS[name])
    visitor.log_in_elsewhere()
    assert visitor.ask("GET", "/hub/api/user")["name"] == name


@pytest.mark.parametrize("name", ["ana", "ben"])
def test_whom_the_school_refuses_the_hub_does_not_see(address: str, name: str):
    with pytest.raises(Refused, match="The school does not know this name with this password"):
        Visitor(address, name, PASSWORDS["mallory"]).log_in_elsewhere()


def test_whom_the_school_knows_and_the_list_does_not_is_refused_by_the_hub(address: str):
    mallory = Visitor(address, "mallory", PASSWORDS["mallory"])
    with pytest.raises(Refused, match="not currently authorized to use this hub"):
        mallory.log_in_elsewhere()


def test_a_made_up_answer_of_the_school_is_refused(address: str):
    with pytest.raises(Refused) as refused:
        Visitor(address, "ana", "").open("GET", "/hub/oauth_callback?code=made_up&state=made_up")
    assert refused.value.status == 400


@pytest.mark.skipif(why_no_hub() is not None, reason=f"No server is started, because {why_no_hub()}")
def test_a_member_whom_the_school_knows_opens_a_notebook():
    port = free_port()
    with (
        open_folder() as folder,
        school_of(folder, port),
        running_hub(folder, "ana", port=port, words=("--login", "oauth")) as hub,
    ):
        ana = Visitor(hub.address, "ana", PASSWORDS["ana"])
        ana.log_in_elsewhere()
        ana.start_server()
        assert ana.contents("00_start_here.ipynb")["type"] == "notebook"
        assert ana.run("print(6 * 7)", ana.start_kernel()) == "42\n"
