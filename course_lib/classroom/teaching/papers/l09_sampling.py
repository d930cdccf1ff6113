"""Lesson 09 on paper: the likeliest text, the greedy one, top-p and the length penalty."""

import itertools
import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.writing.beam import beam_search_text, length_penalty
from course_lib.writing.choose import continue_greedily, text_log_probability, top_p_filter
from course_lib.writing.toy import NextWordTable

NEXT = {
    "[bos]": {"the": 0.5, "a": 0.4, "old": 0.1},
    "the": {"old": 0.45, "king": 0.4, "slept": 0.15},
    "a": {"king": 0.9, "old": 0.1},
    "old": {"king": 0.5, "slept": 0.3, "[end]": 0.2},
    "king": {"slept": 0.7, "[end]": 0.3},
    "slept": {"[end]": 1.0},
}
TEXT = "a king slept"
P, PROBABILITIES = 0.6, {"a": 0.5, "b": 0.3, "c": 0.2}
SHORT, LONG, ALPHA = (-4.0, 4), (-4.8, 8), 1.0


def paper() -> Paper:
    """Make the exercise and its answers."""
    toy = NextWordTable(NEXT)
    with torch.no_grad():
        greedy = toy.text(continue_greedily(toy, toy.ids("[bos]"), 4)).removesuffix(" [end]")
        best, log_p = beam_search_text(toy, toy.ids("[bos]"), 2, 8, toy.words.index("[end]"))
        of_text, of_greedy = (_probability(toy, text) for text in (TEXT, greedy))
    kept = top_p_filter(torch.tensor([*PROBABILITIES.values()]).log(), P) > -math.inf
    names = [name for name, is_kept in zip(PROBABILITIES, kept.tolist(), strict=True) if is_kept]
    scores = [total / length_penalty(length, ALPHA) for total, length in (SHORT, LONG)]
    winner = "the longer" if scores[1] > scores[0] else "the shorter"
    return Paper(
        formula=Formula(
            (r"\log P(y)=\sum_t\log p(y_t\mid y_{<t})\qquad lp(Y)=\frac{(5+|Y|)^\alpha}{(5+1)^\alpha}",),
            "the chain rule; Wu et al. 2016, arXiv:1609.08144, equation 14",
        ),
        task="A model looks at the last word only. After each word, the words that may follow and their probabilities:",
        given=Table(
            ("after", "may follow"),
            tuple((word, ", ".join(f"{next_} {short(p)}" for next_, p in row.items())) for word, row in NEXT.items()),
        ),
        questions=(
            Question(
                f"How likely is “{TEXT}”, including the end?",
                f"{short(of_text, 3)}: {' · '.join(short(p) for p in _steps(TEXT))}.",
                room=1,
            ),
            Question(
                "Which text comes out if you always take the likeliest next word, and how likely is it? Which text is "
                "the "
                "likeliest of all?",
                f"“{greedy}”, {short(of_greedy, 3)}. The likeliest is “{toy.text(best)}”, {short(math.exp(log_p), 3)}: "
                "the likeliest first word does not begin the likeliest text.",
                room=2,
            ),
            Question(
                "Top-p with p = "
                f"{short(P)}: which tokens are kept of "
                f"{', '.join(f'{n} {short(p)}' for n, p in PROBABILITIES.items())}?",
                f"{' and '.join(names)}: the fewest that together have at least {short(P)}. The one that crosses p "
                "stays.",
                room=1,
            ),
            Question(
                f"Two translations have log-probabilities {short(SHORT[0])} with {SHORT[1]} words and "
                f"{short(LONG[0])} with "
                f"{LONG[1]}. Divide each by lp with α = {short(ALPHA)}. Which one wins?",
                f"{listed(scores)}: {winner} one wins.",
                room=2,
            ),
        ),
    )


def _steps(text: str) -> list[float]:
    words = ["[bos]", *text.split(), "[end]"]
    return [NEXT[word][following] for word, following in itertools.pairwise(words)]


def _probability(toy: NextWordTable, text: str) -> float:
    ids = torch.tensor(toy.ids(f"[bos] {text} [end]"))
    return text_log_probability(toy(ids[None, :-1])[0], ids[1:]).exp().item()
