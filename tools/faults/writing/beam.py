"""Faults to plant in course_lib/writing/beam.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("((5 + length) / 6)", "length", "length penalty of another formula"),
    ("((5 + length) / 6)", "((6 + length) / 6)", "length penalty counts one more"),
    (
        "min((1 + len(settings.stop)) * settings.beams, n * V)",
        "min(2 * settings.beams, n * V)",
        "too few candidates for many stops",
    ),
    ("            if rank < settings.beams:\n    ", "", "hypotheses from below the beams"),
    ("elif len(continued) < settings.beams:", "else:", "more texts continued than there are beams"),
    ("key=lambda text: -text.score", "key=lambda text: -text.log_probability", "hypotheses without their penalty"),
    ("for length in (step + 1, settings.length)", "for length in (step + 1,)", "a search gives up on longer texts"),
    (
        "for length in (step + 1, settings.length)",
        "for length in (settings.length,)",
        "a search gives up on shorter texts",
    ),
    ("hypotheses[-1].score >=", "hypotheses[0].score >=", "a search ends when one is good enough"),
    (
        "if len(hypotheses) < settings.beams or settings.early_stopping:",
        "if len(hypotheses) < settings.beams:",
        "early stopping ignored",
    ),
    ("in settings.stop or step == settings.length", "in settings.stop", "unfinished texts forgotten"),
    ("if extension.token not in settings.stop:", "if True:", "stop token in the hypothesis"),
    ("total / length_penalty(step,", "total / length_penalty(step - 1,", "stop token not in the length"),
    (" + totals[..., None]", "", "only the newest token's probability"),
    ("_Extension(i * n + index // V,", "_Extension(index // V,", "texts extended from other prompts"),
    ("reader.select(rows)", "pass", "beams keep others' keys and values"),
    ("written = torch.cat((written[rows],", "written = torch.cat((written[: len(rows)],", "beams keep others' ids"),
    ('{**dict.fromkeys(best, "dropped"), ', "{", "dropped candidates not watched"),
]
