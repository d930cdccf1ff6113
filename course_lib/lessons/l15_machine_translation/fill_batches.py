"""The exercise `fill_batches` of notebook 15."""

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import batches

fill_batches = Exercise(
    reference=batches.fill_batches,
    notebook=15,
    order=50,
    minutes=10,
    difficulty=2,
    returns=(Result("the batches"),),
    example=case([(2, 3), (3, 3), (4, 3), (4, 5)], 18),
    another=case([(1, 3), (3, 2), (4, 4), (5, 5)], 16),
    cases=(
        case([(2, 2)], 10, having=("a single example", "one batch for all")),
        case([(2, 2), (2, 2), (2, 2), (2, 2)], 8, having=("equal lengths", "batches that are just full")),
        case([(2, 2), (2, 2), (2, 2)], 100, having=("one batch for all", "equal lengths")),
        case(
            [(9, 9), (1, 1), (1, 1), (1, 1)],
            8,
            having=("an example that is too long for any batch", "a short example after a long one"),
        ),
        case(
            [(1, 1), (1, 6), (6, 1), (1, 1)],
            22,
            having=("the longest source and target in two examples", "a short example after a long one"),
        ),
        case([(1, 1), (1, 6), (6, 1), (6, 6)], 24, having=("an example with six tokens on each side",)),
        case(
            [(1, 1), (1, 1), (8, 8), (1, 1), (1, 1)],
            20,
            having=("a long one in the middle", "a short example after a long one"),
        ),
        case(
            [(1, 1), (9, 9), (1, 1)],
            8,
            having=("an example that is too long for any batch", "a short example after a long one"),
        ),
        case(
            [(5, 1), (1, 5), (1, 1)],
            21,
            having=("the longest source and target in two examples", "a short example after a long one"),
        ),
        case(
            [(6, 1), (6, 1), (6, 1)],
            14,
            having=("sources that are longer", "batches that are just full", "equal lengths"),
        ),
        case(
            [(1, 6), (1, 6), (1, 6)],
            14,
            having=("targets that are longer", "batches that are just full", "equal lengths"),
        ),
        case([], 10, having=("no examples",)),
    ),
    hints=(
        "In a batch of sentences of 3 and 5 tokens, how many ids does the tensor hold? Padding counts too.",
        "If one more sentence joins, how many rows will there be, and how wide will each of the two tensors be?",
        (
            "Keep the longest source and the longest target of the open batch. The next example fits if "
            "`(rows + 1) * (longest_source + longest_target)` is at most the budget, with its own lengths counted in."
        ),
    ),
)


def filled(lengths, fits):
    """Fill batches in order; `fits` says whether an example may join an open batch."""
    made = []
    for i in range(len(lengths)):
        if made and fits([lengths[j] for j in made[-1]], lengths[i]):
            made[-1].append(i)
        else:
            made.append([i])
    return made


def cost(lengths):
    """The ids of a padded batch."""
    return len(lengths) * (max(a for a, _ in lengths) + max(b for _, b in lengths))


@fill_batches.mistake(
    "Your code counts the tokens of the sentences without their padding. A batch holds its rows times the longest "
    "source plus the longest target."
)
def without_padding(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: sum(map(sum, [*batch, new])) <= batch_tokens)


@fill_batches.mistake(
    "Your batches grow beyond the budget: an example joins wherever the open batch is not full yet. Check how many "
    "ids it would hold with that example."
)
def asks_too_late(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: cost(batch) < batch_tokens)


@fill_batches.mistake(
    "In your code, a batch that is just full does not count as fitting. Up to the budget is allowed: `<=`."
)
def strictly_below(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: cost([*batch, new]) < batch_tokens)


@fill_batches.mistake("Your code counts the rows of the open batch without the new example: that is one row too few.")
def one_row_too_few(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: len(batch) * cost([*batch, new]) / (len(batch) + 1) <= batch_tokens)


@fill_batches.mistake(
    "Your code puts an example into any earlier batch in which it fits. Keep the order: only the last batch is open."
)
def first_fit(lengths, batch_tokens):
    made = []
    for i, new in enumerate(lengths):
        fitting = (batch for batch in made if cost([*(lengths[j] for j in batch), new]) <= batch_tokens)
        batch = next(fitting, None)
        if batch is None:
            made.append([i])
        else:
            batch.append(i)
    return made


@fill_batches.mistake("Your code counts the sources only. The targets fill a tensor of their own.")
def sources_only(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: (len(batch) + 1) * max(a for a, _ in [*batch, new]) <= batch_tokens)


@fill_batches.mistake("Your code counts the targets only. The sources fill a tensor of their own.")
def targets_only(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: (len(batch) + 1) * max(b for _, b in [*batch, new]) <= batch_tokens)


@fill_batches.mistake(
    "Your width is that of the longest example, source and target together. The longest source and the longest target "
    "may be in two different examples: find each by itself."
)
def longest_example(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: (len(batch) + 1) * max(map(sum, [*batch, new])) <= batch_tokens)


@fill_batches.mistake("Your rows are as wide as the new example only. An earlier one may be longer.")
def length_of_the_new_one(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: (len(batch) + 1) * sum(new) <= batch_tokens)


