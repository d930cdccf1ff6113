"""Hiding tokens: which share is hidden, how, and which tokens are never hidden."""

import pytest
import torch

from course_lib.learning.losses import IGNORE
from course_lib.learning.masking import hide
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.characters import CharacterTokenizer
from course_lib.text.tokenizer import special_ids

TOKENIZER = BytePairTokenizer([])
V = 256  # ordinary tokens
SPECIAL = sorted(special_ids(TOKENIZER))
# The standard error of a share p of n tokens is the root of p (1 - p) / n. Bands are 5 standard errors wide, so that
# about one seed in two million would fall outside.
COUNT = 200_000


def band(share: float, count: float) -> float:
    return 5 * float((share * (1 - share) / count) ** 0.5)


def hidden(share: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(V, (COUNT // 100, 100), generator=generator)
    return ids, *hide(ids, TOKENIZER, share, generator)


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_the_share_of_chosen_tokens_is_the_given_one(share: float) -> None:
    ids, inputs, labels = hidden(share)
    chosen = labels != IGNORE
    assert chosen.double().mean().item() == pytest.approx(share, abs=band(share, COUNT))
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])


def test_of_the_chosen_80_percent_are_masked_10_replaced_and_10_left() -> None:
    ids, inputs, labels = hidden(0.15)
    before, after = ids[labels != IGNORE], inputs[labels != IGNORE]
    # A random token equals the original one with probability 1 / V.
    shares = {"masked": 0.8, "replaced": 0.1 * (1 - 1 / V), "left": 0.1 * (1 + 1 / V)}
    masked = after == TOKENIZER.mask
    found = {"masked": masked, "replaced": ~masked & (after != before), "left": after == before}
    for name, share in shares.items():
        assert found[name].double().mean().item() == pytest.approx(share, abs=band(share, len(before))), name


def test_random_tokens_are_equally_frequent_and_none_is_special() -> None:
    ids, inputs, _ = hidden(1.0)
    replaced = inputs[(inputs != TOKENIZER.mask) & (inputs != ids)]
    counts = replaced.bincount(minlength=len(TOKENIZER))
    assert counts[SPECIAL].tolist() == [0, 0, 0, 0]
    expected = len(replaced) / V
    # The 99.9th percentile of chi-square with 255 degrees of freedom: 330.5, by Wilson and Hilferty's formula.
    assert ((counts[:V] - expected) ** 2 / expected).sum() < 330.5


def test_special_tokens_are_never_chosen() -> None:
    ids = torch.tensor([SPECIAL * 50, [65] * 200])
    inputs, labels = hide(ids, TOKENIZER, share=1.0)
    assert torch.equal(inputs[0], ids[0])
    assert (labels[0] == IGNORE).all()
    assert (labels[1] == 65).all()


def test_the_same_generator_hides_the_same_tokens_and_does_not_change_the_ids() -> None:
    ids = torch.arange(200).view(2, 100)
    before = ids.clone()
    first, again, other = (hide(ids, TOKENIZER, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert torch.equal(ids, before)


def test_a_share_of_zero_hides_nothing() -> None:
    ids = torch.arange(200).view(2, 100)
    inputs, labels = hide(ids, TOKENIZER, share=0)
    assert torch.equal(inputs, ids)
    assert (labels == IGNORE).all()


def test_a_tokenizer_without_a_mask_token_and_an_invalid_share_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a mask token, but this tokenizer has none"):
        hide(torch.tensor([[4]]), CharacterTokenizer.from_text("a"))
    with pytest.raises(ValueError, match=r"from 0 to 1, but is 1\.5"):
        hide(torch.tensor([[4]]), TOKENIZER, share=1.5)
