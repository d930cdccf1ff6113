"""The course's own corpus: English sentences with their French translations, and which words translate each other.

`generate` and `split` make pairs of sentences; `lexicon` lists the words and `sentences` puts them in order.
"""

from course_lib.data.grammar.corpus import LONGEST, NOTES_SENTENCE, SHORTEST, Pair, Split, generate, split

__all__ = ["LONGEST", "NOTES_SENTENCE", "SHORTEST", "Pair", "Split", "generate", "split"]
