"""The exercise `top_p_filter` of notebook 08."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
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


top_p_filter = Exercise(
    reference=choose.top_p_filter,
    notebook=8,
    order=50,
    minutes=20,
    difficulty=3,
    adapt=compare_as_distribution,
    returns=(Result("the distribution that your logits give", "..., V"),),
    example=case(torch.tensor([0.1, 0.4, 0.2, 0.3]).log(), 0.8),
    another=case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 0.8),
    cases=(
        case(fixed_tensor(6, seed=2), 0.7, having=("logits of any size",)),
        case(torch.tensor([0.2, 0.7, 0.1]).log(), 0.5, having=("a first token that alone has more than p",)),
        case(fixed_tensor(3, 5, seed=1), 0.75, having=("a batch",)),
        case(fixed_tensor(4, 4, seed=5), 0.9, having=("as many rows as tokens",)),
        case(fixed_tensor(2, 3, 5, seed=4), 0.6, having=("two axes before the last",)),
        case(fixed_tensor(2, 5), 1.0, having=("p = 1",)),
        case(fixed_tensor(2, 5), 0.05, having=("a tiny p",)),
        case(
            torch.tensor([0.3, -torch.inf, 1.0, 0.6, -torch.inf, 0.1]),
            0.75,
            having=("logits of minus infinity that top-k left",),
        ),
        case(fixed_tensor(6, seed=3, dtype=torch.float64), 0.7, having=("float64 numbers",)),
    ),
    hints=(
        (
            "On paper, with 0.1, 0.4, 0.2, 0.3 and p = 0.8: take the likeliest, then the next. When have you enough? "
            "Which ones do you hold then?"
        ),
        (
            "Softmax, `sort` in falling order, `cumsum`. A token goes if those before it have p already: its sum "
            "without itself says so. The first has nobody before it."
        ),
        (
            "Now you know which go, in falling order. `sort` gave the order too: `scatter` along the last axis with it "
            "puts a mask back into the vocabulary's order."
        ),
    ),
)


@top_p_filter.mistake(
    "You drop the token that crosses p, so that what is kept has less than p. It belongs to the nucleus: add up what "
    "you kept.",
    seen="https://github.com/Biohub/esm/issues/360",
)
def crossing_dropped(logits, p):
    return nucleus(logits, lambda ordered: up_to_p(ordered, p) | (ordered == ordered[..., :1]))


@top_p_filter.mistake(
    "You drop the token that crosses p. Where the very first does, nothing is left: it always stays.",
    seen="https://github.com/skyzh/tiny-llm/issues/32",
)
def nothing_kept(logits, p):
    return nucleus(logits, lambda ordered: up_to_p(ordered, p))


@top_p_filter.mistake("You keep one token too many. The one that crosses p is the last.")
def one_beyond(logits, p):
    def mark(ordered):
        stays = crossing_kept(ordered, p)
        return torch.cat((stays[..., :1], stays[..., :-1]), dim=-1)

    return nucleus(logits, mark)


@top_p_filter.mistake(
    "Your logits come out sorted. The sampler takes the first for token 0: put them back in the vocabulary's order."
)
def left_sorted(logits, p):
    return choose.top_p_filter(logits, p).sort(dim=-1, descending=True).values


@top_p_filter.mistake(
    "Your mask is in falling order, and you lay it on logits that are in the vocabulary's: sort it back first.",
    seen="https://github.com/dmlc/gluon-nlp/issues/1503",
)
def mask_left_sorted(logits, p):
    return logits.masked_fill(~crossing_kept(logits.softmax(-1).sort(-1, descending=True).values, p), -torch.inf)


@top_p_filter.mistake(
    "You sort back by the same step that sorted, and so sort twice. To sort back is the inverse: `scatter`, or "
    "`gather` with the `argsort` of the order.",
    seen="https://github.com/lucidrains/PaLM-rlhf-pytorch/issues/60",
)
def put_back_the_wrong_way(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    return logits.masked_fill(~crossing_kept(ordered, p).gather(-1, order), -1e9)


@top_p_filter.mistake(
    "You add logits up and compare the sum with p. What adds up to 1 are the probabilities: softmax first."
)
def adds_logits_up(logits, p):
    ordered, order = logits.sort(dim=-1, descending=True)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


@top_p_filter.mistake(
    "You add up in the order of the vocabulary, so that what comes first there is kept. The likeliest first: sort."
)
def in_the_vocabularys_order(logits, p):
    return logits.masked_fill(~crossing_kept(logits.softmax(-1), p), -1e9)


@top_p_filter.mistake(
    "You compare each single probability with p. It is their sum that should reach p, from the likeliest on."
)
def each_by_itself(logits, p):
    return logits.masked_fill(logits.softmax(-1) < p, -torch.inf)


@top_p_filter.mistake(
    "You add up from the least likely on, and keep the tail. From the likeliest on: `descending=True`."
)
def least_likely_first(logits, p):
    ordered, order = logits.softmax(-1).sort(-1)
    stays = crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


@top_p_filter.mistake(
    "You multiply logits by the mask. Top-k may have left minus infinity there, and −∞ · 0 is NaN: `masked_fill`."
)
def times_the_mask(logits, p):
    in_nucleus = (choose.top_p_filter(logits, p) > -torch.inf).to(logits.dtype)
    return logits * in_nucleus - 1e9 * (1 - in_nucleus)


@top_p_filter.mistake(
    "You keep what has p times the likeliest one's probability, or more: that is called min-p. Here it is the sum of "
    "what is kept that should reach p."
)
def beside_the_likeliest(logits, p):
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), -torch.inf)


@top_p_filter.mistake(
    "At p = 1 yours keeps one token: no sum is above 1, and `argmax` of nothing but False is 0. At p = 1 all stay.",
    seen="https://github.com/BlinkDL/ChatRWKV/issues/170",
)
def greedy_at_one(logits, p):
    return choose.top_p_filter(logits, 0 if p == 1 else p)


@top_p_filter.mistake("You return probabilities. Logits are wanted: the softmax comes at the very end.")
def top_p_probabilities(logits, p):
    return choose.top_p_filter(logits, p).softmax(-1)


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
    remove = torch.cumsum(F.softmax(sorted_logits, dim=-1), dim=-1) > top_p + 1e-6
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
