"""The exercise `additive_attention` of notebook 01."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l01_attention.inputs import ALLOWED, attend, masked
from course_lib.transformer import attention


def network(T: int, S: int, d_query: int, d_key: int, d_a: int, d_v: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Query (T, d_query), key (S, d_key), value (S, d_v), and the network W_a, U_a, v_a."""
    shapes = ((T, d_query), (S, d_key), (S, d_v), (d_a, d_query), (d_a, d_key), (d_a,))
    return tuple(fixed_tensor(*shape, seed=seed + i) for i, shape in enumerate(shapes))


SQUARE = network(T=3, S=3, d_query=3, d_key=3, d_a=3, d_v=3)
SOME_PADDING = (torch.arange(5) < torch.tensor([[3], [4]]))[:, None]  # (B, 1, S)


def batch(B: int, T: int, S: int, seed: int = 0) -> tuple[Tensor, ...]:
    """The same arguments, with a batch axis in front of query, key and value."""
    words = (fixed_tensor(B, length, 3, seed=seed + i) for i, length in enumerate((T, S, S)))
    return *words, *network(T, S, d_query=3, d_key=3, d_a=4, d_v=3, seed=seed)[3:]


def additive_scores(query: Tensor, key: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor) -> Tensor:
    """The scores (..., T, S), before mask and softmax."""
    return torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a


additive_attention = Exercise(
    reference=attention.additive_attention,
    notebook=1,
    order=70,
    minutes=15,
    difficulty=3,
    returns=(
        Result("output", "..., T, d_v"),
        Result("weights", "..., T, S"),
    ),
    example=case(*network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1)),
    another=case(*network(T=2, S=3, d_query=2, d_key=2, d_a=2, d_v=1, seed=6)),
    cases=(
        case(*network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1), having=("sizes that all differ",)),
        case(*SQUARE, having=("sizes that are all the same", "as many keys as queries")),
        case(*network(T=1, S=4, d_query=2, d_key=3, d_a=5, d_v=2), having=("a single query",)),
        case(*network(T=4, S=3, d_query=4, d_key=4, d_a=4, d_v=4, seed=2), having=("more queries than keys",)),
        case(*network(T=3, S=1, d_query=2, d_key=3, d_a=5, d_v=2), having=("a single key", "more queries than keys")),
        case(*network(T=3, S=4, d_query=2, d_key=3, d_a=1, d_v=2), having=("a network of width 1",)),
        case(
            *network(T=2, S=3, d_query=4, d_key=5, d_a=6, d_v=1),
            mask=ALLOWED,
            having=("a mask", "sizes that all differ"),
        ),
        case(*batch(2, T=4, S=5), having=("a batch",)),
        case(*batch(2, T=3, S=3), having=("a batch", "as many keys as queries")),
        case(*batch(3, T=3, S=3), having=("a batch", "as many texts as tokens", "as many keys as queries")),
        case(*batch(2, T=4, S=5), mask=SOME_PADDING, having=("a batch", "a mask", "a mask for padding")),
        case(
            *network(T=3, S=3, d_query=3, d_key=3, d_a=3, d_v=3, seed=3),
            mask=torch.eye(3).bool(),
            having=("a mask", "as many keys as queries", "sizes that are all the same"),
        ),
        case(*(tensor.double() for tensor in network(T=2, S=3, d_query=2, d_key=2, d_a=4, d_v=2)), having=("float64",)),
    ),
    hints=(
        (
            "Begin with one query and one key, both vectors: two matrix products, a sum, a tanh, and a dot product "
            "with `v_a` give one number. Then think about which axes a table of such numbers needs."
        ),
        (
            "Give the queries' part and the keys' part an axis of length 1 each, in different positions: (..., T, 1, "
            "d_a) plus (..., 1, S, d_a) broadcasts to (..., T, S, d_a), a vector for every pair."
        ),
        (
            "Queries in rows are multiplied by the transposed matrix, `query @ W_a.T`, and `unsqueeze(-2)` makes it "
            "(..., T, 1, d_a). The keys' part gets its new axis one position further to the front. After sum and "
            "tanh, `@ v_a` leaves (..., T, S). Mask, softmax and mixture are those of exercise 6."
        ),
    ),
)


