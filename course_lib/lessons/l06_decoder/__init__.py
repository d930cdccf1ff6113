"""The exercises of notebook 06: the decoder as a language model."""
