"""The exercises of notebook 01: attention, from one query by hand to all queries at once, and additive attention."""
