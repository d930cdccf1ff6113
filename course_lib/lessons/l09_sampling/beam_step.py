"""The exercise `beam_step` of notebook 09."""

import numpy as np
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
    notebook=9,
    order=70,
    minutes=10,
    difficulty=2,
    returns=(
        Result("parents", "beams,"),
        Result("tokens", "beams,"),
        Result("totals", "beams,"),
    ),
    example=case(fixed_tensor(3, 5), TOTALS, 3),
    another=case(fixed_tensor(3, 5, seed=1), TOTALS, 3),
    cases=(
        case(fixed_tensor(1, 6), torch.zeros(1), 3, having=("the first step", "more beams than texts")),
        case(fixed_tensor(4, 4, seed=2), -fixed_tensor(4, seed=3).abs(), 4, having=("as many texts as tokens",)),
        case(fixed_tensor(3, 6, seed=4), torch.tensor([-4.0, -3.5, -9.0]), 2, having=("fewer beams than texts",)),
        case(fixed_tensor(2, 6, seed=5), torch.tensor([-1.5, -1.0]), 4, having=("more beams than texts",)),
        case(
            fixed_tensor(3, 5, seed=6),
            torch.tensor([-1.2, -2.0, -0.7]),
            1,
            having=("a single beam", "fewer beams than texts"),
        ),
        case(
            fixed_tensor(3, 4, seed=7),
            torch.tensor([-1.2, -0.9, -2.7]),
            6,
            having=("more beams than tokens", "more beams than texts"),
        ),
        case(
            torch.tensor([[0.0, -200.0, -150.0], [-300.0, 0.0, -290.0]]),
            torch.tensor([-1.0, -120.0]),
            4,
            having=(
                "a text whose logits differ by hundreds",
                "huge numbers",
                "more beams than texts",
                "more beams than tokens",
            ),
        ),
        case(
            fixed_tensor(2, 4, seed=8) - torch.tensor([[0.0], [300.0]]),
            torch.tensor([-1.2, -1.0]),
            3,
            having=("a text whose logits are far below the others", "huge numbers", "more beams than texts"),
        ),
        case(
            torch.tensor([[0.5, -torch.inf, 1.0, 0.1], [1.0, 0.0, -torch.inf, -torch.inf]]),
            torch.tensor([-3.0, -2.0]),
            3,
            having=("logits of minus infinity", "more beams than texts"),
        ),
        case(
            fixed_tensor(2, 4, dtype=torch.float64), torch.tensor([-1.0, -1.5]).double(), 2, having=("float64 numbers",)
        ),
    ),
    hints=(
        (
            "Imagine a table with a row for each text and a column for each token. Which number belongs in a cell, so "
            "that the largest cells are the best texts?"
        ),
        (
            "A cell is the text's total so far plus the log-probability of the token, from `log_softmax` over the "
            "last axis. Flatten the table, so that `topk` finds the best of all rows together."
        ),
        (
            "`totals[:, None]` is a column, which can be added to (n, V). An index into the flat table is row · V + "
            "column: what do `// V` and `% V` make of it?"
        ),
    ),
)


@beam_step.mistake(
    "Your code adds logits to log-probabilities. Only after `log_softmax` can tokens of different texts be compared."
)
def logits_added(logits, totals, beams):
    return top_of_table(totals[:, None] + logits, beams)


@beam_step.mistake(
    "Your code adds probabilities to log-probabilities. Add the logarithms: `log_softmax` instead of `softmax`."
)
def probabilities_added(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.softmax(-1), beams)


@beam_step.mistake("Your code multiplies the totals. Probabilities are multiplied, but these are logarithms: add them.")
def totals_multiplied(logits, totals, beams):
    return top_of_table(totals[:, None] * logits.log_softmax(-1), beams)


@beam_step.mistake(
    "The totals have no effect in your code, as if they were left out, or added before the softmax, where they cancel "
    "out. Add each text's total to the `log_softmax` of its logits."
)
def totals_forgotten(logits, totals, beams):
    return top_of_table(logits.log_softmax(-1), beams)


