"""Code that the notebook of this lesson uses and that nobody has to read to follow it."""
