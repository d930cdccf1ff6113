"""The exercises of notebook 07: cross-attention and the whole Transformer."""
