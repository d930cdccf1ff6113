"""BLEU, against sacreBLEU."""

import random

import pytest
import sacrebleu

from course_lib.scoring.bleu import bleu, brevity_penalty, clipped_matches, closest_length, count_ngrams, length_ratio


def sacre(hypotheses: list[list[str]], references: list[list[list[str]]], longest: int = 4) -> float:
    """Score by sacreBLEU, which wants one list for each reference, with None where a sentence has fewer."""
    most = max(map(len, references))
    columns = [[" ".join(each[k]) if k < len(each) else None for each in references] for k in range(most)]
    scorer = sacrebleu.BLEU(tokenize="none", smooth_method="none", force=True, max_ngram_order=longest)
    return scorer.corpus_score([" ".join(words) for words in hypotheses], columns).score


def sentence(chance: random.Random, longest: int = 9) -> list[str]:
    return [chance.choice("abcde") for _ in range(chance.randint(1, longest))]


@pytest.mark.parametrize("seed", range(200))
def test_bleu_is_sacrebleus(seed: int):
    chance = random.Random(seed)
    references = [[sentence(chance) for _ in range(chance.randint(1, 4))] for _ in range(chance.randint(1, 8))]
    hypotheses = [
        chance.choice([sentence(chance), chance.choice(each), chance.choice(each)[:-1] or ["a"]]) for each in references
    ]
    assert bleu(hypotheses, references) == pytest.approx(sacre(hypotheses, references), abs=1e-9)


def test_most_random_cases_have_a_score_above_zero():
    chance, above = random.Random(1), 0
    for _ in range(100):
        references = [[sentence(chance)] for _ in range(6)]
        hypotheses = [each[0][: chance.randint(1, 9)] for each in references]
        above += bleu(hypotheses, references) > 0
    assert above > 60


def test_a_perfect_translation_scores_100_and_nothing_scores_0():
    text = [list("abcdef"), list("fghij")]
    assert bleu(text, [[words] for words in text]) == pytest.approx(100)
    assert bleu([[], []], [[words] for words in text]) == 0
    assert bleu([list("xyzw")], [[list("abcd")]]) == 0


def test_the_papers_example_of_clipping():
    # Papineni et al. 2002, section 2.1, example 2: the modified precision is 2/7.
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    assert clipped_matches(["the"] * 7, references, 1) == 2


def test_counts_of_runs_longer_than_the_text_are_empty():
    assert not count_ngrams(["a", "b"], 3)
    assert clipped_matches([], [["a"]], 1) == 0


def test_of_two_equally_close_lengths_the_shorter_counts():
    assert closest_length(5, [6, 4]) == 4
    assert closest_length(5, [9, 5]) == 5


def test_only_short_translations_are_punished():
    assert brevity_penalty(10, 10) == brevity_penalty(11, 10) == 1
    assert brevity_penalty(5, 10) == pytest.approx(0.36787944117144233)
    assert brevity_penalty(0, 10) == 0


def test_the_length_ratio_is_the_one_that_sacrebleu_prints():
    hypotheses, references = [["a", "b"], ["c"]], [[["a", "b", "c"], ["a"]], [["c", "d"], ["e", "f", "g"]]]
    # Of references that are equally close in length, the shorter counts: 1 + 2 words.
    assert length_ratio(hypotheses, references) == pytest.approx(3 / 3)
    theirs = sacrebleu.BLEU(tokenize="none", force=True).corpus_score(["a b", "c"], [["a b c", "c d"], ["a", "e f g"]])
    assert length_ratio(hypotheses, references) == pytest.approx(theirs.sys_len / theirs.ref_len)


def test_a_length_ratio_needs_words_to_compare_with():
    with pytest.raises(ValueError, match="the references have no words"):
        length_ratio([["a"]], [[[]]])


def test_another_number_of_references_is_refused():
    with pytest.raises(ValueError, match="1 translations and 2 lists of references"):
        bleu([["a"]], [[["a"]], [["b"]]])
