"""A class on one server: a hub where each student has a JupyterLab of their own, and where their work is kept."""
