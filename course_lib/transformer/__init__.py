"""The text-book of the course: attention, positions, layers, models. It needs torch and nothing else of the course."""
