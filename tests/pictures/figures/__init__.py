"""Tests of the figures: their data, their descriptions and the visual language."""
