"""Compute on a single thread, where the result or its time should not depend on how many there are."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Make torch use a single thread while the block runs, so that sums are rounded in the same way everywhere.

    Small matrices gain little from more threads, and with more threads than free cores training takes many times as
    long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
