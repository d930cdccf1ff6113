"""Generate text with the course's decoding and with transformers' `generate`, in turns, on the same weights.

Run with `python -m benchmarks.generate`; it takes about twelve minutes. It prints the ratio of the tokens per second
for greedy decoding and beam search, both with a cache, how many rows of tokens are the same, and the speed-up by the
cache at 512 tokens. The texts fill nanoGPT's 256 positions, on one thread; each time is the median of alternating runs.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel
from transformers import logging as transformers_logging

from course_lib.transformer.build import build_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import LanguageModel
from course_lib.writing.beam import beam_search
from course_lib.writing.choose import greedy
from tests.transformer.reference import gpt2_language_model

# Width, layers, heads: nanoGPT's small models for the CPU and for one GPU, https://github.com/karpathy/nanoGPT
SIZES = ((128, 4, 4), (384, 6, 6))
TARGET = {128: 1.5, 384: 1.3}
CACHE_TARGET = 5.0
BATCHES = (1, 32)
SAME = 0.9  # random weights lead to near ties, which rounding may decide either way
BEAMS = 4
VOCABULARY, PROMPT = 65, 16  # the characters of nanoGPT's Shakespeare
TURNS = 3
Write = Callable[[], list[list[int]]]


def models(width: int, layers: int, heads: int, positions: int) -> tuple[GPT2LMHeadModel, LanguageModel]:
    """The same GPT-2 twice, transformers' and ours, with the same random weights."""
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "n_positions": positions, "n_embd": width, "n_layer": layers, "n_head": heads}
    theirs = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)).eval()
    config = TransformerConfig.gpt2(
        vocabulary=VOCABULARY, d_model=width, heads=heads, d_ff=4 * width, layers=layers, max_length=positions
    )
    ours = build_language_model(config).eval()
    ours.load_state_dict(gpt2_language_model(theirs))
    return theirs, ours


def writers(theirs: GPT2LMHeadModel, ours: LanguageModel, ids: Tensor, length: int, beams: int) -> tuple[Write, Write]:
    """Two functions, ours and theirs, that generate `length` tokens after each row of ids (B, T)."""
    prompts = ids.tolist()

    def write_ours() -> list[list[int]]:
        if beams == 1:
            return greedy(ours, prompts, length, stop=())
        return [hypotheses[0].ids for hypotheses in beam_search(ours, prompts, length, beams=beams, alpha=0.0, stop=())]

    def write_theirs() -> list[list[int]]:
        settings = {"max_new_tokens": length, "num_beams": beams, "do_sample": False, "pad_token_id": 0}
        penalty = {} if beams == 1 else {"length_penalty": 0.0}
        output = theirs.generate(ids, attention_mask=torch.ones_like(ids), **settings, **penalty)
        return output[:, ids.size(1) :].tolist()

    return write_ours, write_theirs


def seconds(write: Write) -> float:
    """The time of one run."""
    start = time.perf_counter()
    write()
    return time.perf_counter() - start


def in_turns(ours: Write, theirs: Write) -> tuple[float, float]:
    """The median seconds of each side, after one warm-up run."""
    spent = [(seconds(ours), seconds(theirs)) for _ in range(TURNS + 1)][1:]
    mine, other = zip(*spent, strict=True)
    return statistics.median(mine), statistics.median(other)


def beside_transformers(length: int) -> bool:
    """Print the ratios to transformers' speed; return whether all reach their targets."""
    reached = True
    for width, layers, heads in SIZES:
        theirs, ours = models(width, layers, heads, PROMPT + length)
        for batch in BATCHES:
            ids = torch.randint(VOCABULARY, (batch, PROMPT), generator=torch.Generator().manual_seed(1))
            for beams in (1, BEAMS):
                mine, other = writers(theirs, ours, ids, length, beams)
                alike = sum(a == b for a, b in zip(mine(), other(), strict=True))
                ours_took, theirs_took = in_turns(mine, other)
                ratio = theirs_took / ours_took
                reached &= ratio >= TARGET[width] and alike >= SAME * batch
                name = f"width {width}, batch {batch:2}, {'greedy' if beams == 1 else f'{beams} beams'}"
                rates = (
                    f"{batch * length / ours_took:7,.0f} tokens/s, transformers {batch * length / theirs_took:7,.0f}"
                )
                print(
                    f"{name:30} {rates}, ratio {ratio:.2f} (target {TARGET[width]}), same {alike}/{batch}", flush=True
                )
    return reached


def cache_against_none(length: int = 512) -> bool:
    """Print the speed-up by the cache; return whether it reaches its target."""
    _, ours = models(*SIZES[0], length)

    def write(use_cache: bool) -> Callable[[], list[list[int]]]:
        return lambda: greedy(ours, [[1]], length, stop=(), use_cache=use_cache)

    spent: Sequence[float] = [min(seconds(write(use_cache)) for _ in range(2)) for use_cache in (True, False)]
    ratio = spent[1] / spent[0]
    print(f"{length} tokens: {spent[0]:.2f} s with the cache, {spent[1]:.2f} s without, {ratio:.1f} times")
    return ratio >= CACHE_TARGET


def main() -> int:
    """Run both comparisons; return the exit status."""
    transformers_logging.set_verbosity_error()
    torch.set_num_threads(1)
    results = [beside_transformers(length=240), cache_against_none()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
