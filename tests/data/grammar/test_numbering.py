from course_lib.data.grammar.numbering import as_ids
from course_lib.data.grammar.sentences import Pair
from course_lib.text.words import WordTokenizer


def test_a_pair_is_numbered_by_the_words_of_each_language_and_the_french_begins_and_ends():
    pair = Pair(("the", "cat", "sleeps"), ("le", "chat", "noir", "dort"), frozenset())
    english, french = (WordTokenizer.from_sentences([each]) for each in (pair.english, pair.french))
    [(source, target)] = as_ids([pair], english, french)
    assert source == english.encode(pair.english)
    assert target == [french.bos, *french.encode(pair.french), french.eos]
    assert french.unk not in source + target
    assert len(target) == 6
