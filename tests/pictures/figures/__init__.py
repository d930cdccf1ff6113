"""The pictures, held to their data, their words and the visual language."""
