"""Hide tokens that a model then has to guess: the task of BERT."""

import torch
from torch import Tensor

from course_lib.learning.losses import IGNORE
from course_lib.text.tokenizer import Tokenizer, special_ids


def hide(
    ids: Tensor, tokenizer: Tokenizer, share: float = 0.15, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Choose tokens at random, and hide most of them.

    Devlin et al. 2019, arXiv:1810.04805, section 3.1. Of the chosen tokens 80 % become the mask token, 10 % a random
    token and 10 % stay as they are, since later tasks have no mask token. Special tokens are never chosen.

    Unlike in the released code, the random token is never a special one, and each token is chosen on its own with
    probability `share`, so the number of chosen tokens varies.

    Args:
        ids: texts, (B, T).
        tokenizer: knows the special ids; one of them has to be `mask`.
        share: the probability that a token is chosen.
        generator: the source of randomness; None: torch's own.

    Returns:
        What the model reads, (B, T), and the labels, (B, T): the original id where a token was chosen, `IGNORE`
        elsewhere.

    Raises:
        ValueError: the tokenizer has no mask token, or the share is not from 0 to 1.
    """
    if tokenizer.mask is None:
        raise ValueError("hiding tokens needs a mask token, but this tokenizer has none: its `mask` is None")
    if not 0 <= share <= 1:
        raise ValueError(f"share is the probability that a token is chosen, from 0 to 1, but is {share}")
    specials = torch.tensor(sorted(special_ids(tokenizer)), device=ids.device)
    ordinary = torch.arange(len(tokenizer), device=ids.device)
    ordinary = ordinary[~torch.isin(ordinary, specials)]  # (number of tokens that are not special,)

    def random() -> Tensor:
        return torch.rand(ids.shape, generator=generator, device=ids.device)  # (B, T)

    chosen = (random() < share) & ~torch.isin(ids, specials)  # (B, T)
    fate = random()  # (B, T)
    numbers = torch.randint(len(ordinary), ids.shape, generator=generator, device=ids.device)  # (B, T)
    inputs = ids.masked_fill(chosen & (fate < 0.8), tokenizer.mask)  # (B, T)
    inputs = torch.where(chosen & (fate >= 0.9), ordinary[numbers], inputs)  # (B, T)
    return inputs, ids.masked_fill(~chosen, IGNORE)
