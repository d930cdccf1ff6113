"""Keep a learner's parts: their source, the folder that they are saved in, and which of them the course uses."""
