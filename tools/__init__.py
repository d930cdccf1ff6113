"""For those who work on the course: canonical notebooks, planted faults, the README's pictures."""
