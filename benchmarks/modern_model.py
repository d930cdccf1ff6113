"""Write with SmolLM2 in the course's parts, and with transformers' `generate` on the same unpacked weights, in turns.

Run with `python -m benchmarks.modern_model`; it takes about two minutes on two cores that do nothing else. It prints
the time from the data on disk to the first token, in a new process and with the imports counted; that process's peak
memory after a story; tokens per second with the cache; and the ratio to `generate` in float32. Where other programs
share the cores, processor time, printed beside the elapsed time, is less disturbed; `--threads 1` measures one thread.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from transformers import logging as transformers_logging

from course_lib import data
from course_lib.pretrained.decoder import FILE, config_of, load_decoder, our_weights
from course_lib.pretrained.gguf_files import ModelFile
from course_lib.writing.choose import greedy
from tests.transformer.reference import smollm2

FIRST_TOKEN, PER_SECOND, RATIO, MEMORY = 8.0, 12.0, 1.3, 1.5e9
PROMPT = "Once upon a time there was a king who had three daughters. One day"
LENGTH = 64
TURNS = 3

ALONE = """
import time; began = time.perf_counter()
import resource, sys, torch
torch.set_num_threads({threads})
from course_lib.pretrained.decoder import load_decoder
pieces = load_decoder().write({prompt!r}, 100)
next(pieces); first, worked = time.perf_counter() - began, time.process_time()
for _ in pieces: pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(first, worked, peak * (1 if sys.platform == "darwin" else 1024))
"""


def alone(threads: int) -> bool:
    """Measure the first token and the peak memory in a new process; return whether both reach their targets."""
    code = ALONE.format(threads=threads, prompt=PROMPT)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first, worked, peak = map(float, printed.split())
    print(f"first token after {first:.1f} s (target below {FIRST_TOKEN:.0f} s), {worked:.1f} s of processor time")
    print(f"peak memory {peak / 1e9:.2f} GB (target below {MEMORY / 1e9:.1f} GB)", flush=True)
    return first < FIRST_TOKEN and peak < MEMORY


def seconds(write: Callable[[], list[int]]) -> tuple[float, float]:
    """The time of one run, and its processor time."""
    began, worked = time.perf_counter(), time.process_time()
    write()
    return time.perf_counter() - began, time.process_time() - worked


def beside_transformers() -> bool:
    """Print tokens per second on both sides, and their ratio; return whether the targets are reached."""
    ours = load_decoder()
    file = ModelFile(data.path("pretrained-decoder") / FILE)
    theirs = smollm2(our_weights(file, config_of(file.about)))
    ids = ours.tokenizer.encode(PROMPT)

    def write_ours() -> list[int]:
        return greedy(ours.model, [ids], LENGTH)[0]

    def write_theirs() -> list[int]:
        settings = {"max_new_tokens": LENGTH, "min_new_tokens": LENGTH, "do_sample": False, "pad_token_id": 2}
        one = torch.tensor([ids])
        output: list[int] = theirs.generate(one, attention_mask=torch.ones_like(one), **settings)[
            0, len(ids) :
        ].tolist()
        return output

    print(f"the first 24 tokens are the same: {write_ours()[:24] == write_theirs()[:24]}")
    spent = [(seconds(write_ours), seconds(write_theirs)) for _ in range(TURNS)]
    elapsed, worked = ([statistics.median(turn[side][kind] for turn in spent) for side in (0, 1)] for kind in (0, 1))
    ratio = elapsed[1] / elapsed[0]
    for name, (mine, other) in (("elapsed", elapsed), ("processor", worked)):
        print(f"{LENGTH / mine:.1f} tokens per second of {name} time, transformers {LENGTH / other:.1f}")
    print(f"ratio {ratio:.2f}, in processor time {worked[1] / worked[0]:.2f}")
    print(f"targets: {PER_SECOND:.0f} tokens per second, ratio {RATIO}")
    return LENGTH / elapsed[0] >= PER_SECOND and ratio >= RATIO


def main() -> int:
    """Run both parts; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="how many threads compute")
    threads = parser.parse_args().threads
    transformers_logging.set_verbosity_error()
    torch.set_num_threads(threads)
    return 0 if all([alone(threads), beside_transformers()]) else 1


if __name__ == "__main__":
    sys.exit(main())
