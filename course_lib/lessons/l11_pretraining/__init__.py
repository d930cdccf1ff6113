"""The exercises of notebook 11: pre-training."""
