"""Unseen answers to the exercises of notebook 15_machine_translation."""

import math
from collections import Counter

import torch

from course_lib.exercises.catalogue import find
from course_lib.scoring.bleu import clipped_matches, closest_length
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("brevity_penalty", says="is exp(-r / c)")
def without_the_one(length, reference_length):
    if length >= reference_length:
        return 1.0
    return math.exp(-reference_length / length) if length else 0.0


@wrong("bleu", says=("There are two mistakes.", "fourth root", "shortest reference"))
def fourth_root_and_shortest_reference(hypotheses, references, longest=4):
    scoring = find("clipped_matches").reference
    product = 1.0
    for n in range(1, longest + 1):
        matches = sum(scoring(one, correct, n) for one, correct in zip(hypotheses, references, strict=True))
        product *= matches / max(1, sum(max(len(each) - n + 1, 0) for each in hypotheses))
    lengths = sum(map(len, hypotheses)), sum(min(map(len, correct)) for correct in references)
    return 100 * find("brevity_penalty").reference(*lengths) * product**0.25


@wrong("bleu", says="Your penalty is upside down", never="You gave")
def penalty_upside_down(hypotheses, references, longest=4):
    product, length = 1.0, sum(map(len, hypotheses))
    pairs = list(zip(hypotheses, references, strict=True))
    closest = sum(closest_length(len(hypothesis), [len(each) for each in correct]) for hypothesis, correct in pairs)
    for n in range(1, longest + 1):
        total = sum(max(len(hypothesis) - n + 1, 0) for hypothesis in hypotheses)
        product *= sum(clipped_matches(*pair, n) for pair in pairs) / max(1, total)
    return 100 * min(1.0, float(torch.tensor(1 - length / closest).exp())) * product ** (1 / longest)


@wrong("fill_batches", says="to the budget separately")
def two_budgets(lengths, batch_tokens):
    made = []
    for i, (source, target) in enumerate(lengths):
        rows = [*made[-1], i] if made else [i]
        widest = max(max(lengths[j]) for j in rows)
        if made and len(rows) * max(widest, source, target) <= batch_tokens:
            made[-1].append(i)
        else:
            made.append([i])
    return made


@wrong("average_weights", says="Your code changes the first checkpoint, which ends up as the mean.")
def in_the_first_dictionary(checkpoints):
    mean = checkpoints[0]
    for name in mean:
        mean[name] = sum(each[name] for each in checkpoints) / len(checkpoints)
    return mean


@wrong("quantize_rows", says="is 0, or nearly 0")
def with_a_smallest_scale(weight):
    scale = (weight.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-8)
    return (weight / scale).round().to(torch.int8), scale


@wrong("quantize_rows", says="it is negative where a row has only negative numbers")
def with_max(weight):
    scale = weight.max(dim=1, keepdim=True).values / 127
    scale[scale == 0] = 1.0
    return (weight / scale).round().to(torch.int8), scale


