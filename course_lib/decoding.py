"""From a model's logits to text: greedy decoding, the likeliest token at each step. Built by hand in notebook 07."""

from collections.abc import Sequence

import torch

from course_lib.batches import collate
from course_lib.models import LanguageModel, Transformer
from course_lib.tokens import BOS, EOS
from course_lib.training import evaluating

ROWS_AT_ONCE = 256


def greedy(model: Transformer, source_ids: Sequence[Sequence[int]], max_length: int | None = None) -> list[list[int]]:
    """Translate sentences by taking the likeliest token at each step.

    Starts from [bos] and ends at [eos], neither of which is returned. The same input always gives the same output:
    dropout is off. Each step runs the decoder over all tokens so far, which notebook 08 mends.

    Args:
        model: an encoder–decoder, on any device.
        source_ids: the sentences, each a list of ids, of any lengths.
        max_length: most tokens of a translation, which is cut there; None: as many as the model's positions hold.

    Returns one list of target ids for each sentence, in their order.

    Raises ValueError for a sentence without tokens.
    """
    for i, ids in enumerate(source_ids):
        if not len(ids):
            raise ValueError(f"sentence {i} has no tokens, so there is nothing to translate")
    longest = min(max_length or model.config.max_length, model.config.max_length)
    with evaluating(model):
        starts = range(0, len(source_ids), ROWS_AT_ONCE)
        return [row for i in starts for row in _greedy_batch(model, source_ids[i : i + ROWS_AT_ONCE], longest)]


def _greedy_batch(model: Transformer, source_ids: Sequence[Sequence[int]], longest: int) -> list[list[int]]:
    device = next(model.parameters()).device
    (source,) = collate([(ids,) for ids in source_ids], device)  # (B, S)
    memory = model.encode(source)  # (B, S, d_model)
    target = torch.full((len(source_ids), 1), BOS, device=device)  # (B, 1)
    done = torch.zeros(len(source_ids), dtype=torch.bool, device=device)  # (B,)
    while target.size(1) <= longest and not done.all():
        best = model.decode(target, memory, source)[:, -1].argmax(dim=-1)  # (B,)
        target = torch.cat((target, best[:, None]), dim=1)  # (B, T + 1)
        done |= best == EOS
    return [row[: row.index(EOS)] if EOS in row else row for row in target[:, 1:].tolist()]


def greedy_continuation(model: LanguageModel, prompt_ids: Sequence[int], length: int, end: int = EOS) -> list[int]:
    """Go on with a text by taking the likeliest next token, again and again.

    Where the text outgrows the model's positions, the model reads the last `max_length` tokens.

    Args:
        model: a language model, on any device.
        prompt_ids: the beginning, one id or more.
        length: most tokens to add.
        end: the token that ends a text.

    Returns the added ids, without the prompt and without `end`.

    Raises ValueError for a prompt without tokens.
    """
    if not len(prompt_ids):
        raise ValueError("the prompt has no tokens, so there is nothing to go on with; [bos] alone will do")
    ids = torch.tensor([list(prompt_ids)], device=next(model.parameters()).device)  # (1, T)
    with evaluating(model):
        for _ in range(length):
            best = model(ids[:, -model.config.max_length :])[:, -1].argmax(dim=-1, keepdim=True)  # (1, 1)
            if best.item() == end:
                break
            ids = torch.cat((ids, best), dim=1)  # (1, T + 1)
    added: list[int] = ids[0, len(prompt_ids) :].tolist()
    return added
