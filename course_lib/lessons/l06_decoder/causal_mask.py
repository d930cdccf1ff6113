"""The exercise `causal_mask` of notebook 06."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

causal_mask = Exercise(
    reference=attention.causal_mask,
    notebook=6,
    order=10,
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    returns=(Result("the mask", "T, T"),),
    example=case(3),
    another=case(2),
    cases=(
        case(4, having=("other sizes",)),
        case(7, having=("many tokens",)),
        case(1, having=("a single token",)),
    ),
    hints=(
        "Row i is the token that asks, column j the one that is read. Which columns may row 0 read? Which row 1?",
        (
            'A square of True, with everything above the diagonal turned to False. torch has a word for "lower '
            'triangle".'
        ),
        "`tril` keeps the diagonal and what is below it. Start from ones of dtype `torch.bool`.",
    ),
)


@causal_mask.mistake("Yours opens the future and hides the past: invert it. True stands on the diagonal and below.")
def only_the_future(T):
    return ~attention.causal_mask(T)


@causal_mask.mistake(
    "Yours opens the half above the diagonal, where the future is. Rows ask, columns are read: the past is below."
)
def upper_half(T):
    return attention.causal_mask(T).T


@causal_mask.mistake(
    "Your diagonal is closed, so that a token cannot read itself, and the first one nothing at all. Position i is "
    "kept, i + 1 and on are hidden."
)
def blind_to_itself(T):
    return torch.ones(T, T, dtype=torch.bool).tril(-1)


@causal_mask.mistake(
    "Your mask is off by one: each token reads the next one too, which is the very answer that it is to predict."
)
def one_step_ahead(T):
    return torch.ones(T, T, dtype=torch.bool).tril(1)


@causal_mask.mistake(
    "Yours holds numbers to add to the scores. Here a mask holds True and False: True where a token may attend."
)
def to_be_added(T):
    return torch.zeros(T, T).masked_fill(~attention.causal_mask(T), -torch.inf)


@causal_mask.mistake(
    "The positions are right, but they are marked by numbers. The course's masks are boolean: `dtype=torch.bool`."
)
def ones_and_zeros(T):
    return torch.ones(T, T).tril()


@causal_mask.right_for_whole_course
def by_comparison(T):
    return torch.arange(T)[:, None] >= torch.arange(T)


causal_mask.right(lambda T: torch.tril(torch.ones(T, T)) == 1)
causal_mask.right(lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1))


@causal_mask.right
def mask_in_loops(T):
    return torch.tensor([[j <= i for j in range(T)] for i in range(T)])
