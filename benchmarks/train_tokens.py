"""Train the translator's model and the same model made of nn.Transformer, in turns, and compare tokens a second.

Run with `python -m benchmarks.train_tokens`. Both see the same batches, loss, optimiser and share of dropout.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models import Transformer, TransformerConfig
from course_lib.positions import sinusoidal

WANTED = 1.15
PAD, BOS, FIRST_WORD = 0, 1, 4


class Peer(nn.Module):
    """The same model as a user of torch writes it: nn.Transformer between a shared embedding and its transpose."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.d_model)
        self.tokens = nn.Embedding(config.vocabulary, config.d_model)
        nn.init.normal_(self.tokens.weight, std=config.d_model**-0.5)
        self.register_buffer("positions", sinusoidal(config.max_length, config.d_model))
        self.dropout = nn.Dropout(config.dropout)
        self.body = nn.Transformer(
            config.d_model,
            config.heads,
            config.layers,
            config.layers,
            config.d_ff,
            config.dropout,
            batch_first=True,
        )

    def embed(self, ids: Tensor) -> Tensor:
        return self.dropout(self.tokens(ids) * self.scale + self.positions[: ids.size(1)])

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        T = target_ids.size(1)
        padding = source_ids == PAD
        hidden = self.body(
            self.embed(source_ids),
            self.embed(target_ids),
            tgt_mask=torch.ones(T, T, dtype=torch.bool).triu(1),
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return hidden @ self.tokens.weight.T


def make_batches(count: int, size: int, vocabulary: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Pairs of padded batches, (size, S) and (size, T): sentences of 5 to 14 tokens, of similar length in a batch."""
    generator = torch.Generator().manual_seed(seed)

    def sentences(longest: int) -> Tensor:
        ids = torch.randint(FIRST_WORD, vocabulary, (size, longest), generator=generator)
        lengths = torch.randint(longest - 2, longest + 1, (size, 1), generator=generator)
        return ids.masked_fill(torch.arange(longest) >= lengths, PAD)

    batches = []
    for longest in torch.randint(7, 15, (count,), generator=generator).tolist():
        target = sentences(longest)
        target[:, 0] = BOS
        batches.append((sentences(longest), target))
    return batches


def trainer(model: nn.Module) -> Callable[[tuple[Tensor, Tensor]], None]:
    """One training step of `model`, as a function of the batch."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9)
    model.train()

    def step(batch: tuple[Tensor, Tensor]) -> None:
        source, target = batch
        logits = model(source, target[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def seconds(step: Callable[[tuple[Tensor, Tensor]], None], batches: list[tuple[Tensor, Tensor]]) -> float:
    start = time.perf_counter()
    for batch in batches:
        step(batch)
    return time.perf_counter() - start


def compare(d_ff: int, size: int, dropout: float, rounds: int) -> float:
    """The median over `rounds` of our tokens a second divided by nn.Transformer's on the same batches."""
    sizes = dict(vocabulary=350, d_model=128, heads=4, d_ff=d_ff, layers=2, dropout=dropout, max_length=64)
    config = TransformerConfig(**sizes, final_norm=True)  # nn.Transformer always ends in a norm
    torch.manual_seed(0)
    ours, theirs = Transformer(config), Peer(config)
    counts = [sum(parameter.numel() for parameter in model.parameters()) for model in (ours, theirs)]
    assert counts[0] == counts[1], f"the two models should be equally large, but have {counts} parameters"
    train_ours, train_theirs = trainer(ours), trainer(theirs)
    batches = make_batches(count=4, size=size, vocabulary=350, seed=0)
    tokens = sum(int((source != PAD).sum() + (target != PAD).sum()) for source, target in batches)
    seconds(train_ours, batches), seconds(train_theirs, batches)
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            pairs.append((seconds(train_ours, batches), seconds(train_theirs, batches)))
        else:
            pairs.append(tuple(reversed((seconds(train_theirs, batches), seconds(train_ours, batches)))))
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    speeds = [tokens / statistics.median(column) for column in zip(*pairs, strict=True)]
    print(f"{dropout:7.1f} {d_ff:6d} {size:6d} {speeds[0]:12,.0f} {speeds[1]:16,.0f} {ratio:7.2f}")
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="pairs of runs for each row")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; ratio: median of {arguments.rounds} pairs")
    print("dropout   d_ff  batch  ours tok/s  nn.Transformer   ratio")
    ratios = [
        compare(d_ff, size, dropout, arguments.rounds)
        for dropout in (0.1, 0.0)
        for d_ff, size in ((256, 64), (512, 128))
    ]
    print(f"least ratio {min(ratios):.2f}, wanted {WANTED}")
    return 0 if min(ratios) >= WANTED else 1


if __name__ == "__main__":
    raise SystemExit(main())
