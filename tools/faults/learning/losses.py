"""Faults to plant in course_lib/learning/losses.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("if logits.shape[:-1] != labels.shape:", "if False:", "labels of another shape"),
    ("    if epsilon > 0:", "    if True:", "an impossible token gives NaN without smoothing"),
    ("if not 0 <= share <= 1:", "if share < 0:", "smoothing above 1"),
    ("    if ids.size(1) < 2:\n", "    if False:\n", "texts of one token learned"),
    ("    if ids.dtype == torch.bool or (ids.numel() and ids.min() < 0):\n", "    if False:\n", "ids below 0 learned"),
]
