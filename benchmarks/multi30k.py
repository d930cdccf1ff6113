"""Translate captions from German to English with the course's Transformer, and score it as a well-known tutorial does.

Run with `python -m benchmarks.multi30k --minutes 60`. Two processes of one thread each train, each on half of every
batch: on two cores they read more captions than one process with two threads. Ben Trevett's tutorial
(https://github.com/bentrevett/pytorch-seq2seq, "Attention is All You Need") reaches 36.52 with 9.04 million parameters
after 10 epochs on a GPU. Its BLEU counts lower-case words; sacreBLEU's, printed beside it, is the one to compare with
papers.

The captions, Multi30k (Elliott et al. 2016, arXiv:1605.00459), have no stated licence, so nothing learned from them is
kept. They come from the web, or from the folder `COURSE_MIRROR`; without either, the benchmark says so.
"""

import argparse
import gzip
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import sacrebleu
import torch

from course_lib import data
from course_lib.data.translations import clean
from course_lib.learning import checkpoints, parallel
from course_lib.learning.batches import Example
from course_lib.learning.losses import translation
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.pretrained.sentence_translator import SentenceTranslator
from course_lib.scoring.bleu import bleu
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.fast_merges import learn_byte_pairs
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Transformer

TARGET, TUTORIAL = 38.0, 36.52
PROCESSES = 2
MERGES = 5_740  # with 256 bytes and 4 special tokens, 6,000 ids
LONGEST = 80
VALIDATED = 500
SIZES = dict(d_model=256, heads=8, d_ff=512, layers=3, max_length=LONGEST, dropout=0.2)
# Cut as spaCy cuts English: words, the endings 's and n't, and each mark.
_TOKEN = re.compile(r"n't\b|'(?:s|m|d|re|ve|ll)\b|\w+?(?=n't\b)|\w+|[^\w\s]")


def captions(part: str) -> list[tuple[str, str]]:
    """Read a part, such as "train": pairs of a German caption and its English translation."""
    folder = data.path("captions")
    lines = {}
    for language in ("de", "en"):
        with gzip.open(next(folder.rglob(f"{part}.{language}.gz")), "rt", encoding="utf-8") as file:
            lines[language] = [clean(line) for line in file]
    return [*zip(lines["de"], lines["en"], strict=True)]


def examples(pairs: Sequence[tuple[str, str]], tokenizer: BytePairTokenizer) -> list[Example]:
    """Turn pairs into ids: German with the end token, English from the one that begins a text to its end."""
    bos, eos = tokenizer.bos, tokenizer.eos
    assert bos is not None
    assert eos is not None
    both = ((tokenizer.encode(german), tokenizer.encode(english)) for german, english in pairs)
    return [([*de, eos], [bos, *en, eos]) for de, en in both if max(len(de), len(en)) < LONGEST]


def tutorial_tokens(text: str) -> list[str]:
    """Cut a text into lower-case words and marks, much as the tutorial does with spaCy."""
    return _TOKEN.findall(text.lower())


def learned_byte_pairs() -> BytePairTokenizer:
    """Learn the byte pairs of both languages from the captions to train on."""
    return learn_byte_pairs((text for pair in captions("train") for text in pair), MERGES)


def new_model(tokenizer: BytePairTokenizer) -> Transformer:
    """Build the model, with the same random weights in each process."""
    torch.manual_seed(0)
    return build_transformer(TransformerConfig(vocabulary=len(tokenizer), norm_place="pre", pad=tokenizer.pad, **SIZES))


def learn(minutes: float, file: Path) -> None:
    """Train, as one of several processes, and write the weights to a file."""
    torch.set_num_threads(1)
    tokenizer = learned_byte_pairs()
    model, pad = new_model(tokenizer), tokenizer.pad
    held = captions("val")[:VALIDATED]
    task = Task(
        examples(captions("train"), tokenizer), partial(translation, pad=pad), examples(held, tokenizer), pad=pad
    )
    settings = TrainingSettings(
        seconds=60 * minutes,
        learning_rate=1.5e-3,
        schedule="warmup_stable_decay",
        warmup=400,
        decay=0.4,
        batch_tokens=1_536 * parallel.count(),
        label_smoothing=0.1,
        validate_every=1_000,
        bfloat16=True,
    )
    began, worked = time.monotonic(), time.process_time()
    history = train(model, task, settings, device="cpu")
    took, worked = time.monotonic() - began, time.process_time() - worked
    if parallel.number() == 0:
        checkpoints.write(file, checkpoints.weights_of(model), {})
        count = sum(p.numel() for p in model.parameters())
        print(f"{count / 1e6:.2f} million parameters, {history.steps:,} steps in {took / 60:.1f} minutes", end=" ")
        print(f"({worked / 60:.1f} of a process's own time), loss on validation captions {history.validation[-1]:.3f}")


def measure(file: Path) -> float:
    """Translate the test captions with the weights in a file, print both scores, and return the tutorial's."""
    tokenizer = learned_byte_pairs()
    model = new_model(tokenizer)
    checkpoints.put_weights(model, checkpoints.read(file)[0], file)
    test = captions("test_2016_flickr")
    texts = SentenceTranslator(model.eval(), tokenizer).translate_all([german for german, _ in test])
    references = [english for _, english in test]
    scorer = sacrebleu.BLEU()
    print(f"sacreBLEU {scorer.corpus_score(texts, [references]).score:.2f}, {scorer.get_signature()}")
    ours = bleu([*map(tutorial_tokens, texts)], [[tutorial_tokens(text)] for text in references])
    print(f"counted as in the tutorial {ours:.2f} (target {TARGET}, the tutorial's {TUTORIAL})")
    return ours


def main() -> int:
    """Train in several processes, and measure; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.multi30k", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to train (60)")
    parser.add_argument("--learn", type=Path, metavar="FILE", help="train only, as one of several processes")
    words = parser.parse_args()
    try:
        data.fetch("captions")
    except data.Offline as error:
        print(f"This benchmark needs the captions of Multi30k. {error}")
        return 1
    if words.learn:
        with parallel.several_processes():
            learn(words.minutes, words.learn)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "captions.safetensors"
        launcher = [sys.executable, "-m", "course_lib.learning.parallel", "--processes", str(PROCESSES)]
        own = ["--minutes", str(words.minutes), "--learn", str(file)]
        if subprocess.run([*launcher, __file__, *own], check=False).returncode:
            return 1
        return 0 if measure(file) >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
