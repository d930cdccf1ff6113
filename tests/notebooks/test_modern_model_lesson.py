"""The small file that takes SmolLM2's place in notebook 14, and the real model broken in the notebook's two ways."""

import pytest
import torch

from course_lib import data
from course_lib.lessons.l14_modern_language_model.for_notebook.broken import groups_dealt_in_turn, neighbours_rotated
from course_lib.lessons.l14_modern_language_model.for_notebook.model_file import find_model_file
from course_lib.pretrained.decoder import load_decoder
from course_lib.transformer.layers import GroupedQueryAttention
from course_lib.transformer.positions import rotary

TEXT = "Once upon a time there was a king who had a daughter."


def test_where_the_file_is_missing_a_small_one_of_its_kind_takes_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    found = find_model_file()
    assert not found.is_real
    assert "course.py data pretrained-decoder" in found.about
    assert {found.file.kind(name) for name in found.file.names()} == {"Q4_1", "Q8_0", "F32"}
    small = load_decoder(path=found.path)
    assert small.tokenizer.decode(small.tokenizer.encode(TEXT)) == TEXT
    assert "".join(small.write(TEXT, 5))


@pytest.fixture(scope="module")
def real():
    data.fetch("pretrained-decoder")
    return load_decoder(path=find_model_file().path)


def test_neighbours_leave_position_0_right_and_spoil_the_rest(real):
    ids = real.tokenizer.encode(TEXT)
    right = real.logits(ids)
    with neighbours_rotated(real.model):
        wrong = real.logits(ids)
    assert (wrong[0] - right[0]).abs().max() < 1e-3
    assert (wrong[5:] - right[5:]).abs().amax(dim=-1).min() > 0.1
    assert torch.equal(real.logits(ids), right)


def test_groups_in_turn_spoil_even_position_0(real):
    ids = real.tokenizer.encode(TEXT)
    right = real.logits(ids)
    with groups_dealt_in_turn(real.model):
        wrong = real.logits(ids)
    assert (wrong[0] - right[0]).abs().max() > 1
    assert torch.equal(real.logits(ids), right)


def test_heads_that_change_places_are_what_repeat_would_give(real):
    layer = real.model.layers[0].self_attention
    page = GroupedQueryAttention(576, 9, 3, lambda x: rotary(x, base=100_000.0))
    page.load_state_dict(layer.state_dict())
    x, mask = torch.randn(1, 4, 576, generator=torch.Generator().manual_seed(0)), torch.ones(4, 4).tril().bool()
    queries, keys, values = (w(x).unflatten(-1, (-1, 64)).transpose(1, 2) for w in (page.W_q, page.W_k, page.W_v))
    queries, keys = page.rotate(queries), page.rotate(keys)
    mixed = torch.nn.functional.scaled_dot_product_attention(
        queries, keys.repeat(1, 3, 1, 1), values.repeat(1, 3, 1, 1), is_causal=True
    )
    expected = page.W_o(mixed.transpose(1, 2).flatten(2))
    with groups_dealt_in_turn(real.model), torch.no_grad():
        torch.testing.assert_close(layer(x, x, x, mask), expected, rtol=1e-4, atol=1e-4)
