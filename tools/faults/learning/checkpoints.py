"""Faults to plant in course_lib/learning/checkpoints.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ('if metadata["sha256"] != _digest(tensors, metadata["note"]):', "if False:", "changed bits read"),
    ("        digest.update(tensor.reshape(-1)", "        (tensor.reshape(-1)", "changed numbers read"),
    ("digest = hashlib.sha256(note.encode())", "digest = hashlib.sha256()", "a changed note read"),
    (
        "for name in sorted(owner.keys() | theirs.keys()):",
        "for name in sorted(owner.keys() & theirs.keys()):",
        "settings that are missing not compared",
    ),
    ("    if path.is_dir():\n", "    if False:\n", "a folder read as a file"),
]
