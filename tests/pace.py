"""How fast this computer is, for tests that hold what a learner's laptop should take."""

import time
from functools import cache

import torch
from torch import nn

LAPTOP = 0.025  # seconds of processor time for the work below


@cache
def slowness() -> float:
    """Say how many times as long as a laptop this computer takes for small tensors; at least 1.

    Most of a check is calls like these. The fastest of several rounds counts, since something else may be running.
    """
    layer, x = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.randn(1, 3, 8)
    seconds = []
    for _ in range(8):
        start = time.process_time()
        for _ in range(100):
            layer(x)
        seconds.append(time.process_time() - start)
    return max(1.0, min(seconds) / LAPTOP)
