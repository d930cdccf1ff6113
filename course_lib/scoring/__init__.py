"""How good a result is, beside chance and cheap baselines."""
