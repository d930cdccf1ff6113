"""The exercises of notebook 08: choosing the next token, beam search, and the KV cache."""
