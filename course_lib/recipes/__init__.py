"""Scripts that train the models of the course and write their files. Nothing imports them."""
