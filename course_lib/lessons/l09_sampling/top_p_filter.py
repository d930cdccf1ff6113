"""The exercise `top_p_filter` of notebook 09."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.minus_infinity import dropped_logits_are_finite
from course_lib.writing import choose


def nucleus(logits: Tensor, mark: Callable[[Tensor], Tensor]) -> Tensor:
    """Keep the tokens that `mark` selects, given their probabilities (..., V) in descending order."""
    ordered, order = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    stays = mark(ordered)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -torch.inf)


def crossing_kept(ordered: Tensor, p: float) -> Tensor:
    """Mark the tokens up to and including the one at which the sum reaches p."""
    return (ordered.cumsum(-1) - ordered < p) | (p == 1)


def up_to_p(ordered: Tensor, p: float) -> Tensor:
    """Mark the tokens whose sum does not exceed p."""
    return ordered.cumsum(-1) <= p + 1e-6


def moved_on(stays: Tensor) -> Tensor:
    """Move a mask over sorted tokens by one towards the less likely, so that the likeliest goes."""
    return torch.cat((torch.zeros_like(stays[..., :1]), stays[..., :-1]), dim=-1)


def moved_back(stays: Tensor) -> Tensor:
    """Move a mask over sorted tokens by one towards the likelier; the last token stays as it was."""
    return torch.cat((stays[..., 1:], stays[..., -1:]), dim=-1)


# Probabilities 1/8, 1/2, 1/8 and 1/4, without any rounding: the exponential of a multiple of ln 2 is a power of 2.
POWERS_OF_TWO = torch.tensor([-2.0, 0.0, -2.0, -1.0]) * math.log(2)

top_p_filter = Exercise(
    reference=choose.top_p_filter,
    notebook=9,
    order=50,
    minutes=15,
    difficulty=3,
    adapt=compare_as_distribution,
    further_check=dropped_logits_are_finite(choose.top_p_filter),
    returns=(Result("the probabilities after a softmax", "..., V"),),
    example=case(torch.tensor([0.1, 0.4, 0.2, 0.3]).log(), 0.8),
    another=case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 0.8),
    cases=(
        case(fixed_tensor(6, seed=2), 0.7, having=("logits that are not the logarithms of probabilities",)),
        case(torch.tensor([0.2, 0.7, 0.1]).log(), 0.5, having=("a likeliest token that alone has more than p",)),
        case(
            fixed_tensor(3, 5, seed=1),
            0.75,
            having=(
                "a batch",
                "a likeliest token that alone has more than p",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            fixed_tensor(4, 4, seed=5),
            0.9,
            having=("as many rows as tokens", "a batch", "logits that are not the logarithms of probabilities"),
        ),
        case(
            fixed_tensor(2, 3, 5, seed=4),
            0.6,
            having=(
                "two axes before the last",
                "a batch",
                "a likeliest token that alone has more than p",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            fixed_tensor(2, 5), 1.0, having=("p = 1", "a batch", "logits that are not the logarithms of probabilities")
        ),
        case(
            fixed_tensor(2, 5),
            0.05,
            having=(
                "a tiny p",
                "a batch",
                "a small p",
                "a likeliest token that alone has more than p",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            torch.tensor([0.3, -torch.inf, 1.0, 0.6, -torch.inf, 0.1]),
            0.75,
            having=("logits of minus infinity that top-k left", "logits that are not the logarithms of probabilities"),
        ),
        case(torch.tensor([0.26, 0.1, 0.26, 0.1, 0.28]).log(), 0.7, having=("tokens that are equally likely",)),
        case(
            fixed_tensor(2, 5, seed=8) * 3 + 1000,
            0.5,
            having=(
                "huge numbers",
                "a batch",
                "a likeliest token that alone has more than p",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            torch.tensor([[0.05, 0.15, 0.5, 0.3], [0.7, 0.1, 0.1, 0.1]]).log(),
            0.3,
            having=(
                "a small p",
                "a batch",
                "a likeliest token that alone has more than p",
                "tokens that are equally likely",
            ),
        ),
        case(
            POWERS_OF_TWO,
            0.75,
            having=(
                "a sum below 1 that is exactly p",
                "tokens that are equally likely",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            torch.stack((POWERS_OF_TWO, POWERS_OF_TWO.flip(0))),
            0.5,
            having=(
                "a sum below 1 that is exactly p",
                "a batch",
                "tokens that are equally likely",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            torch.tensor([[0.7, 0.1, 0.15, 0.05], [0.26, 0.3, 0.2, 0.24]]).log(),
            0.6,
            having=("a first row that needs fewer tokens", "a batch", "a likeliest token that alone has more than p"),
        ),
        case(
            torch.tensor([[0.4, 0.05, 0.25, 0.3], [0.27, 0.23, 0.24, 0.26]]).log(),
            0.6,
            having=("a first row that needs fewer tokens", "a batch"),
        ),
        case(
            fixed_tensor(5, seed=9) - 500,
            0.6,
            having=(
                "logits that are all far below 0",
                "huge numbers",
                "logits that are not the logarithms of probabilities",
            ),
        ),
        case(
            fixed_tensor(6, seed=3, dtype=torch.float64),
            0.7,
            having=("float64 numbers", "logits that are not the logarithms of probabilities"),
        ),
    ),
    hints=(
        (
            "Try it on paper with the probabilities 0.1, 0.4, 0.2, 0.3 and p = 0.8. Take the likeliest, then the "
            "next: when do you have enough, and which tokens do you hold?"
        ),
        (
            "Take the softmax, then `sort` with `descending=True`, then `cumsum`. A token goes if the tokens before it "
            "already reach p; their sum is the `cumsum` minus the token's own probability."
        ),
        (
            "`sort` also returns the order. `mask.scatter(-1, order, mask)` puts a mask over sorted tokens back in the "
            "vocabulary's order. Then `masked_fill` sets to minus infinity what goes."
        ),
    ),
)


@top_p_filter.mistake(
    "Your code drops the token that crosses p, unless it is the likeliest of all, so that the probabilities of the "
    "kept tokens may add up to less than p. The token that crosses p is the last one that stays.",
    seen="https://github.com/Biohub/esm/issues/360",
)
def crossing_dropped(logits, p):
    return nucleus(logits, lambda ordered: up_to_p(ordered, p) | (ordered == ordered[..., :1]))


@top_p_filter.mistake(
    "Your code drops the token that crosses p. If the very first token crosses p, nothing is left. The token that "
    "crosses p always stays.",
    seen="https://github.com/skyzh/tiny-llm/issues/32",
)
def nothing_kept(logits, p):
    return nucleus(logits, lambda ordered: up_to_p(ordered, p))


@top_p_filter.mistake(
    "The probabilities of your kept tokens always add up to less than p: the token at which the sum reaches p is "
    "dropped, and if that is the very first one, nothing is left. Compare the sum of what came before a token with p."
)
def below_p_with_itself(logits, p):
    return nucleus(logits, lambda ordered: ordered.cumsum(-1) < p)


@top_p_filter.mistake("Your code keeps one token too many. The token that crosses p is the last one that stays.")
def one_beyond(logits, p):
    def mark(ordered):
        stays = crossing_kept(ordered, p)
        return torch.cat((stays[..., :1], stays[..., :-1]), dim=-1)

    return nucleus(logits, mark)


@top_p_filter.mistake(
    "Your logits come out sorted. The sampler takes the first one for token 0: put them back in the vocabulary's order."
)
def left_sorted(logits, p):
    return choose.top_p_filter(logits, p).sort(dim=-1, descending=True).values


@top_p_filter.mistake(
    "Your code keeps as many tokens as it should, but the first ones of the vocabulary, as a mask does that is still "
    "sorted by probability. Sort the mask back first, by `scatter`.",
    seen="https://github.com/dmlc/gluon-nlp/issues/1503",
)
def mask_left_sorted(logits, p):
    return logits.masked_fill(~crossing_kept(logits.softmax(-1).sort(-1, descending=True).values, p), -torch.inf)


@top_p_filter.mistake(
    "Your mask comes out as if it were put in sorted order a second time, instead of back in the vocabulary's order. "
    "To undo the sort, use `scatter` with the order, or `gather` with the `argsort` of the order.",
    seen="https://github.com/lucidrains/PaLM-rlhf-pytorch/issues/60",
)
def put_back_the_wrong_way(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    return logits.masked_fill(~crossing_kept(ordered, p).gather(-1, order), -1e9)


@top_p_filter.mistake(
    "Your code has two mistakes. It drops the token that crosses p, which should be the last one that stays; and it "
    "keeps the first tokens of the vocabulary, as a mask does that is still sorted by probability: put it back in the "
    "vocabulary's order by `scatter`."
)
def crossing_dropped_and_mask_left_sorted(logits, p):
    ordered = logits.softmax(-1).sort(-1, descending=True).values
    return logits.masked_fill(~(ordered.cumsum(-1) <= p), -torch.inf)


@top_p_filter.mistake(
    "Your code has two mistakes. It drops the token that crosses p, which should be the last one that stays; and its "
    "logits come out sorted: put them back in the vocabulary's order."
)
def crossing_dropped_and_left_sorted(logits, p):
    ordered = logits.sort(dim=-1, descending=True).values
    return ordered.masked_fill(~(ordered.softmax(-1).cumsum(-1) <= p), -torch.inf)


@top_p_filter.mistake(
    "Your mask comes out as if it were sorted a second time, and the rows of a batch are mixed, as `keep[..., order]` "
    "does. To put a mask back in the vocabulary's order, row by row, use `keep.scatter(-1, order, keep)`."
)
def mask_indexed_by_the_order(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    keep = crossing_kept(ordered, p)
    return logits.masked_fill(~keep[..., order], -torch.inf)


@top_p_filter.mistake(
    "Your code has two mistakes. It drops the token that crosses p, which should be the last one that stays; and its "
    "mask comes out as if it were sorted a second time, as `keep[..., order]` does: put it back by `keep.scatter(-1, "
    "order, keep)`."
)
def crossing_dropped_and_mask_indexed(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    return logits.masked_fill(~(ordered.cumsum(-1) <= p)[..., order], -torch.inf)


@top_p_filter.mistake(
    "Your code is right for one row, but in a batch each row gets the order of every row, as with `mask[..., order]`. "
    "`gather` and `scatter` with `dim=-1` treat each row by itself: `keep.scatter(-1, order, keep)`."
)
def back_by_an_index(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    return torch.where(crossing_kept(ordered, p)[..., order.argsort(-1)], logits, -torch.inf)


@top_p_filter.mistake(
    "Your code is right for one row, but in a batch the rows overwrite each other, as with an assignment to "
    "`mask[..., order]`. `scatter` treats each row by itself: `keep.scatter(-1, order, keep)`."
)
def assigned_by_an_index(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    stays = crossing_kept(ordered, p)
    keep = torch.zeros_like(stays)
    keep[..., order] = stays
    return logits.masked_fill(~keep, -torch.inf)


@top_p_filter.mistake(
    "Your code is right for one row, but in a batch it keeps the tokens of all rows in every row, as the ids "
    "`order[keep]` do. `scatter` treats each row by itself: `keep.scatter(-1, order, keep)`."
)
def ids_of_all_rows(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    ids = order[crossing_kept(ordered, p)]
    filtered = torch.full_like(logits, -torch.inf)
    filtered[..., ids] = logits[..., ids]
    return filtered


@top_p_filter.mistake(
    "Your code drops the likeliest token, and where a sum is exactly p it keeps one too many. The likeliest always "
    "stays: if you move the mask by one token, the place that becomes free belongs to it. And the last token that "
    "stays is the one at which the sum reaches p."
)
def likeliest_dropped(logits, p):
    return nucleus(logits, lambda ordered: moved_on(ordered.cumsum(-1) <= p))


@top_p_filter.mistake(
    "Your code drops the likeliest token. It always stays: if you move the mask by one token, the place that becomes "
    "free belongs to the likeliest."
)
def likeliest_dropped_below_p(logits, p):
    return nucleus(logits, lambda ordered: moved_on(ordered.cumsum(-1) < p - 1e-6))


@top_p_filter.mistake(
    "Your code drops the token at which the sum exceeds p, and the one before it as well, as a mask does that is moved "
    "by one token the wrong way. If the likeliest is among these two, it is lost. Move the mask towards the less "
    "likely tokens, so that the token that crosses p stays."
)
def moved_the_wrong_way(logits, p):
    return nucleus(logits, lambda ordered: moved_back(ordered.cumsum(-1) <= p))


@top_p_filter.mistake(
    "Your code drops the token at which the sum reaches p, and the one before it as well, as a mask does that is moved "
    "by one token the wrong way. If the likeliest is among these two, it is lost. Move the mask towards the less "
    "likely tokens, so that the token that reaches p stays."
)
def moved_the_wrong_way_below_p(logits, p):
    return nucleus(logits, lambda ordered: moved_back(ordered.cumsum(-1) < p - 1e-6))


@top_p_filter.mistake(
    "Your code drops a logit of 0 that should stay, as if 0 meant that a token is left out. It is a logit like any "
    "other: find out from a mask of True and False which ones stay."
)
def zeros_dropped(logits, p):
    filtered = choose.top_p_filter(logits, p)
    return filtered.masked_fill(filtered == 0, -torch.inf)


@top_p_filter.mistake(
    "Your code adds up logits and compares the sum with p. Probabilities add up to 1: take the softmax first."
)
def adds_logits_up(logits, p):
    ordered, order = logits.sort(dim=-1, descending=True)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


@top_p_filter.mistake(
    "Your code adds up in the order of the vocabulary, so that the first tokens there are kept. Sort first, so that "
    "the likeliest come first."
)
def in_the_vocabularys_order(logits, p):
    return logits.masked_fill(~crossing_kept(logits.softmax(-1), p), -1e9)


@top_p_filter.mistake(
    "Your code keeps the tokens that each have at least p by themselves. Their sum should reach p, starting from the "
    "likeliest: use `cumsum`."
)
def each_by_itself(logits, p):
    return logits.masked_fill(logits.softmax(-1) < p, -torch.inf)


@top_p_filter.mistake(
    "Your code keeps the tokens that each have at least 1 − p by themselves. Their sum should reach p, starting from "
    "the likeliest: use `cumsum`."
)
def each_by_itself_with_the_rest(logits, p):
    return logits.masked_fill(logits.softmax(-1) < 1 - p, -torch.inf)


@top_p_filter.mistake(
    "Your code keeps the least likely tokens that together reach p. Start from the likeliest: if you sort, do so with "
    "`descending=True`."
)
def least_likely_first(logits, p):
    ordered, order = logits.softmax(-1).sort(-1)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


@top_p_filter.mistake(
    "Where top-k left minus infinity your result is NaN, as −∞ · 0 and ∞ − ∞ are. If you multiply by a mask, use "
    "`masked_fill` instead."
)
def times_the_mask(logits, p):
    in_nucleus = (choose.top_p_filter(logits, p) > -torch.inf).to(logits.dtype)
    return logits * in_nucleus - 1e9 * (1 - in_nucleus)


@top_p_filter.mistake(
    "Your code keeps every token with at least p times the probability of the likeliest, which is called min-p. In "
    "top-p the sum of the kept probabilities should reach p."
)
def beside_the_likeliest(logits, p):
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), -torch.inf)


@top_p_filter.mistake(
    "With p = 1 your code keeps a single token, but all should stay. If it looks for the first sum above p by "
    "`argmax`, there is none, and `argmax` of nothing but False is 0.",
    seen="https://github.com/BlinkDL/ChatRWKV/issues/170",
)
def greedy_at_one(logits, p):
    return choose.top_p_filter(logits, 0 if p == 1 else p)


@top_p_filter.mistake("Your code returns probabilities, but it should return logits. The softmax comes later.")
def top_p_probabilities(logits, p):
    return choose.top_p_filter(logits, p).softmax(-1)


@top_p_filter.mistake(
    "Your code keeps the likeliest tokens whose probabilities add up to 1 − p. They should add up to p. If you sort "
    "ascending, drop the tokens whose sum is at most 1 − p."
)
def one_minus_p(logits, p):
    return nucleus(logits, lambda ordered: crossing_kept(ordered, 1 - p))


@top_p_filter.mistake(
    "Your code drops the tokens that should stay, and keeps the others. It should be the other way round."
)
def nucleus_dropped(logits, p):
    return logits.masked_fill(choose.top_p_filter(logits, p) > -torch.inf, -1e9)


@top_p_filter.mistake(
    "Dropped logits are 0 in your result. That is a logit like any other: set them to minus infinity."
)
def filled_with_zeros(logits, p):
    return logits.masked_fill(choose.top_p_filter(logits, p) == -torch.inf, 0.0)


@top_p_filter.mistake(
    "Where all logits are far below 0, dropped tokens are the likeliest in your result, as with −100 in place of minus "
    "infinity. Set them to minus infinity."
)
def filled_with_minus_100(logits, p):
    filtered = choose.top_p_filter(logits, p)
    return filtered.masked_fill(filtered == -torch.inf, -100.0)


@top_p_filter.mistake(
    "Your probabilities are those of a softmax over the rows. Each row has a distribution of its own over the V "
    "tokens: use the last axis."
)
def softmax_of_the_columns(logits, p):
    ordered, order = logits.softmax(0).sort(-1, descending=True)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


@top_p_filter.mistake(
    "In your code, rows are mixed, as if it sorted along the first axis. Sort the V tokens of each row: the last axis."
)
def sorted_along_the_rows(logits, p):
    if logits.dim() == 1:
        return choose.top_p_filter(logits, p)
    ordered, order = logits.softmax(-1).sort(0, descending=True)
    stays = ordered.cumsum(0) - ordered < p
    return logits.masked_fill(~stays.scatter(0, order, stays), -1e9)


@top_p_filter.mistake(
    "Your sums are those of two softmaxes, which make the probabilities more alike. Take one, of the logits."
)
def two_softmaxes(logits, p):
    stays = choose.top_p_filter(logits.softmax(-1), p) > -torch.inf
    return logits.masked_fill(~stays, -1e9)


@top_p_filter.mistake(
    "Where a sum is exactly p, your code keeps one token too many. A token stays only if the sum before it is below p "
    "(`<`), not if it equals p (`<=`)."
)
def one_beyond_an_exact_sum(logits, p):
    return nucleus(logits, lambda ordered: ordered.cumsum(-1) - ordered <= p)


@top_p_filter.mistake(
    "Besides the likeliest, your code keeps only tokens whose sum is below p, so that the probabilities of the kept "
    "tokens may add up to less than p. The token that reaches p is the last one that stays.",
)
def below_p_only(logits, p):
    return nucleus(logits, lambda ordered: (ordered.cumsum(-1) < p - 1e-6) | (ordered == ordered[..., :1]))


@top_p_filter.mistake(
    "Your code always keeps at least two tokens. The first token stays alone if its probability reaches p."
)
def two_at_least(logits, p):
    second = logits.topk(2, dim=-1).values[..., -1:]
    return torch.where(logits >= second, logits, choose.top_p_filter(logits, p))


@top_p_filter.mistake(
    "Your code keeps as many tokens in every row as the row that needs most. Each row has a sum of its own."
)
def count_of_the_largest_row(logits, p):
    count = int((choose.top_p_filter(logits, p) > -torch.inf).sum(-1).max())
    return choose.top_k_filter(logits, count)


@top_p_filter.mistake(
    "Your code keeps as many tokens in every row as the first row needs. Each row has a sum of its own."
)
def count_of_the_first_row(logits, p):
    rows = logits.reshape(-1, logits.size(-1))
    count = int((choose.top_p_filter(rows[0], p) > -torch.inf).sum())
    return choose.top_k_filter(logits, count)


@top_p_filter.mistake(
    "Your code compares all rows with one probability, the lowest that any row keeps, so that other rows keep too "
    "many. Each row has a limit of its own."
)
def lowest_limit(logits, p):
    probabilities = logits.softmax(-1)
    kept = choose.top_p_filter(logits, p) > -torch.inf
    return logits.masked_fill(probabilities < probabilities[kept].min(), -torch.inf)


@top_p_filter.mistake(
    "Your code compares all rows with one probability, the highest of their limits, so that other rows keep too few, "
    "or nothing. Each row has a limit of its own."
)
def highest_limit(logits, p):
    probabilities = logits.softmax(-1)
    kept = choose.top_p_filter(logits, p) > -torch.inf
    limits = probabilities.masked_fill(~kept, 1.0).amin(dim=-1)
    return logits.masked_fill(probabilities < limits.max(), -torch.inf)


@top_p_filter.mistake(
    "Your code takes one softmax and one sum over the whole batch, so that a row may keep nothing. Each row has a "
    "distribution and a sum of its own: use the last axis."
)
def one_distribution(logits, p):
    return choose.top_p_filter(logits.flatten(), p).view_as(logits)


@top_p_filter.mistake(
    "Your result is right, but your code changes the caller's logits. Do not write into them: use `masked_fill`, which "
    "makes new ones, or work on `logits.clone()`."
)
def in_place(logits, p):
    logits[choose.top_p_filter(logits, p) == -torch.inf] = -torch.inf
    return logits


@top_p_filter.mistake(
    "For huge logits your result is NaN, as when their exponentials overflow. Use `softmax`, which subtracts the "
    "largest logit first."
)
def overflowing(logits, p):
    ordered, order = (logits.exp() / logits.exp().sum(-1, keepdim=True)).sort(-1, descending=True)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -torch.inf)


@top_p_filter.mistake("Your sums run over the rows. Each row has a sum of its own: use the last axis.")
def added_over_the_rows(logits, p):
    return nucleus(logits, lambda ordered: (ordered.cumsum(0) - ordered < p) | (p == 1))


@top_p_filter.mistake(
    "Your mask is moved by one row instead of one token. If you move it, do so along the last axis: `mask[..., 1:] = "
    "mask[..., :-1].clone()`."
)
def moved_by_a_row(logits, p):
    def mark(ordered):
        gone = ordered.cumsum(-1) > p + 1e-6
        return ~torch.cat((torch.zeros_like(gone[:1]), gone[:-1]))

    return nucleus(logits, mark)


@top_p_filter.mistake(
    "Your kept tokens have their probabilities in place of their logits, and a softmax of these makes them almost "
    "equally likely. Keep the logits as they came in."
)
def probabilities_of_the_kept(logits, p):
    return torch.where(choose.top_p_filter(logits, p) > -torch.inf, logits.softmax(-1), -torch.inf)


@top_p_filter.right_for_whole_course
def top_p_from_the_least_likely(logits, p):
    ordered, order = logits.sort(dim=-1)
    gone = ordered.softmax(-1).cumsum(-1) <= 1 - p
    gone[..., -1] = False
    return logits.masked_fill(gone.gather(-1, order.argsort(-1)), -torch.inf)


@top_p_filter.right
def top_p_as_it_is_often_copied(logits, top_p):
    logits = logits.clone()
    sorted_logits, sorted_indices = torch.sort(logits, descending=True)
    remove = torch.cumsum(F.softmax(sorted_logits, dim=-1), dim=-1) >= top_p - 1e-6
    remove[..., 1:] = remove[..., :-1].clone()
    remove[..., 0] = False
    logits[remove.scatter(-1, sorted_indices, remove)] = -float("inf")
    return logits


@top_p_filter.right
def top_p_by_a_border(logits, p):
    probabilities = logits.softmax(-1)
    ordered = probabilities.sort(-1, descending=True).values
    count = (ordered.cumsum(-1) < p - 1e-7).sum(-1, keepdim=True).clamp(max=logits.size(-1) - 1)
    return torch.where(probabilities >= ordered.gather(-1, count), logits, logits - 1e9)


@top_p_filter.right
def top_p_in_loops(logits, p):
    filtered = torch.full_like(logits, -torch.inf).flatten(0, -2) if logits.dim() > 1 else logits[None] - torch.inf
    for out, row in zip(filtered, logits.reshape(-1, logits.size(-1)), strict=True):
        total = 0.0
        for i in row.argsort(descending=True).tolist():
            out[i] = row[i]
            total += row.softmax(0)[i].item()
            if total >= p:
                break
    return filtered.reshape(logits.shape)
