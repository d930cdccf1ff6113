"""Data sets and the grammar corpus, held to what they promise."""
