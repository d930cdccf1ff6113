"""The exercises of notebook 08: what the translator learned, and how to measure it."""
