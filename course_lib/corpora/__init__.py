"""What the course's models learn from."""
