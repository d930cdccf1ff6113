"""The house's own rules: floors, sizes, what an import costs, and what no file may hold."""

import ast
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

# A module imports from its own floor or one above it in this list. The first is the Transformer proper.
FLOORS = [
    ["attention", "positions", "layers", "models"],
    [
        "tokens",
        "bpe",
        "ngrams",
        "corpora",
        "batches",
        "losses",
        "checkpoints",
        "training",
        "cache",
        "decoding",
        "metrics",
        "pretrained",
    ],
    ["look", "figures", "explorers"],
    ["exercises", "yours"],
    ["weights"],
    ["doctor"],
]
TRANSFORMER = FLOORS[0]
FLOOR_OF = {module: number for number, floor in enumerate(FLOORS) for module in floor}

# Written in halves, so that this file does not hold what it forbids.
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
TRANSFORMER_LINES = 800


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in listing.decode().split("\0") if name and (path := ROOT / name).is_file()]


def imports(source: str, package: str) -> Iterator[str]:
    """Name every module that a source imports, also inside functions; `package` is the one that it stands in."""
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


def own_module(path: Path) -> str:
    """Give the module or sub-package of course_lib that a file belongs to."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def misplaced(importer: str, imported: str) -> bool:
    """Say whether one module of course_lib may not import another."""
    if importer in TRANSFORMER and imported in TRANSFORMER:
        return TRANSFORMER.index(imported) > TRANSFORMER.index(importer)
    return FLOOR_OF[imported] > FLOOR_OF[importer]


def library_files() -> list[Path]:
    return [path for path in sorted(LIBRARY.rglob("*.py")) if path != LIBRARY / "__init__.py"]


def test_every_module_of_the_library_has_a_floor():
    assert {own_module(path) for path in library_files()} <= FLOOR_OF.keys()


def test_no_file_of_the_library_imports_upwards():
    upwards = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in library_files()
        for name in imports_of(path)
        if name.startswith("course_lib.") and misplaced(own_module(path), name.split(".")[1])
    ]
    assert upwards == []


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("import torch.nn as nn", "course_lib", {"torch.nn"}),
        ("from course_lib.models import Encoder", "course_lib", {"course_lib.models"}),
        ("from course_lib import models, yours", "course_lib", {"course_lib.models", "course_lib.yours"}),
        ("from . import models", "course_lib", {"course_lib.models"}),
        ("from .models import Encoder", "course_lib", {"course_lib.models"}),
        ("from ..models import Encoder", "course_lib.corpora", {"course_lib.models"}),
        ("from .lexicon import WORDS", "course_lib.corpora", {"course_lib.corpora.lexicon"}),
        ("def f():\n    import matplotlib", "course_lib", {"matplotlib"}),
    ],
)
def test_every_way_to_import_is_seen(source: str, package: str, found: set[str]):
    assert set(imports(source, package)) == found


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("models", "attention", False),
        ("attention", "models", True),
        ("tokens", "corpora", False),
        ("corpora", "figures", True),
        ("weights", "models", False),
    ],
)
def test_floors_are_told_apart(importer: str, imported: str, wrong: bool):
    assert misplaced(importer, imported) == wrong


def test_the_transformer_imports_only_torch_and_the_standard_library():
    allowed = {"torch", "course_lib"} | sys.stdlib_module_names
    for name in TRANSFORMER:
        assert {module.split(".")[0] for module in imports_of(LIBRARY / f"{name}.py")} <= allowed, name


def test_the_transformer_stays_under_800_lines():
    lines = {name: len((LIBRARY / f"{name}.py").read_text(encoding="utf-8").splitlines()) for name in TRANSFORMER}
    assert sum(lines.values()) < TRANSFORMER_LINES, lines


def test_importing_the_library_loads_neither_matplotlib_nor_ipywidgets():
    modules = ", ".join(f"course_lib.{name}" for name in chain(*FLOORS[:2]))
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


def test_no_tracked_file_is_larger_than_two_megabytes():
    assert [path.name for path in tracked_files() if path.stat().st_size > LARGEST_FILE] == []


def test_dependencies_are_ranges_and_torch_has_the_one_that_was_tried():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    assert "torch>=2.6,<2.14" in project["dependencies"]
    for requirement in requirements:
        assert re.search(r">=.+,<", requirement), f"{requirement} should have a lowest version and a bound"
        assert "==" not in requirement
