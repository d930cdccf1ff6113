"""The exercise `beam_step` of notebook 08."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.writing import beam

Step = tuple[Tensor, Tensor, Tensor]


def top_of_table(longer: Tensor, beams: int) -> Step:
    """The largest entries of a table (n, V): their rows, their columns and their values, (beams,) each."""
    values, indices = longer.flatten().topk(beams)
    return indices // longer.size(1), indices % longer.size(1), values


TOTALS = torch.tensor([-0.5, -0.9, -1.4])

beam_step = Exercise(
    reference=beam.beam_step,
    notebook=8,
    order=70,
    minutes=15,
    difficulty=2,
    returns=(
        Result("parents", "beams,"),
        Result("tokens", "beams,"),
        Result("totals", "beams,"),
    ),
    example=case(fixed_tensor(3, 5), TOTALS, 3),
    another=case(fixed_tensor(3, 5, seed=1), TOTALS, 3),
    cases=(
        case(fixed_tensor(1, 6), torch.zeros(1), 3, having=("the first step",)),
        case(fixed_tensor(4, 4, seed=2), -fixed_tensor(4, seed=3).abs(), 4, having=("as many texts as tokens",)),
        case(fixed_tensor(3, 6, seed=4), torch.tensor([-4.0, -3.5, -9.0]), 2, having=("fewer beams than texts",)),
        case(fixed_tensor(2, 6, seed=5), torch.tensor([-1.5, -1.0]), 4, having=("more beams than texts",)),
        case(fixed_tensor(3, 5, seed=6), torch.tensor([-1.2, -2.0, -0.7]), 1, having=("a single beam",)),
        case(
            fixed_tensor(2, 4, dtype=torch.float64), torch.tensor([-1.0, -1.5]).double(), 2, having=("float64 numbers",)
        ),
    ),
    hints=(
        (
            "Make a table with a row for each text and a column for each token: the log-probability of the text that "
            "goes on with it. Which `beams` numbers in the whole table are the largest?"
        ),
        (
            "A row of the table: the text's total so far, plus `log_softmax` of its logits. The totals stand in a "
            "column beside it. Flatten the table, and `topk` finds the best of all rows."
        ),
        (
            "An index into the flat table is row · V + column: divide it by V. The quotient, `//`, is one of the "
            "things wanted, the remainder another."
        ),
    ),
)


@beam_step.mistake("You add logits to log-probabilities. Only after `log_softmax` can two texts' tokens be compared.")
def logits_added(logits, totals, beams):
    return top_of_table(totals[:, None] + logits, beams)


@beam_step.mistake("You add probabilities to log-probabilities. Their logarithms are added: `log_softmax`.")
def probabilities_added(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.softmax(-1), beams)


@beam_step.mistake("You multiply. Probabilities are multiplied, but these are their logarithms: add.")
def totals_multiplied(logits, totals, beams):
    return top_of_table(totals[:, None] * logits.log_softmax(-1), beams)


@beam_step.mistake("What the texts had so far is forgotten: the new token's log-probability is added to `totals`.")
def totals_forgotten(logits, totals, beams):
    return top_of_table(logits.log_softmax(-1), beams)


@beam_step.mistake(
    "You rank by the new token alone, and add what the texts had so far too late: a good token of a bad text wins. Add "
    "first, then rank."
)
def totals_not_ranked(logits, totals, beams):
    parents, tokens, values = top_of_table(logits.log_softmax(-1), beams)
    return parents, tokens, values + totals[parents]


@beam_step.mistake(
    "Each of your texts goes on with its own best token. All extensions of all texts compete: a good text may go on "
    "twice, a bad one not at all."
)
def each_its_own(logits, totals, beams):
    longer = totals[:, None] + logits.log_softmax(-1)
    values, tokens = longer.topk(-(-beams // len(logits)), dim=1)
    best = values.flatten().topk(beams)
    return best.indices // values.size(1), tokens.flatten()[best.indices], best.values


@beam_step.mistake(
    "Your parents and tokens are swapped. Of an index among n · V, `//` V gives the row, the text, and `%` V the token."
)
def swapped(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return tokens, parents, values


@beam_step.mistake("You divide by the number of texts. A row is V long: `//` and `%` take V.")
def divided_by_the_rows(logits, totals, beams):
    values, indices = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(beams)
    return indices // len(logits), indices % len(logits), values


@beam_step.mistake(
    "Your softmax runs over all n · V at once. Each text has a distribution of its own: the last axis of (n, V)."
)
def softmax_over_all(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.flatten().log_softmax(0).view_as(logits), beams)


@beam_step.mistake("Your softmax runs over the texts. Each text has a distribution over the V tokens: the last axis.")
def softmax_over_texts(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.log_softmax(0), beams)


@beam_step.mistake("Yours are the right ones, but the worst stands first. Best first.")
def worst_first(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents.flip(0), tokens.flip(0), values.flip(0)


@beam_step.mistake(
    "Your totals are probabilities. Log-probabilities are wanted, as they came in: add them, and leave out `exp`."
)
def not_logarithms(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents, tokens, values.exp()


@beam_step.right_for_whole_course
def by_sorting(logits, totals, beams):
    table = (logits - logits.logsumexp(1, keepdim=True) + totals.view(-1, 1)).view(-1)
    order = table.argsort(descending=True)[:beams]
    return torch.div(order, logits.size(1), rounding_mode="floor"), order.remainder(logits.size(1)), table[order]


@beam_step.right
def beam_step_by_sorting(logits, totals, beams):
    log_p = F.log_softmax(logits, dim=1) + totals.view(-1, 1)
    order = log_p.view(-1).argsort(descending=True)[:beams]
    return torch.div(order, log_p.size(1), rounding_mode="floor"), order.remainder(log_p.size(1)), log_p.view(-1)[order]


@beam_step.right
def beam_step_in_loops(logits, totals, beams):
    table = logits.softmax(-1).log()
    ways = [(totals[i] + table[i, j], i, j) for i in range(len(totals)) for j in range(logits.size(1))]
    best = sorted(ways, key=lambda way: -way[0].item())[:beams]
    return (
        torch.tensor([i for _, i, _ in best]),
        torch.tensor([j for _, _, j in best]),
        torch.stack([t for t, *_ in best]),
    )


@beam_step.right
def beam_step_by_each_beams_best(logits, totals, beams):
    logits = logits - logits.logsumexp(dim=1, keepdim=True) + totals[:, None]
    each, tokens = logits.topk(min(beams, logits.size(1)), dim=1)
    best, indices = each.flatten().topk(beams)
    rows, columns = divmod(indices.numpy(), each.size(1))
    rows, columns = torch.from_numpy(rows), torch.from_numpy(columns)
    return rows, tokens[rows, columns], best
