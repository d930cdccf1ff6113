"""Scripts that train the course's models and write their files. Nothing in the course imports them."""
