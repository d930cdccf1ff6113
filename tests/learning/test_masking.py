"""Hiding tokens: which share is hidden, how, and which tokens are never hidden."""

from pathlib import Path

import pytest
import torch
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from course_lib.learning.losses import IGNORE
from course_lib.learning.masking import draw_for_hiding, hide, hide_tokens
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


def test_substitutes_are_all_tokens_that_are_not_special_and_numbers_are_below_1() -> None:
    special = torch.tensor([0, 3, 9])
    chances, substitutes = draw_for_hiding(torch.zeros(20, 50), special, 10, torch.Generator().manual_seed(0))
    assert chances.shape == (2, 20, 50)
    assert chances.min() >= 0
    assert chances.max() < 1
    assert chances.mean().item() == pytest.approx(0.5, abs=5 * (1 / 12 / 2000) ** 0.5)
    assert substitutes.unique().tolist() == [1, 2, 4, 5, 6, 7, 8]
    with pytest.raises(ValueError, match="all 3 tokens of the vocabulary are special"):
        draw_for_hiding(torch.zeros(2, 5), torch.arange(3), 3)


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


def test_hiding_by_given_numbers_is_exactly_what_they_say() -> None:
    ids = torch.tensor([[7, 5, 9, 8, 6, 2]])
    chances = torch.tensor([[[0.05, 0.6, 0.1, 0.01, 0.14, 0.0]], [[0.2, 0.1, 0.79, 0.85, 0.95, 0.1]]])
    substitutes = torch.tensor([[10, 11, 12, 13, 14, 15]])
    inputs, labels = hide_tokens(ids, torch.tensor([0, 1, 2, 3]), 3, chances, substitutes)
    assert inputs.tolist() == [[3, 5, 3, 13, 6, 2]]
    assert labels.tolist() == [[7, IGNORE, 9, 8, 6, IGNORE]]


def test_the_limits_belong_to_the_next_kind() -> None:
    ids, substitutes = torch.tensor([[7, 5, 9]]), torch.tensor([[10, 11, 12]])
    chances = torch.tensor([[[0.15, 0.1, 0.1]], [[0.0, 0.8, 0.9]]])
    inputs, labels = hide_tokens(ids, torch.tensor([0]), 3, chances, substitutes)
    assert inputs.tolist() == [[7, 11, 9]]
    assert labels.tolist() == [[IGNORE, 5, 9]]


def test_the_shares_are_those_of_transformers_collator(tmp_path: Path) -> None:
    # Two samples from one distribution: chi-square of a 2 × 4 table has 3 degrees of freedom, and exceeds 21.1 once in
    # 10,000 times. The collator may draw special tokens as random ones; here a draw is counted as replaced either way.
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(251))]
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(words), encoding="utf-8")
    theirs = BertTokenizer(str(vocabulary))
    assert theirs.mask_token_id == 4
    torch.manual_seed(0)
    ids = torch.randint(5, 256, (400, 100))
    batch = DataCollatorForLanguageModeling(theirs, mlm_probability=0.15)([{"input_ids": row} for row in ids])
    special, numbers = torch.arange(5), torch.randint(5, 256, ids.shape)
    samples = [
        (batch["input_ids"], batch["labels"]),
        hide_tokens(ids, special, 4, torch.rand(2, *ids.shape), numbers),
    ]
    counts = torch.stack([kinds_of(ids, *sample) for sample in samples])  # (2, 4)
    expected = counts.sum(dim=1, keepdim=True) * counts.sum(dim=0) / counts.sum()
    assert ((counts - expected) ** 2 / expected).sum().item() < 21.1


def kinds_of(ids: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Count tokens that are not chosen, masked, replaced, and kept."""
    chosen, masked = labels != IGNORE, inputs == 4
    kinds = (~chosen, chosen & masked, chosen & ~masked & (inputs != ids), chosen & ~masked & (inputs == ids))
    return torch.stack([kind.sum() for kind in kinds]).double()
