"""The exercises on paper, one file a lesson. Each has a function `paper()`, which computes the answers."""
