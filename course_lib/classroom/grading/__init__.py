"""Assignments, what students hand in, their grades, and the overview of a class."""
