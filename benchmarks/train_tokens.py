"""Train the translator, and the same model built with nn.Transformer, in turns, and compare tokens per second.

Run with `python -m benchmarks.train_tokens`. Both use the recipe's sizes, batches, loss and optimizer, on one thread.
"""

import argparse
import dataclasses
import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib.data import grammar
from course_lib.learning.batches import batches_by_length, collate
from course_lib.learning.losses import training_losses, translation
from course_lib.pretrained.translator import SETTINGS, SIZES
from course_lib.text.words import WordTokenizer
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.positions import sinusoidal

TARGET = 1.15
Batch = list[Tensor]


class Peer(nn.Module):
    """The same model as a user of torch would write it: nn.Transformer between embeddings and their transpose."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.scale, self.pad = math.sqrt(config.d_model), config.pad
        self.source = nn.Embedding(config.vocabulary, config.d_model)
        self.target = nn.Embedding(config.target_vocabulary or config.vocabulary, config.d_model)
        self.register_buffer("positions", sinusoidal(config.max_length, config.d_model))
        self.dropout = nn.Dropout(config.dropout)
        sizes = (config.d_model, config.heads, config.layers, config.layers, config.d_ff, config.dropout)
        self.body = nn.Transformer(*sizes, batch_first=True)
        # The translator follows the paper, without the two norms that nn.Transformer adds at the end.
        self.body.encoder.norm = self.body.decoder.norm = None

    def embed(self, tokens: nn.Embedding, ids: Tensor) -> Tensor:
        return self.dropout(tokens(ids) * self.scale + self.positions[: ids.size(1)])

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        T = target_ids.size(1)
        padding = source_ids == self.pad
        hidden = self.body(
            self.embed(self.source, source_ids),
            self.embed(self.target, target_ids),
            tgt_mask=torch.ones(T, T, dtype=torch.bool).triu(1),
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return hidden @ self.target.weight.T


def material(count: int) -> tuple[TransformerConfig, list[Batch], int]:
    """The recipe's configuration, `count` of its batches, and the number of their tokens without padding."""
    pairs = grammar.split(train=4_000, test=10, seed=0).train
    english = WordTokenizer.from_sentences(pair.english for pair in pairs)
    french = WordTokenizer.from_sentences(pair.french for pair in pairs)
    examples = grammar.as_ids(pairs, english, french)
    batches = [
        collate([examples[i] for i in indices], french.pad)
        for indices in batches_by_length(examples, SETTINGS.batch_tokens, shuffle_seed="0")[:count]
    ]
    tokens = sum(int((ids != french.pad).sum()) for batch in batches for ids in batch)
    config = TransformerConfig(vocabulary=len(english), target_vocabulary=len(french), pad=english.pad, **SIZES)
    return config, batches, tokens


def trainer(model: nn.Module, pad: int | None) -> Callable[[list[Batch]], float]:
    """A function that trains the model on batches and returns the seconds it took."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=SETTINGS.betas, eps=1e-9, fused=True)
    model.train()

    def train(batches: list[Batch]) -> float:
        start = time.process_time()
        for batch in batches:
            loss, _ = training_losses(*translation(model, *batch, pad=pad), SETTINGS.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), SETTINGS.clip)
            optimizer.step()
        return time.process_time() - start

    return train


def compare(config: TransformerConfig, batches: list[Batch], tokens: int, rounds: int) -> float:
    """Print and return the median over `rounds` of nn.Transformer's seconds divided by ours on the same batches."""
    torch.manual_seed(0)
    models = build_transformer(config), Peer(config)
    counts = [sum(parameter.numel() for parameter in model.parameters()) for model in models]
    assert counts[0] == counts[1], f"the two models should be equally large, but have {counts} parameters"
    ours, theirs = (trainer(model, config.pad) for model in models)
    pairs = []
    for turn in range(-1, rounds):
        first, second = (ours, theirs) if turn % 2 else (theirs, ours)
        times = {first: first(batches), second: second(batches)}
        pairs.append((times[ours], times[theirs]))
    warm = pairs[1:]
    ratio = statistics.median(slow / fast for fast, slow in warm)
    speeds = [tokens / statistics.median(column) for column in zip(*warm, strict=True)]
    print(f"dropout {config.dropout}: {speeds[0]:,.0f} tokens/s, nn.Transformer {speeds[1]:,.0f}, ratio {ratio:.2f}")
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="pairs of runs")
    parser.add_argument("--batches", type=int, default=6, help="batches in a run")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config, batches, tokens = material(arguments.batches)
    print(f"torch {torch.__version__}, one thread, {SIZES}, median of {arguments.rounds} pairs")
    ratio = compare(config, batches, tokens, arguments.rounds)
    compare(dataclasses.replace(config, dropout=0.0), batches, tokens, arguments.rounds)
    print(f"the recipe's own dropout is {config.dropout}: ratio {ratio:.2f}, target {TARGET}")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
