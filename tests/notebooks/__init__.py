"""Notebooks, held to what they promise."""
