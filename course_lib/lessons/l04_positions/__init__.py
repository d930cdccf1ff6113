"""The exercises of notebook 04: positional encoding."""
