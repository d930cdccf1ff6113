"""Errors as torch and Python raise them, and the cause that a learner is told."""

import linecache
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from course_lib.exercises.judging.errors import Raised, describe_error, likely_cause, locate
from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.layers import post_norm


def ones_for(count: Any) -> Tensor:
    return torch.ones(count, count)


NAMES = {
    "ones_for": ones_for,
    "torch": torch,
    "np": np,
    "nn": nn,
    "x": torch.ones(2, 3),
    "deep": torch.ones(3, 4, 3),
    "half": 3.0,
    "math": math,
    "self": SimpleNamespace(deep=torch.ones(3, 4, 3)),
    "post_norm": post_norm,
    "mask": torch.ones(2, 3, dtype=torch.bool),
}


def answer(source: str) -> Any:
    """Define a function that returns an expression, in a file of its own."""
    file = f"<{source}>"
    text = f"def answer():\n    return {source}\n"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names = dict(NAMES)
    exec(compile(text, file, "exec"), names)
    return names["answer"]


def raised(function: Any, *arguments: Any) -> Raised:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function(*arguments)
    return locate(function, caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x.T @ x.T", "3×2 and 3×2 are not. Without the transposition of the first one, 2×3, they would be."),
        ("x @ x", "2×3 and 2×3 are not. With the second one transposed, 3×2, they would be."),
        ("x - x.sum(1)", "`keepdim=True` keeps it, with length 1."),
        ("(x - x[:, :2]).sum(1)", "or one of them 1. Has a sum, mean or maximum lost its axis"),
        ("x - x.max(1)", "`.max` returns a pair, values and positions"),
        ("x.exp + 1", "its brackets `()` are missing"),
        ("x.view(2, 3 / 1)", "`//` divides whole numbers"),
        ("1 if mask else 0", "write `mask is not None`"),
        ("1 if (x > 0) else 0", "`.all()` and `.any()` reduce it to one truth value"),
        ("x.T.view(6)", "`reshape` or `flatten` copies them"),
        ("x.view(4, 2)", "have to give as many numbers as the tensor has"),
        ("np.max(x, axis=0, keepdims=True)", "That is numpy's function"),
        ("torch.softmax(x, axis=0, keepdims=True)", "torch writes `dim=` for `axis=`"),
        ("None + x", "Something in that line is None"),
        ("(x, x).exp()", "take them apart"),
        ("nn.ModuleList([nn.Identity()])(x)", "call the layers one after another in a loop"),
        ("x.sum(5)", "A tensor there has fewer axes than that"),
        ("[1, 2][2]", "An index goes past the end"),
        ("{}[3]", "The dictionary has no key 3"),
        ("1 - mask", "To invert a mask, write `~mask`"),
        ("torch.ones(2, 3, 4) @ deep.T", "`.T` reverses all axes"),
        ("torch.ones(2, 3, 4) @ self.deep.T", "`.T` reverses all axes"),
        ("x.T + x", "sizes must be equal, or one of them 1"),
        ("torch.ones(2, 2, 3) @ x.T + torch.ones(2, 2, 3)", "sizes must be equal, or one of them 1"),
        ("nn.Linear(3, 5)(torch.ones(2, 5))", "The one that is called there takes 3, and gets vectors of 5."),
        ("(0.1)(x)", "a plain value of type `float`"),
        ("nn.Linear(3, 2)(nn.ReLU(x))", "`nn.ReLU(…)` makes a layer"),
        ("x.var(axis=-1, ddof=0)", "`correction=0` divides by the count itself"),
        ("[1, 2].get(1)", "`.get` is a method of dictionaries"),
        ("[1, 2].exp()", "turns it into a tensor"),
        ("(3).dtype", "of type `int`, where a tensor is needed."),
        ("(3).exp()", "where a tensor is needed: `math.exp` is for numbers"),
        ("torch.sin(0.5 / 2)", "`math.sin` takes numbers"),
        ("x.view(2, half)", "`//` divides whole numbers"),
        ("torch.ones(3, 4)[:, 4]", "An index goes past the end"),
        ("x.dot(x[0])", "`@` also multiplies matrices"),
        ("x.permute(0, 1, 2)", "has to name every axis"),
        ("nn.Embedding(4, 3)(x)", "An embedding looks up rows by whole numbers"),
        ("math.sqrt(x.shape)", "`.shape` holds the lengths of all axes"),
        ("[1, 2].index(3)", "check with `in` first"),
        ("max([])", "There is nothing left to take the largest or smallest of"),
        ('b"".join([1, 2])', "`bytes([…])` makes bytes of numbers"),
        ("post_norm(x, lambda a, b: a, torch.exp)", "give them a function of one"),
        ("tf.nn.softmax(x)", "`tf` usually stands for TensorFlow"),
        ("Counter(x)", "write `from collections import Counter`"),
        ("itertools.chain(x)", "write `import itertools`"),
        ("x(2)", "is a `*` missing before the bracket"),
        ("post_norm(x, x.exp(), torch.exp)", "call their second and third arguments, so give them functions"),
        ("nn.Embedding(4, 3).shape", "pass its matrix, `.weight`"),
        ("nn.Embedding(4, 3)[0]", "pass its matrix, `.weight`"),
        ("x @ nn.Embedding(4, 3)", "pass its matrix, `.weight`"),
        ("torch.min(1 / 2, 3.0)", "use Python's own `min` or `max`"),
        ("torch.minimum(0.5, 3.0)", "use Python's own `min` or `max`"),
        ("softmax(x, 0)", "write `from course_lib.yours import softmax`"),
        ("{[1, 2]: 3}", "A list cannot be a key of a dictionary"),
        ('{"role": 1}.role', '`["role"]`, not `.role`'),
        ("7 ^ 0.6", "does not mean a power: write `**`"),
        ("[1, 2] - 1", "A list and a number are combined there"),
        ("(5).decode()", "`bytes([…])` makes bytes of numbers"),
        ("bytearray() + 5", "`bytes([…])` makes bytes of numbers"),
        ("x[x]", "Indices are whole numbers"),
        ("x[x / 2]", "`//` divides whole numbers"),
        ("torch.argsort(x, -1, True, stable=True)", "name them, such as `dim=-1`"),
        ("post_norm.forward(x)", "a plain function, not a module"),
        ("post_norm.shape", "its brackets `()` are missing"),
        ("torch.cat((x, deep[0]), 1)", "have to agree on all other axes: here one size is 2, and the other 4."),
        ("sofmax(x, 0)", "is it misspelled, or is `self.` missing?"),
    ],
)
def test_the_cause_of_a_common_error_is_said(source: str, words: str):
    assert words in likely_cause(raised(answer(source)), "softmax(x, dim)", ["softmax"])


