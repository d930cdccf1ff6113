"""Faults to plant in course_lib/experiments/variants.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("        if len(given) != 1:", "        if not given:", "two budgets are taken"),
    ("not 0 < value < math.inf", "not 0 < value", "a budget without an end"),
    ("value != int(value)", "False", "half a step"),
    ("replace(parts, **own)", "parts", "a variant's own part is forgotten"),
    ("        if not values:", "        if False:", "a grid of no choices"),
    ("cutoff=0.5", "cutoff=0.99", "no setting is close to another"),
    ('raise type(error)(f"{name}: {error}") from None', "raise", "an error does not say whose it is"),
    ("        if not callable(value):", "        if False:", "a part that is no function"),
    ("isinstance(examples, bool) or not isinstance(examples, int) or examples < 1", "examples < 1", "half an example"),
    ("    if start is not None and not callable(start):", "    if False:", "a start that is no function"),
    ("    if setting in _FIXED:", "    if False:", "a variant has another budget"),
    ("itertools.product(*choices.values())", "zip(*choices.values())", "a grid combines only some choices"),
]
