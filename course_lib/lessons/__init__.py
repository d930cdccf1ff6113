"""What the exercises ask, lesson by lesson."""
