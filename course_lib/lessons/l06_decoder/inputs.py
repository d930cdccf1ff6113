"""What `cross_entropy` and `smoothed_cross_entropy` have in common."""

import math
from typing import Any

import torch
import torch.nn.functional as F

from course_lib.learning.losses import IGNORE


def explain_floor(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say below which number a loss lets no probability fall, if that explains its result; "" otherwise."""
    logits, labels, *smoothing = arguments
    impossible = torch.tensor([[[0.0, -1000.0]]]), torch.tensor([[1]])
    largest = float(answer(*impossible, *(0.0 for _ in smoothing)))
    if not 0 < largest < 200:
        return ""
    floor, result = math.exp(-largest), torch.as_tensor(answer(*arguments))
    p, counts, V = logits.softmax(-1), labels != IGNORE, logits.size(-1)
    epsilon = smoothing[0] if smoothing else 0.0
    target = (1 - epsilon) * F.one_hot(labels.clamp(min=0), V) + epsilon / V  # (B, T, V)
    for log_p in ((p + floor).log(), p.clamp(min=floor).log()):
        loss = -(target * log_p).sum(-1)[counts].mean()
        if torch.allclose(result.to(loss), loss, rtol=1e-4):
            return (
                f"Your code adds {floor:.1g} to the probabilities, or makes it their minimum, so no surprise can "
                f"exceed {largest:.3g}. Use `torch.log_softmax`, which is exact for any logits."
            )
    return ""
