"""The course's library: a whole Transformer, what it learns from, and what makes it visible."""
