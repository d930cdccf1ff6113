"""The exercises of notebook 07: cross-attention and the whole Transformer."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise, as_it_is
from course_lib.exercises.filling import filled, in_a_tuple
from course_lib.learning.losses import IGNORE
from course_lib.lessons.l06_decoder import grown, summed_up
from course_lib.scoring.metrics import alignment_error_rate
from course_lib.text.words import BOS, EOS, PAD
from course_lib.transformer.attention import causal_mask, padding_mask
from course_lib.transformer.layers import DecoderLayer, cross_attend, post_norm, pre_norm
from course_lib.transformer.models import Transformer
from course_lib.transformer.positions import embed_with_positions

Links = list[set[tuple[int, int]]]

# Padding.


def _hides_words(ids: Tensor, pad: int) -> Tensor:
    """Yours is True at the padding. In this course True means "may attend": turn it round."""
    return ~padding_mask(ids, pad)


def _without_axes(ids: Tensor, pad: int) -> Tensor:
    """The words are found, but the mask has two axes, (B, S). Scores have four, (B, H, T, S): put two axes of length 1
    between, for the heads and the queries.
    """
    return ids != pad


def _one_axis_short(ids: Tensor, pad: int) -> Tensor:
    """One axis is missing: (B, 1, S) would be taken for (H, T, S). Scores are (B, H, T, S), so B, 1, 1, S."""
    return (ids != pad)[:, None]


def _hides_queries(ids: Tensor, pad: int) -> Tensor:
    """Your S stands on the axis of the queries. Padding is hidden from those who ask, so it stands on the last axis,
    the keys'.
    """
    return (ids != pad)[:, None, :, None]


def _always_zero(ids: Tensor, _pad: int) -> Tensor:
    """You compare with 0 whatever the padding's id is: that comes in as `pad`."""
    return padding_mask(ids, 0)


def _minus_infinity(ids: Tensor, pad: int) -> Tensor:
    """Yours holds numbers to add to the scores. Here a mask holds True and False: `scaled_dot_product_attention` sets
    the scores itself.
    """
    return torch.zeros(ids.shape).masked_fill(ids == pad, -torch.inf)[:, None, None]


PADDING_MASK = Exercise(
    name="padding_mask",
    notebook=7,
    reference=padding_mask,
    returns=("the mask (B, 1, 1, S)",),
    minutes=5,
    difficulty=1,
    on_map="memory",
    cases=(
        case(torch.tensor([[5, 7, 0]]), 0),
        case(torch.tensor([[4, 0, 0]]), 0),
        case(torch.tensor([[5, 7, 6, 0], [8, 0, 0, 0], [4, 4, 4, 4]]), 0, having="a batch"),
        case(torch.tensor([[5, 0, 9], [9, 9, 1]]), 9, having="a batch, another padding id"),
        case(torch.tensor([[5], [6]]), 0, having="a single token"),
        case(torch.tensor([[3, 5, 0], [5, 0, 0], [0, 5, 6]]), 0, having="sizes that are all the same"),
    ),
    mistakes=mistakes(_hides_words, _without_axes, _one_axis_short, _hides_queries, _always_zero, _minus_infinity),
    hints=paragraphs("""
        Where is a token a word, and where is it padding? One comparison says so, for all tokens at once.

        `ids != pad` is True at the words, (B, S). The scores that it will meet are (B, H, T, S).

        Two axes of length 1 are missing between B and S. Indexing with `None` puts one in, and `unsqueeze` does too.
    """),
)


# Cross-attention.


def _memory_asks(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, _memory_mask: Tensor | None = None
) -> Tensor:
    """Your questions come from the memory, and the target answers. The target asks; keys and values are the memory's.

    Seen in https://github.com/rexrex9/nlp_torchtext/issues/2.
    """
    return attention(memory, x, x)


def _values_from_the_target(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, memory_mask: Tensor | None = None
) -> Tensor:
    """Your keys are the memory's, but your values the target's. What is carried over is the source: values from the
    memory too.
    """
    return attention(x, memory, x[:, : memory.size(1)], memory_mask)


def _keys_from_the_target(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, memory_mask: Tensor | None = None
) -> Tensor:
    """Your values are the memory's, but your keys the target's. Keys and values belong together: the memory's."""
    return attention(x, x[:, : memory.size(1)], memory, memory_mask)


def _reads_itself(
    attention: Callable[..., Tensor], x: Tensor, _memory: Tensor, _memory_mask: Tensor | None = None
) -> Tensor:
    """That is self-attention: the target reads itself, and never hears of the source. Keys and values come from the
    memory.
    """
    return attention(x, x, x)


