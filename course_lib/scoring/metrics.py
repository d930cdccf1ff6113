"""How good a result is: exact translations, word alignments, and how surprised a language model is by a text."""

import math
import operator
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from torch import Tensor

Link = tuple[int, int]
"""One source word and one target word that translate each other: (source index, target index)."""


def exact_match(predicted: Sequence[object], expected: Sequence[object]) -> float:
    """Give the share of predictions that equal what was expected, from 0 to 1.

    A sentence counts only if it is correct from its first word to its last.

    Args:
        predicted: one answer for each question: a string, a list of words or ids, or a number. Lists, tuples, tensors
            and arrays of the same items are equal.
        expected: the correct answers, in the same order.

    Raises ValueError for lists of different lengths, and for empty ones; TypeError for a string in place of a list.

    >>> exact_match(["le chat", "la chien"], ["le chat", "le chien"])
    0.5
    """
    for answers in (predicted, expected):
        if isinstance(answers, str | bytes):
            raise TypeError(f"expected a list of answers, but got {answers!r}: put it in a list")
    _check_same_length(predicted, expected, "answers", "expected ones")
    pairs = zip(map(_plain, predicted), map(_plain, expected), strict=True)
    return sum(ours == theirs for ours, theirs in pairs) / len(expected)


def share_of_right_words(predicted: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]) -> float:
    """Give the mean share of words that a sentence has in common with the correct one, from 0 to 1.

        2 · shared / (both lengths together)

    The order does not count, and a word that occurs twice is shared twice only if both sentences have it twice. This is
    the F1 of the bags of words, as in Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1.

    Takes the words of each sentence. Raises ValueError for lists of different lengths, and for empty ones.

    >>> share_of_right_words([["le", "chat"], ["un", "un"]], [["le", "chien"], ["un"]])  # 2/4 and 2/3
    0.5833333333333333
    """
    _check_same_length(predicted, expected, "answers", "expected ones")
    shares = [
        2 * (Counter(ours) & Counter(theirs)).total() / max(1, len(ours) + len(theirs))
        for ours, theirs in zip(predicted, expected, strict=True)
    ]
    return sum(shares) / len(shares)


def _plain(answer: Any) -> object:
    """Give tensors, arrays and lists as tuples, so that equal contents are equal."""
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    return tuple(map(_plain, answer)) if isinstance(answer, list | tuple) else answer


def alignment_error_rate(
    predicted: Sequence[Collection[Link]],
    sure: Sequence[Collection[Link]],
    possible: Sequence[Collection[Link]] | None = None,
) -> float:
    """Measure how far predicted word alignments are from those that people annotated; 0 is best, 1 is worst.

        AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|)

    Och and Ney 2003, "A Systematic Comparison of Various Statistical Alignment Models", Computational Linguistics
    29(1). A is predicted, S is sure, and P is possible and contains all of S. The counts are summed over all sentences
    before they are divided. Where every possible link is sure, this is 1 - F1.

    Args:
        predicted: A, a set of links for each sentence.
        sure: S, links that must be there.
        possible: P, links that may be there, the sure ones included; None: only the sure ones may.

    Raises ValueError for lists of different lengths, a sure link that is not possible, or no link at all; TypeError for
    a link that is no pair of whole numbers.

    >>> alignment_error_rate([{(0, 0), (1, 2)}], sure=[{(0, 0), (1, 1)}])
    0.5
    """
    _check_same_length(predicted, sure, "predicted alignments", "sure ones")
    possible = sure if possible is None else possible
    _check_same_length(possible, sure, "lists of possible links", "of sure ones")
    agreed = links = 0
    for i, alignments in enumerate(zip(predicted, sure, possible, strict=True)):
        A, S, P = (_links(alignment, i) for alignment in alignments)
        if not S <= P:
            raise ValueError(f"each sure link is also possible, but {min(S - P)} in sentence {i} is not")
        agreed += len(A & S) + len(A & P)
        links += len(A) + len(S)
    if links == 0:
        raise ValueError("there is no link, neither predicted nor sure, so there is no error rate")
    return 1 - agreed / links


def perplexity(log_probabilities: Tensor) -> float:
    """Say among how many equally likely tokens a model hesitates: 1 / the geometric mean of the probabilities.

        exp(-mean of ln p)

    It is per token, so models with different tokens cannot be compared by it. Built by hand in notebook 11.

    Takes ln p of each token of a text, (T,).

    >>> import torch
    >>> round(perplexity(torch.tensor([0.5, 0.125]).log()), 3)  # √(2 · 8)
    4.0
    """
    return math.exp(-log_probabilities.mean().item())


def bits_per_character(log_probabilities: Tensor, text: str) -> float:
    """Measure how many bits a model needs for each character of a text, whatever its tokens are.

        -Σ log₂ p / number of characters

    Built by hand in notebook 11. Takes ln p of each token that the text is split into, (T,), and the text.

    >>> import torch
    >>> round(bits_per_character(torch.tensor([0.5, 0.125]).log(), "the king"), 3)  # (1 + 3) / 8
    0.5
    """
    return -log_probabilities.sum().item() / math.log(2) / len(text)


def _links(alignment: Collection[Link], sentence: int) -> set[Link]:
    """Collect the links of a sentence as pairs of numbers."""
    links = set[Link]()
    for link in alignment:
        try:
            source, target = link
            links.add((operator.index(source), operator.index(target)))
        except (TypeError, ValueError):
            raise TypeError(
                f"a link is a pair of word numbers (source, target), but one of sentence {sentence} is {link!r}"
            ) from None
    return links


def alignment_from_weights(weights: Tensor) -> set[Link]:
    """Link each target word to the source word that it attends to most.

    Takes one head's cross-attention weights, (T, S). Returns T links (source, target). Raises ValueError for weights of
    another shape, or that are not numbers.

    >>> import torch
    >>> sorted(alignment_from_weights(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])))
    [(0, 0), (0, 2), (1, 1)]
    """
    if weights.dim() != 2:
        raise ValueError(f"weights should be (T, S), one head's, but their shape is {tuple(weights.shape)}")
    if weights.isnan().any():
        raise ValueError("the weights contain NaN, so no source word has the largest one")
    return {(int(source), target) for target, source in enumerate(weights.argmax(dim=-1))}


def _check_same_length(ours: Sequence[object], theirs: Sequence[object], what: str, others: str) -> None:
    if len(ours) != len(theirs):
        raise ValueError(
            f"each sentence needs one of each, but there are {len(ours)} {what} and {len(theirs)} {others}"
        )
    if not len(theirs):
        raise ValueError(f"there is nothing to compare: 0 {what}")
