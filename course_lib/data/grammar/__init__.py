"""The course's own corpus: English sentences with their French translations and word alignments.

`generate` and `split` make pairs of sentences; `translation_split` holds some pairs of adjective and noun back from
training. `lexicon` lists the words, and `sentences` puts them in order.
"""

from course_lib.data.grammar.combinations import TranslationSplit, is_held_back, translation_split
from course_lib.data.grammar.corpus import MAX_LENGTH, MIN_LENGTH, NOTES_SENTENCE, Pair, Split, generate, split
from course_lib.data.grammar.numbering import as_ids

__all__ = [
    "MAX_LENGTH",
    "MIN_LENGTH",
    "NOTES_SENTENCE",
    "Pair",
    "Split",
    "TranslationSplit",
    "as_ids",
    "generate",
    "is_held_back",
    "split",
    "translation_split",
]
