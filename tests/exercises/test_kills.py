"""Writers that are killed at random moments lose nothing that was reported as written."""

import os
from pathlib import Path

import pytest

from tools import kills


@pytest.mark.skipif(os.name == "nt", reason="a new process takes too long to start")
@pytest.mark.parametrize(
    ("kind", "times"), [("saving", 36), ("training", 12), ("copying", 12), ("refreshing", 24), ("experiments", 24)]
)
def test_nothing_is_lost_when_a_process_is_killed(tmp_path: Path, kind: str, times: int):
    killed = kills.Kills(tmp_path, seed=1)
    for _ in range(times):
        killed.kill(kind)
    assert killed.lost == []
    if kind in ("saving", "refreshing", "experiments"):
        assert (tmp_path / kind / "reported").read_text().splitlines()


@pytest.mark.skipif(os.name == "nt", reason="a new process takes too long to start")
@pytest.mark.parametrize(
    ("kind", "damage", "said"),
    [
        ("saving", "my_transformer/former/softmax_001.py", "softmax_001.py is not whole"),
        ("copying", "large", "the large file is not whole"),
        ("training", "training.safetensors", "is damaged"),
        ("refreshing", "my_course/01_first.ipynb", "01_first.ipynb is not whole"),
        ("experiments", "study/runs.jsonl", "runs.jsonl is not whole"),
    ],
)
def test_a_half_file_would_be_noticed(tmp_path: Path, kind: str, damage: str, said: str):
    killed = kills.Kills(tmp_path, seed=2)
    file = tmp_path / kind / damage
    for _ in range(20):
        if not file.exists():
            killed.kill(kind, once=file)
    file.write_bytes(file.read_bytes()[:-1])
    try:
        found = list(kills.KINDS[kind][1](tmp_path / kind))
    except ValueError as error:
        found = [str(error)]
    assert any(said in sentence for sentence in found)
