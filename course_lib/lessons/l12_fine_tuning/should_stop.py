"""The exercise `should_stop` of notebook 12."""

import itertools

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import heads

should_stop = Exercise(
    reference=heads.should_stop,
    notebook=12,
    order=50,
    minutes=6,
    difficulty=2,
    returns=(Result("the decision"),),
    example=case([0.7, 0.5, 0.6, 0.55], 2),
    another=case([0.7, 0.5, 0.6, 0.45], 2),
    cases=(
        case([], 1, having=("no check so far", "patience 1", "fewer checks than patience needs")),
        case(
            [0.7],
            1,
            having=("one check", "patience 1", "fewer checks than patience needs", "one check too few to stop"),
        ),
        case(
            [0.7, 0.8],
            2,
            having=(
                "fewer checks than patience needs",
                "a rise at the last check",
                "losses that only rise",
                "one check too few to stop",
            ),
        ),
        case([0.7, 0.6, 0.5], 2, having=("losses that only fall",)),
        case(
            [0.5, 0.6, 0.7],
            2,
            having=(
                "losses that only rise",
                "a rise at the last check",
                "three losses, the first of them below the others",
            ),
        ),
        case([0.5, 0.7, 0.6], 2, having=("three losses, the first of them below the others",)),
        case(
            [0.5, 0.7, 0.6, 0.65],
            2,
            having=(
                "four losses, the first of them below the others",
                "a rise at the last check",
                "the lowest loss three checks ago",
            ),
        ),
        case([0.5, 0.5, 0.5], 2, having=("equal losses one after the other",)),
        case([0.5, 0.0, 0.1, 0.2], 2, having=("a lowest loss of 0", "a rise at the last check")),
        case(
            [0.7, 0.8, 0.6, 0.65, 0.55, 0.6],
            2,
            having=(
                "rises with new lowest losses between them",
                "a rise at the last check",
                "one check too few to stop",
            ),
        ),
        case([0.7, 0.6, 0.65], 2, having=("a rise at the last check", "one check too few to stop")),
        case(
            [0.7, 0.6, 0.75],
            2,
            having=(
                "a new lowest loss, and then one above all others",
                "a rise at the last check",
                "one check too few to stop",
            ),
        ),
        case(
            [0.7, 0.8, 0.8, 0.5],
            2,
            having=("a new lowest loss at the end, after two checks without one", "equal losses one after the other"),
        ),
        case([0.7, 0.6, 0.65], 1, having=("patience 1", "a rise at the last check")),
        case([0.9, 0.4, 0.5, 0.6, 0.45], 3, having=("the lowest loss three checks ago",)),
        case([0.4, 0.5, 0.45, 0.42, 0.41], 4, having=("patience 4", "five losses, the first of them below the others")),
        case([0.4, 0.8, 0.7, 0.6, 0.5], 3, having=("five losses, the first of them below the others",)),
        case(
            [2000.0, 1500.0, 1800.0],
            2,
            having=("huge losses", "a rise at the last check", "one check too few to stop"),
        ),
        case(
            [0.4, 0.9, 0.8, 0.7],
            4,
            having=(
                "one check too few to stop",
                "fewer checks than patience needs",
                "patience 4",
                "four losses, the first of them below the others",
                "the lowest loss three checks ago",
            ),
        ),
    ),
    hints=(
        "How many checks ago was the lowest loss? What must that be compared with?",
        "Compare the lowest of the last `patience` losses with the lowest of those before them.",
        "`losses[-patience:]` are the last ones, `losses[:-patience]` those before. Without any before: do not stop.",
    ),
)


@should_stop.mistake(
    "Your code stops at the first rise, whatever `patience` is. One check may be worse by chance: wait for as many "
    "checks as `patience` says."
)
def first_rise(losses, patience):
    return len(losses) > 1 and losses[-1] > losses[-2]


@should_stop.mistake(
    "Your code stops only if none of the last losses is below the one just before it. A loss that falls a little, but "
    "not below the lowest, is no progress: compare with the lowest loss."
)
def rising_in_a_row(losses, patience):
    return len(losses) > patience and all(losses[-i] >= losses[-i - 1] for i in range(1, patience + 1))


@should_stop.mistake("Your code counts all rises since the beginning. A new lowest loss starts the count again.")
def all_rises(losses, patience):
    return sum(b > a for a, b in itertools.pairwise(losses)) >= patience


