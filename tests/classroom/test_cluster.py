"""The image and the values for a cluster agree with each other and with the course."""

import json
import os
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from course_lib.classroom import configuration, proxy
from course_lib.classroom.limits import Limits
from course_lib.classroom.room import DEFAULTS, NAME, Room

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "class" / "cluster"
DOCKERFILE = re.sub(r"\\\n", " ", (CLUSTER / "Dockerfile").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((CLUSTER / "values.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SIZES = {"M": 10**6, "G": 10**9, "Mi": 2**20, "Gi": 2**30}


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in instructions("ENV") for pair in line.split())


def in_bytes(size: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([A-Z]i?)", size).groups()
    return int(number) * SIZES[unit]


def test_the_image_is_the_one_of_the_values_and_of_the_docker_spawner():
    image = VALUES["singleuser"]["image"]
    assert image["name"].rpartition("/")[2] == DEFAULTS["image"]
    assert image["tag"] == PROJECT["version"]
    assert f"--tag {DEFAULTS['image']}:{PROJECT['version']} ." in DOCKERFILE


def test_the_images_python_is_in_the_range_of_the_course():
    (base,) = instructions("FROM")
    version = re.fullmatch(r"python:(3\.\d+)-slim", base)[1]
    assert f"{version}.0" in SpecifierSet(PROJECT["requires-python"])


def test_the_image_has_the_course_with_its_extra():
    (extras,) = re.findall(r'--editable "\.\[(.*?)\]"', DOCKERFILE)
    assert extras.split(",") == ["class"]
    assert "class" in PROJECT["optional-dependencies"]


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_all_three_start_the_same_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from traitlets.config import Config

    monkeypatch.setattr(proxy, "find_proxy", lambda folder: "/bin/proxy")
    monkeypatch.setattr(configuration, "_require", lambda *words: None)
    Room(tmp_path, "teacher", ("ana",), {"spawner": "docker"}).save()
    c = Config()
    configuration.configure(c, str(tmp_path))
    (command,) = instructions("CMD")
    assert json.loads(command) == VALUES["singleuser"]["cmd"] == c.Spawner.cmd
    assert VALUES["singleuser"]["defaultUrl"] == c.Spawner.default_url
    assert VALUES["hub"]["loadRoles"]["teacher"]["scopes"] == configuration.TEACHER
    assert {*c.DockerSpawner.volumes.values()} == {variables()["COURSE_HOME"]}


def test_the_port_is_the_one_on_which_a_cluster_looks():
    assert instructions("EXPOSE") == ["8888"]  # KubeSpawner's and DockerSpawner's default


def test_storage_is_mounted_where_the_course_writes():
    home = VALUES["singleuser"]["storage"]["homeMountPath"]
    for found in (variables(), VALUES["singleuser"]["extraEnv"]):
        assert (found["HOME"], found["COURSE_HOME"], found["COURSE_DATA"]) == (home, home, "/opt/course-data")
    assert VALUES["hub"]["config"]["KubeSpawner"]["notebook_dir"] == f"{home}/my_course"
    assert f"--home-dir {home} " in DOCKERFILE
    assert in_bytes(VALUES["singleuser"]["storage"]["capacity"]) >= 1e9


def test_servers_run_as_the_user_of_the_image_and_not_as_root():
    (user,) = instructions("USER")
    assert f"useradd --uid {user} " in DOCKERFILE
    assert int(user) == VALUES["singleuser"]["uid"] == VALUES["singleuser"]["fsGid"] != 0


def test_memory_and_time_are_limited_as_on_one_server():
    assert in_bytes(VALUES["singleuser"]["memory"]["limit"]) == Limits().memory
    assert VALUES["cull"] == {"enabled": True, "timeout": Limits().idle_seconds}


def test_only_listed_users_are_let_in_and_nobody_is_an_administrator():
    config = VALUES["hub"]["config"]
    users = config["Authenticator"]["allowed_users"]
    assert [name for name in users if not NAME.fullmatch(name)] == []
    assert {*VALUES["hub"]["loadRoles"]["teacher"]["users"]} < {*users}
    assert config["Authenticator"]["allow_existing_users"] is False
    assert "allow_all" not in config["Authenticator"] | config["GenericOAuthenticator"]
    assert not [key for table in config.values() for key in table if key.startswith("admin")]


def test_the_school_is_asked_as_on_one_server():
    config = VALUES["hub"]["config"]["GenericOAuthenticator"]
    guide = (ROOT / "class" / "hub.md").read_text(encoding="utf-8")
    settings = dict(re.findall(r"^c\.GenericOAuthenticator\.(\w+) = (.+)$", guide, re.MULTILINE))
    assert {*config} == {*settings}
    for name in ("scope", "username_claim"):
        assert config[name] == json.loads(settings[name])


def test_what_goes_into_the_image_is_what_the_course_needs_and_no_work_of_anybody():
    lines = (CLUSTER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    assert kept == {"course_lib", "notebooks", "pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]}
    assert [name for name in kept if not (ROOT / name).exists()] == []
    # A builder that does not read that file copies no more either.
    copied = [line.split()[:-1] for line in instructions("COPY")]
    assert {*chain(*copied)} == kept
