"""Tools for working on the course: canonical notebooks, planted faults, the README's picture."""
