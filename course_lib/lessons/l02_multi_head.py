"""The exercises of notebook 02: heads split, attended in and merged, their parameters counted, and the whole class."""

import math

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Case, case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.filling import filled
from course_lib.transformer.attention import (
    MultiHeadAttention,
    attend_in_heads,
    merge_heads,
    multi_head_parameter_count,
    scaled_dot_product_attention,
    split_heads,
)

# Heads split and merged.


def _viewed(x: Tensor, heads: int) -> Tensor:
    """The shape is right, but the numbers are shuffled: one reshape to (B, H, T, d_k) fills it in reading order, so
    that a head gets pieces of different tokens. Split the last axis first, then move the axis of heads.

    Seen in https://github.com/hyunwoongko/transformer/issues/15.
    """
    B, T, d_model = x.shape
    return x.reshape(B, heads, T, d_model // heads)


def _not_moved(x: Tensor, heads: int) -> Tensor:
    """Each token is cut into its heads: right so far. But your axes are (B, T, H, d_k), and attention works on the
    last two: move the heads before the tokens.
    """
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads)


def _dealt_out(x: Tensor, heads: int) -> Tensor:
    """You dealt the features out like cards: a head gets every H-th number. It should get neighbours: the first d_k
    numbers are head 0's.
    """
    B, T, d_model = x.shape
    return x.reshape(B, T, d_model // heads, heads).permute(0, 3, 1, 2)


def _heads_first(x: Tensor, heads: int) -> Tensor:
    """Your heads come before the batch, (H, B, T, d_k). The batch stays in front: (B, H, T, d_k).

    Seen in https://github.com/gazelle93/Transformer-Various-Positional-Encoding/issues/1.
    """
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).permute(2, 0, 1, 3)


def _joined_with_batch(x: Tensor, heads: int) -> Tensor:
    """Your batch and heads are one axis, (B * H, T, d_k). Keep them apart: (B, H, T, d_k)."""
    return split_heads(x, heads).flatten(0, 1)


def _first_sentence(x: Tensor, heads: int) -> Tensor:
    """Your heads are those of the first sentence only. Keep the batch in front: (B, H, T, d_k)."""
    return split_heads(x, heads)[0]


