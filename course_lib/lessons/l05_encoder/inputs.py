"""The norm, the sublayers and the cases with which `post_norm` and `pre_norm` are tried."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.cases import case, fixed_tensor


def norm(x: Tensor) -> Tensor:
    """LayerNorm without gain and bias."""
    return F.layer_norm(x, x.shape[-1:])


def shifted(x: Tensor) -> Tensor:
    """A sublayer that squares each feature, and moves it one step to the left.

    A linear map would not do: it gives the same for x and norm(x), but for a factor that the norm removes again.
    """
    return x.roll(-1, -1).square()


def square(x: Tensor) -> Tensor:
    """A sublayer that squares each number."""
    return x * x


def same(x: Tensor) -> Tensor:
    """A norm, or a sublayer, that returns its argument itself, as `nn.Identity` does."""
    return x


def one_more(x: Tensor) -> Tensor:
    """In place of a norm: add 1. The result can be worked out in the head, and shows a factor that a norm removes."""
    return x + 1


AROUND_A_SUBLAYER = (
    case(torch.tensor([[[1.0, 3.0, 2.0]]]), shifted, norm),
    case(torch.tensor([[[-1.0, 0.5, 2.0]]]), shifted, norm),
    case(torch.tensor([[[1.0, 3.0, 2.0]]]), square, one_more, having=("another norm",)),
    case(fixed_tensor(2, 3, 4), square, norm, having=("a batch",)),
    case(fixed_tensor(2, 3, 4), torch.tanh, torch.sinh, having=("a batch", "another norm")),
    case(fixed_tensor(4, 3), square, torch.sinh, having=("another norm", "no batch axis")),
    case(fixed_tensor(1, 1, 5), torch.zeros_like, norm, having=("a sublayer that writes nothing",)),
    case(fixed_tensor(2, 2, 3), square, same, having=("a batch", "another norm", "a norm that returns its argument")),
    case(fixed_tensor(2, 2, 4), same, norm, having=("a batch", "a sublayer that returns its argument")),
    case(fixed_tensor(1, 2, 4, dtype=torch.float64), shifted, norm, having=("float64 numbers",)),
)
