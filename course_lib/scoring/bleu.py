"""How alike are a translation and what people wrote? BLEU, by counting runs of words. Built by hand in notebook 15.

Papineni, Roukos, Ward and Zhu 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL, section 2.
The `sacrebleu` package gives the same numbers, and says in its signature how the text was cut into tokens, which
changes the score (Post 2018, "A Call for Clarity in Reporting BLEU Scores", arXiv:1804.08771).
"""

import math
from collections import Counter
from collections.abc import Sequence

Tokens = Sequence[str]


def count_ngrams(tokens: Tokens, n: int) -> Counter[tuple[str, ...]]:
    """Count the runs of n neighbouring tokens.

    >>> dict(count_ngrams(["a", "b", "a", "b"], 2))
    {('a', 'b'): 2, ('b', 'a'): 1}
    """
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def clipped_matches(hypothesis: Tokens, references: Sequence[Tokens], n: int) -> int:
    """Count the n-grams of a translation that are in a reference, each at most as often as in the one that has it most.

    Papineni et al. 2002, section 2.1, "modified n-gram precision".

    >>> clipped_matches("the the the".split(), ["the cat on the mat".split(), "a cat".split()], 1)
    2
    """
    most: Counter[tuple[str, ...]] = Counter()
    for reference in references:
        most |= count_ngrams(reference, n)
    return (count_ngrams(hypothesis, n) & most).total()


def closest_length(length: int, reference_lengths: Sequence[int]) -> int:
    """Give the length of the reference whose length is closest to the translation's; of two, the shorter.

    Raises ValueError where there are no references.

    >>> closest_length(5, [2, 6, 4])
    4
    """
    return min(reference_lengths, key=lambda each: (abs(each - length), each))


def brevity_penalty(length: int, reference_length: int) -> float:
    """Punish translations that are too short: 1 if they are as long as the references, else exp(1 - r / c).

    Takes the length c of all translations and r of the references. Papineni et al. 2002, section 2.2.2.

    >>> brevity_penalty(8, 10), brevity_penalty(12, 10)
    (0.7788007830714049, 1.0)
    """
    if length == 0:
        return 0.0
    return math.exp(min(0.0, 1 - reference_length / length))


def length_ratio(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Divide the length of all translations by that of their references, for each the one that is closest in length.

    Below 1, words are missing; then `brevity_penalty` punishes the score.

    Takes what `bleu` takes. Raises ValueError where the references have no tokens, or the numbers of both differ.

    >>> length_ratio([["a", "b"], ["c"]], [[["a", "b", "c"]], [["c"], ["c", "d"]]])
    0.75
    """
    _check_numbers(hypotheses, references)
    wanted = sum(
        closest_length(len(hypothesis), list(map(len, correct)))
        for hypothesis, correct in zip(hypotheses, references, strict=True)
    )
    if not wanted:
        raise ValueError("the references have no words, so there is no length to compare with")
    return sum(map(len, hypotheses)) / wanted


def bleu(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]], longest: int = 4) -> float:
    """Score translations from 0 to 100.

        BLEU = 100 · BP · (p_1 · p_2 · … · p_N)^(1/N)

    p_n is the share of the translations' n-grams that match, counted over all sentences together. Papineni et al.
    2002, section 2.3.

    Args:
        hypotheses: the translations, each a list of tokens.
        references: for each translation, one or more correct ones.
        longest: N, how long the n-grams are at most.

    Raises ValueError where there is not a list of references for each translation.

    >>> bleu(["the cat sat on the mat".split()], [["the cat sat on a mat".split()]])
    53.7284965911771
    """
    _check_numbers(hypotheses, references)
    pairs = list(zip(hypotheses, references, strict=True))
    log_precisions = 0.0
    for n in range(1, longest + 1):
        matches = sum(clipped_matches(hypothesis, correct, n) for hypothesis, correct in pairs)
        total = sum(max(len(hypothesis) - n + 1, 0) for hypothesis in hypotheses)
        if matches == 0:
            return 0.0
        log_precisions += math.log(matches / total)
    length = sum(map(len, hypotheses))
    of_references = sum(closest_length(len(hypothesis), list(map(len, correct))) for hypothesis, correct in pairs)
    return 100 * brevity_penalty(length, of_references) * math.exp(log_precisions / longest)


def _check_numbers(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> None:
    if len(hypotheses) != len(references):
        raise ValueError(
            f"there should be references for each translation, but there are {len(hypotheses)} translations and "
            f"{len(references)} lists of references"
        )