def _joined_by_a_view(x: Tensor, heads: int) -> Tensor:
    """One view to (B * H, T, d_k) without moving an axis: a head gets pieces of different tokens. Number the
    entries 0, 1, 2 … and see whose land in head 0.

    Seen in https://github.com/reczoo/FuxiCTR/issues/30.
    """
    B, _, d_model = x.shape
    return x.reshape(B * heads, -1, d_model // heads)


def _copied(x: Tensor, heads: int) -> Tensor:
    """You gave each head the whole vector. A head gets its own piece, d_k = d_model / H numbers of each token."""
    return x.unsqueeze(1).expand(-1, heads, -1, -1)


def _features_and_tokens_swapped(x: Tensor, heads: int) -> Tensor:
    """Your last two axes are (d_k, T). They are (T, d_k): in each head still one row for each token."""
    return split_heads(x, heads).mT


_NUMBERED = torch.arange(12.0).reshape(1, 3, 4)

SPLIT_HEADS = Exercise(
    name="split_heads",
    notebook=2,
    reference=split_heads,
    returns=("the heads (B, H, T, d_k)",),
    minutes=10,
    difficulty=2,
    cases=(
        case(_NUMBERED, 2),
        case(numbers(1, 3, 4), 2),
        case(numbers(2, 3, 8), 4, having="sizes that all differ"),
        case(numbers(2, 4, 4), 2, having="as many tokens as features"),
        case(numbers(3, 3, 9), 3, having="sizes that are all the same"),
        case(numbers(2, 1, 6), 3, having="a single token"),
        case(numbers(2, 3, 4), 1, having="a single head"),
        case(numbers(2, 3, 4), 4, having="heads of one feature"),
        case(numbers(2, 4, 3).mT, 2, having="a tensor that is a view of another"),
        case(numbers(1, 3, 4, dtype=torch.float64), 2, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _viewed,
        _not_moved,
        _dealt_out,
        _heads_first,
        _joined_with_batch,
        _first_sentence,
        _joined_by_a_view,
        _copied,
        _features_and_tokens_swapped,
    ),
    hints=paragraphs("""
        Two steps: cut the last axis in two, then bring the axes into the order (B, H, T, d_k).

        Cutting one axis in two never shuffles: `reshape(B, T, heads, d_k)`. Which two axes are then in the
        wrong order?

        After the reshape, the tokens are axis 1 and the heads axis 2. `transpose` swaps two axes that you name.
    """),
)


def _merged_by_a_view(x: Tensor) -> Tensor:
    """The shape is right, but the numbers are shuffled: one reshape reads head after head, and so mixes different
    tokens. Undo your steps of `split_heads` in the reverse order: first move the axis, then join.

    Seen in https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7.
    """
    B, H, T, d_k = x.shape
    return x.reshape(B, T, H * d_k)


def _heads_averaged(x: Tensor) -> Tensor:
    """You averaged the heads. They are put side by side: as many numbers come out for a token as went in."""
    return x.mean(1)


def _heads_added(x: Tensor) -> Tensor:
    """You added the heads. They are put side by side: each number stays as it is."""
    return x.sum(1)


def _merge_dealt_out(x: Tensor) -> Tensor:
    """You dealt the heads' numbers out in turn, one of each. A head's numbers stay together: first all of head 0."""
    return x.permute(0, 2, 3, 1).flatten(2)


def _one_below_the_other(x: Tensor) -> Tensor:
    """You put the heads one below the other, which makes H times as many tokens. Side by side makes them wider."""
    return x.flatten(1, 2)


def _only_moved(x: Tensor) -> Tensor:
    """The axes are in order now, (B, T, H, d_k). One step is missing: join the last two."""
    return x.transpose(1, 2)


MERGE_HEADS = Exercise(
    name="merge_heads",
    notebook=2,
    reference=merge_heads,
    returns=("the tokens (B, T, H * d_k)",),
    minutes=5,
    difficulty=2,
    cases=(
        case(split_heads(_NUMBERED, 2).contiguous()),
        case(numbers(1, 2, 3, 2)),
        case(numbers(2, 4, 3, 5), having="sizes that all differ"),
        case(numbers(3, 3, 3, 3), having="sizes that are all the same"),
        case(numbers(2, 3, 1, 2), having="a single token"),
        case(numbers(2, 1, 3, 4), having="a single head"),
        case(numbers(2, 4, 3, 1), having="heads of one feature"),
        case(numbers(2, 3, 4, 2).mT, having="a tensor that is a view of another"),
        case(numbers(1, 2, 3, 2, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _merged_by_a_view,
        _heads_averaged,
        _heads_added,
        _merge_dealt_out,
        _one_below_the_other,
        _only_moved,
    ),
    hints=paragraphs("""
        It undoes `split_heads`: the same steps, backwards.

        First bring the axes back to (B, T, H, d_k), then join the last two into one.

        `transpose(1, 2)` moves the heads back. `flatten` joins axes, and unlike `view` does not mind that they
        moved.
    """),
)


def _one_wide_head(query: Tensor, key: Tensor, value: Tensor, _heads: int) -> Tensor:
    """That is one head as wide as the tokens. Split queries, keys and values into heads first."""
    return scaled_dot_product_attention(query, key, value)[0]


def _scaled_by_d_model(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """You scaled by √d_model. Inside a head a dot product sums only d_k = d_model / H numbers, so it is √d_k.

    Seen in https://github.com/karpathy/ng-video-lecture/issues/6.
    """
    return attend_in_heads(query / math.sqrt(heads), key, value, heads)


def _heads_not_scaled(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """The scale is missing: in each head the scores are divided by √d_k."""
    return attend_in_heads(query * math.sqrt(query.size(-1) / heads), key, value, heads)


def _heads_attend_to_heads(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Your heads attend to each other inside one token, since attention works on the last two axes. These should be
    (T, d_k): move the heads before the tokens.
    """
    apart = (_not_moved(x, heads) for x in (query, key, value))
    return scaled_dot_product_attention(*apart)[0].flatten(-2)


def _split_by_a_view(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Your heads get pieces of different tokens: a reshape straight to (B, H, T, d_k) shuffles. Use your
    `split_heads` and `merge_heads`.

    Seen in https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53.
    """
    mixed, _ = scaled_dot_product_attention(*(_viewed(x, heads) for x in (query, key, value)))
    return mixed.reshape(query.shape)


def _joined_without_moving(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Split and attention are right, but the heads are joined in reading order, and tokens get mixed. Move the axis
    of heads back before you join: your `merge_heads` does.

    Seen in https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7.
    """
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.reshape(query.shape)


def _heads_compete(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """One softmax runs over all heads together, so that they compete for a single total of 1. Each head has its
    own.

    Seen in https://github.com/facebookresearch/detr/issues/247.
    """
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    scores = queries @ keys.mT / math.sqrt(queries.size(-1))  # (B, H, T, S)
    weights = torch.softmax(scores.transpose(1, 2).flatten(2), -1)  # (B, T, H * S)
    return merge_heads(_not_moved(weights, heads).transpose(1, 2) @ values)


def _average_of_heads(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """You averaged the heads. They are put side by side: `merge_heads`."""
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.mean(1)


def _tokens(B: int, T: int, S: int, d_model: int, seed: int = 0) -> tuple[Tensor, ...]:
    return tuple(numbers(B, length, d_model, seed=seed + i) for i, length in enumerate((T, S, S)))


ATTEND_IN_HEADS = Exercise(
    name="attend_in_heads",
    notebook=2,
    reference=attend_in_heads,
    returns=("output (B, T, d_model)",),
    minutes=15,
    difficulty=2,
    cases=(
        case(*_tokens(1, 2, 2, 4), 2),
        case(*_tokens(1, 2, 2, 4, seed=3), 2),
        case(*_tokens(2, 3, 5, 8), 4, having="sizes that all differ"),
        case(*_tokens(2, 3, 3, 6), 3, having="as many keys as queries"),
        case(*_tokens(1, 3, 4, 6), 2, having="a batch of 1"),
        case(*_tokens(2, 1, 1, 4), 2, having="one query and one key"),
        case(*_tokens(2, 3, 4, 4), 1, having="a single head"),
        case(*_tokens(2, 3, 4, 3), 3, having="heads of one feature"),
        case(*(tensor.double() for tensor in _tokens(1, 2, 3, 4)), 2, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _one_wide_head,
        _scaled_by_d_model,
        _heads_not_scaled,
        _heads_attend_to_heads,
        _split_by_a_view,
        _joined_without_moving,
        _heads_compete,
        _average_of_heads,
    ),
    hints=paragraphs("""
        You have all three pieces: split, attend, merge.

        `scaled_dot_product_attention` works on the last two axes, and takes any number of axes before them:
        heads too.

        Split queries, keys and values, each with `split_heads`. Attend once, for all heads at the same time,
        and keep the output only. Then merge.
    """),
)


# What it costs.


def _times_heads(d_model: int, heads: int) -> int:
    """You counted a full set of projections for every head. A head's are narrow, d_model to d_k, and H of them side
    by side make one d_model to d_model.
    """
    return heads * 4 * (d_model * d_model + d_model)


def _no_biases(d_model: int, _heads: int) -> int:
    """The weights are right. Each projection has a bias too: one number for each of its outputs."""
    return 4 * d_model * d_model


def _no_output_counted(d_model: int, _heads: int) -> int:
    """You counted W_q, W_k and W_v. After the heads are merged comes a fourth: W_o."""
    return 3 * (d_model * d_model + d_model)


def _one_head_counted(d_model: int, heads: int) -> int:
    """You counted the queries, keys and values of one head only: there are H of them."""
    return 3 * (d_model + 1) * (d_model // heads) + d_model * d_model + d_model


def _narrow_output(d_model: int, heads: int) -> int:
    """Your W_o takes in one head. It reads all heads side by side: H times d_k numbers."""
    return 3 * (d_model * d_model + d_model) + (d_model // heads) * d_model + d_model


def _wide_heads(d_model: int, heads: int) -> int:
    """Your heads are as wide as the tokens. A head's projections go from d_model to d_k = d_model / H numbers."""
    return 3 * heads * (d_model * d_model + d_model) + d_model * d_model + d_model


MULTI_HEAD_PARAMETER_COUNT = Exercise(
    name="multi_head_parameter_count",
    notebook=2,
    reference=multi_head_parameter_count,
    returns=("the count",),
    minutes=5,
    difficulty=1,
    cases=(
        case(4, 2),
        case(6, 3),
        case(8, 4),
        case(512, 8),
        case(768, 12),
        case(5, 5),
        case(7, 1, having="a single head"),
    ),
    mistakes=mistakes(
        _times_heads,
        _no_biases,
        _no_output_counted,
        _one_head_counted,
        _narrow_output,
        _wide_heads,
    ),
    hints=paragraphs("""
        A projection from n to m numbers has n times m weights, and m biases. How many projections are there,
        and how wide?

        One head has three, each from d_model to d_k. Put side by side, the H heads' are as wide as one from
        d_model to d_model.

        Four projections from d_model to d_model: queries, keys, values, output. Do the heads change the count
        at all?
    """),
)


# The whole.


class _InPieces(MultiHeadAttention):
    """The reference, cut into pieces: each mistake replaces one."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        queries, keys, values = (self.split(x) for x in self.project(query, key, value))
        return self.finish(self.merge(self.attend(queries, keys, values, mask)))

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.W_q(query), self.W_k(key), self.W_v(value)

    def split(self, x: Tensor) -> Tensor:
        return split_heads(x, self.heads)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        return scaled_dot_product_attention(queries, keys, values, mask)[0]

    def merge(self, x: Tensor) -> Tensor:
        return merge_heads(x)

    def finish(self, x: Tensor) -> Tensor:
        output: Tensor = self.W_o(x)
        return output


class _NoOutput(_InPieces):
    """The output projection is missing: after the heads are merged comes W_o. Without it, a number from head 0 can
    never meet one from head 1.

    Seen in https://github.com/Kyubyong/transformer/issues/117.
    """

    def finish(self, x: Tensor) -> Tensor:
        return x


class _BentOutput(_InPieces):
    """You bend the output with a ReLU, so that nothing negative comes out. W_o is the last step: no bend after it.

    Seen in https://github.com/Kyubyong/transformer/issues/17.
    """

    def finish(self, x: Tensor) -> Tensor:
        return torch.relu(self.W_o(x))


class _ScaledByModelWidth(_InPieces):
    """You scaled by √d_model. Inside a head a dot product sums only d_k = d_model / H numbers, so it is √d_k.

    Seen in https://github.com/lucidrains/vit-pytorch/issues/65.
    """

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        return super().attend(queries / math.sqrt(self.heads), keys, values, mask)


class _Unscaled(_InPieces):
    """The scale is missing: in each head the scores are divided by √d_k."""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        return super().attend(queries * math.sqrt(queries.size(-1)), keys, values, mask)


class _MaskNotHandedOn(_InPieces):
    """Right without a mask, but yours goes nowhere: hand it on to `scaled_dot_product_attention`."""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, _mask: Tensor | None) -> Tensor:
        return super().attend(queries, keys, values, None)


class _ReadsItself(_InPieces):
    """You project the query three times, so that it can only read itself. Keys come from `key`, values from
    `value`: in cross-attention these are another sentence.
    """

    def project(self, query: Tensor, _key: Tensor, _value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return super().project(query, query, query)


class _ValuesNotProjected(_InPieces):
    """Your values go in as they come: they have a projection of their own, W_v."""

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.W_q(query), self.W_k(key), value


class _KeysForValues(_InPieces):
    """You projected the values with W_k. They have a projection of their own, W_v."""

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.W_q(query), self.W_k(key), self.W_k(value)


class _OneHead(_InPieces):
    """Everything runs in one wide head: split queries, keys and values with `split_heads`, into `heads`."""

    def split(self, x: Tensor) -> Tensor:
        return split_heads(x, 1)


class _SplitByAView(_InPieces):
    """Your heads get pieces of different tokens: a reshape straight to (B, H, T, d_k) shuffles. Use your
    `split_heads` and `merge_heads`.

    Seen in https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53.
    """

    def split(self, x: Tensor) -> Tensor:
        return _viewed(x, self.heads)


class _MergedByAView(_InPieces):
    """Your heads are joined in reading order, and tokens get mixed. Move the axis of heads back before you join:
    your `merge_heads` does.

    Seen in https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/10.
    """

    def merge(self, x: Tensor) -> Tensor:
        return _merged_by_a_view(x)


class _SplitBeforeProjecting(_InPieces):
    """You split first and projected the pieces, all with the same small matrices: each head sees only its own slice
    of a token. Project the whole token from d_model to d_model, then split.

    Seen in https://github.com/MarcoMeter/episodic-transformer-memory-ppo/issues/22.
    """

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__(d_model, heads)
        d_k = d_model // heads
        self.W_q, self.W_k, self.W_v = (nn.Linear(d_k, d_k) for _ in range(3))

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pieces = (split_heads(x, self.heads) for x in (query, key, value))
        queries, keys, values = super().project(*pieces)
        return merge_heads(queries), merge_heads(keys), merge_heads(values)


_SEEN_BY_HEADS = (numbers(2, 4, 3, 5) > 0) | (torch.arange(5) == 0)  # (B, H, T, S): no query is blind


def _model_cases() -> tuple[Case, ...]:
    sizes, padding = (2, 3, 5, 8), _padding(3, 5)
    return (
        case(4, 2, *_tokens(1, 2, 2, 4)),
        case(4, 2, *_tokens(1, 2, 2, 4, seed=3)),
        case(8, 4, *_tokens(*sizes), having="sizes that all differ"),
        case(6, 3, *_tokens(2, 3, 3, 6)[:1] * 3, having="self-attention"),
        case(8, 2, *_tokens(1, 3, 4, 8), having="a batch of 1"),
        case(4, 2, *_tokens(2, 1, 1, 4), having="one query and one key"),
        case(4, 1, *_tokens(2, 3, 4, 4), having="a single head"),
        case(8, 4, *_tokens(*sizes), torch.ones(3, 5).tril().bool(), having="a mask"),
        case(8, 4, *_tokens(*sizes), padding, having="a mask, a mask for padding"),
        case(6, 3, *_tokens(2, 3, 4, 6), torch.ones(3, 4).tril().bool(), having="a mask"),
        case(8, 4, *_tokens(*sizes), padding & torch.ones(3, 5).tril(2).bool(), having="a mask, a mask for each query"),
        case(8, 4, *_tokens(*sizes), _SEEN_BY_HEADS, having="a mask, a mask for each head"),
        case(4, 2, *(tensor.double() for tensor in _tokens(1, 2, 3, 4)), having="float64 numbers"),
    )


def _padding(*lengths: int) -> Tensor:
    return (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None])[:, None, None]  # (B, 1, 1, S)


MULTI_HEAD_ATTENTION = Exercise(
    name="MultiHeadAttention",
    notebook=2,
    reference=MultiHeadAttention,
    adapt=filled(made_with=2, block=2),
    trained=True,
    returns=("output (B, T, d_model)", "the count of numbers in the weight matrices that you use"),
    minutes=25,
    difficulty=3,
    cases=_model_cases(),
    mistakes=mistakes(
        _NoOutput,
        _BentOutput,
        _ScaledByModelWidth,
        _Unscaled,
        _MaskNotHandedOn,
        _ReadsItself,
        _ValuesNotProjected,
        _KeysForValues,
        _OneHead,
        _SplitByAView,
        _MergedByAView,
        _SplitBeforeProjecting,
    ),
    hints=paragraphs("""
        In `__init__`, four projections: `W_q`, `W_k`, `W_v`, `W_o`. In `forward`: project, split, attend,
        merge, project.

        Each projection is an `nn.Linear` from d_model to d_model: the heads' own are slices of it. Queries come
        from `query`, keys from `key`, values from `value`.

        Project, then split each with `split_heads`. Attend with `scaled_dot_product_attention`, the mask
        included; keep its first result; `merge_heads`; and `W_o` on what that gives.
    """),
)

EXERCISES = (SPLIT_HEADS, MERGE_HEADS, ATTEND_IN_HEADS, MULTI_HEAD_PARAMETER_COUNT, MULTI_HEAD_ATTENTION)
