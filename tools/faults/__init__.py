"""Faults that people make, to be planted one at a time: for each file of the library, a file of the same name here."""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Fault:
    """One wrong text in one file of the library, such as `transformer/attention`, and what it does in a phrase."""

    file: str
    right: str
    wrong: str
    phrase: str

    def plant(self, source: str) -> str:
        """The source with the fault. Raises LookupError where the right text does not stand in it exactly once."""
        if source.count(self.right) != 1:
            raise LookupError(
                f"{self.file}.py should hold {self.right!r} once, but has it {source.count(self.right)} times"
            )
        return source.replace(self.right, self.wrong)


def source_of(file: str) -> str:
    """The source of a file of the library."""
    return (ROOT / "course_lib" / f"{file}.py").read_text(encoding="utf-8")


def all_faults() -> list[Fault]:
    """Every fault, file by file."""
    faults = []
    for module in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
        if not module.ispkg:
            file = module.name.removeprefix(f"{__name__}.").replace(".", "/")
            faults += [Fault(file, *row) for row in importlib.import_module(module.name).FAULTS]
    return faults


FAULTS = all_faults()
