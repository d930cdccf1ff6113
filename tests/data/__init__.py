"""Tests of the data sets and of the grammar corpus."""
