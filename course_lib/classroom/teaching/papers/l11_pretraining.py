"""Lesson 11 on paper: packed texts, their masks and labels, and two numbers that compare models."""

import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, percent, short
from course_lib.learning.packing import document_mask, pack_texts, packed_labels
from course_lib.scoring.metrics import bits_per_character
from course_lib.transformer.attention import causal_mask

TOKENS, HIDDEN = 1000, 0.15
TEXTS, END, LENGTH = ((5, 6, 7), (8,), (9, 4, 5, 6)), 2, 5
ROW, NAMES = (5, 6, 2, 8, 9, 7), ("he", "ran", "[end]", "she", "slept")
MODELS = {"A": (1, 6), "B": (3, 50)}


def paper() -> Paper:
    """Make the exercise and its answers."""
    packed = pack_texts(TEXTS, END, LENGTH).tolist()
    inputs, labels = packed_labels(torch.tensor([ROW]), END)
    mask = document_mask(inputs, END)[0, 0] & causal_mask(len(NAMES))
    filled = tuple(
        (name, *("✓" if may else "–" for may in row)) for name, row in zip(NAMES, mask.tolist(), strict=True)
    )
    bits = {
        name: bits_per_character(torch.tensor([-math.log(perplexity)], dtype=torch.float64), "x" * characters)
        for name, (characters, perplexity) in MODELS.items()
    }
    better = min(bits, key=lambda name: bits[name])
    return Paper(
        formula=Formula(
            (
                (
                    r"\mathrm{perplexity}=e^{\,\mathrm{loss}}\qquad "
                    r"\mathrm{bits\ per\ character}=\frac{\sum_t-\log_2p_t}{\mathrm{number\ of\ characters}}"
                ),
            ),
            "scoring.metrics.perplexity and bits_per_character",
        ),
        task=f"Ids are numbers; {END} is the end token.",
        questions=(
            Question(
                f"A batch has {TOKENS:,} tokens. How many questions does a model get from it that predicts every next "
                f"token, and one that hides {percent(HIDDEN)}?",
                f"{TOKENS:,} and {TOKENS * HIDDEN:.0f}: {short(1 / HIDDEN, 1)} times as many.",
                room=1,
            ),
            Question(
                f"Pack the texts {'; '.join(listed(text) for text in TEXTS)} into rows of {LENGTH}, each followed by "
                f"{END}.",
                f"{'; '.join(listed(row) for row in packed)}. What does not fill a row is left out.",
                room=1,
            ),
            Question(
                f"The row is {' '.join(NAMES)}. Each token may read its own text, up to itself. Mark with ✓ what each "
                "may "
                "read.",
                Table(("", *NAMES), filled),
                Table(("", *NAMES), tuple((name, *[""] * len(NAMES)) for name in NAMES)),
                room=0,
            ),
            Question(
                f"Its ids, with the one that follows, are {listed(ROW)}. What are the labels? Write −100 where nothing "
                "should be predicted.",
                f"{listed(labels[0].tolist())}. After [end] another text begins, which nobody could foresee.",
                room=1,
            ),
            Question(
                "Model A predicts single characters with perplexity 6, model B three characters at a time with "
                "perplexity "
                f"50. How many bits per character does each need? (log₂ 6 ≈ {short(math.log2(6))}, log₂ 50 ≈ "
                f"{short(math.log2(50))})",
                f"A {short(bits['A'])}, B {short(bits['B'])}: {better} is better.",
                room=1,
            ),
        ),
    )
