"""Low-rank adapters: learn a small change of a frozen matrix, and add it to the matrix afterwards.

Hu et al. 2021, LoRA, arXiv:2106.09685. Built by hand in notebook 12.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

Kind = TypeVar("Kind", bound=nn.Module)


class LowRankAdapter(nn.Module):
    """A change of a linear map that has few parameters: (α/r) · B A, with A (r, d_in) and B (d_out, r).

    Hu et al. 2021, arXiv:2106.09685, section 4.1. A begins at random and B at 0, so at first the change is 0.

    Args:
        d_in: width of what comes in.
        d_out: width of what goes out.
        rank: r, the width between A and B.
        alpha: α, the scale of the change; it is divided by r.

    >>> LowRankAdapter(4, 3, rank=2, alpha=4.0)(torch.ones(1, 4))
    tensor([[0., 0., 0.]], grad_fn=<MulBackward0>)
    """

    def __init__(self, d_in: int, d_out: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(rank, d_in) * d_in**-0.5)
        self.B = nn.Parameter(torch.zeros(d_out, rank))
        self.scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        """What the adapter adds to the linear map's output: (..., d_in) to (..., d_out)."""
        return self.scale * (x @ self.A.T @ self.B.T)


def merge_adapter(weight: Tensor, A: Tensor, B: Tensor, alpha: float) -> Tensor:
    """Add an adapter to the matrix that it changes: W + (α/r) B A. It costs nothing from then on.

    Args:
        weight: W, (d_out, d_in), as `nn.Linear` keeps it.
        A: (r, d_in).
        B: (d_out, r).
        alpha: α.

    Returns a new matrix, (d_out, d_in). Raises ValueError for shapes that do not fit.
    """
    if B.shape[-1] != A.shape[0] or weight.shape != (B.shape[0], A.shape[-1]):
        raise ValueError(
            f"A (r, d_in) and B (d_out, r) should fit the weight (d_out, d_in), but the shapes are {tuple(A.shape)}, "
            f"{tuple(B.shape)} and {tuple(weight.shape)}"
        )
    return weight + alpha / A.shape[0] * (B @ A)


class AdaptedLinear(nn.Module):
    """A frozen linear map and a change of it that learns. Made by `add_adapters`."""

    def __init__(self, linear: nn.Linear, adapter: nn.Module) -> None:
        super().__init__()
        self.linear, self.adapter = linear.requires_grad_(False), adapter

    def forward(self, x: Tensor) -> Tensor:
        """Both outputs, added: (..., d_in) to (..., d_out)."""
        output: Tensor = self.linear(x) + self.adapter(x)
        return output

    @property
    def change(self) -> Tensor:
        """The matrix that the adapter adds to the linear map's, (d_out, d_in), computed from what it does."""
        d_in = self.linear.in_features
        basis = torch.eye(d_in, dtype=self.linear.weight.dtype, device=self.linear.weight.device)
        columns: Tensor = self.adapter(basis)  # (d_in, d_out)
        return columns.T


def add_adapters(model: nn.Module, rank: int, alpha: float, adapter: type[nn.Module] = LowRankAdapter) -> int:
    """Freeze a model, and give each of its linear maps an adapter that learns.

    Args:
        model: it is changed in place.
        rank: r.
        alpha: α.
        adapter: the class of the adapters, made with d_in, d_out, rank and alpha.

    Returns how many numbers learn. Raises ValueError for a model without linear maps.
    """
    model.requires_grad_(False)
    for parent, name, linear in _children(model, nn.Linear):
        made = adapter(linear.in_features, linear.out_features, rank, alpha)
        setattr(parent, name, AdaptedLinear(linear, made.to(linear.weight.device)))
    learning = sum(each.numel() for each in model.parameters() if each.requires_grad)
    if not learning:
        raise ValueError("the model has no nn.Linear inside that could be adapted")
    return learning


@torch.no_grad()
def merge_adapters(model: nn.Module) -> int:
    """Add every adapter to its matrix, and put the plain linear maps back. Returns how many there were."""
    adapted = list(_children(model, AdaptedLinear))
    for parent, name, both in adapted:
        both.linear.weight += both.change
        setattr(parent, name, both.linear)
    return len(adapted)


def _children(model: nn.Module, kind: type[Kind]) -> list[tuple[nn.Module, str, Kind]]:
    """List the modules of a kind, each with the module that holds it and its name there."""
    return [
        (parent, name, child)
        for parent in list(model.modules())
        for name, child in list(parent.named_children())
        if isinstance(child, kind)
    ]
