"""Faults to plant in the files of course_lib/data/grammar."""
