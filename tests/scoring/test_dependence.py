"""Which tokens an output depends on: for models of which it is known."""

import pytest
import torch

from course_lib.scoring.dependence import notices

LAST = 4  # the largest id: another one in its place has to be in the vocabulary, too
IDS = torch.tensor([[LAST, 0, 2, LAST]])


def test_an_output_that_adds_up_what_came_before_notices_that_and_itself() -> None:
    found = notices(lambda ids: ids[..., None].cumsum(dim=1), IDS, LAST + 1)
    assert found.equal(torch.ones(4, 4, dtype=torch.bool).tril())


def test_an_output_of_the_next_token_notices_only_that() -> None:
    found = notices(lambda ids: ids.roll(-1, dims=1)[..., None], IDS, LAST + 1)
    assert found.equal(torch.eye(4, dtype=torch.bool).roll(1, dims=1))


def test_a_change_in_any_feature_is_noticed_and_the_text_stays_as_it_was() -> None:
    text = IDS.clone()
    table = torch.eye(LAST + 1)
    assert notices(lambda ids: table[ids], text, LAST + 1).equal(torch.eye(4, dtype=torch.bool))
    assert text.equal(IDS)


def test_several_texts_numbers_that_are_no_ids_and_a_vocabulary_of_one_token_are_refused() -> None:
    with pytest.raises(ValueError, match=r"ids should be those of one text, \(1, T\), but their shape is \(2, 4\)"):
        notices(lambda ids: ids[..., None], IDS.expand(2, 4), LAST + 1)
    with pytest.raises(ValueError, match=r"ids should be whole numbers, but are of torch\.bool"):
        notices(lambda ids: ids[..., None], IDS > 0, LAST + 1)
    with pytest.raises(ValueError, match="another one is needed, but the vocabulary is 1"):
        notices(lambda ids: ids[..., None], IDS * 0, 1)
