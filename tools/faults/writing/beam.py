"""Faults to plant in course_lib/writing/beam.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("((5 + length) / 6)", "length", "length penalty of another formula"),
    ("((5 + length) / 6)", "((6 + length) / 6)", "length penalty counts one more"),
    (
        "min((1 + len(settings.stop)) * settings.beams, n * V)",
        "min(2 * settings.beams, n * V)",
        "too few candidates for many stops",
    ),
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
    ("settings.score(total, step)", "settings.score(total, step - 1)", "stop token not in the length"),
    (" + totals[..., None]", "", "only the newest token's probability"),
    ("_Extension(i * n + index // V,", "_Extension(index // V,", "texts extended from other prompts"),
    ("            if rank < settings.beams and _is_possible(each):\n    ", "", "hypotheses from below the beams"),
    ("settings.beams and _is_possible(each):", "settings.beams:", "impossible texts returned"),
    ("goes_on = any(map(_is_possible, continued))", "goes_on = bool(continued)", "impossible texts continued"),
    (
        "        for each, fate in fates.items()\n        if _is_possible(each)\n",
        "        for each, fate in fates.items()\n",
        "impossible texts watched",
    ),
    ("        check_logits(logits)\n", "", "a search among NaN"),
    ("    if not math.isfinite(alpha):\n", "    if False:\n", "an alpha of NaN"),
    ("reader.select(rows)", "pass", "beams keep others' keys and values"),
    ("written = torch.cat((written[rows],", "written = torch.cat((written[: len(rows)],", "beams keep others' ids"),
    ('{**dict.fromkeys(best, "dropped"), ', "{", "dropped candidates not watched"),
]
