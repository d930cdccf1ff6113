"""The exercises, lesson by lesson."""
