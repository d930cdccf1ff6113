"""The exercises of notebook 16: long texts, and pictures."""
