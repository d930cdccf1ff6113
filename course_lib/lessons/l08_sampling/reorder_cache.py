"""The exercise `reorder_cache` of notebook 08."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l08_sampling.inputs import Pair, earlier_tokens
from course_lib.transformer import cache


def with_stacked_layers(answer: Any) -> Callable[..., Any]:
    """Pass a copy of the cache; return the keys and the values, each stacked over the layers."""

    def function(past: list[Pair], parents: Tensor) -> Any:
        result = call_directly(answer)(copy.deepcopy(past), parents)
        if result is None:
            return None
        if not isinstance(result, tuple | list) or any(not isinstance(each, tuple | list | Tensor) for each in result):
            raise TypeError("a list is wanted, with a pair (keys, values) for each layer")
        if len(result) != len(past) or any(len(pair) != 2 for pair in result):
            raise TypeError(f"a list of {len(past)} is wanted, a pair (keys, values) for each layer")
        return torch.stack([keys for keys, _ in result]), torch.stack([values for _, values in result])

    return function


def cache_of(N: int, n: int, H: int, S: int, d: int = 2, seed: int = 0) -> list[Pair]:
    """A cache of N layers."""
    return [earlier_tokens(n, H, S, d, d, seed=seed + 2 * layer) for layer in range(N)]


reorder_cache = Exercise(
    reference=cache.reorder_cache,
    notebook=8,
    order=110,
    minutes=5,
    difficulty=1,
    adapt=with_stacked_layers,
    returns=(
        Result("keys", "N, beams, H, S, d"),
        Result("values", "N, beams, H, S, d"),
    ),
    example=case(cache_of(2, 3, 3, 4), torch.tensor([1, 2, 0])),
    another=case(cache_of(2, 3, 3, 4, seed=5), torch.tensor([2, 0, 0])),
    cases=(
        case(cache_of(1, 2, 2, 3), torch.tensor([1, 0]), having=("a single layer",)),
        case(cache_of(3, 1, 2, 3), torch.tensor([0, 0, 0]), having=("the first step",)),
        case(cache_of(2, 4, 4, 4), torch.tensor([3, 1]), having=("fewer beams than rows",)),
        case(cache_of(2, 3, 3, 3), torch.tensor([2, 0, 1]), having=("sizes that are all the same",)),
        case(cache_of(2, 2, 2, 2), torch.tensor([0, 1]), having=("beams that stay where they are",)),
    ),
    hints=(
        "Beam 2 goes on with the text of beam 0. Whose keys and values should it read from now on?",
        "A tensor with a tensor of whole numbers as its index gives those rows, in that order, as a new tensor.",
        (
            "Go through the layers. Of each, take the parents' rows of the keys and those of the values, as a pair in "
            "a new list."
        ),
    ),
)


@reorder_cache.mistake(
    "The cache stays as it was: a beam that goes on with another's text still reads its own old one.",
    seen="https://github.com/huggingface/transformers/issues/46612",
)
def not_reordered(past, parents):
    return past


@reorder_cache.mistake("Only your keys follow their beams. Values belong to keys: move both.")
def keys_only(past, parents):
    return [(keys[parents], values) for keys, values in past]


@reorder_cache.mistake("Only your values follow their beams. Keys belong to values: move both.")
def values_only(past, parents):
    return [(keys, values[parents]) for keys, values in past]


@reorder_cache.mistake("Only the first layer follows its beams. Every layer has keys and values of its own: move all.")
def first_layer_only(past, parents):
    return [*cache.reorder_cache(past[:1], parents), *past[1:]]


@reorder_cache.mistake("You moved the heads. The beams stand on the first axis: (n, H, S, d).")
def by_heads(past, parents):
    return [(keys[:, parents], values[:, parents]) for keys, values in past]


@reorder_cache.mistake("You moved the tokens. The beams stand on the first axis: (n, H, S, d).")
def by_tokens(past, parents):
    return [(keys[:, :, parents], values[:, :, parents]) for keys, values in past]


@reorder_cache.mistake(
    "You moved row i to position parents[i]. It is the other way round: row i comes from position parents[i]."
)
def the_wrong_way(past, parents):
    return cache.reorder_cache(past, parents.argsort(stable=True))


@reorder_cache.mistake(
    "You copy rows within the old tensors, and later ones read what is overwritten already. Make new tensors."
)
def overwritten(past, parents):
    for pair in past:
        for cached in pair:
            for row, parent in enumerate(parents.tolist()):
                cached[row] = cached[parent].clone()
    return past


@reorder_cache.mistake("All your beams get the best one's cache. Row i is that of its own parent, parents[i].")
def one_for_all(past, parents):
    return cache.reorder_cache(past, parents[:1].expand(len(parents)))


@reorder_cache.right_for_whole_course
def by_index_select(past, parents):
    return [tuple(each.index_select(0, parents) for each in layer) for layer in past]


reorder_cache.right(
    lambda past, parents: tuple((k.index_select(0, parents), v.index_select(0, parents)) for k, v in past)
)
reorder_cache.right(lambda past, parents: [tuple(each[parents.tolist()] for each in layer) for layer in past])
reorder_cache.right(lambda past, parents: [torch.stack(layer)[:, parents] for layer in past])


@reorder_cache.right
def reorder_in_loops(past, parents):
    new = []
    for keys, values in past:
        new.append([torch.stack([each[i] for i in parents]) for each in (keys, values)])
    return new
