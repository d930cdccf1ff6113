"""Looking inside a translator: how well it does, its next word after given words, and without one of its heads.

Used in notebook 08.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from course_lib.data.grammar import Pair, as_ids
from course_lib.learning.batches import collate
from course_lib.learning.losses import translation
from course_lib.learning.training import Task, evaluate, evaluating
from course_lib.pretrained.translator import Translator
from course_lib.scoring.baselines import ngram_baselines


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a translator says at each position of a French sentence that is given.

    Attributes:
        words: the T words that it considers likeliest, each after the given ones before it.
        confidence: (T,), the probability that it gives to each of these words.
        correct: (T,), booleans: whether each is the right one.
    """

    words: tuple[str, ...]
    confidence: Tensor
    correct: Tensor


def predictions(
    translator: Translator, pairs: Sequence[Pair], reads: Sequence[Sequence[str]] | None = None
) -> list[Prediction]:
    """Ask for each French word after the ones before it, as in training.

    Args:
        translator: the course's or a learner's.
        pairs: the sentences, with the right French.
        reads: the French words that it reads, as many as are right; None: the right ones.

    Raises ValueError for other numbers of words than there are right ones.
    """
    french, given = translator.french, [pair.french for pair in pairs] if reads is None else reads
    for words, pair in zip(given, pairs, strict=True):
        if len(words) != len(pair.french):
            raise ValueError(f"it should read {len(pair.french)} French words, but is given {len(words)}")
    rows = [
        (translator.english.encode(pair.english), [french.bos, *french.encode(words)[:-1]])
        for pair, words in zip(pairs, given, strict=True)
    ]
    source, target = collate(rows, french.pad, next(translator.model.parameters()).device)
    with evaluating(translator.model):
        probabilities = translator.model(source, target).softmax(dim=-1).cpu()  # (B, T, V)
    found = []
    for p, pair in zip(probabilities, pairs, strict=True):
        confidence, ids = p[: len(pair.french)].max(dim=-1)  # (T,) each
        right = torch.tensor(french.encode(pair.french))
        words = tuple(french.token(i) for i in ids.tolist())
        found.append(Prediction(words, confidence, ids == right))
    return found


def count_right(translator: Translator, pairs: Sequence[Pair]) -> int:
    """Count the sentences that are translated rightly, in every word."""
    answers = translator.translate_words([pair.english for pair in pairs])
    return sum(answer == pair.french for answer, pair in zip(answers, pairs, strict=True))


def loss_per_word(translator: Translator, pairs: Sequence[Pair]) -> float:
    """Measure the mean surprise at the right French words, [eos] included, in nats."""
    pad, examples = translator.french.pad, as_ids(pairs, translator.english, translator.french)
    task = Task([], partial(translation, pad=pad), examples, pad)
    return evaluate(translator.model, task, device=next(translator.model.parameters()).device)


def counting_losses(translator: Translator, known: Sequence[Pair], pairs: Sequence[Pair]) -> dict[str, float]:
    """Measure what counting French words achieves, in nats per word: what `loss_per_word` is to be compared with.

    Takes a translator, whose words are counted, the sentences to count, and those to test on. Returns the loss of even
    bets, and of unigrams, bigrams and smoothed 5-grams.
    """
    learned, unseen = (
        [target for _, target in as_ids(some, translator.english, translator.french)] for some in (known, pairs)
    )
    return ngram_baselines([i for target in learned for i in target], unseen, len(translator.french))


def complete(translator: Translator, source: Sequence[str], beginning: Sequence[str]) -> tuple[str, ...]:
    """Translate a sentence from given first French words on, each next word the likeliest one.

    Takes the English words and the first French words; returns all French words, the given ones included.
    """
    french, device = translator.french, next(translator.model.parameters()).device
    source_ids = torch.tensor([translator.english.encode(source)], device=device)
    target = [french.bos, *french.encode(beginning)]
    with evaluating(translator.model):
        memory = translator.model.encode(source_ids)
        while len(target) <= translator.longest:
            logits = translator.model.decode(torch.tensor([target], device=device), memory, source_ids)
            best = int(logits[0, -1].argmax())
            if best == french.eos:
                break
            target.append(best)
    return tuple(french.decode_words(target[1:]))


@contextmanager
def without_head(translator: Translator, layer: int, head: int) -> Iterator[None]:
    """Switch off one head of the cross-attention while the block runs: what it found counts as 0.

    The heads' results are side by side when they come to the output projection, the last `nn.Linear` of the attention.

    Raises IndexError for a layer or a head that there is not, and ValueError where the model does not show its weights,
    or its attention has no such projection.
    """
    words = translator.english_words[:1], translator.french.words[-1:]
    parts = translator.cross_attention_by_part([words[0]], [words[1]])
    name, weights = [*parts.items()][layer]
    if not 0 <= head < weights.size(1):
        raise IndexError(f"head should be 0 to {weights.size(1) - 1}, but is {head}")
    called: list[nn.Module] = []
    linears = [part for part in translator.model.get_submodule(name).modules() if isinstance(part, nn.Linear)]
    hooks = [part.register_forward_pre_hook(lambda part, _: called.append(part)) for part in linears]
    try:
        translator.cross_attention_by_part([words[0]], [words[1]])
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise ValueError("no head can be switched off, since this model's attention does not end with an nn.Linear")

    def silence(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        pieces = inputs[0].reshape(*inputs[0].shape[:-1], weights.size(1), -1).clone()  # (..., H, d_k)
        pieces[..., head, :] = 0
        return (pieces.flatten(-2), *inputs[1:])

    hook = called[-1].register_forward_pre_hook(silence)
    try:
        yield
    finally:
        hook.remove()