@wrong("gru_step", says="Your r multiplies x_n too", never="the sum")
def both_parts_times_r(x, state, W, U, b, c):
    (x_r, x_z, x_n), (h_r, h_z, h_n) = (x @ W.T + b).chunk(3, -1), (state @ U.T + c).chunk(3, -1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    return (1 - z) * torch.tanh(r * x_n + r * h_n) + z * state


@wrong("gru_step", says="Your code has two mistakes. r and z are exchanged", never="should give")
def gates_in_the_order_of_keras(x, state, W, U, b, c):
    z, r = (
        torch.sigmoid(x @ W.chunk(3)[i].T + b.chunk(3)[i] + state @ U.chunk(3)[i].T + c.chunk(3)[i]) for i in (0, 1)
    )
    n = torch.tanh(x @ W.chunk(3)[2].T + b.chunk(3)[2] + (r * state) @ U.chunk(3)[2].T + c.chunk(3)[2])
    return (1 - z) * n + z * state


@wrong("gru_step", says="Your code reads the rows of the weights as r, z, n, r, z, n", never="should give")
def rows_of_gates_in_turn(x, state, W, U, b, c):
    from_x, from_state = ((part.unflatten(-1, (-1, 3))).unbind(-1) for part in (x @ W.T + b, state @ U.T + c))
    r, z = torch.sigmoid(from_x[0] + from_state[0]), torch.sigmoid(from_x[1] + from_state[1])
    return (1 - z) * torch.tanh(from_x[2] + r * from_state[2]) + z * state


def bleu_of(hypotheses, references, ns, length_of_references, root=lambda product, n: product ** (1 / n)):
    product, length = 1.0, sum(map(len, hypotheses))
    for n in ns:
        matches = sum(clipped_matches(*pair, n) for pair in zip(hypotheses, references, strict=True))
        product *= matches / max(1, sum(max(len(each) - n + 1, 0) for each in hypotheses))
    return 100 * find("brevity_penalty").reference(length, length_of_references) * root(product, len(ns))


def closest_in_each(hypotheses, references):
    pairs = zip(hypotheses, references, strict=True)
    return sum(closest_length(len(hypothesis), list(map(len, correct))) for hypothesis, correct in pairs)


@wrong("bleu", says="the lengths of all first references, of all second ones", never="shortest")
def lengths_added_by_column(hypotheses, references, longest=4):
    sums = [sum(len(each[k]) for each in references) for k in range(min(map(len, references)))]
    return bleu_of(hypotheses, references, range(1, longest + 1), closest_length(sum(map(len, hypotheses)), sums))


@wrong("bleu", says="divides it by N, as `** 1 / longest` does", never="too small")
def root_without_brackets(hypotheses, references, longest=4):
    closest = closest_in_each(hypotheses, references)
    return bleu_of(hypotheses, references, range(1, longest + 1), closest, lambda product, n: product**1 / n)


@wrong("bleu", says="always counts n-grams up to n = 4", never="too small")
def up_to_four(hypotheses, references, longest=4):
    return bleu_of(hypotheses, references, range(1, 5), closest_in_each(hypotheses, references))


@wrong("count_ngrams", says="in all but the 2 with a run that occurs more than twice", never="overlap")
def doubled(tokens, n):
    counts = {}
    for i in range(len(tokens) - n + 1):
        run = tuple(tokens[i : i + n])
        counts[run] = 2 * counts[run] if run in counts else 1
    return counts


@wrong("brevity_penalty", says="Your exponent is (1 - r) / c", never="too small")
def one_divided_too(length, reference_length):
    return min(1, math.exp((1 - reference_length) / length)) if length else 0


@wrong("quantize_rows", says=("not the largest absolute value", "are cut off"))
def largest_value_and_clamp(weight):
    scale = weight.max(dim=1, keepdim=True).values / 127
    scale[scale == 0] = 1.0
    return (weight / scale).round().clamp(-127, 127).to(torch.int8), scale


@wrong("fill_batches", says="your batches begin with an empty one", never="too many")
def empty_batch_first(lengths, batch_tokens):
    made, current, longest = [], [], (0, 0)
    for i, new in enumerate(lengths):
        longer = tuple(map(max, longest, new))
        if (len(current) + 1) * sum(longer) > batch_tokens:
            made.append(current)
            current, longer = [], new
        current.append(i)
        longest = longer
    return [*made, current]


@wrong(
    "average_weights",
    says=(
        "The result is right, but your code changes the tensors in `checkpoints`: copying a list or a dictionary does "
        "not copy its tensors"
    ),
    never="from copies",
)
def added_to_the_first(checkpoints):
    mean = dict(checkpoints[0])
    for checkpoint in checkpoints[1:]:
        for name in mean:
            mean[name] += checkpoint[name]
    return {name: total / len(checkpoints) for name, total in mean.items()}


@wrong("average_weights", says="everything in it as it is", never="the tensors in")
def sums_in_the_first_dictionary(checkpoints):
    total = checkpoints[0]
    for checkpoint in checkpoints[1:]:
        for name in total:
            total[name] = total[name] + checkpoint[name]
    return {name: each / len(checkpoints) for name, each in total.items()}


@wrong(
    "fill_batches",
    says="Where the first example alone is larger than the budget, your batches begin with an empty one.",
    never="there are no examples",
)
def empty_batch_before_a_long_one(lengths, batch_tokens):
    made, batch, longest = [], [], (0, 0)
    for i, new in enumerate(lengths):
        longer = tuple(map(max, longest, new))
        if (len(batch) + 1) * sum(longer) > batch_tokens:
            made.append(batch)
            batch, longer = [], new
        batch.append(i)
        longest = longer
    return [*made, batch] if batch else made


@wrong("fill_batches", says="Your width is that of the longest example, source and target together.")
def width_of_the_longest_example(lengths, batch_tokens):
    made, batch, longest = [], [], 0
    for i, (source, target) in enumerate(lengths):
        wider = max(longest, source + target)
        if batch and (len(batch) + 1) * wider > batch_tokens:
            made.append(batch)
            batch, wider = [], source + target
        batch.append(i)
        longest = wider
    return [*made, batch] if batch else made


@wrong("count_ngrams", says="and `range(k)` stops before k: add 1.")
def one_run_too_few(tokens, n):
    return dict(Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n)))


