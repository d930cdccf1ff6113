"""Trained models: the course's own translator and tales model, and a real pretrained encoder."""

from course_lib.pretrained.encoder import PretrainedEncoder, load_encoder, similarity
from course_lib.pretrained.tales_model import TalesModel, UnknownCharacters, load_tales_model
from course_lib.pretrained.trained_weights import build_part, rebuild
from course_lib.pretrained.translator import Translation, Translator, UnknownWords, load_translator

__all__ = [
    "PretrainedEncoder",
    "TalesModel",
    "Translation",
    "Translator",
    "UnknownCharacters",
    "UnknownWords",
    "build_part",
    "load_encoder",
    "load_tales_model",
    "load_translator",
    "rebuild",
    "similarity",
]
