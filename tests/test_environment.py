"""The requirements of the course agree everywhere: in pyproject.toml, conda's file, CI and the imports."""

import ast
import importlib.metadata
import importlib.util
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# conda-forge's name for a package that has another name in pip. The other names are the same.
CONDA_NAMES = {"torch": "pytorch-cpu"}
PYTHONS = [f"3.{minor}" for minor in range(30) if f"3.{minor}.0" in SpecifierSet(PROJECT["requires-python"])]


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def conda_ranges() -> dict[str, SpecifierSet]:
    lines = [line for line in read_yaml("environment.yml")["dependencies"] if isinstance(line, str) and line != "pip"]
    return {name: SpecifierSet(ranges) for name, ranges in (line.split(" ", 1) for line in lines)}


def names_of(needs: list[str]) -> set[str]:
    return {Requirement(need).name.lower() for need in needs}


def test_conda_gets_the_packages_of_pyproject_in_the_same_ranges_and_no_others():
    needed = map(Requirement, PROJECT["dependencies"])
    expected = {CONDA_NAMES.get(need.name, need.name): need.specifier for need in needed}
    assert conda_ranges() == expected | {"python": SpecifierSet(PROJECT["requires-python"])}


def test_conda_takes_nothing_but_the_course_itself_from_pip():
    (from_pip,) = [line["pip"] for line in read_yaml("environment.yml")["dependencies"] if isinstance(line, dict)]
    assert from_pip == ["--editable ."]
    assert read_yaml("environment.yml")["channels"] == ["conda-forge"]


@pytest.mark.parametrize("name", PROJECT["optional-dependencies"]["test"] + PROJECT["dependencies"])
def test_installed_packages_are_in_their_ranges(name: str):
    need = Requirement(name)
    assert need.specifier.contains(importlib.metadata.version(need.name), prereleases=True)


def test_the_library_imports_only_what_it_declares():
    declared = names_of(PROJECT["dependencies"])
    for_a_class = declared | names_of(PROJECT["optional-dependencies"]["class"])
    distributions = importlib.metadata.packages_distributions()
    undeclared = set()
    for path in (ROOT / "course_lib").rglob("*.py"):
        allowed = for_a_class if "classroom" in path.relative_to(ROOT).parts else declared
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for module in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"course_lib"}:
                if not allowed & {name.lower() for name in distributions[module]}:
                    undeclared.add(f"{module} in {path.relative_to(ROOT)}")
    assert undeclared == set()


def test_the_tests_have_the_packages_of_a_class_in_the_same_ranges():
    assert set(PROJECT["optional-dependencies"]["class"]) <= set(PROJECT["optional-dependencies"]["test"])


def test_ci_runs_every_python_of_the_range_on_every_system():
    matrix = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}


def test_ci_runs_the_two_commands_and_asks_the_doctor():
    steps = read_yaml(".github/workflows/test.yml")["jobs"]["test"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands == ["python course.py test", "python course.py lab --version", "python course.py doctor"]


def test_the_quick_hooks_run_what_is_installed_here():
    hooks = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    modules = [hook["entry"].split()[2] for hook in hooks]
    assert modules == ["ruff", "ruff", "tools.canonical"]
    for module in modules:
        assert importlib.util.find_spec(module) is not None
