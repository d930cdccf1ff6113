"""Texts drawn from a function that gives the logits of the next token."""

import torch

from course_lib.writing.draw import draw_text


def test_tokens_are_drawn_by_their_probabilities_and_banned_ones_never() -> None:
    p = torch.tensor([0.5, 0.2, 0.3])
    ids = draw_text(lambda text: p.log(), [1], 4000, banned=torch.tensor([0]), seed=3)
    assert len(ids) == 4000
    assert ids.count(0) == 0
    assert abs(ids.count(2) / 4000 - 0.6) < 5 * (0.6 * 0.4 / 4000) ** 0.5


def test_each_token_is_drawn_after_all_before_it_and_the_seed_decides() -> None:
    seen = list[list[int]]()

    def next_logits(text: torch.Tensor) -> torch.Tensor:
        seen.append(text[0].tolist())
        return torch.zeros(5)

    ids = draw_text(next_logits, [4, 3], 3, banned=torch.tensor([]).long(), seed=1)
    assert seen == [[4, 3], [4, 3, ids[0]], [4, 3, *ids[:2]]]
    assert ids == draw_text(lambda text: torch.zeros(5), [4, 3], 3, torch.tensor([]).long(), seed=1)
