"""Trained models: the course's translators and tales model, a real pretrained encoder, and a real language model."""

from course_lib.pretrained.encoder import PretrainedEncoder, load_encoder, similarity
from course_lib.pretrained.readers import load_encoder_or_translator
from course_lib.pretrained.sentence_translator import FoundTranslation, SentenceTranslator, load_sentence_translator
from course_lib.pretrained.tales_model import TalesModel, UnknownCharacters, load_plain_tales_model, load_tales_model
from course_lib.pretrained.torch_weights import torch_weights
from course_lib.pretrained.trained_weights import build_part, rebuild
from course_lib.pretrained.translator import Translation, Translator, UnknownWords, load_translator

__all__ = [
    "FoundTranslation",
    "PretrainedEncoder",
    "SentenceTranslator",
    "TalesModel",
    "Translation",
    "Translator",
    "UnknownCharacters",
    "UnknownWords",
    "build_part",
    "load_encoder",
    "load_encoder_or_translator",
    "load_plain_tales_model",
    "load_sentence_translator",
    "load_tales_model",
    "load_translator",
    "rebuild",
    "similarity",
    "torch_weights",
]
