"""How models write: choosing the next token, beam search, the key–value cache."""
