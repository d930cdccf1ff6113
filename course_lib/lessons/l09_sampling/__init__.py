"""The exercises of notebook 09: choosing the next token, and beam search."""
