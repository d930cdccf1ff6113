"""Studies that take a fraction of a second."""

from functools import partial
from typing import Any

from course_lib.experiments import Data, Study
from course_lib.learning.losses import next_token
from course_lib.learning.training import Task
from course_lib.transformer.build import build_language_model

SETTINGS = dict(d_model=8, heads=2, d_ff=16, layers=1, dropout=0.0, warmup=2, batch_tokens=24, max_length=8)
TEXTS = [([4, 5, 6, 7, start],) for start in range(4, 10)]
DATA = Data(
    Task(TEXTS, partial(next_token, pad=0), TEXTS[:3], pad=0), build_language_model, {"vocabulary": 10, "pad": None}
)


def study(**changes: Any) -> Study:
    """Two variants with two seeds, five steps each, but for these changes."""
    usual = dict(
        name="small",
        question="Which width is better?",
        data=DATA,
        settings=SETTINGS,
        variants={"narrow": {}, "wide": {"d_model": 16}},
        seeds=(0, 1),
        steps=5,
    )
    return Study(**{**usual, **changes})