@additive_attention.mistake(
    "Where the mask hides nothing, all queries get the same weights in your code, and the keys' part is multiplied by "
    "`v_a` without a tanh. Put one tanh around the sum of the query's and the key's part, before `v_a`: otherwise the "
    "softmax cancels the query's part.",
    seen="https://github.com/AuCson/PyTorch-Batch-Attention-Seq2seq/issues/3",
)
def no_activation(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code multiplies by `v_a` inside the tanh, and adds up the features after it. Take the tanh of the sum of the "
    "query's and the key's part alone, and then the dot product with `v_a`: `torch.tanh(…) @ v_a`."
)
def v_a_inside_the_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    parts = (query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)
    return attend(torch.tanh(parts * v_a).sum(-1), value, mask)


@additive_attention.mistake(
    "Your code takes the tanh of the finished score, which squeezes it between −1 and 1. Take the tanh of the sum, "
    "before multiplying by `v_a`."
)
def activation_outside(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh(((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a), value, mask)


@additive_attention.mistake(
    "Where the mask hides nothing, all queries get the same weights in your code. Either the queries are left out of "
    "the scores, or query and key each have a tanh of their own, in which case the softmax cancels the query's part. "
    "Use one tanh, around the sum."
)
def activation_of_each_alone(query, key, value, W_a, U_a, v_a, mask=None):
    return attend((torch.tanh(query @ W_a.T).unsqueeze(-2) + torch.tanh(key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake("Your sums go through a ReLU. The formula has a tanh around the sum.")
def relu_for_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.relu((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake("Your sums go through a sigmoid. The formula has a tanh around the sum.")
def sigmoid_for_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.sigmoid((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code multiplies the query's and the key's part. This attention is called additive: add them."
)
def product(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T).unsqueeze(-2) * (key @ U_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your scores add up products: the tanh of the query's part times the tanh of the key's, times `v_a`. Add the two "
    "parts first, and take one tanh, that of the sum."
)
def product_of_tanhs(query, key, value, W_a, U_a, v_a, mask=None):
    return attend((torch.tanh(query @ W_a.T) * v_a) @ torch.tanh(key @ U_a.T).mT, value, mask)


@additive_attention.mistake(
    "Your scores add up products: the tanh of the query's part times the tanh of the key's, times `v_a`, divided by "
    "√d_a. Add the two parts first, take one tanh, that of the sum, and do not scale."
)
def scaled_product_of_tanhs(query, key, value, W_a, U_a, v_a, mask=None):
    scores = (torch.tanh(query @ W_a.T) * v_a) @ torch.tanh(key @ U_a.T).mT
    return attend(scores / math.sqrt(v_a.size(0)), value, mask)


@additive_attention.mistake(
    "Your score is the dot product of the two projections. Here the projections are added and go through a tanh, and "
    "the result is multiplied by `v_a`."
)
def dot_product_of_projections(query, key, value, W_a, U_a, v_a, mask=None):
    return attend((query @ W_a.T) @ (key @ U_a.T).mT, value, mask)


@additive_attention.mistake(
    "All keys that the mask does not hide get the same weight in your code, as if the scores came from the queries "
    "alone. Add the keys' part, `key @ U_a.T`, inside the tanh, and take the softmax over the keys.",
    seen="https://github.com/pytorch/tutorials/issues/87",
)
def keys_unseen(query, key, value, W_a, U_a, v_a, mask=None):
    scores = (torch.tanh(query @ W_a.T) @ v_a).unsqueeze(-1).expand(*query.shape[:-1], key.size(-2))
    return attend(scores, value, mask)


@additive_attention.mistake(
    "Your code adds each query to the key in the same row only, as in `query @ W_a.T + key @ U_a.T`, which fits only "
    "if there are as many keys as queries. Give each part a new axis, so that every query is added to every key."
)
def pairs_only(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh(query @ W_a.T + key @ U_a.T) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code multiplies as in `W_a @ query`, which is the formula for one query. Here queries are rows, so the "
    "matrix comes second and transposed, `query @ W_a.T`, and every query has to be added to every key: each part "
    "needs a new axis."
)
def matrices_first(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh(W_a @ query + U_a @ key) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code keeps the tokens in columns, as in `W_a @ query.T`, and adds each query to the key in the same column "
    "only. Give each part a new axis, so that every query is added to every key, and keep the tokens in rows: `query "
    "@ W_a.T`."
)
def matrices_first_with_columns(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh(W_a @ query.mT + U_a @ key.mT) @ v_a, value, mask)


@additive_attention.mistake(
    "Your table of scores has keys as rows and queries as columns, as if the new axes were the wrong way round. The "
    "queries' part should be (..., T, 1, d_a), the keys' part (..., 1, S, d_a)."
)
def axes_swapped(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T).unsqueeze(-3) + (key @ U_a.T).unsqueeze(-2)) @ v_a, value, mask)


@additive_attention.mistake("Your code swaps the two matrices. Use `W_a` for the queries and `U_a` for the keys.")
def matrices_swapped(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ U_a.T).unsqueeze(-2) + (key @ W_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake("Your code uses `W_a` for the keys too. The keys have a matrix of their own, `U_a`.")
def one_matrix_for_both(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ W_a.T).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code multiplies by the matrices as they are. `W_a` is (d_a, d_query), so queries in rows, (T, d_query), need "
    "it transposed: `query @ W_a.T`, and the keys `U_a.T`."
)
def matrices_transposed(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a).unsqueeze(-2) + (key @ U_a).unsqueeze(-3)) @ v_a, value, mask)


@additive_attention.mistake(
    "Your code adds up the features after the tanh, and `v_a` has no effect. Take the dot product with `v_a`: `@ v_a`."
)
def v_a_left_out(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh((query @ W_a.T).unsqueeze(-2) + (key @ U_a.T).unsqueeze(-3)).sum(-1)
    return attend(scores, value, mask)


@additive_attention.mistake(
    "Your scores are divided by √d_a. Additive attention has no scale: the tanh keeps the scores small."
)
def scaled_by_d_a(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(additive_scores(query, key, W_a, U_a, v_a) / math.sqrt(len(v_a)), value, mask)


@additive_attention.mistake(
    "Your scores are divided by the square root of the width of a query. Additive attention has no scale: the tanh "
    "keeps the scores small."
)
def scaled_by_d_query(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(additive_scores(query, key, W_a, U_a, v_a) / math.sqrt(query.size(-1)), value, mask)


@additive_attention.mistake(
    "Your scores are divided by the square root of the width of a key. Additive attention has no scale: the tanh keeps "
    "the scores small."
)
def scaled_by_d_key(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(additive_scores(query, key, W_a, U_a, v_a) / math.sqrt(key.size(-1)), value, mask)


@additive_attention.mistake(
    "You normalised over the queries: your columns add up to 1, and your rows do not. Take the softmax along the last "
    "axis, so that each query's weights add up to 1.",
    seen="https://github.com/stevezheng23/reading_comprehension_tf/issues/30",
)
def additive_over_queries(query, key, value, W_a, U_a, v_a, mask=None):
    weights = torch.softmax(masked(additive_scores(query, key, W_a, U_a, v_a), mask), -2)
    return weights @ value, weights


@additive_attention.mistake(
    "Your softmax runs along the first axis: the queries, or in a batch the examples. Take it along the last axis, "
    "`dim=-1`."
)
def softmax_along_axis_0(query, key, value, W_a, U_a, v_a, mask=None):
    weights = torch.softmax(masked(additive_scores(query, key, W_a, U_a, v_a), mask), 0)
    return weights @ value, weights


@additive_attention.mistake(
    "Your softmax runs along axis 1, which in a batch is not the axis of the keys. Count from the end: `dim=-1`."
)
def softmax_along_axis_1(query, key, value, W_a, U_a, v_a, mask=None):
    weights = torch.softmax(masked(additive_scores(query, key, W_a, U_a, v_a), mask), 1)
    return weights @ value, weights


@additive_attention.mistake("Your code mixes the values with the raw scores. Take the softmax over the keys first.")
def additive_raw_scores(query, key, value, W_a, U_a, v_a, mask=None):
    scores = masked(additive_scores(query, key, W_a, U_a, v_a), mask)
    return scores @ value, scores


@additive_attention.mistake(
    "Your function is right for one sentence. In a batch, axes counted from the front, as in `[:, None]`, land among "
    "the sentences. Count from the end: `unsqueeze(-2)` and `unsqueeze(-3)`."
)
def new_axes_in_front(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(torch.tanh((query @ W_a.T)[:, None] + (key @ U_a.T)[None]) @ v_a, value, mask)


@additive_attention.mistake(
    "Your function is right without a mask, but with one it returns the same. Set the scores to minus infinity where "
    "the mask is `False`, before the softmax. If you call `masked_fill`, keep what it returns."
)
def additive_mask_forgotten(query, key, value, W_a, U_a, v_a, mask=None):
    return attention.additive_attention(query, key, value, W_a, U_a, v_a)


@additive_attention.mistake(
    'Your mask is upside down: `True` means "may attend", so hide the scores where the mask is `False`.',
    seen="https://github.com/hkproj/pytorch-transformer/issues/19",
)
def additive_mask_upside_down(query, key, value, W_a, U_a, v_a, mask=None):
    return attend(additive_scores(query, key, W_a, U_a, v_a), value, None if mask is None else ~mask)


@additive_attention.mistake(
    "Your hidden weights are 0, but the others are divided by a sum to which the hidden keys still contribute, so they "
    "no longer add up to 1. Hide the scores before the softmax: a score of minus infinity gets no weight.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def additive_mask_after_softmax(query, key, value, W_a, U_a, v_a, mask=None):
    _, weights = attention.additive_attention(query, key, value, W_a, U_a, v_a)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@additive_attention.mistake(
    "In your code, the score of a hidden key is 0, which is an ordinary score, so the key still gets some weight. Set "
    "it to minus infinity: then its `exp` is 0.",
    seen="https://github.com/awslabs/gluonts/issues/1401",
)
def additive_hidden_scores_are_zero(query, key, value, W_a, U_a, v_a, mask=None):
    scores = additive_scores(query, key, W_a, U_a, v_a)
    return attend(scores if mask is None else scores * mask, value, None)


@additive_attention.mistake(
    "With a mask all your weights are NaN. If you multiply the mask by infinity, note that 0 · ∞ is NaN. Use "
    "`masked_fill`, or `torch.where`, which put minus infinity only where the mask is `False`."
)
def additive_mask_times_infinity(query, key, value, W_a, U_a, v_a, mask=None):
    scores = additive_scores(query, key, W_a, U_a, v_a)
    return attend(scores if mask is None else scores + (~mask) * -math.inf, value, None)


@additive_attention.mistake(
    "Your hidden scores are only 1 lower than they would be, as if the mask were added, in which `True` counts as 1 "
    "and `False` as 0. So hidden keys still get weight: set their scores to minus infinity."
)
def additive_mask_added(query, key, value, W_a, U_a, v_a, mask=None):
    scores = additive_scores(query, key, W_a, U_a, v_a)
    return attend(scores if mask is None else scores + mask, value, None)


@additive_attention.mistake("Your output is mixed from the keys. The keys only decide the weights: mix `value`.")
def additive_keys_mixed(query, key, value, W_a, U_a, v_a, mask=None):
    _, weights = attention.additive_attention(query, key, value, W_a, U_a, v_a, mask)
    return weights @ key, weights


@additive_attention.mistake(
    "Your output is right, but the second result is the scores. Return the weights, after the softmax."
)
def additive_scores_for_weights(query, key, value, W_a, U_a, v_a, mask=None):
    output, _ = attention.additive_attention(query, key, value, W_a, U_a, v_a, mask)
    return output, masked(additive_scores(query, key, W_a, U_a, v_a), mask)


@additive_attention.mistake("Your code returns the weights first. The order is `return output, weights`.")
def additive_other_order(query, key, value, W_a, U_a, v_a, mask=None):
    output, weights = attention.additive_attention(query, key, value, W_a, U_a, v_a, mask)
    return weights, output


@additive_attention.mistake(
    "Your scores are scaled dot products of the projected queries and keys. In additive attention the two are added, "
    "and the tanh of the sum is multiplied by `v_a`: `(q + k).tanh() @ v_a`."
)
def scaled_dot_products_of_projections(query, key, value, W_a, U_a, v_a, mask=None):
    q, k = query @ W_a.T, key @ U_a.T
    scores = q @ k.mT / q.size(-1) ** 0.5
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ value, weights


@additive_attention.mistake(
    "Hidden keys still get weight in your code: their scores are the sum of −1 times each number in `v_a`, as when "
    "minus infinity is filled in before the tanh, which turns it into −1. Fill it into the scores, after `v_a`."
)
def hidden_before_the_tanh(query, key, value, W_a, U_a, v_a, mask=None):
    scores = additive_scores(query, key, W_a, U_a, v_a)
    return attend(scores if mask is None else torch.where(mask, scores, -v_a.sum()), value, None)


@additive_attention.right_for_whole_course
def by_linear_maps(query, key, value, W_a, U_a, v_a, mask=None):
    asked, offered = F.linear(query, W_a), F.linear(key, U_a)
    scores = torch.tanh(asked[..., :, None, :] + offered[..., None, :, :]).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@additive_attention.right
def additive_in_loops(query, key, value, W, U, v, mask=None):
    if query.dim() > 2:
        masks = [None] * len(query) if mask is None else mask
        outputs = [additive_in_loops(*one, W, U, v, may) for *one, may in zip(query, key, value, masks, strict=True)]
        return [torch.stack(parts) for parts in zip(*outputs, strict=True)]
    scores = torch.stack([torch.stack([v @ torch.tanh(W @ s + U @ h) for h in key]) for s in query])
    if mask is not None:
        scores[~mask.expand_as(scores)] = -math.inf
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@additive_attention.right
def additive_by_one_matrix(query, key, value, W_a, U_a, v_a, mask=None):
    pairs = *query.shape[:-1], key.size(-2), -1
    pairs = torch.cat([query.unsqueeze(-2).expand(pairs), key.unsqueeze(-3).expand(pairs)], dim=-1)
    scores = torch.tanh(pairs @ torch.cat([W_a, U_a], dim=1).T).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, -1)
    return torch.einsum("...ts,...sd->...td", weights, value), weights


@additive_attention.right
def additive_with_linear_layers(query, key, value, W_a, U_a, v_a, mask=None):
    hidden = (F.linear(query, W_a)[..., :, None, :] + F.linear(key, U_a)[..., None, :, :]).tanh()
    return attend((hidden * v_a).sum(-1), value, mask)


@additive_attention.right
def additive_query_by_query(query, key, value, W_a, U_a, v_a, mask=None):
    of_keys = key @ U_a.T
    queries = query.unbind(-2)
    scores = torch.stack([torch.tanh(of_keys + (one @ W_a.T).unsqueeze(-2)) @ v_a for one in queries], dim=-2)
    return attend(scores, value, mask)
