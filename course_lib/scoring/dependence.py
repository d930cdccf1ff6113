"""On which tokens a model's outputs depend, found by changing one after the other. Used in notebook 06."""

from collections.abc import Callable

import torch
from torch import Tensor


@torch.no_grad()
def notices(model: Callable[[Tensor], Tensor], ids: Tensor, vocabulary: int) -> Tensor:
    """Find out whether the output at position i changes when the token at position j is changed.

    Takes a model in evaluation mode that turns ids (B, T) into outputs (B, T, ·), one text (1, T), and the number of
    token ids. Returns booleans (T, T): row i says which tokens the output there depends on. Raises ValueError for other
    shapes or numbers, or where there is no second token.

    >>> notices(lambda ids: ids[..., None].cumsum(dim=1), torch.tensor([[2, 0, 1]]), 3)
    tensor([[ True, False, False],
            [ True,  True, False],
            [ True,  True,  True]])
    """
    if ids.dim() != 2 or len(ids) != 1:
        raise ValueError(f"ids should be those of one text, (1, T), but their shape is {tuple(ids.shape)}")
    if ids.dtype == torch.bool or ids.is_floating_point():
        raise ValueError(f"ids should be whole numbers, but are of {ids.dtype}")
    if not vocabulary > 1:
        raise ValueError(f"to change a token, another one is needed, but the vocabulary is {vocabulary}")
    before, changes = model(ids), []
    for j in range(ids.size(1)):
        changed = ids.clone()
        changed[0, j] = (ids[0, j] + 1) % vocabulary
        changes.append((model(changed) - before).abs().amax(dim=-1)[0] > 1e-6)
    return torch.stack(changes, dim=1)
