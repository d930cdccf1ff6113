"""Draw a text token by token from any function that gives the logits of the next one, such as a masked model."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


@torch.no_grad()
def draw_text(
    next_logits: Callable[[Tensor], Tensor],
    ids: Sequence[int],
    length: int,
    banned: Tensor | None = None,
    seed: int = 0,
) -> list[int]:
    """Continue a text, drawing each token by its probability.

    Args:
        next_logits: from the text so far, ids (1, T), to the logits of the next token, (V,).
        ids: how the text begins, at least one.
        length: how many tokens are added.
        banned: ids that are never drawn, such as special ones; None: none.
        seed: what the draws depend on.

    Returns the added ids.
    """
    text, generator = [int(i) for i in ids], torch.Generator().manual_seed(seed)
    for _ in range(length):
        logits = next_logits(torch.tensor([text]))
        if banned is not None:
            logits = logits.index_fill(0, banned, -torch.inf)
        text.append(int(torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)))
    return text[len(ids) :]
