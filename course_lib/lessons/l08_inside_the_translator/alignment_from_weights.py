"""The exercise `alignment_from_weights` of notebook 08."""

from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import metrics


def explain_tensors(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that links hold tensors. Two sets of them are never equal, so no known mistake could be recognised."""
    links = answer(*arguments)
    if not isinstance(links, set | frozenset | list | tuple):
        return ""
    if not any(isinstance(word, Tensor) for link in links if isinstance(link, tuple | list) for word in link):
        return ""
    if isinstance(links, list | tuple):
        return (
            f"Your code returns a {type(links).__name__} of pairs that hold tensors. It should return a set of pairs "
            "of whole numbers, such as {(0, 0), (2, 1)}: write `{...}` or `set(...)`, and turn the tensors into plain "
            "numbers with `int(...)` or `.tolist()`."
        )
    return (
        "Your links hold tensors, and to a set, two tensors with the same number are different things. Turn them into "
        "plain numbers, with `int(...)` or `.tolist()`."
    )


def judge_equal_weights(answer: Any, _: tuple[Any, ...]) -> str:
    """Say that a target word does not have one link where two of its weights are the largest. Either will do."""
    links = answer(torch.tensor([[0.2, 0.4, 0.4], [0.7, 0.2, 0.1]]))
    if links in ({(1, 0), (0, 1)}, {(2, 0), (0, 1)}):
        return ""
    count = sum(target == 0 for _, target in links)
    return (
        f"If two weights of a row are the largest, as in [0.2, 0.4, 0.4], your code gives that target word {count} "
        "links. Each target word gets exactly one, to either of the two: `argmax` finds one column for each row."
    )


alignment_from_weights = Exercise(
    reference=metrics.alignment_from_weights,
    notebook=8,
    order=10,
    minutes=5,
    difficulty=1,
    returns=(Result("the links"),),
    example=case(torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2]])),
    another=case(torch.tensor([[0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])),
    cases=(
        case(
            torch.tensor([[0.6, 0.4], [0.3, 0.7], [0.8, 0.2], [0.45, 0.55]]), having=("more target than source words",)
        ),
        case(torch.softmax(fixed_tensor(2, 5), -1), having=("more source than target words",)),
        case(
            torch.tensor([[0.34, 0.32, 0.34 - 0.005], [0.3, 0.36, 0.34]]),
            having=("weights that are all below one half", "more source than target words"),
        ),
        case(torch.tensor([[0.2, 0.5, 0.3]]), having=("a single target word", "more source than target words")),
        case(torch.ones(3, 1), having=("a single source word", "more target than source words")),
        case(torch.softmax(fixed_tensor(3, 3, dtype=torch.float64), -1), having=("float64 numbers",)),
    ),
    hints=(
        "The rows ask, the columns are read. How many links does a grid with T rows have in the end?",
        (
            "In each row, you need the number of the column with the largest weight, not the weight itself. A link is "
            "(source, target): the column first, then the row."
        ),
        (
            "`weights.argmax(dim=-1)` is a tensor with one column for each row. `.tolist()` turns it into plain "
            "numbers, and `enumerate` counts the rows beside them."
        ),
    ),
    explain=explain_tensors,
    further_check=judge_equal_weights,
)


def heaviest(weights: Tensor) -> list[int]:
    """For each target word, the source word that it attends to most."""
    columns: list[int] = weights.argmax(dim=-1).tolist()
    return columns


@alignment_from_weights.mistake(
    "Your links are (target, source). A link is (source, target): the column of the grid first, then the row."
)
def target_first(weights):
    return {(target, source) for target, source in enumerate(heaviest(weights))}


@alignment_from_weights.mistake(
    "Your code takes the largest weight of each column, so each source word gets the target word that reads it most. "
    "Take the largest weight in each row (`dim=-1`), so that each target word has one link.",
    seen="https://github.com/facebookresearch/fairseq/issues/2634",
)
def largest_of_each_column(weights):
    return {(source, target) for source, target in enumerate(weights.argmax(dim=0).tolist())}


@alignment_from_weights.mistake(
    "Your code takes the largest weight of each column, which finds one target word for each source word. Take the "
    "largest of each row, `dim=-1`: one source word for each target word."
)
def largest_of_each_column_target_first(weights):
    return {(target, source) for source, target in enumerate(weights.argmax(dim=0).tolist())}


@alignment_from_weights.mistake(
    "Your code returns only the source words. A link also says which target word it belongs to: (source, target)."
)
def sources_only(weights):
    return heaviest(weights)


@alignment_from_weights.mistake(
    "Your code returns only the source words, as a tensor. A link is a pair of plain numbers, (source, target), and "
    "the links of a sentence are a set."
)
def sources_as_a_tensor(weights):
    return weights.argmax(dim=-1)


@alignment_from_weights.mistake(
    "Your code links every pair whose weight is above one half. A row whose weight is spread out gets no link, but "
    "each target word should have exactly one: at its largest weight, however small."
)
def above_one_half(weights):
    return {(source, target) for target, source in (weights > 0.5).nonzero().tolist()}


@alignment_from_weights.mistake(
    "Your code links every pair whose weight is at least one half. A row whose weight is spread out gets no link, but "
    "each target word should have exactly one: at its largest weight, however small."
)
def one_half_or_more(weights):
    return {(source, target) for target, source in (weights >= 0.5).nonzero().tolist()}


@alignment_from_weights.mistake(
    "Your code links every pair whose weight is above average, 1 / S. Each target word gets exactly one link: its "
    "largest weight."
)
def above_average(weights):
    return {(source, target) for target, source in (weights > 1 / weights.size(1)).nonzero().tolist()}


@alignment_from_weights.mistake(
    "Your code finds the largest weight of the whole grid, a single link. Find the largest of each row."
)
def largest_of_all(weights):
    target, source = divmod(int(weights.argmax()), weights.size(1))
    return {(source, target)}


@alignment_from_weights.mistake(
    "Your code takes the smallest weight of each row. Take the largest, which `argmax` finds."
)
def smallest(weights):
    return {(source, target) for target, source in enumerate(weights.argmin(dim=-1).tolist())}


@alignment_from_weights.mistake("Your links count words from 1. They are counted from 0, as everywhere in Python.")
def counted_from_1(weights):
    return {(source + 1, target + 1) for target, source in enumerate(heaviest(weights))}


@alignment_from_weights.mistake(
    "Your code has a link only where a row's largest weight is also the largest of its column. Each target word gets "
    "one link, whatever the other target words read.",
    seen="https://github.com/cisnlp/simalign/issues/33",
)
def both_ways(weights):
    of_columns = weights.argmax(dim=0).tolist()
    return {(source, target) for target, source in enumerate(heaviest(weights)) if of_columns[source] == target}


@alignment_from_weights.mistake(
    "Your code returns a list. The links of a sentence are a set, so that they can be compared in any order: `{...}` "
    "or `set(...)`."
)
def as_a_list(weights):
    return [(source, target) for target, source in enumerate(heaviest(weights))]


@alignment_from_weights.mistake(
    "Your code returns a dictionary from target to source words. Return a set of pairs, (source, target)."
)
def as_a_dictionary(weights):
    return dict(enumerate(heaviest(weights)))


@alignment_from_weights.mistake(
    "Your links are word 0 with word 0, word 1 with word 1, whatever the weights. That is a baseline: here, each "
    "target word is linked to the source word that it reads most."
)
def the_diagonal(weights):
    return {(min(target, weights.size(1) - 1), target) for target in range(weights.size(0))}


@alignment_from_weights.mistake(
    "Where several target words read the same source word most, only the last of them has a link in your code, as in "
    "a dictionary with source words as keys. Each target word gets one link."
)
def last_of_each_source_word(weights):
    return set({source: target for target, source in enumerate(heaviest(weights))}.items())


@alignment_from_weights.mistake(
    "Where several target words read the same source word most, only the first of them has a link in your code. Each "
    "target word gets one link, even if its source word has one already."
)
def first_of_each_source_word(weights):
    columns = heaviest(weights)
    return {(source, columns.index(source)) for source in columns}


@alignment_from_weights.right_for_whole_course
def alignment_in_a_loop(weights):
    links = set()
    for j in range(len(weights)):
        row = weights[j].tolist()
        links.add((row.index(max(row)), j))
    return links


@alignment_from_weights.right
def by_zipping(weights):
    return set(zip(weights.argmax(-1).tolist(), range(weights.shape[0]), strict=True))


alignment_from_weights.right(lambda w: {(int(w[t].argmax()), t) for t in range(w.size(0))})


@alignment_from_weights.right
def by_numpy_and_topk(weights):
    return {(i, j) for j, i in enumerate(weights.topk(1).indices[:, 0].numpy())}
