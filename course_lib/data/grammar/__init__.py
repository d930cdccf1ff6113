"""The course's own corpus: English sentences with their French translations and word alignments.

`generate` and `split` make pairs of sentences. `lexicon` lists the words, and `sentences` puts them in order.
"""

from course_lib.data.grammar.corpus import MAX_LENGTH, MIN_LENGTH, NOTES_SENTENCE, Pair, Split, generate, split

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "NOTES_SENTENCE", "Pair", "Split", "generate", "split"]
