"""Hide tokens that a model then has to guess: the task of BERT. Built by hand in notebook 11."""

import torch
from torch import Tensor

from course_lib.learning.losses import IGNORE
from course_lib.text.tokenizer import Tokenizer, special_ids


def hide_tokens(
    ids: Tensor, special: Tensor, mask: int, chances: Tensor, substitutes: Tensor, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Choose tokens, and hide most of them.

    Devlin et al. 2019, arXiv:1810.04805, section 3.1. Of the chosen tokens 80 % become the mask token, 10 % a random
    token and 10 % stay as they are, since later tasks have no mask token. Special tokens are never chosen. The
    randomness is passed in, so that the function itself has none.

    Args:
        ids: texts, (B, T).
        special: the special ids, (n,).
        mask: the id of the mask token.
        chances: numbers from 0 to below 1, (2, B, T). A token is chosen where the first is below `share`; a chosen one
            is masked where the second is below 0.8, and replaced where it is from 0.8 to below 0.9.
        substitutes: what replaces a token that is replaced, (B, T).
        share: the probability that a token is chosen.

    Returns:
        What the model reads, (B, T), and the labels, (B, T): the original id where a token was chosen, `IGNORE`
        elsewhere.
    """
    chosen = (chances[0] < share) & ~torch.isin(ids, special)  # (B, T)
    masked = chosen & (chances[1] < 0.8)  # (B, T)
    replaced = chosen & ~masked & (chances[1] < 0.9)  # (B, T)
    inputs = torch.where(replaced, substitutes, ids.masked_fill(masked, mask))  # (B, T)
    return inputs, ids.masked_fill(~chosen, IGNORE)


def draw_for_hiding(
    ids: Tensor, special: Tensor, vocabulary: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw the random numbers and the substitutes that `hide_tokens` needs. A substitute is never a special token.

    Args:
        ids: texts, (B, T).
        special: the special ids, (n,).
        vocabulary: V; substitutes are drawn from 0 to V − 1.
        generator: the source of randomness; None: torch's own.

    Returns:
        Numbers from 0 to below 1, (2, B, T), and substitutes, (B, T).

    Raises:
        ValueError: every token of the vocabulary is special.
    """
    ordinary = torch.arange(vocabulary, device=ids.device)
    ordinary = ordinary[~torch.isin(ordinary, special)]  # (number of tokens that are not special,)
    if not len(ordinary):
        raise ValueError(f"all {vocabulary} tokens of the vocabulary are special, so none can replace another")
    chances = torch.rand(2, *ids.shape, generator=generator, device=ids.device)  # (2, B, T)
    numbers = torch.randint(len(ordinary), ids.shape, generator=generator, device=ids.device)  # (B, T)
    return chances, ordinary[numbers]


def hide(
    ids: Tensor, tokenizer: Tokenizer, share: float = 0.15, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Choose tokens at random, and hide most of them, as `hide_tokens` does.

    Unlike in the code of Devlin et al., the random token is never a special one, and each token is chosen on its own
    with probability `share`, so the number of chosen tokens varies.

    Args:
        ids: texts, (B, T).
        tokenizer: knows the special ids; one of them has to be `mask`.
        share: the probability that a token is chosen.
        generator: the source of randomness; None: torch's own.

    Returns:
        What the model reads, (B, T), and the labels, (B, T).

    Raises:
        ValueError: the tokenizer has no mask token, or the share is not from 0 to 1.
    """
    if tokenizer.mask is None:
        raise ValueError("hiding tokens needs a mask token, but this tokenizer has none: its `mask` is None")
    if not 0 <= share <= 1:
        raise ValueError(f"share is the probability that a token is chosen, from 0 to 1, but is {share}")
    specials = torch.tensor(sorted(special_ids(tokenizer)), device=ids.device)
    chances, substitutes = draw_for_hiding(ids, specials, len(tokenizer), generator)
    return hide_tokens(ids, specials, tokenizer.mask, chances, substitutes, share)
