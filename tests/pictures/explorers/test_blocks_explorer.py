"""What the explorer of attention in blocks sends to the browser."""

import pytest
import torch

from course_lib.pictures.explorers import BlocksExplorer
from course_lib.transformer.attention import scaled_dot_product_attention


def tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(5, 3), torch.randn(6, 3), torch.randn(6, 2)


def test_after_its_last_block_the_output_of_each_query_is_exact():
    query, key, value = tensors()
    exact, _ = scaled_dot_product_attention(query, key, value)
    sent = BlocksExplorer(query, key, value, sizes=(1, 2, 4, 8)).data
    for steps in sent["steps"].values():
        finished = {
            step["rows"][0] + i: kept[2]
            for step in steps
            if step["columns"][1] == 6
            for i, kept in enumerate(step["kept"])
        }
        assert [finished[t] for t in range(5)] == pytest.approx(exact[:, 0].tolist(), abs=1e-4)


def test_each_pair_is_in_exactly_one_block():
    for size, steps in BlocksExplorer(*tensors(), sizes=(1, 4)).data["steps"].items():
        pairs = [(t, s) for step in steps for t in range(*step["rows"]) for s in range(*step["columns"])]
        assert sorted(pairs) == [(t, s) for t in range(5) for s in range(6)], size


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers():
    explorer = BlocksExplorer(*tensors(), sizes=(2, 8))
    assert explorer.alt() == (
        "5 queries and 6 keys have 30 scores. At once are held: 4 with blocks of 2, 30 with blocks of 8."
    )
    page = explorer.static_html()
    assert explorer.alt() in page
    assert page.count('scope="row"') == 5


def test_the_learners_step_is_used():
    calls = []

    def step(maximum, total, mixed, scores, value):
        calls.append(tuple(scores.shape))
        return maximum.clamp(min=0), total + 1, mixed

    BlocksExplorer(*tensors(), step=step, sizes=(4,))
    assert calls == [(4, 4), (4, 2), (1, 4), (1, 2)]


def test_other_tensors_and_sizes_are_refused():
    query, key, value = tensors()
    with pytest.raises(ValueError, match=r"are needed, but got \(5, 3\), \(6, 3\), \(5, 2\)"):
        BlocksExplorer(query, key, value[:5])
    with pytest.raises(ValueError, match=r"1 or more, but are \(0,\)"):
        BlocksExplorer(query, key, value, sizes=(0,))
