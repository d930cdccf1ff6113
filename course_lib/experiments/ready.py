"""Studies that are ready to run, each with what is known of its question and the answer that was recorded.

`course.py experiment NAME` runs one without a notebook. All are small: a translator of one layer, or a few, learns the
course's own sentences for some seconds. `course_lib.recipes.record_experiments` recorded the answers.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib.experiments.keeping import Run
from course_lib.experiments.material import Data, translations
from course_lib.experiments.measures import LOSS, RIGHT, right_when_long, right_with_beams
from course_lib.experiments.results import Results
from course_lib.experiments.running import Outcome
from course_lib.experiments.study import Study
from course_lib.experiments.variants import Settings, grid

RECORDED = Path(__file__).with_name("recorded")
SEEDS = (0, 1, 2)
STEPS = 300
LONGEST_LEARNED, SHORTEST_LONG = 7, 9

BASE: Settings = dict(
    d_model=64,
    heads=4,
    d_ff=128,
    layers=1,
    dropout=0.0,
    max_length=24,
    learning_rate=5e-3,
    schedule="cosine",
    warmup=60,
    batch_tokens=1024,
    label_smoothing=0.05,
)
"""The settings that all of them share, unless the question is about them."""


@dataclass(frozen=True)
class Ready:
    """A study that is ready to run.

    Attributes:
        question: what it asks.
        known: what is known of it, with the source.
        variants: makes the variants; the first one is what the others are compared with.
        settings: those in which it differs from `BASE`.
        more: its measures, its budget and the longest sentence to learn from, where they are not the usual ones.
    """

    question: str
    known: str
    variants: Callable[[], Mapping[str, Settings]]
    settings: Settings
    more: Mapping[str, Any]


@cache
def _data(longest: int | None = None) -> Data:
    return translations(longest=longest)


def large_start(model: nn.Module) -> None:
    """Make the weights of all linear maps five times as large."""
    _scale(model, 5.0)


def small_start(model: nn.Module) -> None:
    """Make the weights of all linear maps five times as small."""
    _scale(model, 0.2)


def quiet_start(model: nn.Module) -> None:
    """Let every sublayer add nothing at first: its last linear map is 0."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("W_o.weight", "W_2.weight")):
                weight.zero_()


def _scale(model: nn.Module, factor: float) -> None:
    with torch.no_grad():
        for each in model.modules():
            if isinstance(each, nn.Linear):
                each.weight.mul_(factor)


READY: dict[str, Ready] = {
    "heads": Ready(
        "Do more heads help if their total width stays the same?",
        "In 2017, one head was 0.9 BLEU worse than the best number of heads, and too many were worse again "
        "(Vaswani et al. 2017, arXiv:1706.03762, table 3, rows A).",
        lambda: grid(heads=[1, 2, 4, 8, 16]),
        {},
        {},
    ),
    "depth": Ready(
        "Is a deep and narrow model better than a wide and shallow one with about as many parameters?",
        "Depth and width both helped in 2017, and neither alone was enough (table 3, rows C).",
        lambda: {
            "1 layer, 64 wide": {"layers": 1, "d_model": 64, "d_ff": 128},
            "2 layers, 48 wide": {"layers": 2, "d_model": 48, "d_ff": 96},
            "4 layers, 36 wide": {"layers": 4, "d_model": 36, "d_ff": 72},
        },
        {},
        {},
    ),
    "lengths": Ready(
        f"Which positions help with sentences longer than those in training ({LONGEST_LEARNED} words)?",
        "Sinusoids hardly work beyond the trained length, rotary positions only a little (Press et al. 2022, "
        "arXiv:2108.12409, section 2). Learned vectors of positions that never occurred were never learned.",
        lambda: grid(positions=["sinusoidal", "learned", "rotary", "none"]),
        {},
        {"longest": LONGEST_LEARNED, "measures": {"right": RIGHT, "right when long": right_when_long(SHORTEST_LONG)}},
    ),
    "norms": Ready(
        "Does a norm after the residual need warm-up, while one before the sublayer does not?",
        "So it is in deep models (Xiong et al. 2020, arXiv:2002.04745, sections 3 and 4).",
        lambda: grid(norm_place=["post", "pre"], warmup=[60, 0]),
        {"layers": 3, "learning_rate": 1e-2},
        {},
    ),
    "tables": Ready(
        "Should the table of the embeddings also give the logits?",
        "One table for both has fewer parameters and a lower perplexity (Press and Wolf 2017, arXiv:1608.05859).",
        lambda: grid(tied_embeddings=[True, False]),
        {},
        {},
    ),
    "smoothing": Ready(
        "What do smoothed labels change, for the loss, for greedy translations and for beam search?",
        "Smoothing hurts perplexity, but improves accuracy and BLEU (Vaswani et al. 2017, section 5.4). Very wide "
        "beams make translations worse (Koehn and Knowles 2017, arXiv:1706.03872, section 3.6).",
        lambda: grid(label_smoothing=[0.0, 0.1, 0.3]),
        {},
        {
            "measures": {
                "loss": LOSS,
                "right": RIGHT,
                "right, 4 beams": right_with_beams(4),
                "right, 16 beams": right_with_beams(16),
            }
        },
    ),
    "dropout": Ready(
        "Does dropout help with few examples, and hurt with many?",
        "Without dropout, the base model of 2017 was 1.2 BLEU worse (table 3, rows D).",
        lambda: grid(examples=[500, 4000], dropout=[0.0, 0.1, 0.3]),
        {},
        {},
    ),
    "feed-forward": Ready(
        "How wide should the feed-forward be?",
        "In 2017 it was four times as wide as the model; twice as wide was 0.4 BLEU worse, eight times as wide 0.4 "
        "better (table 3, rows C).",
        lambda: grid(d_ff=[128, 16, 64, 256, 512]),
        {},
        {},
    ),
    "batches": Ready(
        "Are many small steps better than few large ones, if the model reads equally many tokens?",
        "Up to a critical size, larger batches save time and cost few tokens; beyond it they waste tokens (McCandlish "
        "et al. 2018, arXiv:1812.06162).",
        lambda: grid(batch_tokens=[1024, 256, 4096]),
        {"schedule": "cosine", "warmup": 20},
        {"tokens": 250_000},
    ),
    "activations": Ready(
        "Which activation is best, at about as many parameters?",
        "Gated ones such as SwiGLU gave a lower perplexity than ReLU and GELU (Shazeer 2020, arXiv:2002.05202, "
        "table 1).",
        lambda: {
            "relu": {"activation": "relu"},
            "gelu": {"activation": "gelu"},
            "swiglu": {"activation": "swiglu", "d_ff": 86},
        },
        {},
        {},
    ),
    "rates": Ready(
        "Does a wider model need a smaller learning rate?",
        "In the usual parametrization it does (Yang et al. 2022, arXiv:2203.03466, figure 1).",
        lambda: grid(d_model=[32, 64, 128], learning_rate=[0.001, 0.004, 0.016]),
        {},
        {},
    ),
    "starts": Ready(
        "How much do the initial weights matter?",
        "Weights that keep the variance from layer to layer train faster (Glorot and Bengio 2010); residual branches "
        "that begin at 0 help at large batches (Goyal et al. 2017, arXiv:1706.02677, section 5.1).",
        lambda: {
            "Glorot's": {},
            "five times larger": {"start": large_start},
            "five times smaller": {"start": small_start},
            "sublayers at 0": {"start": quiet_start},
        },
        {},
        {},
    ),
}


