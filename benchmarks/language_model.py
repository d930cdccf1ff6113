"""Train nanoGPT's small model for the CPU, and the course's language model, in turns, on the same text.

Run with `python -m benchmarks.language_model`; it takes about four minutes. It prints the share of the baseline's
training time after which ours first has the baseline's final validation loss. Both are measured on the same windows of
64 characters of unseen tales, at every position, so that predictions are based on 1 to 64 characters. Times are
processor time on one thread, for training only.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.data import tales
from course_lib.learning.losses import next_token
from course_lib.pretrained.tales_model import SETTINGS, SIZES, train_tales_model, validation_loss
from course_lib.scoring.baselines import loss_baselines
from course_lib.text.characters import CharacterTokenizer

TARGET = 0.5
TURNS = 16
# The command for a CPU in nanoGPT's README, and what config/train_shakespeare_char.py adds to it:
# https://github.com/karpathy/nanoGPT
LAYERS, HEADS, WIDTH, BLOCK, BATCH = 4, 4, 128, 64, 12
STEPS, WARMUP, HIGHEST, LOWEST = 2_000, 100, 1e-3, 1e-4
BETAS, WEIGHT_DECAY, CLIP = (0.9, 0.99), 0.1, 1.0


class Layer(nn.Module):
    """GPT-2's layer, without biases."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(WIDTH, bias=False)
        self.to_heads = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.from_heads = nn.Linear(WIDTH, WIDTH, bias=False)
        self.before_feed_forward = nn.LayerNorm(WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.gelu = nn.GELU()
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.to_heads(self.before_attention(x)).chunk(3, dim=-1)
        queries, keys, values = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        read = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        x = x + self.from_heads(read.transpose(1, 2).flatten(2))
        return x + self.down(self.gelu(self.up(self.before_feed_forward(x))))


class Baseline(nn.Module):
    """A small GPT-2: learned positions, pre-norm, and one matrix for embedding and projection."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Embedding(BLOCK, WIDTH)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                writes = name.endswith(("from_heads.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if writes else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions.weight[: ids.size(1)]
        return F.linear(self.norm(self.layers(x)), self.tokens.weight)


def learning_rate(done: int, steps: int) -> float:
    """nanoGPT's `get_lr`."""
    if done < WARMUP:
        return HIGHEST * (done + 1) / (WARMUP + 1)
    share = (done - WARMUP) / (steps - WARMUP)
    return LOWEST + (HIGHEST - LOWEST) * (1 + math.cos(math.pi * share)) / 2


@dataclass
class Run:
    """One side's training time so far, and its validation losses: (seconds, loss)."""

    seconds: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)

    def reached(self, loss: float) -> float:
        """The seconds after which it first had this loss; inf if never."""
        return next((seconds for seconds, measured in self.curve if measured <= loss), math.inf)


def train_baseline(ids: list[int], model: Baseline, steps: int, run: Run) -> Iterator[None]:
    """Train, and pause after each of `TURNS` slices until the next one is requested."""
    text, chance = torch.tensor(ids), torch.Generator().manual_seed(0)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    # nanoGPT fuses the optimizer on a GPU only; ours is fused on a CPU too, so the baseline's may be as well.
    optimizer = torch.optim.AdamW(groups, lr=HIGHEST, betas=BETAS, fused=True)
    for turn in range(TURNS):
        began = time.process_time()
        for done in range(steps * turn // TURNS, steps * (turn + 1) // TURNS):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(done, steps)
            starts = torch.randint(len(text) - BLOCK, (BATCH, 1), generator=chance)
            window = text[starts + torch.arange(BLOCK + 1)]
            loss = F.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
        run.seconds += time.process_time() - began
        yield


def race(text: str, validation: str, steps: int) -> tuple[Run, Run]:
    """Train both in turns, so that anything that slows the machine slows both. Returns our run and the baseline's."""
    tokenizer = CharacterTokenizer.from_text(text)
    unseen = tokenizer.encode(validation)
    ours, theirs = Run(), Run()
    torch.manual_seed(0)
    baseline = Baseline(len(tokenizer))
    turns = train_baseline(tokenizer.encode(text), baseline, steps, theirs)
    settings = replace(SETTINGS, steps=max(SETTINGS.steps * steps // STEPS, TURNS), progress=False)
    slice_ends = {settings.steps * (turn + 1) // TURNS for turn in range(TURNS)}
    step, began = 0, time.process_time()

    def measure(model: nn.Module) -> None:
        """Stop our clock, measure our model, train the baseline for one slice, and start the clock again."""
        nonlocal began
        ours.seconds += time.process_time() - began
        ours.curve.append((ours.seconds, validation_loss(model, unseen)))
        next(turns)
        theirs.curve.append((theirs.seconds, validation_loss(baseline, unseen)))
        print("  {:6.1f} s {:6.3f}   {:6.1f} s {:6.3f}".format(*ours.curve[-1], *theirs.curve[-1]), flush=True)
        began = time.process_time()

    def objective(model: nn.Module, ids: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal step
        if step in slice_ends:
            measure(model)
        step += 1
        return next_token(model, ids)

    began = time.process_time()
    trained, _ = train_tales_model(text, settings, objective)
    measure(trained.model)
    return ours, theirs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="training steps of the baseline; ours has proportionally many"
    )
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    split = tales.split()
    text, validation = tales.text(split.train), tales.text(split.validation)
    print(f"torch {torch.__version__}, one thread, {len(text):,} training characters, ours {SIZES}")
    print("validation loss, in nats per character, on windows of 64 characters")
    for name, loss in loss_baselines(validation, len(set(text))).items():
        print(f"  {loss:6.3f}  {name}")
    print("            ours        the baseline")
    ours, theirs = race(text, validation, steps)
    target = theirs.curve[-1][1]
    ratio = ours.reached(target) / theirs.seconds
    print(f"ours has the baseline's final loss, {target:.3f}, after {ratio:.2f} of its time; target: {TARGET}")
    print(f"ours ends at {ours.curve[-1][1]:.3f}, after {ours.seconds / theirs.seconds:.2f} of its time")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
