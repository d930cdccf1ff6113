"""Code that notebook 13 imports, so that it need not be read there."""