@beam_step.mistake(
    "Your code ranks by the new token alone, and adds the totals afterwards, so that a good token of a bad text wins. "
    "Add first, then rank."
)
def totals_not_ranked(logits, totals, beams):
    parents, tokens, values = top_of_table(logits.log_softmax(-1), beams)
    return parents, tokens, values + totals[parents]


@beam_step.mistake(
    "Your code limits how many extensions each text may have, such as beams / n or one. All extensions of all texts "
    "compete: the best `beams` may all come from one text."
)
def each_its_own(logits, totals, beams):
    longer = totals[:, None] + logits.log_softmax(-1)
    values, tokens = longer.topk(-(-beams // len(logits)), dim=1)
    best = values.flatten().topk(beams)
    return best.indices // values.size(1), tokens.flatten()[best.indices], best.values


@beam_step.mistake(
    "Your parents and tokens are swapped. For an index into the flat table, `// V` gives the row, which is the "
    "parent, and `% V` gives the token."
)
def swapped(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return tokens, parents, values


@beam_step.mistake(
    "Your parents and tokens are what you get if you divide an index into the flat table by n, the number of texts. "
    "A row has V cells, so use `// V` and `% V`."
)
def divided_by_the_rows(logits, totals, beams):
    values, indices = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(beams)
    return indices // len(logits), indices % len(logits), values


@beam_step.mistake(
    "Your parents and tokens are what you get if you divide an index into the flat table by n, the number of texts, "
    "and take what is beyond the last text modulo n. A row has V cells, so use `// V` and `% V`."
)
def divided_by_the_rows_and_cut(logits, totals, beams):
    n = len(logits)
    values, indices = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(beams)
    return indices // n % n, indices % n, values


@beam_step.mistake(
    "Your log-probabilities are those of one softmax over all n · V logits. Each text has a distribution of its own: "
    "use the last axis of (n, V)."
)
def softmax_over_all(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.flatten().log_softmax(0).view_as(logits), beams)


@beam_step.mistake(
    "Your totals are those of one softmax over all n · V sums of totals and logits. Each text has a distribution of "
    "its own: take `log_softmax` of the logits over the last axis first, then add the totals."
)
def softmax_over_all_with_totals(logits, totals, beams):
    longer = totals[:, None] + logits
    return top_of_table(longer.flatten().log_softmax(0).view_as(logits), beams)


@beam_step.mistake(
    "Your log-probabilities are those of a softmax over the texts. Each text has a distribution over the V tokens: "
    "use the last axis."
)
def softmax_over_texts(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.log_softmax(0), beams)


@beam_step.mistake("Your code returns the right texts, but the worst one first. Return the best one first.")
def worst_first(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents.flip(0), tokens.flip(0), values.flip(0)


@beam_step.mistake("Your totals are probabilities. Return log-probabilities, as they came in.")
def not_logarithms(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents, tokens, values.exp()


@beam_step.mistake(
    "Where a token is very unlikely, your log-probability is minus infinity, as if it were the logarithm of a softmax "
    "that is 0. Use `torch.log_softmax`, which computes both in one step.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/191",
)
def logarithm_of_the_softmax(logits, totals, beams):
    return top_of_table(totals[:, None] + logits.softmax(-1).log(), beams)


@beam_step.mistake(
    "For a row of logits far below the others your result is infinite or NaN: every exponential is 0 there, and ln 0 "
    "is minus infinity. Subtract the largest logit of each row first, or use `log_softmax`, which does so."
)
def largest_logit_of_all_rows(logits, totals, beams):
    lower = logits - logits.max()
    return top_of_table(totals.unsqueeze(1) + lower - lower.exp().sum(-1, keepdim=True).log(), beams)


@beam_step.mistake(
    "Your code returns the new token's log-probability as the total. The total of a text is its old total plus that."
)
def totals_of_the_new_token(logits, totals, beams):
    parents, tokens, _ = beam.beam_step(logits, totals, beams)
    return parents, tokens, logits.log_softmax(-1)[parents, tokens]


@beam_step.mistake(
    "Your code returns the old totals of the parents. The total of a text is its old total plus the log-probability "
    "of the new token."
)
def old_totals(logits, totals, beams):
    parents, tokens, _ = beam.beam_step(logits, totals, beams)
    return parents, tokens, totals[parents]


@beam_step.mistake("Your tokens are indices into the flat table. The token is the column: the index `% V`.")
def flat_tokens(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents, parents * logits.size(1) + tokens, values


@beam_step.mistake(
    "Your code keeps the least likely texts: the largest totals are the best, since they are closest to 0."
)
def smallest_kept(logits, totals, beams):
    values, indices = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(beams, largest=False)
    return indices // logits.size(1), indices % logits.size(1), values


@beam_step.mistake(
    "Your code subtracts the totals. The log-probability of a longer text is the sum: old total plus that of the new "
    "token."
)
def totals_subtracted(logits, totals, beams):
    return top_of_table(logits.log_softmax(-1) - totals[:, None], beams)


@beam_step.mistake(
    "Your code looks for the best tokens of the first text only. All extensions of all texts compete: flatten the "
    "table before `topk`."
)
def first_text_only(logits, totals, beams):
    values, tokens = (totals[:1] + logits[0].log_softmax(-1)).topk(min(beams, logits.size(1)))
    return torch.zeros_like(tokens), tokens, values


@beam_step.mistake(
    "Your new totals are half of what they should be, as if they were divided by a length. Return plain sums of "
    "log-probabilities."
)
def means(logits, totals, beams):
    return top_of_table((totals[:, None] + logits.log_softmax(-1)) / 2, beams)


@beam_step.mistake("Your parents are fractions, as `/` gives them. Use `//`, which gives whole rows.")
def fractions(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return (parents * logits.size(1) + tokens) / logits.size(1), tokens, values


@beam_step.mistake("Your code returns parents, totals, tokens. Return them in this order: parents, tokens, totals.")
def another_order(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    return parents, values, tokens


@beam_step.mistake(
    "Your tokens and totals are right, but your parents are what you get if you divide an index by V where each text "
    "has fewer than V candidates. If you take the best m tokens of each text first, divide the index by m."
)
def divided_by_v_among_fewer(logits, totals, beams):
    each, tokens = (totals[:, None] + logits.log_softmax(-1)).topk(min(beams, logits.size(1)), dim=-1)
    values, indices = each.flatten().topk(beams)
    return indices // logits.size(1), tokens.flatten()[indices], values


@beam_step.mistake("Your kept texts are in the order of their parents. Return the best one first, as `topk` does.")
def sorted_by_parents(logits, totals, beams):
    parents, tokens, values = beam.beam_step(logits, totals, beams)
    order = parents.argsort(stable=True)
    return parents[order], tokens[order], values[order]


@beam_step.mistake(
    "Your parents and tokens are what you get if you divide an index into the flat table by the number of beams. Each "
    "text has V numbers there, one for each token: divide by V, `logits.size(-1)`."
)
def divided_by_the_beams(logits, totals, beams):
    longer = totals.unsqueeze(-1) + logits.log_softmax(-1)
    values, indices = longer.flatten().topk(beams)
    return indices // beams, indices % beams, values


@beam_step.mistake(
    "Your code continues each text by its likeliest token only. Two of the best texts may continue the same one: look "
    "for the largest of all n · V totals."
)
def best_token_of_each_text(logits, totals, beams):
    best, tokens = logits.log_softmax(-1).max(dim=-1)
    new, parents = (totals + best).topk(min(beams, len(totals)))
    return parents, tokens[parents], new


@beam_step.mistake(
    "Your first step is right, but after it your code continues each text by its likeliest token only. Two of the best "
    "texts may continue the same one: look for the largest of all n · V totals."
)
def best_token_of_each_of_several_texts(logits, totals, beams):
    step = beam.beam_step if len(totals) == 1 else best_token_of_each_text
    return step(logits, totals, beams)


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
def beam_step_with_numpy(logits, totals, beams):
    table = (totals[:, None] + logits.log_softmax(-1)).numpy()
    order = np.argsort(-table, axis=None, kind="stable")[:beams]
    rows, columns = np.unravel_index(order, table.shape)
    return torch.from_numpy(rows), torch.from_numpy(columns), torch.from_numpy(table[rows, columns])


@beam_step.right
def beam_step_in_loops(logits, totals, beams):
    table = logits.log_softmax(-1)
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