def test_a_rare_error_gets_no_cause():
    def rare() -> None:
        raise OSError("the disk is full")

    assert likely_cause(raised(rare), "f()", []) == ""


def test_the_errors_own_full_stop_is_not_doubled():
    def stops() -> None:
        raise ValueError("This is wrong.")

    assert describe_error(raised(stops)).endswith("raises a ValueError: This is wrong.")


def test_an_argument_that_the_answer_does_not_take_is_explained_by_the_signature():
    cause = likely_cause(
        raised(
            lambda: answer("x")(1),
        ),
        "softmax(x, dim)",
        [],
    )
    assert cause == "The call in that line gives other arguments than the function takes: compare it with its `def`."
    with pytest.raises(TypeError) as caught:
        answer("x")(1)
    cause = likely_cause(locate(answer("x"), caught.value), "softmax(x, dim)", [])
    assert cause == "The course calls `softmax(x, dim)`: your `def` should take these arguments, in this order."


def test_an_error_about_arguments_is_not_blamed_on_a_call_that_has_the_right_ones():
    cause = likely_cause(raised(answer("ones_for(torch.tensor([[1, 4]]))")), "answer()", [])
    assert (
        cause
        == "The error comes from inside `ones_for`, which is called there: does it get the arguments that it takes?"
    )


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 3), "The last axis of a mask belongs to the tokens that are read. Here these are 2, and it has 3."),
        ((5, 2), ""),
    ],
)
def test_a_mask_for_other_tokens_than_those_that_are_read_is_explained(shape: tuple[int, ...], words: str):
    def attend() -> Any:
        mask = torch.ones(shape, dtype=torch.bool)
        return scaled_dot_product_attention(torch.ones(3, 4), torch.ones(2, 4), torch.ones(2, 4), mask)

    assert likely_cause(raised(attend), "attend()", []) == words
