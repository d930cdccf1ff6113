"""Faults in course_lib/transformer/watching.py."""

FAULTS = [
    (
        "watcher = partial(readings.__setitem__, name)",
        "watcher = lambda reading: readings.__setitem__(name, reading)",
        "all parts watched under the last name",
    ),
    (
        "watching.callback(part.watchers.remove, watcher)",
        "watching.callback(part.watchers.clear)",
        "the end of an inner block blinds the outer one",
    ),
    ("watching.callback(part.watchers.remove, watcher)", "pass", "watching never ends"),
    ("with ExitStack() as watching:", "for watching in [ExitStack()]:", "watching never taken back"),
    (
        "        readings[name] = Reading(weights.detach())",
        "        pass",
        "a learner's attention not watched",
    ),
    ("watching.callback(end.remove)", "pass", "a learner's attention watched for ever"),
    (
        "isinstance(weights, Tensor) and weights.dim() == 4",
        "isinstance(weights, Tensor)",
        "weights of another kind taken for attention's",
    ),
    (
        "readings[name] = Reading(weights.detach())",
        "readings[name] = Reading(weights)",
        "a learner's watched weights keep the graph",
    ),
    (
        "partial(readings.__setitem__, name)",
        "partial(readings.setdefault, name)",
        "the first reading kept, not the latest",
    ),
    ("part.watchers.append(watcher)", "part.watchers = [watcher]", "an inner block ends the outer one's sight"),
]