@should_stop.mistake(
    "Your code counts all checks without a new lowest loss since the beginning. A new lowest loss starts the count "
    "again."
)
def all_checks_without_progress(losses, patience):
    lowest = itertools.accumulate(losses, min)
    return sum(loss >= before for loss, before in zip(losses[1:], lowest, strict=False)) >= patience


@should_stop.mistake("Your code stops one check too early: `patience` checks without a new lowest loss are needed.")
def too_early(losses, patience):
    return len(losses) > 0 and len(losses) - 1 - losses.index(min(losses)) >= patience - 1


@should_stop.mistake("Your code stops one check too late: `patience` checks without a new lowest loss are enough.")
def too_late(losses, patience):
    return len(losses) > 0 and len(losses) - 1 - losses.index(min(losses)) > patience


@should_stop.mistake(
    "Where losses are huge, your code counts the first ones as no progress, as if the lowest loss began at a number "
    "such as 1 or 100. Begin with the first loss, or with infinity."
)
def lowest_begins_at_100(losses, patience):
    lowest, waited = 100.0, 0
    for loss in losses:
        lowest, waited = (loss, 0) if loss < lowest else (lowest, waited + 1)
    return waited >= patience


@should_stop.mistake(
    "Your code forgets a lowest loss of 0. If it asks whether there is a lowest loss yet, note that 0 counts as false: "
    "compare with None."
)
def loss_0_is_none(losses, patience):
    lowest, waited = None, 0
    for loss in losses:
        lowest, waited = (loss, 0) if not lowest or loss < lowest else (lowest, waited + 1)
    return waited >= patience


@should_stop.mistake("Your code waits for the highest value, as for an accuracy. These are losses: lower is better.")
def highest(losses, patience):
    return len(losses) > 0 and len(losses) - 1 - losses.index(max(losses)) >= patience


@should_stop.mistake(
    "Your code compares the last loss with the one `patience` checks ago only. Compare with the lowest of all losses "
    "before the last `patience`."
)
def with_one_loss(losses, patience):
    return len(losses) > patience and losses[-1] >= losses[-1 - patience]


@should_stop.mistake(
    "Your code looks at the last loss only. Take the lowest of the last `patience` losses: if one of them is a new "
    "lowest one, training goes on."
)
def last_of_the_last(losses, patience):
    return len(losses) > patience and losses[-1] >= min(losses[:-patience])


@should_stop.mistake(
    "Your code compares the last `patience` losses with the one just before them. Compare with the lowest of all losses"
    " before them."
)
def with_the_loss_before(losses, patience):
    return len(losses) > patience and min(losses[-patience:]) >= losses[-1 - patience]


@should_stop.mistake(
    "Your code stops whenever the last loss is above the lowest one so far, whatever `patience` is. How many checks "
    "ago was the lowest?"
)
def above_the_lowest(losses, patience):
    return len(losses) > 1 and losses[-1] > min(losses)


@should_stop.mistake(
    "In your code, an equal loss counts as progress. Only a new lowest loss does; otherwise a training run in which "
    "nothing changes would never stop."
)
def equal_is_progress(losses, patience):
    return len(losses) > patience and min(losses[-patience:]) > min(losses[:-patience])


@should_stop.mistake("Your code says when to go on. Return True when training should stop.")
def inverted(losses, patience):
    return not heads.should_stop(losses, patience)


@should_stop.mistake("Your code stops after `patience` checks, however well it goes. Look at the losses.")
def after_some_checks(losses, patience):
    return len(losses) > patience


@should_stop.mistake(
    "Your code returns whether one of the last `patience` losses is a new lowest one. Then training should continue: "
    "return True when none is."
)
def whether_it_improves(losses, patience):
    return len(losses) > patience and min(losses[-patience:]) < min(losses[:-patience])


@should_stop.mistake(
    "Your code stops at the first loss that is not below all losses before it, whatever `patience` is. One check may "
    "be worse by chance: wait for as many checks as `patience` says."
)
def first_without_progress(losses, patience):
    return len(losses) > 1 and losses[-1] >= min(losses[:-1])


@should_stop.right_for_whole_course
def checks_since_the_lowest(losses, patience):
    if not losses:
        return False
    return len(losses) - 1 - losses.index(min(losses)) >= patience


@should_stop.right
def with_a_counter(losses, patience):
    lowest, waited = float("inf"), 0
    for loss in losses:
        if loss < lowest:
            lowest, waited = loss, 0
        else:
            waited += 1
    return waited >= patience
