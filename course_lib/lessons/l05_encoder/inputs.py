"""What several exercises of notebook 05 are tried on."""

import torch.nn.functional as F
from torch import Tensor


def norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def backwards(x: Tensor) -> Tensor:
    return 2 * x.flip(-1) + 1


def square(x: Tensor) -> Tensor:
    return x * x
