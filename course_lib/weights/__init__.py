"""Small models that this project has trained itself, each by a recipe beside its weights."""

from course_lib.weights.tales_model import TalesModel, UnknownCharacters, load_tales_model
from course_lib.weights.translator import Translation, Translator, UnknownWords, load_translator

__all__ = [
    "TalesModel",
    "Translation",
    "Translator",
    "UnknownCharacters",
    "UnknownWords",
    "load_tales_model",
    "load_translator",
]
