import pytest
import torch

from course_lib.data.grammar import Pair, generate
from course_lib.scoring.alignments import ITS_NOUN, best_single_links, links_by_kind
from course_lib.scoring.metrics import alignment_error_rate

# le vieux roi dort, and a second sentence in which the adjective follows.
OLD = Pair(("the", "old", "king"), ("le", "vieux", "roi"), frozenset({(0, 0), (1, 1), (2, 2)}))
TIRED = Pair(("the", "tired", "king"), ("le", "roi", "fatigué"), frozenset({(0, 0), (1, 2), (2, 1)}))


def reading(*rows: int) -> torch.Tensor:
    """The weights of one head that reads these English words, one for each French word."""
    return torch.nn.functional.one_hot(torch.tensor(rows), 3).float() * 0.8 + 0.1


def test_hits_are_counted_for_each_head_and_kind_of_word():
    straight, by_noun = reading(0, 1, 2), reading(2, 1, 2)
    weights = [torch.stack([straight, by_noun]), torch.stack([straight, by_noun])]
    found = links_by_kind(weights, [OLD, TIRED])
    # In the second sentence, both heads read “tired” for *roi* and “king” for *fatigué*.
    assert {name: shares.tolist() for name, shares in found.items()} == {
        "determiner": [1.0, 0.0],
        "adjective": [0.5, 0.5],
        "noun": [0.5, 0.5],
        ITS_NOUN: [0.0, 1.0],
    }


def test_any_of_several_true_links_is_a_hit():
    pair = Pair(("slept",), ("a", "dormi"), frozenset({(0, 0), (0, 1)}))
    assert links_by_kind([torch.ones(3, 2, 1)], [pair])["other"].tolist() == [1, 1, 1]


def test_weights_of_other_sizes_than_the_sentence_are_refused():
    with pytest.raises(ValueError, match=r"should be \(H, 3, 3\), but their shape is \(1, 2, 3\)"):
        links_by_kind([reading(0, 1)[None]], [OLD])
    with pytest.raises(ValueError, match="argument 2 is longer"):
        links_by_kind([reading(0, 1, 2)[None]], [OLD, TIRED])


def test_no_alignment_with_single_links_is_nearer_to_the_truth():
    # By trying them all, on sentences that are short enough.
    for pair in (pair for pair in generate(40, seed=3) if len(pair.english) ** len(pair.french) < 5000):
        S, T = len(pair.english), len(pair.french)
        choices = torch.cartesian_prod(*[torch.arange(S)] * T).reshape(-1, T).tolist()
        rates = [alignment_error_rate([{(i, j) for j, i in enumerate(row)}], [pair.alignment]) for row in choices]
        assert alignment_error_rate([best_single_links(pair)], [pair.alignment]) == pytest.approx(min(rates))
