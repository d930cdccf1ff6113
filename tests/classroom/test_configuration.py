"""JupyterHub's configuration for each way to log in and each way to start servers."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from traitlets.config import Config, PyFileConfigLoader

from course_lib.classroom import configuration, proxy, spawner
from course_lib.classroom.configuration import AUTHENTICATORS, FILE, SPAWNERS, TEXT, configure
from course_lib.classroom.passwords import PasswordList
from course_lib.classroom.room import ClassError, Room
from course_lib.classroom.spawner import MemberSpawner

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "find_proxy", lambda folder: "/bin/proxy")
    monkeypatch.setattr(configuration, "_require", lambda *words: None)


def configured(folder: Path, **settings: object) -> Config:
    Room(folder, "maria", ("ana", "ben"), settings, {"maria": 61000, "ana": 61001, "ben": 61002}).save()
    c = Config()
    configure(c, str(folder))
    return c


def made(user: SimpleNamespace, **settings: object) -> MemberSpawner:
    """The spawner of a user of the hub."""
    member = MemberSpawner(homes="/room/homes", **settings)
    member.user = user
    return member


def test_only_members_are_let_in_and_only_the_proxy_is_reached_from_outside(tmp_path: Path):
    c = configured(tmp_path, port=9000)
    assert c.Authenticator.allowed_users == {"maria", "ana", "ben"}
    assert c.Authenticator.allow_existing_users is False
    assert c.JupyterHub.authenticator_class is PasswordList
    assert c.JupyterHub.spawner_class is MemberSpawner
    assert c.JupyterHub.concurrent_spawn_limit == 0  # A class that arrives at once is not sent away.
    assert c.JupyterHub.bind_url == "http://:9000"
    assert c.JupyterHub.hub_bind_url.startswith("http://127.0.0.1:")
    assert c.ConfigurableHTTPProxy.api_url.startswith("http://127.0.0.1:")
    teacher = c.JupyterHub.load_roles[0]
    assert (teacher["name"], teacher["users"]) == ("teacher", ["maria"])
    assert not [scope for scope in teacher["scopes"] if re.search("admin:|access:", scope)]


def test_a_certificate_makes_the_address_https(tmp_path: Path):
    c = configured(tmp_path, certificate="/c.pem", key="/k.pem", ip="10.0.0.1")
    assert c.JupyterHub.bind_url == "https://10.0.0.1:8000"
    assert (c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key) == ("/c.pem", "/k.pem")


@pytest.mark.parametrize(
    ("login", "chosen"),
    [("passwords", PasswordList), ("shared", PasswordList), ("pam", "pam"), ("oauth", "generic-oauth")],
)
def test_each_login_has_its_authenticator(tmp_path: Path, login: str, chosen: object):
    assert configured(tmp_path, login=login).JupyterHub.authenticator_class == chosen


def test_with_pam_the_accounts_of_the_computer_are_used(tmp_path: Path):
    assert configured(tmp_path, login="pam").MemberSpawner.has_accounts is True
    assert configured(tmp_path).MemberSpawner.has_accounts is False
    assert configured(tmp_path).MemberSpawner.uids["ana"] == 61001


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
@pytest.mark.parametrize(
    ("spawner_name", "root", "sockets"), [("simple", True, 1), ("simple", False, 0), ("docker", True, 0)]
)
def test_kernels_use_sockets_where_ports_could_be_read_by_another_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spawner_name: str, root: bool, sockets: int
):
    monkeypatch.setattr(configuration, "is_root", lambda: root)
    c = configured(tmp_path, spawner=spawner_name)
    assert c.Spawner.args.count("--KernelManager.transport=ipc") == sockets


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_a_server_runs_as_the_members_number_the_account_or_the_user_of_the_hub(monkeypatch: pytest.MonkeyPatch):
    import pwd

    ana, root = (SimpleNamespace(name=name) for name in ("ana", "root"))
    monkeypatch.setattr(spawner, "is_root", lambda: True)
    assert made(ana, uids={"ana": 61001}).who() == (61001, 61001, Path("/room/homes/ana"))
    monkeypatch.setattr(spawner, "is_root", lambda: False)
    assert made(ana).who() == (os.getuid(), os.getgid(), Path("/room/homes/ana"))
    account = pwd.getpwnam("root")
    assert made(root, has_accounts=True).who() == (account.pw_uid, account.pw_gid, Path(account.pw_dir))


def test_systemd_limits_memory_and_time_and_needs_accounts(tmp_path: Path):
    c = configured(tmp_path, spawner="systemd", login="pam", memory=3_000_000_000)
    assert c.JupyterHub.spawner_class == "systemd"
    assert (c.Spawner.mem_limit, c.SystemdSpawner.isolate_tmp) == (3_000_000_000, True)
    properties = c.SystemdSpawner.unit_extra_properties
    assert properties == {"LimitCPU": "7200", "LimitFSIZE": "2000000000", "TasksMax": "400", "UMask": "0077"}
    with pytest.raises(ClassError, match="add --login pam to --spawner systemd"):
        configured(tmp_path, spawner="systemd")


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_with_systemd_a_member_works_in_the_home_folder_of_their_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import pwd

    c = configured(tmp_path, spawner="systemd", login="pam")
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_dir=f"/home/{name}"))
    ana = SimpleNamespace(user=SimpleNamespace(name="ana"))
    assert c.Spawner.environment["COURSE_HOME"](ana) == "/home/ana"


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_a_container_runs_as_the_member_with_their_home_folder_and_nothing_else(tmp_path: Path):
    c = configured(tmp_path, spawner="docker", image="course:2")
    assert (c.JupyterHub.spawner_class, c.DockerSpawner.image) == ("docker", "course:2")
    assert c.DockerSpawner.volumes == {str(tmp_path / "homes" / "{raw_username}"): "/home/member"}
    ana = SimpleNamespace(user=SimpleNamespace(name="ana"))
    assert c.DockerSpawner.extra_create_kwargs(ana) == {"user": "61001:61001"}
    assert c.Spawner.environment["HOME"] == "/home/member"


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
@pytest.mark.parametrize(
    ("spawner", "module", "name"),
    [("systemd", "systemdspawner", "SystemdSpawner"), ("docker", "dockerspawner", "DockerSpawner")],
)
def test_the_settings_of_a_spawner_are_those_that_it_has(tmp_path: Path, spawner: str, module: str, name: str):
    spawner_class = getattr(pytest.importorskip(module, reason=f"{module} is not installed"), name)
    c = configured(tmp_path, spawner=spawner, login="pam")
    assert {*c[name], *c.Spawner} <= {*spawner_class.class_trait_names(config=True)}


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_a_container_gets_the_home_folder_of_its_member_whatever_is_in_the_name(tmp_path: Path):
    dockerspawner = pytest.importorskip("dockerspawner")
    c = configured(tmp_path, spawner="docker")
    member = dockerspawner.DockerSpawner(config=c, user=SimpleNamespace(name="ana-maria_b2", settings={}))
    assert {*member.volume_binds} == {str(tmp_path / "homes" / "ana-maria_b2")}


def test_the_settings_of_the_hub_are_those_that_it_has(tmp_path: Path):
    from jupyterhub.app import JupyterHub
    from jupyterhub.proxy import ConfigurableHTTPProxy

    c = configured(tmp_path)
    for cls in (JupyterHub, MemberSpawner, PasswordList, ConfigurableHTTPProxy):
        assert {*c[cls.__name__]} <= {*cls.class_trait_names(config=True)}, cls
    assert {*c.Spawner} <= {*MemberSpawner.class_trait_names(config=True)}


@pytest.mark.parametrize(("setting", "choices"), [("login", AUTHENTICATORS), ("spawner", SPAWNERS)])
def test_an_unknown_choice_gets_one_sentence_with_the_known_ones(tmp_path: Path, setting: str, choices: dict):
    with pytest.raises(ClassError, match=f"--{setting} telepathy is unknown: choose among {', '.join(choices)}\\."):
        configured(tmp_path, **{setting: "telepathy"})


def test_a_choice_whose_package_is_missing_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    with pytest.raises(ClassError, match=r"`--login x` needs the package no_such: run `.* -m pip install no_such`\."):
        configuration._require("no_such", "--login x")


def test_the_teachers_file_configures_the_class_and_what_follows_in_it_counts(tmp_path: Path):
    configured(tmp_path)
    (tmp_path / FILE).write_text(TEXT.format(folder=str(tmp_path)) + "c.JupyterHub.admin_access = True\n")
    c = PyFileConfigLoader(FILE, path=str(tmp_path)).load_config()
    assert c.Authenticator.allowed_users == {"maria", "ana", "ben"}
    assert c.JupyterHub.admin_access is True


@pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")
def test_a_server_knows_its_home_and_not_the_secrets_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_OF_THE_TEACHER", "x")
    member = made(SimpleNamespace(name="ana"), uids={"ana": 61001})
    found = member.user_env({})
    assert (found["HOME"], found["COURSE_HOME"], found["USER"]) == ("/room/homes/ana", "/room/homes/ana", "ana")
    assert "SECRET_OF_THE_TEACHER" not in found | dict.fromkeys(member.env_keep, "")
