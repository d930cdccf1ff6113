"""Measure which share of one thread's peak performance the matrix products of training reach, at three widths.

Run with `python -m benchmarks.training_efficiency`; it takes about a minute. At each width it trains the course's
language model, in the style of 2017, on a batch of random ids. It counts the floating-point operations in the matrix
products of a step with torch's own counter, divides them by the processor time of the step, and compares the result
with the peak that one thread reaches in a large matrix product, measured in turns with the steps.
"""

import statistics
import sys
import time

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.learning.losses import next_token, training_losses
from course_lib.transformer.build import build_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.watching import watch_attention

WIDTHS = {64: 4, 192: 6, 384: 6}  # and their heads
TARGET = {64: 0.55}
LAYERS, BATCH, LENGTH, VOCABULARY = 4, 16, 64, 65
STEPS, ROUNDS = 10, 7


def train_step(model: nn.Module, optimizer: torch.optim.Optimizer, ids: Tensor) -> None:
    """One step as `course_lib.learning.training` takes it."""
    loss, _ = training_losses(*next_token(model, ids), label_smoothing=0.0)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def peak(size: int = 1024, products: int = 4) -> float:
    """Operations per second of processor time in the product of two large square matrices."""
    a, b = torch.randn(2, size, size)
    start = time.process_time()
    for _ in range(products):
        a @ b
    return products * 2 * size**3 / (time.process_time() - start)


def efficiency(width: int, heads: int) -> float:
    """The share of the peak that training reaches, the median of several rounds."""
    torch.manual_seed(0)
    config = TransformerConfig(
        vocabulary=VOCABULARY, d_model=width, heads=heads, d_ff=4 * width, layers=LAYERS, dropout=0.0, pad=None
    )
    model = build_language_model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(VOCABULARY, (BATCH, LENGTH + 1))
    # The counter does not see into the fused attention, so the products are counted with the attention written out.
    with watch_attention(model), FlopCounterMode(display=False) as counter:
        train_step(model, optimizer, ids)
    shares = []
    for _ in range(ROUNDS + 1):
        most = peak()
        start = time.process_time()
        for _ in range(STEPS):
            train_step(model, optimizer, ids)
        shares.append(STEPS * counter.get_total_flops() / (time.process_time() - start) / most)
    return statistics.median(shares[1:])


def main() -> int:
    """Print the share at each width; returns the exit status."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, one thread, {LAYERS} layers, {BATCH} texts of {LENGTH} tokens")
    reached = True
    for width, heads in WIDTHS.items():
        share = efficiency(width, heads)
        reached &= share >= TARGET.get(width, 0)
        mark = f" (target {TARGET[width]:.0%})" if width in TARGET else ""
        print(f"width {width}: {share:.0%} of the peak of a matrix product{mark}", flush=True)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
