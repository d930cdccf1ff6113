"""What `course.py` can do, one file for each command."""
