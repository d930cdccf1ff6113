"""One model out of several: the mean of their weights. Built by hand in notebook 15."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def average_weights(checkpoints: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average the weights of one model at several moments of its training, each with itself.

    Vaswani et al. 2017, arXiv:1706.03762, section 6.1, translate with the mean of their last 5 to 20 checkpoints.

    Takes the weights by their names, as `state_dict()` gives them; they are left as they are. Whole numbers, such as a
    count of steps, are taken from the last checkpoint. Returns new tensors by the same names.

    Raises ValueError where there is no checkpoint, or where the names or shapes differ.

    >>> average_weights([{"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, 6.0])}])
    {'w': tensor([2., 4.])}
    """
    if not checkpoints:
        raise ValueError("there is nothing to average: give one checkpoint at least")
    shapes = [{name: tuple(weight.shape) for name, weight in each.items()} for each in checkpoints]
    for i, each in enumerate(shapes):
        if each != shapes[0]:
            different = sorted(name for name in {*each, *shapes[0]} if each.get(name) != shapes[0].get(name))
            raise ValueError(f"checkpoint {i} belongs to another model than checkpoint 0: see {different[0]!r}")
    averaged = {}
    for name, last in checkpoints[-1].items():
        if last.is_floating_point():
            averaged[name] = torch.stack([each[name] for each in checkpoints]).mean(dim=0)
        else:
            averaged[name] = last.clone()
    return averaged
