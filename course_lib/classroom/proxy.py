"""configurable-http-proxy, the program that stands between the browsers and the servers. It is written for Node.js."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from course_lib.classroom.room import ClassError, Room

NAME = "configurable-http-proxy"
RANGE = f"{NAME}@^5"
OLDEST_NODE = 20
SECONDS = 300


def proxy_command(room: Room) -> list[str]:
    """The command that starts the proxy: the class's own, or else the one on the PATH.

    Raises ClassError if there is none.
    """
    found = find_proxy(room.folder)
    if found is None:
        raise ClassError(
            f"{NAME} is missing: install Node.js {OLDEST_NODE} or newer and run `npm install --prefix "
            f"{room.folder / 'proxy'} {RANGE}`."
        )
    return [found]


def find_proxy(folder: Path) -> str | None:
    """The proxy's program in the folder of a class, or on the PATH; None if there is none."""
    own = folder / "proxy" / "node_modules" / ".bin" / NAME
    return str(own) if own.is_file() else shutil.which(NAME)


def node_version() -> str | None:
    """The version of Node.js, such as "20.1.0"; None if there is none that starts."""
    try:
        answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip().removeprefix("v")


def why_no_node() -> str | None:
    """Say in one sentence why Node.js cannot be used; None if it can."""
    version = node_version()
    if version is None:
        return (
            f"Node.js is missing, with which the hub's proxy runs: install version {OLDEST_NODE} or newer, for example "
            "with `sudo apt install nodejs npm`."
        )
    if not re.match(r"\d+", version) or int(version.partition(".")[0]) < OLDEST_NODE:
        return f"Node.js {version} is too old for the hub's proxy: install version {OLDEST_NODE} or newer."
    return None


def install_proxy(folder: Path) -> None:
    """Install the proxy into the folder of a class. What an earlier, broken attempt left is replaced.

    Raises ClassError if that is not possible.
    """
    reason = why_no_node()
    if reason:
        raise ClassError(reason)
    npm = shutil.which("npm")
    if npm is None:
        raise ClassError("npm is missing, which installs the hub's proxy: run `sudo apt install npm`, then retry.")
    target = folder / "proxy"
    words = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(target), RANGE]
    try:
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
        ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ClassError(f"npm has not installed {NAME} in {SECONDS} seconds: check the network, then retry.") from None
    except OSError as error:
        raise ClassError(f"{NAME} cannot be installed in {target} ({error.strerror}): free some space.") from error
    if ran.returncode or find_proxy(folder) is None:
        said = [line for line in ran.stderr.splitlines() if line.strip()] or ["no message"]
        raise ClassError(
            f"npm could not install {NAME} ({said[0].removeprefix('npm error ').strip()}): check the network, or copy "
            f"the folder `proxy` of another class to {target}."
        )
