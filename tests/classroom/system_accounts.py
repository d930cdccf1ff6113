"""Accounts of this computer that are made for a test and removed after it."""

import ctypes.util
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.classroom.server import why_no_hub

PROGRAMS = ("useradd", "userdel", "chpasswd")
# A further group of each account: Linux distributions have it, and few files are open to it.
GROUP = "users"


def why_no_accounts() -> str | None:
    """Say why no hub can run here whose members log in through PAM with new accounts; None if one can."""
    reason = why_no_hub()
    if reason:
        return reason
    import grp

    if GROUP not in {group.gr_name for group in grp.getgrall()}:
        return f"there is no group {GROUP}"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed, which makes and removes accounts"
    if ctypes.util.find_library("pam") is None:
        return "PAM is not installed"
    if not any(Path(folder, "login").exists() for folder in ("/etc/pam.d", "/usr/lib/pam.d")):
        return "PAM has no configuration of `login`, which JupyterHub uses"
    return None


@contextmanager
def system_accounts(homes: Path, *kinds: str) -> Iterator[dict[str, str]]:
    """Make an account for each kind, such as "teacher", and give the passwords by user name.

    Args:
        homes: the folder of the home folders.
        kinds: what the names begin with; the rest is random, so that no account is touched that was there.
    """
    passwords = {f"{kind}-{secrets.token_hex(4)}": secrets.token_urlsafe(12) for kind in kinds}
    made = []
    try:
        for name, password in passwords.items():
            home = ("--create-home", "--home-dir", str(homes / name))
            _run("useradd", *home, "--groups", GROUP, "--shell", "/bin/sh", name)
            made.append(name)
            _run("chpasswd", said=f"{name}:{password}\n")
        yield passwords
    finally:
        for name in made:
            _run("userdel", "--force", "--remove", name)


def _run(*words: str, said: str = "") -> None:
    subprocess.run(words, input=said, text=True, check=True, capture_output=True)