def ready(name: str, seeds: int = len(SEEDS)) -> Study:
    """Make one of the ready studies. Takes its name in `READY`, and how many seeds it has.

    Raises ValueError for a name that there is not, or no seeds.
    """
    about = _find(name)
    more = dict(about.more)
    data = _data(more.pop("longest", None))
    measures = more.pop("measures", {"loss": LOSS, "right": RIGHT})
    budget = more or {"steps": STEPS}
    return Study(
        name=name,
        question=about.question,
        data=data,
        settings={**BASE, **about.settings},
        variants=about.variants(),
        measures=measures,
        seeds=range(seeds),
        **budget,
    )


@dataclass(frozen=True)
class Recorded:
    """The answer that was recorded.

    Attributes:
        results: as `Study.run` gives them.
        machine: on what it was made.
        date: when.
        minutes: of processor time, on one thread.
    """

    results: Results
    machine: str
    date: str
    minutes: float

    def __str__(self) -> str:
        seeds = len(self.results.seeds)
        return f"Recorded with {seeds} seeds in {self.minutes:.1f} minutes of one thread ({self.machine}, {self.date})."


def recorded(name: str) -> Recorded | None:
    """Read the recorded answer of a ready study; None where there is none. Raises ValueError as `ready` does."""
    _find(name)
    file = RECORDED / f"{name}.json"
    if not file.exists():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    study = ready(name, seeds=content["seeds"])
    runs, curves = [], {}
    for each in content["runs"]:
        outcome = Outcome(**each["outcome"])
        key = f"{each['variant']} {each['seed']}"
        runs.append(Run(key, each["variant"], each["seed"], outcome, {}))
        curves[key] = dict(outcome.curves or {})
    results = Results(
        study.question, tuple(study.variants), dict(study.measures), tuple(study.seeds), study.budget, runs, curves
    )
    return Recorded(results, content["machine"], content["date"], content["minutes"])


def as_recorded(results: Results, machine: str, date: str, minutes: float) -> str:
    """Write results as `recorded` reads them, one run a line."""
    lines = []
    for run in results.runs:
        outcome = {**asdict(run.outcome), "curves": results.curves.get(run.key)}
        lines.append(json.dumps({"variant": run.variant, "seed": run.seed, "outcome": outcome}))
    note = json.dumps(
        {"machine": machine, "date": date, "minutes": round(minutes, 2), "seeds": len(results.seeds)}, indent=1
    )
    joined = ",\n".join(lines)
    return f'{note[:-2]},\n "runs": [\n{joined}\n]}}\n'


def verdicts(results: Results) -> list[str]:
    """Compare each variant with the first one, in words, for each measure."""
    first, *others = results.variants
    return [str(results.compare(other, first, measure)) for measure in results.measures for other in others]


def _find(name: str) -> Ready:
    if name not in READY:
        raise ValueError(f"There is no ready study {name!r}: they are {', '.join(READY)}")
    return READY[name]
