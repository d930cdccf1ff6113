"""The exercises of notebook 03: tokens and embeddings."""
