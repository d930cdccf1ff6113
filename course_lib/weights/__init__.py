"""Small models that this project has trained itself, each by a recipe beside its weights."""

from course_lib.weights.translator import Translation, Translator, UnknownWords, load_translator

__all__ = ["Translation", "Translator", "UnknownWords", "load_translator"]
