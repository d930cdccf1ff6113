"""A tag for every word: an encoder with a head that gives each piece the logits of the tags.

Devlin et al. 2019, arXiv:1810.04805, section 5.3. Built by hand in notebook 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.data.entities import TaggedSentence
from course_lib.learning.batches import batches_by_length, of_similar_length, pad_rows
from course_lib.learning.fine_tuning import fit_head
from course_lib.learning.losses import IGNORE
from course_lib.learning.training import evaluating
from course_lib.learning.word_pieces import at_first_pieces, cut_words, label_pieces
from course_lib.text.pretrained import PretrainedTokenizer


class TaggingHead(nn.Module):
    """From hidden states to the logits of the tags, at each position on its own: a linear map.

        logits = W h + b

    Unlike in BERT's code, no features are dropped in training; the encoder's layers have their own dropout.

    Takes the width d_model and the number of tags K.

    >>> TaggingHead(4, 9)(torch.zeros(2, 5, 4)).shape
    torch.Size([2, 5, 9])
    """

    def __init__(self, d_model: int, tags: int) -> None:
        super().__init__()
        self.output = nn.Linear(d_model, tags)

    def forward(self, hidden: Tensor) -> Tensor:
        """Hidden states (B, S, d_model) to logits (B, S, K)."""
        logits: Tensor = self.output(hidden)
        return logits


class Tagger(nn.Module):
    """An encoder with a tagging head: ids (B, S) in, the logits of the tags (B, S, K) out.

    Args:
        encoder: from ids (B, S) to hidden states (B, S, d_model), such as `load_encoder().encoder`.
        head: from hidden states to logits, such as a `TaggingHead`.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, ids: Tensor) -> Tensor:
        """Give each piece of each text the logits of its tags: ids (B, S) to logits (B, S, K)."""
        logits: Tensor = self.head(self.encoder(ids))
        return logits


def tag_names(kinds: Sequence[str]) -> tuple[str, ...]:
    """List the tags of some kinds of entities: O, and B and I of each kind.

    >>> tag_names(["PER", "LOC"])
    ('O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC')
    """
    return ("O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI"))


def tagging_examples(
    sentences: Sequence[TaggedSentence],
    tokenizer: PretrainedTokenizer,
    tags: Sequence[str],
    label: Callable[[list[int | None], list[int]], list[int]] = label_pieces,
) -> list[tuple[list[int], list[int]]]:
    """Turn sentences into examples to learn from: the ids of the pieces, and a label for each.

    Takes the sentences, what cuts their words, the names of the tags, and what gives pieces the labels of their words;
    a label is a tag's number among the names. Raises ValueError for a sentence with another tag.
    """
    number = {tag: i for i, tag in enumerate(tags)}
    examples = []
    for sentence in sentences:
        if unknown := [tag for tag in sentence.tags if tag not in number]:
            raise ValueError(f"a sentence has the tag {unknown[0]!r}, but the known ones are {', '.join(tags)}")
        ids, word_of_piece = cut_words(sentence.words, tokenizer)
        examples.append((ids, label(word_of_piece, [number[tag] for tag in sentence.tags])))
    return examples


def tagging(model: nn.Module, ids: Tensor, labels: Tensor, *, pad: int) -> tuple[Tensor, Tensor]:
    """Predict the tag of each word: an objective for `train`.

    Batches are filled up with `pad` in ids and labels alike. There it is no label: 0 would be the first tag.

    Args:
        model: from ids (B, S) to logits (B, S, K), such as a `Tagger`.
        ids: the pieces, (B, S).
        labels: a tag's number for the first piece of each word, `IGNORE` elsewhere, (B, S).
        pad: the id that fills up shorter texts.

    Returns the logits (B, S, K), and the labels with `IGNORE` at the padding, (B, S). Raises ValueError for labels of
    another shape.
    """
    if ids.shape != labels.shape:
        raise ValueError(f"each id needs a label, but ids are {tuple(ids.shape)} and labels {tuple(labels.shape)}")
    return model(ids), labels.masked_fill(ids == pad, IGNORE)


