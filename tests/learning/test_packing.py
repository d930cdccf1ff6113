"""Packed texts: the rows, who may read whom, and what is predicted, against values written by hand."""

import torch

from course_lib.learning.losses import IGNORE
from course_lib.learning.packing import document_mask, pack_texts, packed_labels
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.build import build_masked_language_model
from course_lib.transformer.config import TransformerConfig

END = 2


def test_texts_follow_one_another_each_with_its_end_and_the_rest_is_left_out() -> None:
    assert pack_texts([[5, 6, 7], [8], [9, 4, 5]], END, 4).tolist() == [[5, 6, 7, 2], [8, 2, 9, 4]]


def test_too_few_tokens_make_no_row() -> None:
    assert pack_texts([[5]], END, 4).shape == (0, 4)


def test_a_token_sees_its_own_text_to_whose_end_the_end_token_belongs() -> None:
    mask = document_mask(torch.tensor([[5, 2, 8, 9], [2, 7, 7, 2]]), END)
    assert mask.shape == (2, 1, 4, 4)
    assert mask[0, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert mask[1, 0].int().tolist() == [[1, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]]


def test_the_end_is_predicted_and_the_jump_to_the_next_text_is_not() -> None:
    inputs, labels = packed_labels(torch.tensor([[5, 6, 2, 8, 2, 2]]), END)
    assert inputs.tolist() == [[5, 6, 2, 8, 2]]
    assert labels.tolist() == [[6, 2, IGNORE, 2, IGNORE]]


def test_changing_one_packed_text_changes_nothing_in_another() -> None:
    torch.manual_seed(0)
    config = TransformerConfig(
        vocabulary=9, d_model=8, heads=2, d_ff=16, layers=2, dropout=0.0, positions="rotary", norm_place="pre", pad=None
    )
    model = build_masked_language_model(config).eval()
    ids = torch.tensor([[5, 6, 2, 8, 7, 2, 4]])
    changed = ids.clone()
    changed[0, 0] = 3
    for mask in (document_mask(ids, END), document_mask(ids, END) & causal_mask(7)):
        before, after = model(ids, mask), model(changed, mask)
        assert torch.equal(before[0, 3:], after[0, 3:])
        assert not torch.equal(before[0, :3], after[0, :3])
    assert not torch.equal(model(ids, causal_mask(7))[0, 3:], model(changed, causal_mask(7))[0, 3:])


def test_a_packed_text_gets_the_same_logits_as_alone_with_rotary_positions() -> None:
    # Rotary positions depend on distances alone, so it does not matter where in a row a text begins.
    torch.manual_seed(0)
    config = TransformerConfig(
        vocabulary=9, d_model=8, heads=2, d_ff=16, layers=2, dropout=0.0, positions="rotary", norm_place="pre", pad=None
    )
    model = build_masked_language_model(config).double().eval()
    ids = torch.tensor([[5, 6, 2, 8, 7, 2]])
    together = model(ids, document_mask(ids, END))
    torch.testing.assert_close(together[:, 3:], model(ids[:, 3:]), rtol=1e-10, atol=1e-12)