@fill_batches.mistake(
    "Your code holds sources and targets to the budget separately. Both tensors together may have that many ids: rows "
    "times the sum of the two widths."
)
def each_for_itself(lengths, batch_tokens):
    def fits(batch, new):
        return all((len(batch) + 1) * max(each) <= batch_tokens for each in zip(*batch, new, strict=True))

    return filled(lengths, fits)


@fill_batches.mistake(
    "Your two tensors are equally wide: as the longest source or target. Each has a width of its own, that of the "
    "longest source or that of the longest target."
)
def one_width_for_both(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: (len(batch) + 1) * 2 * max(map(max, [*batch, new])) <= batch_tokens)


@fill_batches.mistake(
    "Your code loses each example that does not fit into the open batch. It is the first one of the next batch."
)
def lost_between_batches(lengths, batch_tokens):
    made, batch = [], []
    for i in range(len(lengths)):
        if batch and cost([lengths[j] for j in [*batch, i]]) > batch_tokens:
            made.append(batch)
            batch = []
        else:
            batch.append(i)
    return [*made, batch] if batch else made


@fill_batches.mistake(
    "Your code leaves out an example that is too long for any batch. It gets a batch of its own: nothing is lost."
)
def long_ones_lost(lengths, batch_tokens):
    made = [
        [i for i in batch if sum(lengths[i]) <= batch_tokens] for batch in batches.fill_batches(lengths, batch_tokens)
    ]
    return [batch for batch in made if batch]


@fill_batches.mistake(
    "Your code sets an example that is too long for any batch apart, and continues with the open batch. Keep the "
    "order: close the open batch first, and begin a new one after the long example."
)
def long_ones_set_apart(lengths, batch_tokens):
    long, short = [], []
    for i, (source, target) in enumerate(lengths):
        (long if source + target > batch_tokens else short).append(i)
    batches_of_short = [
        [short[i] for i in batch] for batch in batches.fill_batches([lengths[i] for i in short], batch_tokens)
    ]
    before = {i: sum(batch[-1] < i for batch in batches_of_short) for i in long}
    made = [*batches_of_short]
    for i in reversed(long):
        made.insert(before[i], [i])
    return made


@fill_batches.mistake(
    "Your batches are filled in the order of the lengths. Fill them in the order given: the caller may have "
    "sorted the examples."
)
def sorts_first(lengths, batch_tokens):
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [[order[i] for i in batch] for batch in batches.fill_batches([lengths[i] for i in order], batch_tokens)]


@fill_batches.mistake(
    "Your code loses the last batch. If a batch is kept only where the next one begins, keep the open one after the "
    "loop too."
)
def last_batch_lost(lengths, batch_tokens):
    return batches.fill_batches(lengths, batch_tokens)[:-1]


@fill_batches.mistake(
    "Your code still counts the longest lengths of earlier batches. Each batch starts with its own first example."
)
def longest_of_all(lengths, batch_tokens):
    made, longest = [], (0, 0)
    for i, each in enumerate(lengths):
        longest = tuple(map(max, longest, each))
        if made and (len(made[-1]) + 1) * sum(longest) <= batch_tokens:
            made[-1].append(i)
        else:
            made.append([i])
    return made


@fill_batches.mistake("Your budget is a number of sentences. It is a number of ids: rows times the two widths.")
def counts_sentences(lengths, batch_tokens):
    return filled(lengths, lambda batch, new: len(batch) < batch_tokens)


@fill_batches.mistake(
    "Where there are no examples, or the first alone is larger than the budget, your batches begin with an empty one. "
    "Close a batch only if it holds an example."
)
def empty_batch_first(lengths, batch_tokens):
    made = batches.fill_batches(lengths, batch_tokens)
    return [[], *made] if not lengths or cost(lengths[:1]) > batch_tokens else made


@fill_batches.mistake(
    "Where the first example alone is larger than the budget, your batches begin with an empty one. Close a batch only "
    "if it holds an example."
)
def empty_batch_before_a_long_one(lengths, batch_tokens):
    made = batches.fill_batches(lengths, batch_tokens)
    return [[], *made] if lengths and cost(lengths[:1]) > batch_tokens else made


@fill_batches.right_for_whole_course
def with_both_widths(lengths, batch_tokens):
    batches, open_batch = [], []
    for i in range(len(lengths)):
        joined = [*open_batch, i]
        width = max(lengths[j][0] for j in joined) + max(lengths[j][1] for j in joined)
        if open_batch and len(joined) * width > batch_tokens:
            batches.append(open_batch)
            open_batch = [i]
        else:
            open_batch = joined
    if open_batch:
        batches.append(open_batch)
    return batches


@fill_batches.right
def with_a_running_width(lengths, batch_tokens):
    made, source, target = [], 0, 0
    for i, (s, t) in enumerate(lengths):
        wide = max(source, s) + max(target, t)
        if made and (len(made[-1]) + 1) * wide <= batch_tokens:
            made[-1].append(i)
            source, target = max(source, s), max(target, t)
        else:
            made.append([i])
            source, target = s, t
    return made