def labelled_vectors(
    encoder: nn.Module,
    examples: Sequence[tuple[list[int], list[int]]],
    pad: int | None,
    *,
    batch_tokens: int = 2_000,
    progress: bool = False,
) -> tuple[Tensor, Tensor]:
    """Compute the hidden state of each labelled piece once, for a head on a frozen encoder.

    Takes an encoder, examples as `tagging_examples` gives them, the id that fills up short texts, the most ids in a
    batch, and whether to show a bar. Returns the vectors (N, d_model) and the labels (N,) of the N pieces whose label
    is not `IGNORE`, in the order of the examples. Raises ValueError where there is no example.
    """
    if not examples:
        raise ValueError("there are no sentences to read")
    vectors = [torch.empty(0)] * len(examples)
    batches = batches_by_length([(ids,) for ids, _ in examples], batch_tokens, "0")
    with evaluating(encoder), tqdm(batches, disable=not progress, leave=False) as bar:
        for batch in bar:
            hidden = encoder(pad_rows([examples[i][0] for i in batch], pad))  # (B, S, d_model)
            for i, states in zip(batch, hidden, strict=True):
                labels = torch.tensor(examples[i][1])
                vectors[i] = states[: len(labels)][labels != IGNORE]
    labels = torch.tensor([label for _, row in examples for label in row])
    return torch.cat(vectors), labels[labels != IGNORE]


class _OnOneVector(nn.Module):
    """A tagging head as `fit_head` calls heads of classifiers: each vector is a text of one token."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: Tensor, _real: Tensor) -> Tensor:
        logits: Tensor = self.head(hidden)
        return logits[:, 0]


def fit_tagging_head(head: nn.Module, vectors: Tensor, labels: Tensor, **how: Any) -> float:
    """Train a tagging head on vectors that were computed once, (N, d_model), with a label for each, (N,).

    The other arguments are those of `fit_head`. Returns the last loss. Afterwards the head is ready for use.
    """
    loss = fit_head(_OnOneVector(head), vectors, labels, **how)
    head.eval()
    return loss


@torch.no_grad()
def predict_tags(
    model: nn.Module,
    sentences: Sequence[Sequence[str]],
    tokenizer: PretrainedTokenizer,
    tags: Sequence[str],
    batch: int = 32,
    read: Callable[[list[int], list[int | None], int], list[int]] = at_first_pieces,
) -> list[tuple[str, ...]]:
    """Tag the words of sentences with the likeliest tag of their first pieces.

    Args:
        model: from ids (B, S) to logits (B, S, K), such as a `Tagger`.
        sentences: the words of each.
        tokenizer: cuts the words.
        tags: the names of the K tags.
        batch: how many sentences the model reads at a time; the result does not depend on it.
        read: from what the model says of each piece to what it says of each word.

    Returns the tags of each sentence. Raises ValueError for a batch below 1 or another number of tags than the model
    has, TypeError for a string in place of a list of words.
    """
    if batch < 1:
        raise ValueError(f"batch says how many sentences the model reads at a time, 1 or more, but is {batch}")
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    cut = [cut_words(words, tokenizer) for words in sentences]
    found: list[tuple[str, ...]] = [()] * len(cut)
    with evaluating(model):
        for numbers in of_similar_length([len(each.ids) for each in cut], batch):
            logits = model(pad_rows([cut[i].ids for i in numbers], tokenizer.pad, device))  # (B, S, K)
            if logits.size(-1) != len(tags):
                raise ValueError(f"the model tells {logits.size(-1)} tags apart, but {len(tags)} have names")
            for i, best in zip(numbers, logits.argmax(dim=-1).tolist(), strict=True):
                ids, word_of_piece = cut[i]
                labels = read(best[: len(ids)], word_of_piece, len(sentences[i]))
                found[i] = tuple(tags[label] for label in labels)
    return found


@torch.no_grad()
def word_probabilities(
    model: nn.Module,
    words: Sequence[str],
    tokenizer: PretrainedTokenizer,
    read: Callable[[list[int], list[int | None], int], list[int]] = at_first_pieces,
) -> Tensor:
    """Give the probability of each tag for each word of a sentence: (number of words, K).

    Takes a model from ids (B, S) to logits (B, S, K), the words, what cuts them, and what chooses for each word a piece
    to read. Raises TypeError for a string in place of a list of words, ValueError for no words.
    """
    if not words:
        raise ValueError("there are no words to tag")
    ids, word_of_piece = cut_words(words, tokenizer)
    with evaluating(model):
        logits: Tensor = model(torch.tensor([ids]))[0]  # (S, K)
    return logits[read(list(range(len(ids))), word_of_piece, len(words))].softmax(dim=-1)
