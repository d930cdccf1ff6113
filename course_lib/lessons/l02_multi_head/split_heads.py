"""The exercise `split_heads` of notebook 02."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l02_multi_head.inputs import NUMBERED
from course_lib.transformer import attention

split_heads = Exercise(
    reference=attention.split_heads,
    notebook=2,
    order=10,
    minutes=10,
    difficulty=2,
    returns=(Result("the heads", "B, H, T, d_k"),),
    example=case(NUMBERED, 2),
    another=case(fixed_tensor(1, 3, 4), 2),
    cases=(
        case(fixed_tensor(2, 3, 20), 4, having=("sizes that all differ",)),
        case(fixed_tensor(2, 4, 4), 2, having=("as many tokens as features",)),
        case(fixed_tensor(3, 3, 9), 3, having=("sizes that are all the same",)),
        case(fixed_tensor(2, 1, 6), 3, having=("a single token",)),
        case(fixed_tensor(2, 3, 4), 1, having=("a single head", "sizes that all differ")),
        case(fixed_tensor(2, 3, 4), 4, having=("heads of one feature", "sizes that all differ")),
        case(fixed_tensor(2, 4, 3).mT, 2, having=("a tensor that is a view of another",)),
        case(fixed_tensor(1, 3, 4, dtype=torch.float64), 2, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Take one token with 4 features and 2 heads on paper: which numbers belong to head 0? Then do the same for "
            "all tokens in two steps, one that cuts and one that moves."
        ),
        (
            "Cutting one axis in two shuffles nothing: `reshape(B, T, heads, d_k)` cuts the last axis, with d_k = "
            "d_model // heads. Then two axes are in the wrong order."
        ),
        "After the reshape the tokens are axis 1 and the heads axis 2. `transpose` swaps two axes that you name.",
    ),
)


@split_heads.mistake(
    "The shape is right, but the numbers are shuffled: they fill (B, H, T, d_k) in reading order, as after a reshape "
    "straight to that shape, so a head gets pieces of different tokens. Cut the last axis first, then move the axis of "
    "heads.",
    seen="https://github.com/hyunwoongko/transformer/issues/15",
)
def viewed(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, heads, T, d_model // heads)


@split_heads.mistake(
    "Your heads get pieces of different tokens, as if you swapped axes first and cut afterwards. Cut the last axis "
    "first, `reshape(B, T, heads, d_k)`, then swap."
)
def moved_before_cutting(x, heads):
    B, T, d_model = x.shape
    return x.transpose(1, 2).reshape(B, heads, T, d_model // heads)


@split_heads.mistake(
    "Your code cuts each token into its heads correctly, but the axes are (B, T, H, d_k). Attention works on the last "
    "two, so move the heads before the tokens, and use what `transpose` returns."
)
def not_moved(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads)


@split_heads.mistake(
    "The order of your axes is (B, T, d_k, H), as if the last two were swapped. Swap tokens and heads, axes 1 and 2: "
    "(B, H, T, d_k)."
)
def last_two_axes_swapped(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).transpose(2, 3)


@split_heads.mistake(
    "The order of your axes is (T, B, H, d_k), as if batch and tokens were swapped. Swap tokens and heads, axes 1 and "
    "2: (B, H, T, d_k)."
)
def batch_and_tokens_swapped(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).transpose(0, 1)


@split_heads.mistake(
    "Your code deals the features out like cards: a head gets every H-th number. A head should get consecutive "
    "features, so cut in the order `(heads, d_k)`: the first d_k numbers are those of head 0."
)
def dealt_out(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, d_model // heads, heads).permute(0, 3, 1, 2)


@split_heads.mistake(
    "Your code mixes up the number of heads and their width: it makes d_k heads, each `heads` numbers wide. Make "
    "H = `heads` heads, each d_k = d_model // heads numbers wide."
)
def heads_and_width_mixed_up(x, heads):
    return attention.split_heads(x, x.size(-1) // heads)


@split_heads.mistake("Your code always makes 2 heads. Use the argument `heads`.")
def two_heads_written_into_the_code(x, heads):
    return attention.split_heads(x, 2)


@split_heads.mistake(
    "Your heads come before the batch, (H, B, T, d_k). The batch stays in front: (B, H, T, d_k).",
    seen="https://github.com/gazelle93/Transformer-Various-Positional-Encoding/issues/1",
)
def heads_first(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).permute(2, 0, 1, 3)


@split_heads.mistake("Your code puts batch and heads into one axis, (B * H, T, d_k). Keep two axes: (B, H, T, d_k).")
def joined_with_batch(x, heads):
    return attention.split_heads(x, heads).flatten(0, 1)


@split_heads.mistake(
    "Your code puts the heads behind each other along the batch, (H * B, T, d_k). Stack them on an axis of their own: "
    "(B, H, T, d_k)."
)
def stacked_along_batch(x, heads):
    return torch.cat(x.chunk(heads, dim=-1), dim=0)


@split_heads.mistake(
    "Your function is right for one sentence. In a batch it mixes the sentences: the numbers are in the order (H, B, "
    "T, d_k), as `torch.cat` or `torch.stack` of one head after the other puts them, but are reshaped as if the "
    "sentences came first. Exchange the two axes with `transpose`: a reshape moves no number."
)
def sentences_mixed(x, heads):
    pieces = attention.split_heads(x, heads)
    return pieces.transpose(0, 1).reshape(pieces.shape)


@split_heads.mistake(
    "Your code returns the heads of the first sentence without the axis of the batch. Keep the batch in front: (B, H, "
    "T, d_k)."
)
def first_sentence(x, heads):
    return attention.split_heads(x, heads)[0]


@split_heads.mistake("Your code returns the heads of the first sentence only. Return those of all B sentences.")
def first_sentence_as_a_batch(x, heads):
    return attention.split_heads(x[:1], heads)


@split_heads.mistake(
    "Your numbers fill (B * H, T, d_k) in reading order, as after a reshape straight to that shape, so a head gets "
    "pieces of different tokens. Number the entries 0, 1, 2 … to see it. Cut the last axis, then move the heads.",
    seen="https://github.com/reczoo/FuxiCTR/issues/30",
)
def joined_by_a_view(x, heads):
    B, _, d_model = x.shape
    return x.reshape(B * heads, -1, d_model // heads)


@split_heads.mistake(
    "Your code puts the heads one below the other, which makes H times as many tokens. Stack them on an axis of their "
    "own: (B, H, T, d_k)."
)
def stacked_along_tokens(x, heads):
    return torch.cat(x.chunk(heads, dim=-1), dim=1)


@split_heads.mistake(
    "Your code gives each head the whole vector. A head gets its own piece: d_k = d_model / H numbers of each token."
)
def copied(x, heads):
    return x.unsqueeze(1).expand(-1, heads, -1, -1)


@split_heads.mistake(
    "Your code returns the heads as several tensors. Stack them on a new axis after the batch: one tensor (B, H, T, "
    "d_k)."
)
def tuple_of_heads(x, heads):
    return x.chunk(heads, dim=-1)


@split_heads.mistake(
    "Where the batch, the heads, the tokens or d_k count 1, your result has lost that axis, as by `squeeze()`. Keep "
    "all four: (B, H, T, d_k)."
)
def axes_of_length_1_lost(x, heads):
    return attention.split_heads(x, heads).squeeze()


@split_heads.mistake("Your last two axes are (d_k, T). Swap them: a head has one row for each token, (T, d_k).")
def features_and_tokens_swapped(x, heads):
    return attention.split_heads(x, heads).mT


@split_heads.right_for_whole_course
def by_chunks(x, h):
    return torch.stack(x.chunk(h, dim=-1), dim=1)


split_heads.right(lambda x, heads: x.unflatten(-1, (heads, -1)).movedim(2, 1))
split_heads.right(lambda x, h: torch.einsum("bthd->bhtd", x.reshape(x.shape[0], x.shape[1], h, -1)))


@split_heads.right
def split_by_slices(x, heads):
    d_k = x.size(2) // heads
    return torch.cat([x[:, :, i * d_k : (i + 1) * d_k].unsqueeze(1) for i in range(heads)], dim=1)


@split_heads.right
def split_number_by_number(x, heads):
    B, T, d_model = x.shape
    d_k = d_model // heads
    pieces = torch.zeros(B, heads, T, d_k, dtype=x.dtype)
    for feature in range(d_model):
        pieces[:, feature // d_k, :, feature % d_k] = x[:, :, feature]
    return pieces


split_heads.right(lambda x, heads: x.mT.reshape(x.size(0), heads, -1, x.size(1)).mT)
