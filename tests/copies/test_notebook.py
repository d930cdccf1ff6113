"""What counts as the same cell, as an answer, and as a copy."""

import pytest

from course_lib.copies.notebook import Notebook, digest, exercise_of, is_answered
from tests.copies.course import ANSWER, STUB, code, markdown


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ('@exercise("softmax")\ndef softmax(x):', "softmax"),
        ("@exercise('softmax')\ndef other(x):", "softmax"),
        ("import torch\n\n\n@exercise( softmax )\ndef softmax(x):", "softmax"),
        ("@exercise\nclass LayerNorm(nn.Module):", "LayerNorm"),
        ("@exercise  # mine\n@torch.no_grad()\ndef softmax(x):", "softmax"),
        ('# @exercise("softmax")', None),
        ('text = """\n @exercise("softmax")\n"""', None),
        ('hint("softmax")', None),
        ("@exercise", None),
    ],
)
def test_the_exercise_of_a_cell_is_recognized(source: str, name: str | None):
    assert exercise_of(code("a", source)) == name
    assert exercise_of(markdown("a", source)) is None


def test_a_stub_is_no_answer():
    assert is_answered(code("a", ANSWER.format("softmax")))
    assert not is_answered(code("a", STUB.format("softmax")))
    assert not is_answered(code("a", "1 + 1"))


def test_white_space_at_the_ends_of_lines_does_not_count_but_all_else_does():
    assert digest(code("a", "x = 1\ny = 2")) == digest(code("b", "\nx = 1  \r\ny = 2\n\n", "shown"))
    others = [
        code("a", "x = 1\n y = 2"),
        code("a", "x = 1\n\ny = 2"),
        markdown("a", "x = 1\ny = 2"),
        code("a", "x = 1"),
    ]
    assert len({digest(cell) for cell in [code("a", "x = 1\ny = 2"), *others]}) == 5


def test_letters_that_no_file_can_hold_do_no_harm():
    content = b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": "\\ud800"}]}'
    copy = Notebook(content).copy("x")
    assert Notebook(copy.content()).mark is not None


@pytest.mark.parametrize("mark", ["5", "{}", '{"of": 1}', '{"of": "x", "cells": 5}', '{"of": "x", "cells": [1]}'])
def test_a_damaged_mark_counts_as_none(mark: str):
    content = f'{{"nbformat": 4, "metadata": {{"course_copy": {mark}}}, "cells": []}}'
    assert Notebook(content.encode()).mark is None
