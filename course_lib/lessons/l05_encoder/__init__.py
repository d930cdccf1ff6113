"""The exercises of notebook 05: the encoder."""
