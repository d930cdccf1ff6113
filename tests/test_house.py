"""Rules for the repository: which room may import which, sizes, the cost of an import, and forbidden content."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "course_lib"

# The rooms of the library from bottom to top: a room imports only itself and the rooms before it in this list.
ROOMS = [
    "network",
    "transformer",
    "text",
    "data",
    "copies",
    "learning",
    "writing",
    "scoring",
    "pretrained",
    "pictures",
    "experiments",
    "recipes",
    "exercises",
    "lessons",
    "yours",
    "classroom",
    "cli",
]
# In the textbook, a file imports only the files before it in this list.
TEXTBOOK = ["attention", "cache", "positions", "layers", "config", "models", "build"]
LIGHT = ROOMS[: ROOMS.index("pretrained")]

# Written in halves, so that this file does not contain what it forbids.
REGISTRY_HOSTS = [
    f"{name}.{end}"
    for name, end in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb.debian", "org"),
        ("conda.anaconda", "org"),
        ("crates", "io"),
    ]
]
LARGEST_FILE = 2_000_000
LARGER = {"sentence_translator.safetensors": 8_000_000}  # a translator of real sentences does not fit into less


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in listing.decode().split("\0") if name and (path := ROOT / name).is_file()]


def imports(source: str, package: str) -> Iterator[str]:
    """Name every module that a source imports, also inside functions; `package` is the package of the source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -node.level + 1 or None] if node.level else []
            module = ".".join([*parents, *filter(None, [node.module])])
            # `from course_lib import models` imports a module by its name in the list.
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "course_lib" else [module]


def imports_of(path: Path) -> set[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return set(imports(path.read_text(encoding="utf-8"), package))


def room_of(path: Path) -> str:
    """Give the room of a file of the library."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def goes_up(importer: str, imported: str) -> bool:
    """Whether one room imports another that is above it."""
    return ROOMS.index(imported) > ROOMS.index(importer)


def library_files() -> list[Path]:
    return [path for path in sorted(LIBRARY.rglob("*.py")) if path != LIBRARY / "__init__.py"]


def test_every_file_of_the_library_is_in_a_room():
    assert {room_of(path) for path in library_files()} == set(ROOMS)


def test_no_room_uses_a_room_above_it():
    upwards = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in library_files()
        for name in imports_of(path)
        if name.startswith("course_lib.") and goes_up(room_of(path), name.split(".")[1])
    ]
    assert upwards == []


def test_nothing_imports_the_recipes_but_one_another_and_their_tests():
    sources = {path: path.read_text(encoding="utf-8") for path in tracked_files() if path.suffix == ".py"}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources[path] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    importing = {
        path.parent.relative_to(ROOT).as_posix()
        for path, source in sources.items()
        for module in imports(source, ".".join(path.relative_to(ROOT).parent.parts))
        if module.startswith("course_lib.recipes")
    }
    assert importing == {"course_lib/recipes", "tests/recipes"}


def test_no_file_of_the_textbook_uses_a_later_one():
    upwards = [
        f"{name}.py imports {module}"
        for number, name in enumerate(TEXTBOOK)
        for module in imports_of(LIBRARY / "transformer" / f"{name}.py")
        if module.startswith("course_lib.") and module.split(".")[-1] not in ["transformer", *TEXTBOOK[:number]]
    ]
    assert upwards == []


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("import torch.nn as nn", "course_lib", {"torch.nn"}),
        ("from course_lib.transformer.models import Encoder", "course_lib", {"course_lib.transformer.models"}),
        ("from course_lib import data, yours", "course_lib", {"course_lib.data", "course_lib.yours"}),
        ("from . import data", "course_lib", {"course_lib.data"}),
        ("from .data import fetch", "course_lib", {"course_lib.data"}),
        ("from ..data import fetch", "course_lib.text", {"course_lib.data"}),
        ("from .lexicon import WORDS", "course_lib.data.grammar", {"course_lib.data.grammar.lexicon"}),
        ("def f():\n    import matplotlib", "course_lib", {"matplotlib"}),
    ],
)
def test_every_way_to_import_is_seen(source: str, package: str, found: set[str]):
    assert set(imports(source, package)) == found


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("transformer", "text", True),
        ("text", "transformer", False),
        ("data", "pictures", True),
        ("pretrained", "pretrained", False),
        ("exercises", "lessons", True),
    ],
)
def test_rooms_are_distinguished(importer: str, imported: str, wrong: bool):
    assert goes_up(importer, imported) == wrong


def test_the_textbook_needs_only_torch_and_the_standard_library():
    allowed = {"torch", "course_lib"} | sys.stdlib_module_names
    for path in (LIBRARY / "transformer").glob("*.py"):
        assert {module.split(".")[0] for module in imports_of(path)} <= allowed, path.name


def test_importing_the_library_loads_neither_matplotlib_nor_ipywidgets():
    modules = ", ".join(f"course_lib.{name}" for name in LIGHT)
    source = f"import sys, course_lib, {modules}; print(*{{'matplotlib', 'ipywidgets'}} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.stderr, run.stdout.split()) == ("", [])


def test_no_tracked_file_names_a_package_registry():
    named = [
        f"{path.relative_to(ROOT)} names {host}"
        for path in tracked_files()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert named == []


def test_no_tracked_file_is_larger_than_two_megabytes_but_the_translator_of_eight():
    sizes = {path.name: path.stat().st_size for path in tracked_files()}
    assert [name for name, size in sizes.items() if size > LARGER.get(name, LARGEST_FILE)] == []


def test_dependencies_are_ranges_and_torch_has_the_tested_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    assert "torch>=2.6,<2.14" in project["dependencies"]
    for requirement in requirements:
        assert re.search(r">=.+,<", requirement), f"{requirement} should have a lowest version and a bound"
        assert "==" not in requirement
