"""How good a result is: the share of sentences that are correct, and the error rate of word alignments."""

from collections.abc import Collection, Sequence

from torch import Tensor

Link = tuple[int, int]
"""One source word and one target word that translate each other: (source index, target index)."""


def exact_match(predicted: Sequence[object], expected: Sequence[object]) -> float:
    """Give the share of predictions that equal what was expected, from 0 to 1.

    A sentence counts only if it is correct from its first word to its last.

    Args:
        predicted: one answer for each question: a string, a list of words or ids, or a number.
        expected: the correct answers, in the same order.

    Raises ValueError for lists of different lengths, and for empty ones.

    >>> exact_match(["le chat", "la chien"], ["le chat", "le chien"])
    0.5
    """
    _check_same_length(predicted, expected, "answers", "expected ones")
    return sum(ours == theirs for ours, theirs in zip(predicted, expected, strict=True)) / len(expected)


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

    Raises ValueError for lists of different lengths, a sure link that is not possible, or no link at all.

    >>> alignment_error_rate([{(0, 0), (1, 2)}], sure=[{(0, 0), (1, 1)}])
    0.5
    """
    _check_same_length(predicted, sure, "predicted alignments", "sure ones")
    possible = sure if possible is None else possible
    _check_same_length(possible, sure, "lists of possible links", "of sure ones")
    agreed = links = 0
    for i, (A, S, P) in enumerate(zip(map(set, predicted), map(set, sure), map(set, possible), strict=True)):
        if not S <= P:
            raise ValueError(f"each sure link is also possible, but {min(S - P)} in sentence {i} is not")
        agreed += len(A & S) + len(A & P)
        links += len(A) + len(S)
    if links == 0:
        raise ValueError("there is no link, neither predicted nor sure, so there is no error rate")
    return 1 - agreed / links


def alignment_from_weights(weights: Tensor) -> set[Link]:
    """Link each target word to the source word that it attends to most.

    Takes one head's cross-attention weights, (T, S). Returns T links (source, target).

    >>> import torch
    >>> sorted(alignment_from_weights(torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])))
    [(0, 0), (0, 2), (1, 1)]
    """
    if weights.dim() != 2:
        raise ValueError(f"weights should be (T, S), one head's, but their shape is {tuple(weights.shape)}")
    return {(int(source), target) for target, source in enumerate(weights.argmax(dim=-1))}


def _check_same_length(ours: Sequence[object], theirs: Sequence[object], what: str, others: str) -> None:
    if len(ours) != len(theirs):
        raise ValueError(
            f"each sentence needs one of each, but there are {len(ours)} {what} and {len(theirs)} {others}"
        )
    if not theirs:
        raise ValueError(f"there is nothing to compare: 0 {what}")
