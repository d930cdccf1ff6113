"""The computers for which a bundle has packages: a system and a version of Python, and which wheels run there."""

from __future__ import annotations

from dataclasses import dataclass

from packaging import tags
from packaging.tags import Tag

from course_lib.network.stick import SYSTEMS

# A C library of 2018: all Linux systems that are still supported have it or a newer one. PyTorch needs it too.
NEWEST_GLIBC = 28
# A macOS of 2021: every Mac with an Apple chip can have it or a newer one.
MACOS = (12, 0)

_SYS_PLATFORMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}


@dataclass(frozen=True)
class Target:
    """A kind of computer.

    Attributes:
        system: A name among `SYSTEMS`, such as "linux".
        python: A version of Python, such as "3.12".

    >>> Target("windows", "3.12").platforms
    ('win_amd64',)
    """

    system: str
    python: str

    @property
    def name(self) -> str:
        """The name of the target in files, such as "linux 3.12"."""
        return f"{self.system} {self.python}"

    @property
    def description(self) -> str:
        """The name of the target in sentences."""
        return f"{self.system} with Python {self.python}"

    @property
    def platforms(self) -> tuple[str, ...]:
        """What the names of wheels for this system may end with, the most specific first."""
        system, machine = SYSTEMS[self.system]
        if system == "Windows":
            return (f"win_{machine.lower()}",)
        if system == "Darwin":
            return tuple(tags.mac_platforms(MACOS, machine))
        former = ("manylinux2014", "manylinux2010", "manylinux1") if machine == "x86_64" else ("manylinux2014",)
        current = (f"manylinux_2_{glibc}" for glibc in range(NEWEST_GLIBC, 4, -1))
        return tuple(f"{policy}_{machine}" for policy in (*current, *former, "linux"))

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of the wheels that run on the target."""
        major, minor = self.python.split(".")
        version, interpreter = (int(major), int(minor)), f"cp{major}{minor}"
        own = tags.cpython_tags(version, [interpreter], self.platforms)
        return frozenset({*own, *tags.compatible_tags(version, interpreter, self.platforms)})

    @property
    def markers(self) -> dict[str, str]:
        """What the markers of requirements, such as `sys_platform == "win32"`, are compared with."""
        system, machine = SYSTEMS[self.system]
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "nt" if system == "Windows" else "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": _SYS_PLATFORMS[system],
        }
