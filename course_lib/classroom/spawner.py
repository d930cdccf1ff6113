"""Start the server of one member of the class, as a Unix user of their own and within limits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Bool, Dict, Instance, Unicode

from course_lib.classroom import limits
from course_lib.classroom.accounts import is_root
from course_lib.classroom.limits import Limits

# The path of a socket may have 107 characters, fewer than one in a home folder would often have.
RUNTIME = Path("/run" if sys.platform == "linux" else "/var/run", "transformer-course")


def runtime_folder(uid: int) -> Path:
    """The folder for the sockets of a member's kernels."""
    return RUNTIME / str(uid)


def make_runtime_folder(uid: int, gid: int) -> None:
    """Make an empty folder for the sockets of a member's kernels, which nobody else can open."""
    assert sys.platform != "win32"
    RUNTIME.mkdir(mode=0o711, parents=True, exist_ok=True)
    RUNTIME.chmod(0o711)
    folder = runtime_folder(uid)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.chown(folder, uid, gid)


class MemberSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """A server as a process of this computer, with a Unix user for each member where the hub runs as root.

    Unlike JupyterHub's `LocalProcessSpawner`, it needs no accounts, limits memory and time, and stops whatever a
    member left running when their server stops. With PAM, the Unix users are those of the accounts.
    """

    uids = Dict(help="The Unix user of each member; empty where all run as the user of the hub.").tag(config=True)
    has_accounts = Bool(False, help="Whether the members have accounts on this computer, with homes.").tag(config=True)
    homes = Unicode(help="The folder of the home folders.").tag(config=True)
    logs = Unicode(help="The folder of the servers' logs.").tag(config=True)
    limits = Instance(Limits, (), help="What the processes of one member may use.").tag(config=True)

    def who(self) -> tuple[int, int, Path]:
        """The user, the group and the home folder of the member."""
        assert sys.platform != "win32"
        name = self.user.name
        if self.has_accounts:
            import pwd

            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid, Path(account.pw_dir)
        if is_root():
            return self.uids[name], self.uids[name], Path(self.homes, name)
        return os.getuid(), os.getgid(), Path(self.homes, name)

    def owner(self) -> str | None:
        """Whose server started a process that counts as the member's; None if all processes of the user count."""
        return self.user.name if self.has_accounts else None

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        home = self.who()[2]
        if is_root():
            env["JUPYTER_RUNTIME_DIR"] = str(runtime_folder(self.who()[0]))
        own = {"HOME": str(home), "COURSE_HOME": str(home), "USER": self.user.name, "LOGNAME": self.user.name}
        return env | own | {"SHELL": "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"}

    def make_preexec_fn(self, name: str) -> Callable[[], None]:  # noqa: ARG002
        # The user is set by `start`, before this runs. Processes are counted by user, not by member.
        chosen = self.limits if is_root() else replace(self.limits, processes=None)
        return lambda: limits.apply(chosen)

    async def start(self) -> Any:
        assert sys.platform != "win32"
        uid, gid, home = self.who()
        self.popen_kwargs = {"cwd": home, "umask": 0o077}
        if is_root():
            groups = os.getgrouplist(self.user.name, gid) if self.has_accounts else []
            self.popen_kwargs |= {"user": uid, "group": gid, "extra_groups": groups}
            make_runtime_folder(uid, gid)
        # The log is opened here, since members may not write into that folder.
        with Path(self.logs, f"{self.user.name}.log").open("wb") as log:
            self.popen_kwargs |= {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            return await super().start()

    async def poll(self) -> int | None:
        status: int | None = await super().poll()
        if status is None and is_root():
            killed = limits.stop_the_largest(self.who()[0], self.limits.memory, self.pid, self.owner())
            if killed is not None:
                self.log.warning("%s had too little memory, so process %s was stopped", self.user.name, killed.pid)
        return status

    async def stop(self, now: bool = False) -> None:
        await super().stop(now)
        if is_root():
            uid = self.who()[0]
            limits.stop_all(uid, self.owner())
            shutil.rmtree(runtime_folder(uid), ignore_errors=True)
