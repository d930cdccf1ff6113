"""Scripts that train the models which the course ships. Nothing imports them."""
