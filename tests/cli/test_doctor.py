"""The doctor's report on a computer that has everything the course needs, and on others that lack something."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from course_lib import cli, data
from course_lib.cli import doctor
from course_lib.exercises.keeping import parts

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_version_is_compared_with_the_supported_range():
    (inside,) = doctor.python(">=3.11,<3.99")
    (outside,) = doctor.python(">=3.98,<3.99")
    version = platform.python_version()
    assert (inside.fine, inside.sentence) == (True, f"Python {version} is in the course's range (>=3.11,<3.99).")
    assert (outside.fine, outside.needed) == (False, True)
    assert "is outside the course's range: install Python 3.13 (>=3.98,<3.99)." in outside.sentence


def test_each_package_version_is_compared_with_its_range(monkeypatch: pytest.MonkeyPatch):
    installed = {"torch": "2.13.0+cpu", "numpy": "1.20.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    torch, numpy, tqdm = doctor.packages(["torch>=2.6,<2.14", "numpy>=1.26,<3", "tqdm>=4.66,<5"])
    assert torch == doctor.Finding(True, "torch 2.13.0+cpu is in its range (>=2.6,<2.14).")
    install = f"run `{sys.executable} -m pip install"
    assert numpy == doctor.Finding(
        False, f"numpy 1.20.0 is outside its range (>=1.26,<3): {install} 'numpy>=1.26,<3'`."
    )
    assert tqdm == doctor.Finding(False, f"tqdm is not installed: {install} 'tqdm>=4.66,<5'`.")


@pytest.mark.parametrize(
    ("cores", "memory", "fine", "said"),
    [
        (2, 8e9, True, "2 cores and 8.0 GB of memory are enough."),
        (1, 8e9, False, "1 core and 8.0 GB of memory are not much: "),
        (None, 8e9, False, "1 core and 8.0 GB of memory are not much: "),
        (8, 2e9, False, "8 cores and 2.0 GB of memory are not much: "),
    ],
)
def test_few_cores_or_little_memory_are_reported_but_do_not_stop_the_course(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, memory: float, fine: bool, said: str
):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory))
    (finding,) = doctor.computer()
    assert finding.sentence.startswith(said)
    assert (finding.fine, finding.needed) == (fine, fine)


@pytest.mark.parametrize(("free", "fine"), [(2e9, True), (5e8, False)])
def test_a_nearly_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch, free: float, fine: bool):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    (finding,) = doctor.disk(ROOT)
    assert finding.fine == fine
    assert fine or finding.sentence == "Only 0.5 GB are free on the disk: free 1 GB."


def test_the_learners_parts_are_counted_and_files_that_are_not_used_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "mine"))
    monkeypatch.setattr(parts, "examine", parts.examine_here)
    parts.forget_loaded()
    assert list(doctor.learners_parts()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "softmax.py").write_text("import torch\n\nsoftmax = torch.softmax\n")
    (tmp_path / "mine" / "split_heads.py").write_text("raise SystemExit\n")
    count, unused = doctor.learners_parts()
    assert count == doctor.Finding(True, "mine holds 1 part of yours.")
    assert (unused.fine, unused.needed) == (False, False)
    assert unused.sentence.startswith("mine/split_heads.py is not used, because it raises SystemExit. ")
    assert sorted(file.name for file in (tmp_path / "mine").iterdir()) == ["softmax.py", "split_heads.py"]


def test_a_folder_for_parts_that_cannot_be_written_to_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("a file stands in the folder's place")
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "file" / "mine"))
    (finding,) = doctor.learners_parts()
    assert (finding.fine, finding.needed) == (False, False)
    assert finding.sentence.startswith("Your parts cannot be saved, because ")


def test_a_missing_or_damaged_data_set_is_reported_with_the_command_that_fetches_it(monkeypatch: pytest.MonkeyPatch):
    def damage(name: str) -> str | None:
        if name == "letters":
            raise data.DataMissing("It is not here.")
        return {"tales": None, "shreds": "shreds.txt is not what it was"}[name]

    used, unused = SimpleNamespace(notebooks=(1,)), SimpleNamespace(notebooks=())
    monkeypatch.setattr(data, "SETS", {"tales": used, "letters": used, "shreds": used, "numbers": unused})
    monkeypatch.setattr(data, "damage", damage)
    present, missing, damaged = doctor.data_sets()
    assert present == doctor.Finding(True, "The data set tales is downloaded.")
    assert not any((missing.fine, missing.needed, damaged.fine, damaged.needed))
    assert re.search(r"letters is not downloaded: run `py.* course\.py data letters`\.$", missing.sentence)
    assert re.search(r"shreds is damaged \(shreds\.txt is not what it was\): run `.* data shreds`", damaged.sentence)


def test_explorers_are_ready_only_with_both_parts_in_jupyterlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (real,) = doctor.explorers()
    assert real.fine
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    extension = tmp_path / "share" / "jupyter" / "labextensions" / "anywidget"
    extension.mkdir(parents=True)
    (extension / "package.json").touch()
    (finding,) = doctor.explorers()
    assert not finding.fine
    assert "because JupyterLab lacks @jupyter-widgets/jupyterlab-manager: run `" in finding.sentence
    assert f'`"{sys.executable}" -m pip install --force-reinstall anywidget jupyterlab_widgets`.' in finding.sentence


@pytest.mark.parametrize(
    ("assumed", "fine", "said"),
    [
        (12_000, True, "the minutes given in the notebooks apply."),
        (15_360, True, "unless other programs are busy, expect 1.5 times the minutes given in the notebooks."),
        (40_960, False, "unless other programs are busy, expect 4.0 times the minutes given in the notebooks."),
    ],
)
def test_the_speed_is_compared_with_the_one_that_the_minutes_assume(
    monkeypatch: pytest.MonkeyPatch, assumed: float, fine: bool, said: str
):
    monkeypatch.setattr(doctor, "COURSE_SPEED", assumed)
    monkeypatch.setattr(doctor, "_runs_per_second", lambda action, seconds: (action(), 10.0)[1])
    (finding,) = doctor.speed()
    # Ten passes of 16 sentences of 64 tokens; ten products of two matrices of 1024 by 1024.
    reading = "21 GFLOP/s in matrix products and 10,240 tokens/s through attention, forward and backward"
    assert finding.sentence == f"{reading}: {said}"
    assert finding.fine == fine
    assert fine or not finding.needed


def test_the_fastest_run_within_the_given_time_counts(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 0.0, 5.0, 5.0, 5.25, 6.0, 7.0, 10.5])  # Runs of 5, 0.25 and 1 seconds, until 10 are over.
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    runs = []
    assert doctor._runs_per_second(lambda: runs.append(1), seconds=10) == 4
    assert len(runs) == 3


def test_a_failed_import_is_reported_and_the_remaining_checks_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(doctor, "speed", lambda: iter(()))
    # A checkout without a .venv that the course has made.
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    findings = list(doctor.examine(tmp_path))
    (broken,) = [finding for finding in findings if "psutil" in finding.sentence and not finding.fine]
    assert broken.needed
    assert f'run `"{sys.executable}" -m pip install --editable "{tmp_path}"`.' in broken.sentence
    assert "free on the disk" in findings[findings.index(broken) + 1].sentence


@pytest.mark.parametrize("made_by_the_course", [True, False])
def test_only_an_environment_that_the_course_made_is_to_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by_the_course: bool
):
    (tmp_path / ".venv").mkdir()
    if made_by_the_course:
        (tmp_path / ".venv" / "made-by-course.json").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert doctor._repair(tmp_path).startswith("delete the folder .venv, then run `py") == made_by_the_course


def test_a_healthy_environment_passes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "speed", lambda: iter(()))
    assert [finding.sentence for finding in doctor.examine(ROOT) if finding.needed and not finding.fine] == []


@pytest.mark.parametrize(("needed", "status", "verdict"), [(True, 1, "will not run yet"), (False, 0, "will run")])
def test_the_doctor_fails_only_if_the_course_cannot_run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    needed: bool,
    status: int,
    verdict: str,
):
    findings = [doctor.Finding(True, "This is fine."), doctor.Finding(False, "That is not.", needed)]
    monkeypatch.setattr(doctor, "examine", lambda root: iter(findings))
    assert cli.main(["doctor"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["✓ This is fine.", "✗ That is not."]
    assert verdict in lines[2]


def test_the_doctor_reports_what_is_missing_if_no_package_is_installed():
    source = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from course_lib import cli
sys.exit(cli.main(["doctor"]))
"""
    variables = os.environ | {"PYTHONIOENCODING": "utf-8"}
    # -S leaves out the installed packages.
    command = [sys.executable, "-S", "-c", source]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "✗ Part of the installation is broken (No module named 'packaging')" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "The course will not run yet: fix what is marked with ✗."
