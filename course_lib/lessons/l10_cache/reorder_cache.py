"""The exercise `reorder_cache` of notebook 10."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l10_cache.inputs import Pair, earlier_tokens
from course_lib.text.wording import in_words
from course_lib.transformer import cache

RETURNED_IN_THE_FIRST_ROUND = ", the first: `return` inside a loop ends the function in the first round"


def with_stacked_layers(answer: Any) -> Callable[..., Any]:
    """Return the keys and the values, each stacked over the layers."""

    def function(past: list[Pair], parents: Tensor) -> Any:
        layers = len(past)
        result = call_directly(answer)(past, parents)
        if result is None:
            return None
        if not isinstance(result, tuple | list) or any(not isinstance(each, tuple | list | Tensor) for each in result):
            raise TypeError("your code should return a list with a pair (keys, values) for each layer.")
        if len(result) != layers:
            wanted = f"a list of {in_words(layers)} pair{'' if layers == 1 else 's'} (keys, values), one for each layer"
            only = "only " if len(result) < layers else ""
            cause = RETURNED_IN_THE_FIRST_ROUND if is_first_layer(result, past, parents) else ""
            raise TypeError(f"your code should return {wanted}; yours has {only}{in_words(len(result))}{cause}.")
        if any(len(pair) != 2 for pair in result):
            raise TypeError("your code should return a list with a pair (keys, values) for each layer.")
        return torch.stack([keys for keys, _ in result]), torch.stack([values for _, values in result])

    return function


def is_first_layer(result: Any, past: list[Pair], parents: Tensor) -> bool:
    """Whether a result is the first layer alone, reordered."""
    ((keys, values),) = cache.reorder_cache(past[:1], parents)
    return len(result) == 1 and len(result[0]) == 2 and keys.equal(result[0][0]) and values.equal(result[0][1])


def cache_of(N: int, n: int, H: int, S: int, d: int = 2, seed: int = 0) -> list[Pair]:
    """A cache of N layers."""
    return [earlier_tokens(n, H, S, d, d, seed=seed + 2 * layer) for layer in range(N)]


reorder_cache = Exercise(
    reference=cache.reorder_cache,
    notebook=10,
    order=40,
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
        case(cache_of(1, 3, 2, 3, seed=5), torch.tensor([2, 0, 2]), having=("a single layer",)),
        case(
            cache_of(3, 1, 2, 3),
            torch.tensor([0, 0, 0]),
            having=("the first step", "as many layers as parents", "more beams than rows"),
        ),
        case(
            cache_of(2, 4, 4, 4),
            torch.tensor([3, 1]),
            having=("fewer beams than rows", "as many layers as parents", "as many rows as heads and tokens"),
        ),
        case(cache_of(2, 3, 3, 3), torch.tensor([2, 0, 1]), having=("as many rows as heads and tokens",)),
        case(
            cache_of(2, 2, 2, 2),
            torch.tensor([0, 1]),
            having=("beams that stay where they are", "as many layers as parents", "as many rows as heads and tokens"),
        ),
        case(cache_of(3, 3, 2, 4, 5), torch.tensor([1, 2, 0]), having=("as many layers as parents",)),
        case(cache_of(2, 2, 3, 4, 5), torch.tensor([1, 1, 0, 1]), having=("more beams than rows",)),
    ),
    hints=(
        "Suppose parents is [2, 0]. Which old rows should the new rows 0 and 1 hold, in every layer?",
        (
            "A tensor of whole numbers is a valid index: it picks those rows, in that order, and makes a new tensor. "
            "Do the same with the keys and the values of every layer."
        ),
        "`keys[parents]` is the new tensor for the keys of one layer. Collect the pairs of all layers in a new list.",
    ),
)


def scattered(cached: Tensor, parents: Tensor, new: Tensor) -> Tensor:
    """Put row i of a tensor at position parents[i] of another; rows that do not fit are left out."""
    for i, parent in enumerate(parents.tolist()[: len(cached)]):
        new[parent] = cached[i]
    return new


@reorder_cache.mistake(
    "Your cache stays as it was, so that a beam that continues another's text still reads its own old one. Pick the "
    "rows `parents` from all keys and values.",
    seen="https://github.com/huggingface/transformers/issues/46612",
)
def not_reordered(past, parents):
    return past


def reordered_in_place(cached: Tensor, parents: Tensor) -> Tensor:
    """Copy the rows one after the other inside one tensor, so that a row may be read after it was overwritten."""
    rows = list(cached)
    rows += [torch.zeros_like(cached[0])] * (len(parents) - len(rows))
    for i, parent in enumerate(parents.tolist()):
        rows[i] = rows[parent]
    return torch.stack(rows[: len(parents)])


@reorder_cache.mistake(
    "Some of your rows are copies of rows that had been overwritten, as if they were copied one after the other inside "
    "one tensor. An old row may be needed again: make a new tensor, such as `keys[parents]`."
)
def overwritten_too_early(past, parents):
    return [(reordered_in_place(keys, parents), reordered_in_place(values, parents)) for keys, values in past]


@reorder_cache.mistake("Your code reorders only the keys. Values belong to their keys: reorder both.")
def keys_only(past, parents):
    return [(keys[parents], values) for keys, values in past]


@reorder_cache.mistake("The values you return are the reordered keys. They should be the reordered values.")
def keys_twice(past, parents):
    return [(keys[parents], keys[parents]) for keys, _ in past]


@reorder_cache.mistake("Your code reorders only the values. Keys belong to their values: reorder both.")
def values_only(past, parents):
    return [(keys, values[parents]) for keys, values in past]


@reorder_cache.mistake(
    "Your code reorders only the first layer. Every layer has keys and values of its own: reorder all of them."
)
def first_layer_only(past, parents):
    return [*cache.reorder_cache(past[:1], parents), *past[1:]]


@reorder_cache.mistake(
    "Your code returns first the keys of all layers, then the values of all layers. Return what came in: a list with a "
    "pair (keys, values) for each layer."
)
def stacked_over_the_layers(past, parents):
    return tuple(torch.stack(each)[:, parents] for each in zip(*past, strict=True))


@reorder_cache.mistake("Your code reorders the heads. The beams are on the first axis: (n, H, S, d).")
def by_heads(past, parents):
    return [(keys[:, parents], values[:, parents]) for keys, values in past]


@reorder_cache.mistake("Your code reorders the tokens. The beams are on the first axis: (n, H, S, d).")
def by_tokens(past, parents):
    return [(keys[:, :, parents], values[:, :, parents]) for keys, values in past]


@reorder_cache.mistake(
    "Your code moves row i to position parents[i]. It should be the other way round: the new row i is the old row "
    "parents[i]."
)
def the_wrong_way(past, parents):
    return [tuple(scattered(cached, parents, torch.zeros_like(cached)) for cached in layer) for layer in past]


@reorder_cache.mistake(
    "Your code copies row i to position parents[i]. It should be the other way round: the new row i is the old row "
    "parents[i]."
)
def the_wrong_way_on_a_copy(past, parents):
    return [tuple(scattered(cached, parents, cached.clone()) for cached in layer) for layer in past]


@reorder_cache.mistake(
    "Your code puts row i at position parents[i] of new tensors. It should be the other way round: the new row i is "
    "the old row parents[i], `keys[parents]`."
)
def the_wrong_way_into_as_many_rows(past, parents):
    return [
        tuple(scattered(cached, parents, cached.new_zeros(len(parents), *cached.shape[1:])) for cached in layer)
        for layer in past
    ]


@reorder_cache.mistake(
    "Your code puts row i at position parents[i], as an assignment to the rows `parents` does. It should be the other "
    "way round: the new row i is the old row parents[i], `keys[parents]`."
)
def assigned_to_the_parents(past, parents):
    # NaN stands for the rows that nothing is assigned to: anything may be in them.
    return [tuple(scattered(cached, parents, torch.full_like(cached, torch.nan)) for cached in layer) for layer in past]


@reorder_cache.mistake(
    "Your rows come out as if they were sorted by `parents`: where it only reorders them, the old row i becomes the "
    "new row parents[i]. It should be the other way round: the new row i is the old row parents[i]."
)
def by_the_inverse(past, parents):
    return cache.reorder_cache(past, parents.argsort(stable=True))


@reorder_cache.mistake(
    "Your later rows are copies of rows that were overwritten before, in the old tensors. Make new tensors: "
    "`keys[parents]`."
)
def overwritten(past, parents):
    for pair in past:
        for cached in pair:
            for row, parent in enumerate(parents.tolist()):
                cached[row] = cached[parent].clone()
    return past


@reorder_cache.mistake(
    "Your code gives all beams the cache of the first beam's parent. The new row i is the old row parents[i]."
)
def one_for_all(past, parents):
    return cache.reorder_cache(past, parents[:1].expand(len(parents)))


@reorder_cache.mistake(
    "Your code reorders the layers. `past` is a list of layers; the beams are the rows of each layer's keys and "
    "values: `keys[parents]`."
)
def layers_reordered(past, parents):
    return [past[parent % len(past)] for parent in parents.tolist()][: len(past)]


@reorder_cache.mistake("Your code swaps keys and values. Return a pair (keys, values) for each layer, in this order.")
def keys_and_values_swapped(past, parents):
    return [(values[parents], keys[parents]) for keys, values in past]


@reorder_cache.mistake(
    "The rows are right, but your code writes them into `past`, which belongs to the caller. Pick rows into new "
    "tensors, and collect the new pairs in a new list."
)
def into_the_callers_list(past, parents):
    for i, (keys, values) in enumerate(past):
        past[i] = keys[parents], values[parents]
    return past


@reorder_cache.mistake(
    "Your result is right, but your code overwrites the caller's keys and values. Make new tensors: `keys[parents]`."
)
def into_the_callers_tensors(past, parents):
    if len(parents) != len(past[0][0]):
        return cache.reorder_cache(past, parents)
    for keys, values in past:
        keys.copy_(keys[parents])
        values.copy_(values[parents])
    return past


@reorder_cache.mistake(
    "Your code sorts the beams. Keep the order of `parents`: the new row i is the old row parents[i]."
)
def sorted_parents(past, parents):
    return cache.reorder_cache(past, parents.sort().values)


@reorder_cache.mistake(
    "Your code keeps the first rows, as many as there are parents. The new row i is the old row parents[i]."
)
def first_rows(past, parents):
    return cache.reorder_cache(past, torch.arange(len(parents)).clamp(max=len(past[0][0]) - 1))


@reorder_cache.mistake("Your code reorders the features. The beams are on the first axis: (n, H, S, d).")
def by_features(past, parents):
    return [tuple(cached[..., parents % cached.size(-1)] for cached in layer) for layer in past]


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
