"""Explorers: pictures that respond to mouse and keyboard, in the browser and without a network."""

from course_lib.pictures.explorers import guesses
from course_lib.pictures.explorers.alignment_explorer import AlignedSentence, AlignmentExplorer
from course_lib.pictures.explorers.attention_explorer import (
    AttentionExplorer,
    Lookup,
    self_attention_of,
)
from course_lib.pictures.explorers.beam_explorer import BeamExplorer
from course_lib.pictures.explorers.blocks_explorer import BlocksExplorer
from course_lib.pictures.explorers.depth_explorer import DepthExplorer
from course_lib.pictures.explorers.entity_explorer import EntityExplorer, TaggedWords
from course_lib.pictures.explorers.hidden_token_explorer import HiddenTokenExplorer, HiddenTokens, guesses_by_layer
from course_lib.pictures.explorers.leave_one_out_explorer import LeaveOneOutExplorer
from course_lib.pictures.explorers.positions_explorer import PositionsExplorer
from course_lib.pictures.explorers.sampling_explorer import SamplingExplorer
from course_lib.pictures.explorers.seeds_explorer import SeedsExplorer
from course_lib.pictures.explorers.story_writer import StoryWriter
from course_lib.pictures.explorers.translate_box import TranslateBox
from course_lib.pictures.explorers.translation_explorer import TranslationExplorer

__all__ = [
    "AlignedSentence",
    "AlignmentExplorer",
    "AttentionExplorer",
    "BeamExplorer",
    "BlocksExplorer",
    "DepthExplorer",
    "EntityExplorer",
    "HiddenTokenExplorer",
    "HiddenTokens",
    "LeaveOneOutExplorer",
    "Lookup",
    "PositionsExplorer",
    "SamplingExplorer",
    "SeedsExplorer",
    "StoryWriter",
    "TaggedWords",
    "TranslateBox",
    "TranslationExplorer",
    "guesses",
    "guesses_by_layer",
    "self_attention_of",
]
