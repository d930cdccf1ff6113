"""Scripts that train the course's models and write their files. Nothing else in the course imports them."""
