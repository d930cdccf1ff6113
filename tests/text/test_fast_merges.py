"""Byte pairs learned by the tokenizers library are the course's own."""

from course_lib.data import grammar
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.fast_merges import learn_byte_pairs
from course_lib.text.words import join


def test_the_merges_are_those_that_are_learned_by_hand():
    texts = [join(sentence) for pair in grammar.generate(300, seed=0) for sentence in (pair.english, pair.french)]
    fast = learn_byte_pairs(texts, 150)
    assert fast.merges == BytePairTokenizer.from_text("\n".join(texts), 150).merges
    assert fast.decode(fast.encode("L'été, déjà !")) == "L'été, déjà !"


def test_a_short_text_has_fewer_merges_than_asked_for():
    assert len(learn_byte_pairs(["ab ab"], 10).merges) == 2
