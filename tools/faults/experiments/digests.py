"""Faults to plant in course_lib/experiments/digests.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ('yield f"{value.dtype} {tuple(value.shape)}".encode()', 'yield b""', "tensors of another shape count as the same"),
    ("[value.func, value.args, dict(value.keywords)]", "[value.func, value.args]", "a partial's names do not count"),
    ("[function.__defaults__, function.__kwdefaults__]", "[function.__defaults__]", "defaults of names do not count"),
    ("            yield from _pieces(cell.cell_contents, seen)", "            pass", "a closure's values do not count"),
    ("for name in sorted(_names_used(function.__code__)):", "for name in ():", "what a function uses does not count"),
    (
        "return names.union(*(_names_used(each) for each in code.co_consts if isinstance(each, CodeType)))",
        "return names",
        "what an inner function uses does not count",
    ),
    (
        "sorted(map(repr, each.argval)) if isinstance(each.argval, frozenset) else each.argval",
        "each.argval",
        "a set in a function has another digest in each process",
    ),
    ("    del seen[id(value)]", "    pass", "the same value twice is not two equal ones"),
    ("    if id(value) in seen:", "    if False:", "a function that calls itself has no digest"),
    (
        '"".join(sorted(digest(each) for each in value))',
        '"".join(digest(each) for each in value)',
        "a set has another digest in each process",
    ),
    (
        "members = {name: member for name, member in vars(value).items() if name not in _NOT_OF_THE_CLASS}",
        "members = {}",
        "what is in a class does not count",
    ),
    ('        if "{" not in text:', "        if True:", "keys of dicts in lists all become texts"),
    ('"torch": torch.__version__, ', "", "another torch counts as the same"),
    (
        "if found is value and _is_library(module) else",
        "if found is value else",
        "a learner's module is not looked into",
    ),
    ("optimize=2", "optimize=0", "docstrings of the course count"),
]
