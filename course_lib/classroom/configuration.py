"""JupyterHub's configuration for a class. The file that a teacher may change calls `configure` in its first lines."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_lib.classroom import proxy
from course_lib.classroom.accounts import is_root
from course_lib.classroom.limits import Limits
from course_lib.classroom.passwords import PasswordList, password_file
from course_lib.classroom.room import ClassError, Room, open_room
from course_lib.classroom.spawner import MemberSpawner

FILE = "jupyterhub_config.py"
TEXT = '''"""JupyterHub's configuration of this class. It is yours: the course writes it once, and never changes it.

`configure` sets what the course needs, and what you set after it replaces that. class/hub.md has examples.
"""

from course_lib.classroom.configuration import configure

c = get_config()  # noqa: F821
configure(c, {folder!r})
'''
# What the teacher may do beyond what a student may: see who is there, start and stop servers. They may not open them,
# since a page of a student's server could then act for the teacher in the same browser.
TEACHER = ["admin-ui", "list:users", "servers"]
CULLER = ["list:users", "read:users:activity", "read:servers", "delete:servers"]


def configure(c: Any, folder: str) -> None:
    """Set what a class needs in a configuration of JupyterHub.

    Args:
        c: the configuration.
        folder: the folder of the class.

    Raises ClassError if there is no class, or one of its settings is unknown.
    """
    room = open_room(folder)
    settings = room.all_settings
    _network(c, room, settings)
    _members(c, room)
    _chosen(AUTHENTICATORS, "--login", settings["login"])(c, room)
    _common_to_spawners(c, room, settings)
    _chosen(SPAWNERS, "--spawner", settings["spawner"])(c, room, settings)


def _network(c: Any, room: Room, settings: dict[str, Any]) -> None:
    """Set the addresses. Only the proxy can be reached from other computers."""
    secure = settings["certificate"] is not None
    c.JupyterHub.bind_url = f"http{'s' if secure else ''}://{settings['ip']}:{settings['port']}"
    if secure:
        c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = settings["certificate"], settings["key"]
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings['hub_port']}"
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings['proxy_port']}"
    c.ConfigurableHTTPProxy.command = proxy.proxy_command(room)
    c.ConfigurableHTTPProxy.pid_file = str(room.hub / "proxy.pid")
    c.JupyterHub.db_url = f"sqlite:///{room.hub / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(room.hub / "cookie_secret")
    c.JupyterHub.upgrade_db = True


def _members(c: Any, room: Room) -> None:
    """Let in the members of the class and nobody else, and stop the servers that nobody uses."""
    c.Authenticator.allowed_users = set(room.members)
    # Whoever is no longer in the list is in the database still.
    c.Authenticator.allow_existing_users = False
    idle = Limits().idle_seconds
    c.JupyterHub.services = [
        {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={idle}"]}
    ]
    c.JupyterHub.load_roles = [
        {"name": "teacher", "users": [room.teacher], "scopes": TEACHER},
        {"name": "idle-culler", "services": ["idle-culler"], "scopes": CULLER},
    ]


def _common_to_spawners(c: Any, room: Room, settings: dict[str, Any]) -> None:
    """Set what a member's server is like, wherever it runs."""
    cores = os.cpu_count() or 1
    # A whole class arrives at once, and should wait rather than be sent away.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.Spawner.start_timeout = c.Spawner.http_timeout = 600
    c.Spawner.poll_interval = 10
    c.LocalProcessSpawner.interrupt_timeout = c.LocalProcessSpawner.term_timeout = 5
    c.Spawner.mem_limit = settings["memory"]
    c.Spawner.notebook_dir = "~/my_course"
    c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
    c.Spawner.cmd = [sys.executable, "-P", "-m", "course_lib.classroom.member_server"]
    # A kernel whose notebook is open nowhere ends after half an hour.
    c.Spawner.args = ["--MappingKernelManager.cull_idle_timeout=1800"]
    if settings["spawner"] == "systemd" or (settings["spawner"] == "simple" and is_root()):
        # Whatever a kernel prints could be read by every user of the computer if it used ports. Without root, members
        # are one user anyway, and the path of a socket would often be too long.
        c.Spawner.args += ["--KernelManager.transport=ipc"]
    c.Spawner.environment = {
        "COURSE_DATA": str(room.data),
        "OMP_NUM_THREADS": str(max(1, cores // len(room.members))),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def _passwords(c: Any, room: Room) -> None:
    c.JupyterHub.authenticator_class = PasswordList
    c.PasswordList.file = str(password_file(room))


def _pam(c: Any, _: Room) -> None:
    c.JupyterHub.authenticator_class = "pam"


def _oauth(c: Any, _: Room) -> None:
    _require("oauthenticator", "--login oauth")
    c.JupyterHub.authenticator_class = "generic-oauth"


def _simple(c: Any, room: Room, settings: dict[str, Any]) -> None:
    c.JupyterHub.spawner_class = MemberSpawner
    c.MemberSpawner.uids = room.uids
    c.MemberSpawner.has_accounts = settings["login"] == "pam"
    c.MemberSpawner.homes = str(room.homes)
    c.MemberSpawner.logs = str(room.hub)
    c.MemberSpawner.limits = Limits(memory=settings["memory"])


def _systemd(c: Any, room: Room, settings: dict[str, Any]) -> None:
    _require("systemdspawner", "--spawner systemd", "jupyterhub-systemdspawner")
    if settings["login"] != "pam":
        raise ClassError("systemd starts servers for accounts of this computer: add --login pam to --spawner systemd.")
    c.JupyterHub.spawner_class = "systemd"
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.disable_user_sudo = True
    limits = Limits()
    c.SystemdSpawner.unit_extra_properties = {
        "LimitCPU": str(limits.cpu_seconds),
        "LimitFSIZE": str(limits.file_bytes),
        "TasksMax": str(limits.processes),
        "UMask": "0077",
    }
    c.Spawner.environment |= {
        "COURSE_HOME": lambda spawner: str(room.home(spawner.user.name)),
        # In the member's own /tmp. The path of a socket may have 107 characters, fewer than it may have in their home.
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter",
    }


def _docker(c: Any, room: Room, settings: dict[str, Any]) -> None:
    _require("dockerspawner", "--spawner docker")
    assert sys.platform != "win32"
    uids, own = room.uids, os.getuid()

    def user_of(spawner: Any) -> dict[str, str]:
        # Without root, the home folders are the teacher's own, and the containers keep members apart.
        uid = uids.get(spawner.user.name, own)
        return {"user": f"{uid}:{uid}"}

    c.JupyterHub.spawner_class = "docker"
    c.JupyterHub.hub_bind_url = f"http://0.0.0.0:{settings['hub_port']}"
    c.DockerSpawner.image = settings["image"]
    c.DockerSpawner.remove = True
    c.DockerSpawner.extra_create_kwargs = user_of
    c.DockerSpawner.extra_host_config = {"extra_hosts": {"host.docker.internal": "host-gateway"}, "pids_limit": 400}
    c.DockerSpawner.hub_connect_url = f"http://host.docker.internal:{settings['hub_port']}"
    # `username` would be the name as it is in that of the container, where - and _ are written otherwise.
    c.DockerSpawner.volumes = {str(room.homes / "{raw_username}"): "/home/member"}
    # Inside a container, the course and its Python are where the image has them.
    c.Spawner.cmd = ["python", "-P", "-m", "course_lib.classroom.member_server"]
    c.Spawner.environment = {"HOME": "/home/member", "COURSE_HOME": "/home/member", "OMP_NUM_THREADS": "1"}


AUTHENTICATORS: dict[str, Callable[[Any, Room], None]] = {
    "passwords": _passwords,
    "shared": _passwords,
    "pam": _pam,
    "oauth": _oauth,
}
SPAWNERS: dict[str, Callable[[Any, Room, dict[str, Any]], None]] = {
    "simple": _simple,
    "systemd": _systemd,
    "docker": _docker,
}


def _chosen(choices: dict[str, Any], option: str, name: str) -> Any:
    """One of several choices."""
    if name not in choices:
        raise ClassError(f"{option} {name} is unknown: choose among {', '.join(choices)}.")
    return choices[name]


def _require(module: str, option: str, package: str = "") -> None:
    """Refuse an option whose package is not installed."""
    if importlib.util.find_spec(module) is None:
        raise ClassError(
            f"`{option}` needs the package {package or module}: run `{sys.executable} -m pip install "
            f"{package or module}`."
        )
