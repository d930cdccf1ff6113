"""Faults to plant in course_lib/experiments/running.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("    torch.manual_seed(seed)\n", "", "the first weights do not depend on the seed"),
    (
        "    with one_thread(), torch.random.fork_rng([]):\n        try:",
        "    with one_thread():\n        try:",
        "a run changes torch's random state",
    ),
    (
        "settings = replace(plan.training, seed=seed)",
        "settings = plan.training",
        "the order does not depend on the seed",
    ),
    ("max(1, settings.steps // 10)", "settings.steps // 10", "a short training has no step to measure at"),
    ("    if history.interrupted:\n        raise KeyboardInterrupt\n", "", "a half-trained model counts as a run"),
    ("    if not math.isfinite(number):", "    if False:", "a measure may be no number"),
    ("steps=1, seconds=None, epochs=None)", "seconds=None)", "measures are tried after a whole training"),
    ("    few = data.few()", "    few = data", "measures are tried on all examples, slowly"),
    ('device="cpu").or_stop(), few', 'device="cpu"), few', "an interruption is lost while measures are tried"),
    (".split())[:_LONGEST_ERROR]", ".split())", "an error is as long as it likes"),
    ("    if count > len(task.examples):", "    if False:", "more examples than there are"),
    (
        "manual_seed(seed)).tolist()\n    return replace(task, examples=",
        "manual_seed(0)).tolist()\n    return replace(task, examples=",
        "each seed sees the same examples",
    ),
    ("if total >= tokens)", "if total > tokens)", "a budget in tokens takes a step too many"),
    ('f"{settings.seed}/{epoch}"', 'f"{settings.seed}/0"', "ids are counted in the first epoch's order"),
    (
        "fmean(history.cross_entropy[start:end])",
        "fmean(history.cross_entropy[:end])",
        "a curve is an average from the start",
    ),
    ("[read[end] for end in ends]", "[read[end - 1] for end in ends]", "a curve's ids are a step behind"),
    ("        plan.start(model)", "        pass", "a model's own start is forgotten"),
]
