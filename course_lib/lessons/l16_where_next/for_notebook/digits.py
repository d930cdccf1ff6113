"""Handwritten digits of 8 × 8 cells, which come with scikit-learn, and how they are learned."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import trange

from course_lib.transformer.watching import watch_attention

EPOCHS, BATCH, RATE, WARMUP = 30, 64, 1e-3, 50


@dataclass(frozen=True)
class Digits:
    """Pictures (N, 8, 8) from 0 to 1 with their digits (N,), to learn from and to test on."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load(test: int = 500) -> Digits:
    """Load scikit-learn's 1,797 digits, and set some aside at random.

    They are a copy of the test set of E. Alpaydin and C. Kaynak 1998, *Optical Recognition of Handwritten Digits*.
    """
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images, labels = torch.tensor(loaded.images, dtype=torch.float32) / 16, torch.tensor(loaded.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    held, known = order[:test], order[test:]
    return Digits(images[known], labels[known], images[held], labels[held])


def train(model: nn.Module, digits: Digits, epochs: int = EPOCHS) -> list[float]:
    """Let a model learn the digits, with a bar; the rate rises, then falls linearly. Returns the loss of each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    steps, losses = epochs * -(-len(digits.images) // BATCH), list[float]()
    for _ in trange(epochs):
        for batch in torch.randperm(len(digits.images)).split(BATCH):
            step = len(losses) + 1
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(step / WARMUP, 1 - (step - 1) / steps)
            loss = F.cross_entropy(model(digits.images[batch]), digits.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


@torch.no_grad()
def right(model: nn.Module, digits: Digits) -> Tensor:
    """Say of each test picture whether the model is right, (N,)."""
    answers: Tensor = model.eval()(digits.test_images).argmax(dim=-1)
    return answers == digits.test_labels


@torch.no_grad()
def looked_at(model: nn.Module, images: Tensor) -> Tensor | None:
    """Give the attention from the class token to each patch in the last layer, averaged over heads, (B, N).

    None where the model does not show its weights.
    """
    with watch_attention(model) as readings:
        model.eval()(images)
    if not readings:
        return None
    weights = list(readings.values())[-1].weights  # (B, H, N + 1, N + 1)
    return weights[:, :, 0, 1:].mean(dim=1)
