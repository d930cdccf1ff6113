"""The course's pictures, in one visual language: figures, explorers, and the map."""