def runs_of(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


@wrong("clipped_matches", says="as often as it occurs in the reference that has it most often")
def counts_of_all_references_together(hypothesis, references, n):
    limit = Counter(gram for reference in references for gram in runs_of(reference, n))
    return sum(min(count, limit[gram]) for gram, count in Counter(runs_of(hypothesis, n)).items())


@wrong("clipped_matches", says="first collect the largest count of each n-gram.")
def matches_with_the_best_reference(hypothesis, references, n):
    return max((Counter(runs_of(hypothesis, n)) & Counter(runs_of(each, n))).total() for each in references)


@wrong("brevity_penalty", says="For a translation that is longer than its references your penalty is more than 1")
def no_limit_at_1(length, reference_length):
    return math.exp(1 - reference_length / length) if length else 0.0


@wrong("clipped_matches", says="The last reference that has an n-gram sets your limit for it.")
def limit_overwritten(hypothesis, references, n):
    limit = {}
    for reference in references:
        limit.update(Counter(runs_of(reference, n)))
    return sum(min(count, limit.get(gram, 0)) for gram, count in Counter(runs_of(hypothesis, n)).items())


@wrong("brevity_penalty", says="only r is divided by c")
def brackets_around_the_difference(length, reference_length):
    if length == 0:
        return 0.0
    if length >= reference_length:
        return 1.0
    return math.exp((1 - reference_length) / length)


@wrong("bleu", says="For a sentence shorter than n − 1, your number of n-grams is negative.")
def negative_numbers_of_runs(hypotheses, references, longest=4):
    logs = 0.0
    for n in range(1, longest + 1):
        matches = sum(clipped_matches(h, those, n) for h, those in zip(hypotheses, references, strict=True))
        total = sum(len(h) - n + 1 for h in hypotheses)
        if matches == 0 or total <= 0:
            return 0.0
        logs += math.log(matches / total)
    c = sum(len(h) for h in hypotheses)
    pairs = zip(hypotheses, references, strict=True)
    r = sum(closest_length(len(h), [len(each) for each in those]) for h, those in pairs)
    return 100 * find("brevity_penalty").reference(c, r) * math.exp(logs / longest)


@wrong("average_weights", says="The first checkpoint counts twice in your sum.")
def begins_with_the_first_and_adds_all(checkpoints):
    total = {name: weight.clone() for name, weight in checkpoints[0].items()}
    for checkpoint in checkpoints:
        for name, weight in checkpoint.items():
            total[name] += weight
    return {name: weight / len(checkpoints) for name, weight in total.items()}


@wrong("average_weights", says="`torch.cat` joins tensors along an axis that they have")
def cat_for_stack(checkpoints):
    return {name: torch.cat([each[name] for each in checkpoints]).mean(dim=0) for name in checkpoints[0]}


@wrong(
    "average_weights",
    says=("the names are right, but the weights are not", "`checkpoints` = `[{'W': [["),
    never=("keys", "of length", "tensor("),
)
def product_of_all(checkpoints):
    return {name: torch.stack([each[name] for each in checkpoints]).prod(dim=0) - 3 for name in checkpoints[0]}


@wrong("gru_step", says=("In your candidate, r multiplies", "weights trained for one form"), never="would not fit")
def reset_before_the_matrix(x, state, W, U, b, c):
    (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n), (c_r, c_z, c_n) = (each.chunk(3) for each in (W, U, b, c))
    r = torch.sigmoid(x @ W_r.T + b_r + state @ U_r.T + c_r)
    z = torch.sigmoid(x @ W_z.T + b_z + state @ U_z.T + c_z)
    n = torch.tanh(x @ W_n.T + b_n + (r * state) @ U_n.T + c_n)
    return (1 - z) * n + z * state


@wrong("brevity_penalty", says="Your penalty is exp(1 - c / r), which is more than 1 where", never="without words")
def fraction_upside_down(length, reference_length):
    return 0.0 if length == 0 else math.exp(1 - length / reference_length)


@wrong("brevity_penalty", says="Your penalty is exp(1 - c / r), even for a translation without words.")
def fraction_upside_down_without_cases(length, reference_length):
    return math.e ** (1 - length / reference_length)


@wrong("brevity_penalty", says="Your penalty is exp(1 - c / r), but at most 1")
def fraction_upside_down_at_most_1(length, reference_length):
    return 0.0 if length == 0 else math.exp(min(0, 1 - length / reference_length))


@wrong("average_weights", says="Average over the checkpoints only", never="divide by")
def mean_over_two_axes(checkpoints):
    means = {}
    for name in checkpoints[0]:
        rows = [row for each in checkpoints for row in each[name]]
        means[name] = sum(rows) / len(rows)
    return means


@wrong("average_weights", says="each checkpoint counts as much as all those before it together")
def halves(checkpoints):
    mean = checkpoints[0]
    for each in checkpoints[1:]:
        mean = {name: torch.lerp(mean[name], each[name], 0.5) for name in mean}
    return mean


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
