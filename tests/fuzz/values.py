"""Values to call functions with: sensible ones, and what people pass by mistake in their place."""

import copy
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Chance(random.Random):
    """Python's generator, which also draws tensors."""

    def floats(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.tensor([self.gauss(0, 1) for _ in range(math.prod(shape))]).reshape(shape)

    def ids(self, *shape: int, below: int = 9) -> Tensor:
        """Ids from 0 to `below` - 1."""
        return torch.tensor([self.randrange(below) for _ in range(math.prod(shape))], dtype=torch.long).reshape(shape)

    def mask(self, *shape: int) -> Tensor:
        """A mask that allows each query at least one key."""
        mask = torch.tensor([self.random() < 0.6 for _ in range(math.prod(shape))]).reshape(shape)
        mask[..., 0] = True
        return mask

    def words(self, most: int = 6) -> list[str]:
        """Some words."""
        return [self.choice(["le", "chat", "the", "king's", "é", "x"]) for _ in range(self.randint(1, most))]

    def text(self, most: int = 12) -> str:
        """Some characters, among them some that take several bytes."""
        return "".join(self.choice("ab the'é👩 \n!-") for _ in range(self.randint(1, most)))


def hostile(value: Any, chance: Chance) -> Any:
    """A value that somebody could pass by mistake in place of a sensible one; the same where nothing comes to mind."""
    if isinstance(value, nn.Module) or callable(value):
        return value
    return chance.choice(_others(value))(value, chance)


def _others(value: Any) -> list[Callable[[Any, Chance], Any]]:
    if isinstance(value, Tensor):
        if value.is_floating_point():
            return [*ANY_TENSOR, *FLOATS]
        return [*ANY_TENSOR, *(MASKS if value.dtype == torch.bool else IDS)]
    for kinds, others in (((bool,), NUMBERS), ((int, float), NUMBERS), ((str,), TEXTS), ((list, tuple), LISTS)):
        if isinstance(value, kinds):
            return others
    return [lambda value, chance: value, lambda value, chance: None]


def _with_one(new: float) -> Callable[[Tensor, Chance], Tensor]:
    """The tensor with one element replaced."""

    def replaced(x: Tensor, chance: Chance) -> Tensor:
        flat = x.flatten().clone()
        if len(flat):
            flat[chance.randrange(len(flat))] = new
        return flat.reshape(x.shape)

    return replaced


ANY_TENSOR: list[Callable[[Any, Chance], Any]] = [
    lambda x, chance: None,
    lambda x, chance: "text",
    lambda x, chance: x.tolist(),
    lambda x, chance: x.numpy() if x.dtype != torch.bfloat16 else x,
    lambda x, chance: x[:0],
    lambda x, chance: x[..., :0],
    lambda x, chance: x[None],
    lambda x, chance: x[0] if x.dim() and len(x) else x,
    lambda x, chance: torch.cat((x, x)) if x.dim() else x,
    lambda x, chance: x[..., :1] if x.dim() else x,
    lambda x, chance: x.transpose(0, -1) if x.dim() else x,
    lambda x, chance: x.mT.contiguous().mT if x.dim() > 1 else x,
    lambda x, chance: x.double(),
    lambda x, chance: x.to(torch.int32),
]
FLOATS: list[Callable[[Any, Chance], Any]] = [
    _with_one(math.nan),
    _with_one(math.inf),
    _with_one(-math.inf),
    lambda x, chance: x * 1e30,
    lambda x, chance: torch.full_like(x, -math.inf),
    lambda x, chance: torch.zeros_like(x),
    lambda x, chance: x.half(),
    lambda x, chance: x.bfloat16(),
    lambda x, chance: x > 0,
]
IDS: list[Callable[[Any, Chance], Any]] = [
    _with_one(-1),
    _with_one(-100),
    _with_one(1000),
    lambda x, chance: x.float() + 0.5,
    lambda x, chance: x > 2,
]
MASKS: list[Callable[[Any, Chance], Any]] = [
    lambda x, chance: torch.zeros_like(x),
    lambda x, chance: ~x,
    lambda x, chance: x.float(),
    lambda x, chance: torch.where(x, 0.0, -math.inf),
]
NUMBERS: list[Callable[[Any, Chance], Any]] = [
    *(
        lambda x, chance, new=new: new
        for new in (0, 1, -1, 7, 2.5, 3.0, math.nan, math.inf, -math.inf, 1e-40, 1e300, None, "3", True, [3], 1.5, -0.1)
    ),
    lambda x, chance: np.float64(x),
    lambda x, chance: np.int64(x) if isinstance(x, int) else np.float32(x),
    lambda x, chance: torch.tensor(x),
]
TEXTS: list[Callable[[Any, Chance], Any]] = [
    *(
        lambda x, chance, new=new: new
        for new in (
            "",
            " ",
            "\ud800",
            "\x00",
            "👩‍👩‍👧",
            "e\u0301",
            "İ",
            "a" * 2000,
            "'" * 300,
            "\r\n\t",
            None,
            5,
            b"the",
            ["a"],
        )
    ),
    lambda x, chance: x.upper(),
    lambda x, chance: x.encode(errors="surrogatepass"),
]
LISTS: list[Callable[[Any, Chance], Any]] = [
    lambda x, chance: [],
    lambda x, chance: None,
    lambda x, chance: "ab",
    lambda x, chance: tuple(x),
    lambda x, chance: list(x),
    lambda x, chance: x[:1],
    lambda x, chance: [*x, *x],
    lambda x, chance: [x],
    lambda x, chance: x[0] if x else x,
    lambda x, chance: [hostile(each, chance) if chance.random() < 0.5 else each for each in x],
    lambda x, chance: _or_same(lambda: np.array(x), x),
    lambda x, chance: _or_same(lambda: torch.tensor(x), x),
]


def _or_same(make: Callable[[], Any], value: Any) -> Any:
    try:
        return make()
    except (TypeError, ValueError, RuntimeError):
        return value


def copied(value: Any) -> Any:
    """A copy to compare with later; models by their weights, functions as they are."""
    if isinstance(value, nn.Module):
        return {name: hash(weight.numpy().tobytes()) for name, weight in value.state_dict().items()}
    if isinstance(value, list | tuple):
        return [copied(each) for each in value]
    if isinstance(value, Tensor | np.ndarray | np.generic | dict | set | str | bytes | int | float):
        return copy.deepcopy(value)
    return type(value).__name__


def plain(value: Any) -> Any:
    """A value in Python's own types, so that results of different kinds can be compared."""
    if isinstance(value, nn.Module):
        return plain(dict(value.state_dict()))
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=repr)
    return value


def equal(ours: Any, theirs: Any, tolerance: float = 1e-3) -> bool:
    """Whether two results are the same: numbers to a share of `tolerance`, NaN and NaN alike."""
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(equal(ours[name], theirs[name], tolerance) for name in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(equal(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)
    return bool(ours == theirs)
