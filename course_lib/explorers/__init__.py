"""Explorers: pictures that answer mouse and keyboard, in the browser and without a network."""

from course_lib.explorers.attention_explorer import AttentionExplorer, Lookup, record_lookups, self_attention_of
from course_lib.explorers.translate_box import TranslateBox

__all__ = ["AttentionExplorer", "Lookup", "TranslateBox", "record_lookups", "self_attention_of"]
