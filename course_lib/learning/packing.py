"""Short texts, packed into rows of one length so that nothing is padding. Built by hand in notebook 11.

Each text ends with an end token. A row holds the end of one text and the beginning of the next, so attention needs a
mask, and the loss leaves out the jump from one text to the next. Which token belongs to which text can be read off the
end tokens, so nothing else is stored.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.learning.losses import IGNORE


def pack_texts(texts: Sequence[Sequence[int]], end: int, length: int) -> Tensor:
    """Write texts one after another, each followed by the end token, and cut them into rows of one length.

    Brown et al. 2020 (GPT-3), arXiv:2005.14165, appendix B, pack texts in this way.

    Args:
        texts: lists of ids, of any lengths.
        end: the id that ends a text.
        length: how many ids a row holds.

    Returns:
        Rows of ids, (rows, length). What is left at the end, shorter than a row, is left out.

    >>> pack_texts([[5, 6, 7], [8]], end=2, length=3)
    tensor([[5, 6, 7],
            [2, 8, 2]])
    """
    stream = torch.tensor([i for text in texts for i in (*text, end)], dtype=torch.long)
    rows = len(stream) // length
    return stream[: rows * length].view(rows, length)


def document_mask(ids: Tensor, end: int) -> Tensor:
    """Let each token attend to the tokens of its own text only.

    Takes packed rows of ids, (B, T), and the id that ends a text; an end token belongs to the text that it ends.
    Returns booleans, (B, 1, T, T), for all heads alike. For a model that predicts the next token, combine them with the
    causal mask: ``document_mask(ids, end) & causal_mask(T)``.

    >>> document_mask(torch.tensor([[5, 2, 8]]), end=2).int()
    tensor([[[[1, 1, 0],
              [1, 1, 0],
              [0, 0, 1]]]], dtype=torch.int32)
    """
    ends = ids == end  # (B, T)
    text = ends.cumsum(dim=-1) - ends.long()  # (B, T): how many texts have ended before this token
    return (text.unsqueeze(-1) == text.unsqueeze(-2)).unsqueeze(1)  # (B, 1, T, T)


def packed_labels(ids: Tensor, end: int) -> tuple[Tensor, Tensor]:
    """Split packed rows into what a language model reads and what it should predict.

    The end of a text is predicted like any other token. The first token of the next text is not: its label is `IGNORE`.

    Takes ids (B, T + 1), and the id that ends a text. Returns inputs (B, T) and labels (B, T).

    >>> packed_labels(torch.tensor([[5, 2, 8, 9]]), end=2)
    (tensor([[5, 2, 8]]), tensor([[   2, -100,    9]]))
    """
    inputs, labels = ids[:, :-1], ids[:, 1:]  # (B, T) each
    return inputs, labels.masked_fill(inputs == end, IGNORE)
