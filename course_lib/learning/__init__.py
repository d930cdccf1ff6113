"""How models learn: batches, losses, the training loop, checkpoints."""
