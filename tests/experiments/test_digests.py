"""A digest changes with whatever could change a result, and with nothing else."""

import importlib
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib.experiments.digests import _without_words, digest, versions
from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.layers import EncoderLayer

SOURCE = """
import math
import torch
SCALE = {scale}
def helper(x):
    return x {sign} SCALE
def attend(query, key, value, mask=None, *, power={power}):
    {words}
    return [helper(math.sqrt(each)) for each in query]
class Part(torch.nn.Module):
    width = {width}
    def forward(self, x):
        return attend(x, x, x)
"""
USUAL = {"scale": "2", "sign": "*", "power": "1", "words": "# nothing", "width": "3"}


def written(**changes: str) -> dict:
    names: dict = {"__name__": "__main__"}
    exec(SOURCE.format(**{**USUAL, **changes}), names)
    return names


@pytest.mark.parametrize("name", ["attend", "Part"])
@pytest.mark.parametrize("change", [{"scale": "3"}, {"sign": "+"}, {"power": "2"}])
def test_a_change_of_what_a_function_uses_changes_it(name: str, change: dict):
    assert digest(written()[name]) != digest(written(**change)[name])


@pytest.mark.parametrize("words", ['"""A docstring."""', "# another comment"])
def test_comments_and_docstrings_do_not(words: str):
    assert digest(written()["attend"]) == digest(written(words=words)["attend"])


def test_a_classs_attribute_counts_for_the_class_alone():
    assert digest(written()["Part"]) != digest(written(width="4")["Part"])
    assert digest(written()["attend"]) == digest(written(width="4")["attend"])


def test_what_a_closure_holds_counts():
    def maker(window: int):
        return lambda x: x * window

    assert digest(maker(2)) == digest(maker(2)) != digest(maker(3))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ([1, [2]], [1, 2]),
        ({"a": 1}, {"a": 2}),
        (torch.zeros(2), torch.zeros(2, dtype=torch.float64)),
        (torch.zeros(2, 1), torch.zeros(1, 2)),
        ([{1: 2}], [{"1": 2}]),
        (partial(round, ndigits=1), partial(round, ndigits=2)),
        (torch.relu, torch.sigmoid),
        (nn.ReLU, nn.GELU),
        (scaled_dot_product_attention, EncoderLayer),
    ],
)
def test_different_values_have_different_digests(one: object, other: object):
    assert digest(one) != digest(other)


def test_what_an_inner_function_uses_counts():
    source = "SCALE = {}\ndef outer(x):\n    def inner():\n        return x * SCALE\n    return inner()"
    found = set()
    for scale in (1, 2):
        names: dict = {"__name__": "__main__"}
        exec(source.format(scale), names)
        found.add(digest(names["outer"]))
    assert len(found) == 2


def test_the_same_value_twice_is_two_equal_ones():
    one = torch.ones(2)
    assert digest([one, one]) == digest([one, one.clone()])


def test_a_module_of_the_learners_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = set()
    for number in (1, 2):
        (tmp_path / "own_part_of_mine.py").write_text(f"def part(x):\n    return x * {number}\n")
        importlib.invalidate_caches()
        found.add(digest(importlib.import_module("own_part_of_mine").part))
        del sys.modules["own_part_of_mine"]
    assert len(found) == 2


def test_a_run_depends_on_three_versions():
    assert [*versions()] == ["python", "torch", "course"]
    assert versions()["torch"] == torch.__version__


def test_a_function_that_calls_itself_has_a_digest():
    names = {"__name__": "__main__"}
    exec("def again(n):\n    return n and again(n - 1)", names)
    assert digest(names["again"])


def test_a_digest_is_the_same_in_another_process():
    command = (
        "from course_lib.experiments.digests import digest, versions; from course_lib.transformer.build import COURSE; "
        "print(digest([COURSE, {'b', 'a', 'c'}, 1.5, lambda x: x in {'b', 'a', 'c'}]), versions())"
    )
    found = set()
    for seed in range(3):  # each orders sets in another way
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": f"{seed}"}
        ran = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, env=variables)
        found.add(ran.stdout)
    assert len(found) == 1


def test_what_cannot_be_compared_is_refused_with_a_sentence():
    with pytest.raises(TypeError, match="cannot tell whether a generator has changed"):
        digest(each for each in [1])


def test_the_courses_own_code_counts_without_its_words():
    one, other = 'def f(x):\n    """Words."""\n    return x  # more', 'def f(x):\n    """Others."""\n    return x'
    assert _without_words(one) == _without_words(other) != _without_words(one.replace("return x", "return -x"))
