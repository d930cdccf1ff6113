"""The exercises of notebook 10: the key–value cache."""
