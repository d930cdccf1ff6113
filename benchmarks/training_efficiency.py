"""How much of what one thread can compute goes into the matrix products of training, at three widths.

Run with `python -m benchmarks.training_efficiency`: about a minute. For each width it trains an encoder–decoder on
batches of the course's own corpus, counts the floating-point operations of its matrix products with torch's counter,
and divides them by the time and by the most that one thread reaches in a large matrix product, measured in turns.
"""

import time

import torch

WIDTHS = (64, 192, 384)
WANTED = {64: 0.55}
ROUNDS = 5


def peak(size: int = 1024) -> float:
    """The operations per second of processor time in a product of two large square matrices."""
    a, b = torch.randn(2, size, size)
    start = time.process_time()
    for _ in range(4):
        a @ b
    return 4 * 2 * size**3 / (time.process_time() - start)
