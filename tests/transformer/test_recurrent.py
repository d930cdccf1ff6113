"""The gated recurrent unit against torch's, and the translators that are made of it."""

import pytest
import torch

from course_lib.transformer.attention import additive_attention
from course_lib.transformer.recurrent import RecurrentTranslator, gru_step
from course_lib.writing.choose import greedy

SOURCE = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0]])
TARGET = torch.tensor([[1, 7, 8], [1, 4, 0]])


def test_a_step_is_that_of_torchs_cell():
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(3, 5).double()
    x, state = torch.randn(4, 3).double(), torch.randn(4, 5).double()
    ours = gru_step(x, state, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    torch.testing.assert_close(ours, cell(x, state), rtol=0, atol=1e-12)


@pytest.fixture(params=[False, True], ids=["without attention", "with attention"])
def model(request: pytest.FixtureRequest) -> RecurrentTranslator:
    torch.manual_seed(0)
    return RecurrentTranslator(20, d_model=8, layers=2, attends=request.param, pad=0).eval()


def test_padding_changes_nothing(model: RecurrentTranslator):
    alone = model(SOURCE[1:, :2], TARGET[1:, :2])
    torch.testing.assert_close(model(SOURCE, TARGET)[1:, :2], alone)


def test_no_token_sees_those_after_it(model: RecurrentTranslator):
    other = TARGET.clone()
    other[:, 2] = 11
    torch.testing.assert_close(model(SOURCE, TARGET)[:, :2], model(SOURCE, other)[:, :2])


def test_the_source_counts(model: RecurrentTranslator):
    assert not torch.allclose(model(SOURCE, TARGET), model(SOURCE + 3, TARGET))


def test_it_writes_like_a_transformer(model: RecurrentTranslator):
    written = greedy(model, [[4, 5, 6], [7]], 6, bos=1, stop=[2], pad=0)
    assert [len(ids) <= 6 for ids in written] == [True, True]
    assert written[1] == greedy(model, [[7]], 6, bos=1, stop=[2], pad=0)[0]


def test_the_attention_that_is_handed_in_is_used():
    calls = []

    def counted(*arguments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(arguments[0].shape)
        return additive_attention(*arguments)

    RecurrentTranslator(20, 8, 1, True, pad=0, attention=counted)(SOURCE, TARGET)
    assert calls == [(2, 3, 8)]


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="even, for two directions of reading, but is 7"):
        RecurrentTranslator(20, 7, 1, True)