def _memory_reads_itself(
    attention: Callable[..., Tensor], _x: Tensor, memory: Tensor, memory_mask: Tensor | None = None
) -> Tensor:
    """That is the encoder's own self-attention. The questions come from the target, x."""
    return attention(memory, memory, memory, memory_mask)


def _blind_to_padding(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, _memory_mask: Tensor | None = None
) -> Tensor:
    """The sides are right, but the mask is not handed on, so that the source's padding is read.

    Seen in https://github.com/NVIDIA/FasterTransformer/issues/270.
    """
    return attention(x, memory, memory)


def _with_a_residual(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, memory_mask: Tensor | None = None
) -> Tensor:
    """You add x already here. The residual comes around it, in the layer."""
    return x + attention(x, memory, memory, memory_mask)


def _plain_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    scores = query @ key.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ value


def _sides(B: int, T: int, S: int, d_model: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    return numbers(B, T, d_model, seed=seed), numbers(B, S, d_model, seed=seed + 1)


CROSS_ATTEND = Exercise(
    name="cross_attend",
    notebook=7,
    reference=cross_attend,
    returns=("what the target read (B, T, d_model)",),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="cross_attention",
    cases=(
        case(_plain_attention, *_sides(1, 3, 2)),
        case(_plain_attention, *_sides(1, 3, 2, seed=3)),
        case(_plain_attention, *_sides(2, 3, 3), having="as many target tokens as source tokens"),
        case(_plain_attention, *_sides(2, 3, 2), torch.tensor([[[True, False]], [[True, True]]]), having="a mask"),
        case(_plain_attention, *_sides(1, 4, 4), torch.tensor([[[True, True, False, False]]]), having="a mask"),
        case(_plain_attention, *_sides(2, 1, 1), having="one token on each side"),
        case(_plain_attention, *(side.double() for side in _sides(1, 3, 2)), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _memory_asks,
        _values_from_the_target,
        _keys_from_the_target,
        _reads_itself,
        _memory_reads_itself,
        _blind_to_padding,
        _with_a_residual,
    ),
    hints=paragraphs("""
        Who asks, and who is asked? The French word being written asks; the English sentence is asked.

        `attention` takes query, key, value and mask, in this order. What comes out has as many rows as the query.

        The query is x. What is looked up, and what is carried back, are the same: the memory, twice.
    """),
)


class _LayerInPieces(DecoderLayer):
    """The reference, cut into pieces: each mistake replaces one."""

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = post_norm(x, lambda y: self.look_around(y, mask), self.norm_1)
        x = post_norm(x, lambda y: self.look_across(y, memory, memory_mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)

    def look_around(self, x: Tensor, mask: Tensor | None) -> Tensor:
        found: Tensor = self.self_attention(x, x, x, mask)
        return found

    def look_across(self, x: Tensor, memory: Tensor, memory_mask: Tensor | None) -> Tensor:
        found: Tensor = self.cross_attention(x, memory, memory, memory_mask)
        return found


class _AcrossFirst(_LayerInPieces):
    """Your cross-attention comes before the self-attention. The target words look at each other first."""

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = post_norm(x, lambda y: self.look_across(y, memory, memory_mask), self.norm_1)
        x = post_norm(x, lambda y: self.look_around(y, mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


class _DecoderNormsFirst(_LayerInPieces):
    """Your norms come before the sublayers: that is pre-norm. In 2017, and here, they come after the sums."""

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = pre_norm(x, lambda y: self.look_around(y, mask), self.norm_1)
        x = pre_norm(x, lambda y: self.look_across(y, memory, memory_mask), self.norm_2)
        return pre_norm(x, self.feed_forward, self.norm_3)


class _CrossResidualDropped(_LayerInPieces):
    """The residual around cross-attention is missing: what the target knew so far is lost, and only the source's words
    go on.
    """

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = post_norm(x, lambda y: self.look_around(y, mask), self.norm_1)
        x = self.norm_2(self.look_across(x, memory, memory_mask))
        return post_norm(x, self.feed_forward, self.norm_3)


class _SelfResidualDropped(_LayerInPieces):
    """The residual around self-attention is missing: a word's own vector is lost, and only what it read goes on."""

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = self.norm_1(self.look_around(x, mask))
        x = post_norm(x, lambda y: self.look_across(y, memory, memory_mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


class _FeedForwardResidualDropped(_LayerInPieces):
    """The residual around the feed-forward is missing: it adds to what was found, and does not replace it."""

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        x = post_norm(x, lambda y: self.look_around(y, mask), self.norm_1)
        x = post_norm(x, lambda y: self.look_across(y, memory, memory_mask), self.norm_2)
        normed: Tensor = self.norm_3(self.feed_forward(x))
        return normed


class _CausalMaskForgotten(_LayerInPieces):
    """Your self-attention gets no mask, so that target words read the words that they are to predict."""

    def look_around(self, x: Tensor, _mask: Tensor | None) -> Tensor:
        return super().look_around(x, None)


class _MemoryMaskForgotten(_LayerInPieces):
    """Your cross-attention gets no mask, so that it reads the source's padding: hand `memory_mask` on.

    Seen in https://github.com/DaoyuanLi2816/Molecule-Generator/issues/22.
    """

    def look_across(self, x: Tensor, memory: Tensor, _memory_mask: Tensor | None) -> Tensor:
        return super().look_across(x, memory, None)


class _NeverLooksAcross(_LayerInPieces):
    """Your second attention reads the target again, and the memory is never used. Its keys and values come from the
    memory.
    """

    def look_across(self, x: Tensor, _memory: Tensor, _memory_mask: Tensor | None) -> Tensor:
        return super().look_across(x, x, None)


class _AsksWithTheRaw(_LayerInPieces):
    """Your cross-attention asks with what self-attention found, before it was added and normalised.

    Seen in https://github.com/ml-explore/mlx/issues/3382.
    """

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        found = self.look_around(x, mask)
        x = self.norm_1(x + found)
        x = self.norm_2(x + self.look_across(found, memory, memory_mask))
        return post_norm(x, self.feed_forward, self.norm_3)


class _OneAttentionForBoth(_LayerInPieces):
    """One attention does both jobs. Reading the target and reading the source are learned apart: make two."""

    def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.1) -> None:
        super().__init__(d_model, heads, d_ff, dropout)
        self.cross_attention = self.self_attention


_SIZES = (4, 2, 7, 0.1)
_FUTURE_HIDDEN = torch.ones(3, 3, dtype=torch.bool).tril()
_LAST_HIDDEN = torch.tensor([True, False]).expand(2, 1, 1, 2)
_EACH_ITS_OWN = torch.stack((numbers(2, 2, 3) > -1, numbers(2, 2, 3) < 1), dim=-1)  # (B, H, T, S)

DECODER_LAYER = Exercise(
    name="DecoderLayer",
    notebook=7,
    reference=DecoderLayer,
    returns=("output (B, T, d_model)", "the count of numbers in your weight matrices"),
    trained=True,
    minutes=25,
    difficulty=3,
    on_map="cross_attention",
    adapt=filled(made_with=4, block=2, drops=True),
    cases=(
        case(*_SIZES, *_sides(1, 3, 2)),
        case(*_SIZES, *_sides(1, 3, 2, seed=3)),
        case(*_SIZES, *_sides(2, 3, 2), having="a batch"),
        case(6, 3, 5, 0.1, *_sides(2, 2, 4, d_model=6), having="other sizes"),
        case(4, 1, 7, 0.1, *_sides(2, 3, 2), having="a single head"),
        case(*_SIZES, *_sides(1, 1, 1), having="one token on each side"),
        case(*_SIZES, *_sides(2, 3, 2), _FUTURE_HIDDEN, having="a causal mask"),
        case(*_SIZES, *_sides(2, 3, 2), None, _LAST_HIDDEN, having="a mask of the memory"),
        case(*_SIZES, *_sides(2, 3, 2, seed=5), _FUTURE_HIDDEN, _LAST_HIDDEN, having="both masks"),
        case(
            *_SIZES,
            *_sides(2, 3, 2),
            None,
            _EACH_ITS_OWN,
            having="a mask of the memory that differs from head to head and from word to word",
        ),
        case(*_SIZES, *(side.double() for side in _sides(1, 3, 2)), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _AcrossFirst,
        _DecoderNormsFirst,
        _CrossResidualDropped,
        _SelfResidualDropped,
        _FeedForwardResidualDropped,
        _CausalMaskForgotten,
        _MemoryMaskForgotten,
        _NeverLooksAcross,
        _AsksWithTheRaw,
        _OneAttentionForBoth,
    ),
    hints=paragraphs("""
        It is your `EncoderLayer` with a third sublayer in the middle. So there are two attentions, one feed-forward,
        three norms.

        In order: self-attention under `mask`; `cross_attend` to the memory under `memory_mask`; feed-forward. Each
        with `post_norm` around it.

        The cross-attention asks with what came out of the first `post_norm`. In a `lambda y:`, y asks, and memory and
        its mask are the same for all calls.
    """),
)


# Loss and learning rate.


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """The mean surprise at labels that give the share epsilon away, evenly to all V tokens."""
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    surprise = -(1 - epsilon) * right - epsilon * log_p.mean(dim=-1)  # (B, T)
    return surprise[counts].mean()


def _right_share(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    log_p = torch.log_softmax(logits, dim=-1)
    counts = labels != IGNORE
    return log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1), log_p, counts


def _not_smoothed(logits: Tensor, labels: Tensor, _epsilon: float) -> Tensor:
    """That is the plain cross-entropy. The share epsilon of each label is spread over all V tokens."""
    return smoothed_cross_entropy(logits, labels, 0.0)


def _smoothed_padding(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Padding counts in your smoothed half. Labels of −100 count in neither half.

    Seen in https://github.com/pytorch/pytorch/issues/73205.
    """
    right, log_p, counts = _right_share(logits, labels)
    return (-(1 - epsilon) * right * counts - epsilon * log_p.mean(dim=-1)).sum() / counts.sum()


def _averaged_over_padding(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """You divide by all positions, padding too, so that more padding means less loss. Divide by the labels that count.

    Seen in https://github.com/huggingface/transformers/pull/5919.
    """
    counts = labels != IGNORE
    return smoothed_cross_entropy(logits, labels, epsilon) * counts.sum() / counts.numel()


def _all_to_the_others(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """You give epsilon to the V − 1 others, and none of it back to the right token. That is a convention too; here it
    is spread over all V, as torch's `label_smoothing` does it.
    """
    right, log_p, counts = _right_share(logits, labels)
    others = (log_p.sum(dim=-1) - right) / (logits.size(-1) - 1)
    return (-(1 - epsilon) * right - epsilon * others)[counts].mean()


def _summed_share(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Each of the V tokens gets the whole epsilon in yours. It is shared between them: a mean, not a sum."""
    right, log_p, counts = _right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.sum(dim=-1))[counts].mean()


def _added_on_top(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """In yours the right token keeps all of its 1, and epsilon comes on top. It gives epsilon away."""
    right, log_p, counts = _right_share(logits, labels)
    return (-right - epsilon * log_p.mean(dim=-1))[counts].mean()


def _softmax_twice(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """You took a softmax before the log-softmax. The logits come in raw.

    Seen in https://github.com/ariecattan/SciCo/issues/2.
    """
    return smoothed_cross_entropy(logits.softmax(-1), labels, epsilon)


_LABELS = torch.tensor([[1, 4, 0]])

SMOOTHED_CROSS_ENTROPY = Exercise(
    name="smoothed_cross_entropy",
    notebook=7,
    reference=smoothed_cross_entropy,
    returns=("the loss",),
    trained=True,
    adapt=in_a_tuple,
    minutes=15,
    difficulty=2,
    on_map="loss",
    cases=(
        case(numbers(1, 3, 5), _LABELS, 0.1),
        case(numbers(1, 3, 5, seed=1), _LABELS, 0.1),
        case(numbers(1, 3, 5) * 3, _LABELS, 0.0, having="no smoothing"),
        case(numbers(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), 0.3, having="a batch"),
        case(numbers(2, 3, 5), torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]), 0.1, having="padding"),
        case(numbers(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), 0.2, having="padding"),
        case(numbers(1, 2, 4) * 300, torch.tensor([[0, 3]]), 0.1, having="huge numbers"),
        case(numbers(1, 3, 5, dtype=torch.float64), _LABELS, 0.1, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _not_smoothed,
        _smoothed_padding,
        _averaged_over_padding,
        _all_to_the_others,
        _summed_share,
        _added_on_top,
        _softmax_twice,
    ),
    hints=paragraphs("""
        Two halves: how surprised the model is by the right token, and how surprised it is on average by any token. The
        first counts 1 − epsilon, the second epsilon.

        `log_softmax` over the last axis gives ln p of all tokens. `gather` picks out the right one's; the mean over the
        last axis is the other half. Both with a minus.

        A label of −100 has no place to gather from: put 0 there first, and keep only the positions whose label counts
        before you take the mean.
    """),
)


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of 2017: up in a line for `warmup` steps, then down with the root of the step."""
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-1.5))


def _the_larger(step: int, d_model: int, warmup: int) -> float:
    """You took the larger of the two. Then the rate starts at its highest, and never comes down: take the smaller."""
    return float(d_model**-0.5 * max(step**-0.5, step * warmup**-1.5))


def _width_forgotten(step: int, _d_model: int, warmup: int) -> float:
    """The shape is right, but the factor d_model^−0.5 is missing: wider models learn in smaller steps."""
    return float(min(step**-0.5, step * warmup**-1.5))


def _steps_from_zero(step: int, d_model: int, warmup: int) -> float:
    """You count one step less. Steps count from 1 here: at step 1 the rate is above 0.

    Seen in https://github.com/karpathy/nanoGPT/issues/578.
    """
    return learning_rate(step - 1, d_model, warmup) if step > 1 else 0.0


def _never_down(step: int, d_model: int, warmup: int) -> float:
    """Your rate goes up and stays there. After the warm-up it comes down, with the root of the step.

    Seen in https://github.com/facebookresearch/ParlAI/issues/4384.
    """
    return learning_rate(min(step, warmup), d_model, warmup)


def _no_warm_up(step: int, d_model: int, _warmup: int) -> float:
    """There is no warm-up: your rate is highest at the first step. The second term holds it down at the beginning."""
    return float(d_model**-0.5 * step**-0.5)


def _too_steep(step: int, d_model: int, warmup: int) -> float:
    """Your line goes up to another height than where the curve begins. At step = warmup both terms are warmup^−0.5, so
    the line is step · warmup^−1.5.
    """
    return float(d_model**-0.5 * min(step**-0.5, step / warmup))


LEARNING_RATE = Exercise(
    name="learning_rate",
    notebook=7,
    reference=learning_rate,
    returns=("the learning rate",),
    minutes=5,
    difficulty=1,
    cases=(
        case(1, 512, 4000),
        case(2, 512, 4000),
        case(4000, 512, 4000, having="the last step of the warm-up"),
        case(100_000, 512, 4000, having="steps after the warm-up"),
        case(50, 64, 10, having="steps after the warm-up"),
        case(3, 64, 10, having="a narrow model"),
        case(5, 128, 1, having="a warm-up of one step"),
    ),
    mistakes=mistakes(_the_larger, _width_forgotten, _steps_from_zero, _never_down, _no_warm_up, _too_steep),
    hints=paragraphs("""
        Two curves that cross at step = warmup: one goes up in a line, the other down with the root. The rate is always
        the lower one.

        Down: step^−0.5. Up: step · warmup^−1.5. Both times d_model^−0.5.

        `min(…)` of the two, times `d_model**-0.5`.
    """),
)


# The whole.


class _ModelInPieces(Transformer):
    """The reference, cut into pieces: each mistake replaces one."""

    def encode(self, source_ids: Tensor) -> Tensor:
        x = self.embed(source_ids, self.source_table)
        for layer in self.encoder:
            x = layer(x, self.hide_in_encoder(source_ids))
        return x

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        x = self.embed(target_ids, self.target_table)
        for layer in self.decoder:
            x = layer(x, memory, self.hide_future(target_ids), self.hide_in_memory(source_ids))
        return x @ self.target_table.T

    def embed(self, ids: Tensor, table: Tensor) -> Tensor:
        return embed_with_positions(ids, table)

    def hide_in_encoder(self, source_ids: Tensor) -> Tensor | None:
        return padding_mask(source_ids, PAD)

    def hide_in_memory(self, source_ids: Tensor) -> Tensor | None:
        return padding_mask(source_ids, PAD)

    def hide_future(self, target_ids: Tensor) -> Tensor | None:
        return causal_mask(target_ids.size(1))


class _FutureOpen(_ModelInPieces):
    """Nothing hides the future from the target words: they copy the answer in training, and are lost without it. The
    decoder layers want a causal mask.
    """

    def hide_future(self, _target_ids: Tensor) -> Tensor | None:
        return None


class _OneWordAhead(_ModelInPieces):
    """Your target's mask is off by one: each word reads the next one too, which is the very one that it is to predict.
    The diagonal is open, and nothing to the right of it.
    """

    def hide_future(self, target_ids: Tensor) -> Tensor | None:
        return torch.ones(target_ids.size(1), target_ids.size(1), dtype=torch.bool).tril(1)


class _EncoderReadsPadding(_ModelInPieces):
    """Your encoder reads padding: it wants the padding mask too, in each layer."""

    def hide_in_encoder(self, _source_ids: Tensor) -> Tensor | None:
        return None


class _DecoderReadsPadding(_ModelInPieces):
    """Your decoder reads the source's padding: the cross-attention wants the padding mask of the source.

    Seen in https://github.com/NVIDIA/FasterTransformer/issues/270.
    """

    def hide_in_memory(self, _source_ids: Tensor) -> Tensor | None:
        return None


class _PaddingNeverHidden(_EncoderReadsPadding, _DecoderReadsPadding):
    """Padding is never hidden: not in the encoder, and not when the decoder reads the memory. Both want
    `padding_mask(source_ids, 0)`.
    """


class _WithoutPositions(_ModelInPieces):
    """There are no positions in your embeddings, so that the model cannot tell *dog bites man* from *man bites dog*:
    `embed_with_positions`.
    """

    def embed(self, ids: Tensor, table: Tensor) -> Tensor:
        return table[ids] * math.sqrt(table.size(1))


class _OneTableForBoth(_ModelInPieces):
    """You look target ids up in the source's table. Each language has its own numbers, and so its own table."""

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        x = self.embed(target_ids % len(self.source_table), self.source_table)
        for layer in self.decoder:
            x = layer(x, memory, self.hide_future(target_ids), self.hide_in_memory(source_ids))
        return x @ self.target_table.T


class _EncoderSkipped(_ModelInPieces):
    """Your memory is the embedded source: the encoder's layers are never run."""

    def encode(self, source_ids: Tensor) -> Tensor:
        return self.embed(source_ids, self.source_table)


class _ProbabilitiesOut(_ModelInPieces):
    """Your model ends in a softmax. It should hand out the logits: the loss takes the softmax itself.

    Seen in https://github.com/ariecattan/SciCo/issues/2.
    """

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        return super().decode(target_ids, memory, source_ids).softmax(-1)


class _OneLayerManyTimes(Transformer):
    """All your layers are the same one: `[layer] * N` holds one layer N times. Make a new one for each.

    Seen in https://github.com/IDEA-Research/DAB-DETR/issues/17.
    """

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.encoder = nn.ModuleList([self.encoder[0]] * len(self.encoder))
        self.decoder = nn.ModuleList([self.decoder[0]] * len(self.decoder))


class _KeptInPlainLists(Transformer):
    """torch does not know of your layers: in a plain Python list they are never trained. Use `nn.ModuleList`.

    Seen in https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7.
    """

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        encoder, decoder = list(self.encoder), list(self.decoder)
        del self.encoder, self.decoder
        self.encoder, self.decoder = encoder, decoder  # type: ignore[assignment]


def _both_ways(model: Any, source_ids: Tensor, target_ids: Tensor) -> tuple[Tensor, Tensor]:
    return model(source_ids, target_ids), model.decode(target_ids, model.encode(source_ids), source_ids)


_MODEL = (5, 9, 4, 2, 7, 1, 0.1)
_DEEP = (5, 9, 4, 2, 7, 2, 0.1)
_SOURCE, _TARGET = torch.tensor([[4, 3]]), torch.tensor([[1, 8, 5]])

TRANSFORMER = Exercise(
    name="Transformer",
    notebook=7,
    reference=Transformer,
    returns=(
        "logits (B, T, V)",
        "decode(target_ids, encode(source_ids), source_ids) (B, T, V)",
        "the count of numbers in the layers' weight matrices",
    ),
    minutes=30,
    difficulty=3,
    on_map="projection",
    adapt=filled(made_with=7, block=2, uncounted=(5, 9), call=_both_ways),
    cases=(
        case(*_MODEL, _SOURCE, _TARGET),
        case(*_MODEL, torch.tensor([[3, 4]]), torch.tensor([[1, 6, 7]])),
        case(*_DEEP, _SOURCE, _TARGET, having="two layers"),
        case(*_MODEL, torch.tensor([[4, 3], [3, 3]]), torch.tensor([[1, 8, 3, 6], [1, 4, 7, 5]]), having="a batch"),
        case(*_DEEP, torch.tensor([[4, 0, 0], [3, 3, 0]]), torch.tensor([[1], [1]]), having="padding, two layers"),
        case(
            *_MODEL,
            torch.tensor([[1, 4, 3, 2], [1, 3, 2, 0]]),
            torch.tensor([[1, 8, 3], [1, 4, 7]]),
            having="padding, [bos] and [eos] in the source",
        ),
        case(*_MODEL, torch.tensor([[4]]), torch.tensor([[1]]), having="one token on each side"),
    ),
    mistakes=mistakes(
        _FutureOpen,
        _OneWordAhead,
        _EncoderReadsPadding,
        _DecoderReadsPadding,
        _PaddingNeverHidden,
        _WithoutPositions,
        _OneTableForBoth,
        _EncoderSkipped,
        _ProbabilitiesOut,
        _OneLayerManyTimes,
        _KeptInPlainLists,
    ),
    hints=paragraphs("""
        In `__init__`: a table of vectors for each language, N encoder layers, N decoder layers, in `nn.ModuleList`s so
        that torch knows of them. In `encode` the source goes through one stack, in `decode` the target through the
        other.

        Both begin with `embed_with_positions` and dropout. The encoder layers get the source's padding mask. The
        decoder layers get the memory, a causal mask for the target, and again the source's padding mask.

        The decoder's output (B, T, d_model) becomes logits (B, T, V) by one more matrix: a linear map without a bend,
        or the target's table turned round. No softmax: the loss takes it.
    """),
)


# Translating.


def greedy_translation(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Translate one sentence, from [bos] on by the likeliest next token, until [eos] or `max_length` tokens."""
    source = torch.tensor([source_ids])  # (1, S)
    memory = model.encode(source)  # (1, S, d_model)
    target = [BOS]
    while len(target) <= max_length:
        logits = model.decode(torch.tensor([target]), memory, source)  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == EOS:
            break
        target.append(best)
    return target[1:]


def _read(model: Any, source_ids: list[int]) -> tuple[Tensor, Tensor]:
    source = torch.tensor([source_ids])
    return source, model.encode(source)


def _written(max_length: int, choose: Callable[[Tensor], Tensor], start: int = BOS, stop: int = EOS) -> list[int]:
    """Write what `choose` makes of the target so far, (1, T)."""
    return grown([start], max_length, lambda text: choose(torch.tensor([text])), stop)


def _greedily(model: Any, source_ids: list[int], max_length: int, start: int = BOS, stop: int = EOS) -> list[int]:
    source, memory = _read(model, source_ids)
    return _written(max_length, lambda target: model.decode(target, memory, source)[0, -1].argmax(), start, stop)


def _reads_the_first_place(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You read the prediction at the first place, again and again. The next token is predicted at the last place."""
    source, memory = _read(model, source_ids)
    return _written(max_length, lambda target: model.decode(target, memory, source)[0, 0].argmax())


def _sees_one_token(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You give the decoder the latest token only. It has no memory of its own: give it all tokens so far."""
    source, memory = _read(model, source_ids)
    return _written(max_length, lambda target: model.decode(target[:, -1:], memory, source)[0, -1].argmax())


def _sides_swapped(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You hand the source to the decoder as its target. In this order: `model.decode(target, memory, source)`."""
    source, memory = _read(model, source_ids)
    return _written(max_length, lambda target: model.decode(source, memory, target)[0, -1].argmax())


def _over_all_places(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Your `argmax` runs over the predictions of all places at once. Take those at the last place first:
    `logits[0, -1]`.
    """
    source, memory = _read(model, source_ids)
    return _written(max_length, lambda target: model.decode(target, memory, source).argmax())


def _encodes_again(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """The translation is right, but you encode the source anew for each token. It stays the same: encode once, before
    the loop.
    """
    return _written(max_length, lambda target: model(torch.tensor([source_ids]), target)[0, -1].argmax())


def _never_stops(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Your translation runs on after [eos]. The token 2 says that the sentence is over: stop there.

    Seen in https://github.com/microsoft/onnxruntime/issues/16721.
    """
    return _greedily(model, source_ids, max_length, stop=-1)


def _keeps_the_start(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Your translation begins with [bos], id 1. That only starts the decoder: leave it out of the result."""
    return [BOS, *_greedily(model, source_ids, max_length)]


def _keeps_the_end(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Your translation ends with [eos], id 2. It says that the sentence is over, and is no word of it."""
    found = _greedily(model, source_ids, max_length)
    return [*found, EOS] if len(found) < max_length else found


def _starts_with_padding(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You start from padding, id 0. The decoder was trained to begin after [bos], id 1."""
    return _greedily(model, source_ids, max_length, start=PAD)


def _starts_with_the_end(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You start from [eos], id 2. The decoder was trained to begin after [bos], id 1."""
    return _greedily(model, source_ids, max_length, start=EOS)


def _one_too_few(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """You stop one token early: [bos] does not count among the `max_length` tokens."""
    return _greedily(model, source_ids, max_length - 1)


class _StandIn(nn.Module):
    """Stands for a trained model: what it predicts at each place hangs on all target tokens up to there, on their
    order, and on the source. It counts how often it encodes.
    """

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # (states, V)
        self.encoded = 0

    def encode(self, source_ids: Tensor) -> Tensor:
        self.encoded += 1
        return self.table[summed_up(source_ids) % len(self.table)]  # (B, S, V)

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        read = (25 * memory[..., -1]).round().long().sum(dim=-1, keepdim=True)  # (B, 1)
        states = summed_up(target_ids) + read + 5 * summed_up(source_ids)[:, -1:]  # (B, T)
        return self.table[states % len(self.table)]

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def _counting(answer: Any) -> Callable[..., Any]:
    """Say of a translation too how often the source was encoded."""

    def function(model: _StandIn, *arguments: Any) -> Any:
        model.encoded = 0
        found = as_it_is(answer)(model, *arguments)
        return None if found is None else (found, model.encoded)

    return function


# It never says [pad] nor [bos].
_TRANSLATOR = _StandIn(torch.cat((torch.full((13, 2), -9.0), 4 * numbers(13, 10, seed=3)), dim=1))

GREEDY_TRANSLATION = Exercise(
    name="greedy_translation",
    notebook=7,
    reference=greedy_translation,
    returns=("the translation's ids", "how often you encode"),
    adapt=_counting,
    minutes=15,
    difficulty=2,
    cases=(
        case(_TRANSLATOR, [9, 3, 7], 10),
        case(_TRANSLATOR, [5, 4, 6], 10),
        case(_TRANSLATOR, [5], 10, having="a single word"),
        case(_TRANSLATOR, [4, 5, 6, 7, 8], 4, having="a max_length that cuts"),
        case(_TRANSLATOR, [5, 4, 6], 6, having="a max_length that just holds it"),
    ),
    mistakes=mistakes(
        _reads_the_first_place,
        _sees_one_token,
        _sides_swapped,
        _over_all_places,
        _never_stops,
        _keeps_the_start,
        _keeps_the_end,
        _starts_with_padding,
        _starts_with_the_end,
        _one_too_few,
        _encodes_again,
    ),
    hints=paragraphs("""
        Encode once, before the loop. In the loop: decode all tokens so far, take the likeliest next one, append it.

        `model.decode` gives logits (1, T, V), a prediction after each of the T tokens. Only the last is new:
        `logits[0, -1]`.

        Begin with the list `[1]`, [bos]. Stop when the likeliest is 2, [eos], or when the list has `max_length` tokens
        besides [bos]. Hand out the list without its first.
    """),
)


# Alignment.


def _precision(predicted: Links, sure: Links) -> float:
    """That looks at the predicted links only, so that predicting one safe link would be perfect. Count both: twice the
    agreed ones, over predicted plus gold.
    """
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, predicted))


def _recall(predicted: Links, sure: Links) -> float:
    """That looks at the gold links only, so that predicting every link would be perfect. Count both: twice the agreed
    ones, over predicted plus gold.
    """
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, sure))


def _agreement(predicted: Links, sure: Links) -> float:
    """That is the agreement, which is best at 1. The error rate is what is missing from it: 1 minus yours."""
    return 1 - alignment_error_rate(predicted, sure)


def _agreed_once(predicted: Links, sure: Links) -> float:
    """A link that both have stands in both sets below the line, so above it counts twice: otherwise a perfect alignment
    has an error of a half.
    """
    return (1 + alignment_error_rate(predicted, sure)) / 2


def _mean_of_sentences(predicted: Links, sure: Links) -> float:
    """You averaged over sentences, so that a link in a short one weighs more. Add the counts up over all sentences,
    then divide once.
    """
    rates = [alignment_error_rate([A], [S]) for A, S in zip(predicted, sure, strict=True)]
    return sum(rates) / len(rates)


def _by_the_union(predicted: Links, sure: Links) -> float:
    """You divided by the union of the links, the Jaccard distance. AER divides by predicted plus gold, and counts the
    agreed twice.
    """
    pairs = list(zip(predicted, sure, strict=True))
    return 1 - sum(len(A & S) for A, S in pairs) / sum(len(A | S) for A, S in pairs)


_GOLD: Links = [{(0, 0), (1, 1), (2, 2), (2, 3)}]

ALIGNMENT_ERROR_RATE = Exercise(
    name="alignment_error_rate",
    notebook=7,
    reference=alignment_error_rate,
    returns=("the error rate",),
    minutes=10,
    difficulty=2,
    cases=(
        case([{(0, 0), (1, 1), (2, 2)}], _GOLD),
        case([{(0, 0), (0, 1), (2, 2)}], _GOLD),
        case([{(0, 0), (1, 1), (2, 2), (2, 3), (1, 3)}], _GOLD, having="a link too many"),
        case([{(1, 0), (0, 1)}], _GOLD, having="nothing right"),
        case([{(0, 0), (3, 2)}], _GOLD, having="a link that is turned round"),
        case([{(0, 0), (1, 1), (2, 2), (2, 3)}], _GOLD, having="all right"),
        case([{(0, 0)}, {(0, 0), (1, 2), (2, 1)}], [{(0, 0)}, {(0, 0), (1, 1), (2, 2)}], having="two sentences"),
    ),
    mistakes=mistakes(_precision, _recall, _agreement, _agreed_once, _mean_of_sentences, _by_the_union),
    hints=paragraphs("""
        For each sentence there are two sets of links. How many links are in both? Python's `&` gives the links that two
        sets share.

        AER = 1 − 2 · agreed / (predicted + gold), each a count of links.

        Add up the three counts over all sentences first, with `zip(predicted, sure)`, and divide at the very end.
    """),
)

EXERCISES = (
    PADDING_MASK,
    CROSS_ATTEND,
    DECODER_LAYER,
    SMOOTHED_CROSS_ENTROPY,
    LEARNING_RATE,
    TRANSFORMER,
    GREEDY_TRANSLATION,
    ALIGNMENT_ERROR_RATE,
)
