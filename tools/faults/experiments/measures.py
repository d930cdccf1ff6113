"""Faults to plant in course_lib/experiments/measures.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("return history.validation[-1]", "return history.validation[0]", "the first loss counts as the last"),
    (
        "if len(pair.english) >= shortest]",
        "if len(pair.english) > shortest]",
        "the shortest of the long ones is left out",
    ),
    ("    if beams == 1:", "    if True:", "beams are ignored"),
    ("    if not pairs:", "    if False:", "a share of no sentences is measured"),
    (
        'right_translations, "higher", "of the sentences")\n"""',
        'right_translations, "lower", "of the sentences")\n"""',
        "fewer right translations are better",
    ),
    ('LOSS = Measure(validation_loss, "lower"', 'LOSS = Measure(validation_loss, "higher"', "a higher loss is better"),
    ("partial(right_translations, beams=beams)", "right_translations", "a measure forgets its beams"),
    ("partial(right_translations, shortest=shortest)", "right_translations", "a measure forgets what is long"),
    ("    if not callable(self.function):", "    if False:", "a measure that is no function is taken"),
]
