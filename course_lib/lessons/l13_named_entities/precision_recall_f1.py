"""The exercise `precision_recall_f1` of notebook 13."""

from collections import Counter
from fractions import Fraction

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import entities

ANN, PARIS, UN, LOUVRE = ("PER", 0, 1), ("LOC", 4, 5), ("ORG", 7, 8), ("LOC", 9, 11)


precision_recall_f1 = Exercise(
    reference=entities.precision_recall_f1,
    notebook=13,
    order=20,
    minutes=8,
    difficulty=2,
    returns=(Result("precision"), Result("recall"), Result("the F1")),
    example=case([[ANN, PARIS, UN]], [[ANN, PARIS, LOUVRE, ("ORG", 6, 8)]]),
    another=case([[ANN, LOUVRE, UN, ("LOC", 4, 6)]], [[ANN, LOUVRE, PARIS]]),
    cases=(
        case([[("ORG", 0, 1), PARIS]], [[ANN, PARIS, UN]], having=("a name of the wrong kind",)),
        case([[("LOC", 9, 10), ANN]], [[LOUVRE, ANN, UN]], having=("a name that is cut short",)),
        case([[("LOC", 10, 11), ANN, UN]], [[LOUVRE, ANN]], having=("three predicted and two expected names",)),
        case(
            [[("LOC", 8, 10), ("LOC", 10, 13), ANN]],
            [[LOUVRE, ANN]],
            having=(
                "names that overlap",
                "three predicted and two expected names",
                "a name in another place of its list",
            ),
        ),
        case(
            [[ANN], [ANN, PARIS, UN]],
            [[ANN, PARIS], [ANN, LOUVRE]],
            having=("the same span in two sentences", "a span of another sentence"),
        ),
        case(
            [[ANN], [PARIS], []],
            [[PARIS], [PARIS], [ANN]],
            having=(
                "a span of another sentence",
                "the same span in two sentences",
                "a sentence without predicted names",
            ),
        ),
        case([[ANN], [PARIS], [UN]], [[PARIS], [ANN], [UN]], having=("a span of another sentence",)),
        case([[PARIS, ANN, UN]], [[ANN, LOUVRE, PARIS]], having=("a name in another place of its list",)),
        case(
            [[UN], [ANN, PARIS]],
            [[UN], [PARIS]],
            having=("a name in another place of its list", "three predicted and two expected names"),
        ),
        case(
            [[UN, ANN], []],
            [[ANN], [PARIS, LOUVRE]],
            having=("a sentence without predicted names", "a name in another place of its list"),
        ),
        case(
            [[PARIS, LOUVRE, ANN], [UN]],
            [[ANN, PARIS], []],
            having=("a sentence without expected names", "a name in another place of its list"),
        ),
        case([[ANN], [UN]], [[PARIS, LOUVRE], [PARIS]], having=("no name found", "the same span in two sentences")),
        case([[ANN, PARIS]], [[ANN, PARIS]], having=("all right",)),
        case([[], []], [[ANN], [UN, PARIS]], having=("nothing predicted", "no name found")),
        case([[ANN], [UN]], [[], []], having=("nothing expected", "no name found")),
        case([[], []], [[], []], having=("nothing predicted", "nothing expected", "no name found")),
    ),
    hints=(
        "Three counts are enough: the predicted spans, the expected ones, and those that are in both.",
        (
            "Two spans are equal only if kind, start and stop are, and tuples compare just like that. Count sentence "
            "by sentence, and divide once, at the end."
        ),
        (
            "`len(set(p) & set(e))` counts the spans in both. Precision divides their number by the predicted ones, "
            "recall by the expected ones, and F1 divides twice their number by both together. What if there are none?"
        ),
    ),
)


def counted(predicted, expected, key=lambda span: span):
    """Precision, recall and F1 of what a function makes of each span."""
    P, E = ([[key(span) for span in spans] for spans in sentences] for sentences in (predicted, expected))
    return entities.precision_recall_f1(P, E)


@precision_recall_f1.mistake(
    "Your code counts a name as found if its kind and its first word are right. Its last word has to be right, too.",
    seen="https://github.com/flairNLP/flair/issues/2764",
)
def first_word_only(predicted, expected):
    return counted(predicted, expected, lambda span: span[:2])


@precision_recall_f1.mistake(
    "Your code counts a name as found if its words are right, whatever its kind. A name of the wrong kind is not "
    "correct."
)
def kind_ignored(predicted, expected):
    return counted(predicted, expected, lambda span: span[1:])


@precision_recall_f1.mistake(
    "Your code counts a name as found if its kind and its end are right. It has to begin where it should, too."
)
def last_word_only(predicted, expected):
    return counted(predicted, expected, lambda span: (span[0], span[2]))


@precision_recall_f1.mistake(
    "Your code counts a name as found if it overlaps with an expected one of its kind. All its words have to be right."
)
def overlapping(predicted, expected):
    def hits(some, others):
        return sum(
            any(a[0] == b[0] and a[1] < b[2] and b[1] < a[2] for b in theirs)
            for ours, theirs in zip(some, others, strict=True)
            for a in ours
        )

    found, there = sum(map(len, predicted)), sum(map(len, expected))
    return in_all(hits(predicted, expected), hits(expected, predicted), found, there)


def in_all(both, also_both, found, there):
    """Precision, recall and F1 of counts."""
    precision, recall = both / found if found else 0.0, also_both / there if there else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@precision_recall_f1.mistake(
    "Your code counts words. Count whole names: one that is half right is not correct.",
)
def by_words(predicted, expected):
    def words(sentences):
        return [[(kind, i) for kind, start, stop in spans for i in range(start, stop)] for spans in sentences]

    return entities.precision_recall_f1(words(predicted), words(expected))


@precision_recall_f1.mistake(
    "Your precision and recall are swapped. Precision divides by what was predicted, recall by what was expected."
)
def swapped(predicted, expected):
    precision, recall, f1 = entities.precision_recall_f1(predicted, expected)
    return recall, precision, f1


@precision_recall_f1.mistake(
    "Your F1 is the mean of precision and recall. It is the harmonic mean, 2 · P · R / (P + R), which is low as soon "
    "as one of them is."
)
def arithmetic_mean(predicted, expected):
    precision, recall, _ = entities.precision_recall_f1(predicted, expected)
    return precision, recall, (precision + recall) / 2


@precision_recall_f1.mistake(
    "Your F1 is half as large as it should be: if all is right, it should be 1. It is 2 · P · R / (P + R)."
)
def without_two(predicted, expected):
    precision, recall, f1 = entities.precision_recall_f1(predicted, expected)
    return precision, recall, f1 / 2


@precision_recall_f1.mistake("Your F1 is the square root of P · R. It is the harmonic mean, 2 · P · R / (P + R).")
def geometric_mean(predicted, expected):
    precision, recall, _ = entities.precision_recall_f1(predicted, expected)
    return precision, recall, (precision * recall) ** 0.5


@precision_recall_f1.mistake(
    "Your code averages over sentences, so that a name counts for more where its sentence has few. Add up the counts "
    "of all sentences, and divide once."
)
def mean_of_sentences(predicted, expected):
    scores = [entities.precision_recall_f1([p], [e]) for p, e in zip(predicted, expected, strict=True)]
    return tuple(sum(each) / len(scores) for each in zip(*scores, strict=True))


@precision_recall_f1.mistake(
    "Your code takes equal spans of different sentences for one and the same. Count sentence by sentence."
)
def one_set_for_all(predicted, expected):
    return entities.precision_recall_f1([set().union(*predicted)], [set().union(*expected)])


@precision_recall_f1.mistake(
    "Your code counts a predicted span as found even if it is expected in another sentence only. Compare the spans of "
    "each sentence with those of the same sentence."
)
def found_in_any_sentence(predicted, expected):
    there = [span for spans in expected for span in spans]
    both = sum(span in there for spans in predicted for span in spans)
    return in_all(both, both, sum(map(len, predicted)), len(there))


@precision_recall_f1.mistake(
    "Your code counts a name as found only at the same place in both lists of a sentence. Check whether it is "
    "anywhere in the other list."
)
def place_by_place(predicted, expected):
    pairs = [pair for ours, theirs in zip(predicted, expected, strict=True) for pair in zip(ours, theirs, strict=False)]
    both = sum(one == other for one, other in pairs)
    return in_all(both, both, sum(map(len, predicted)), sum(map(len, expected)))


@precision_recall_f1.mistake(
    "Your numbers are those of the first sentence only. Add up the counts of all sentences, then divide."
)
def first_sentence_only(predicted, expected):
    return entities.precision_recall_f1(predicted[:1], expected[:1])


@precision_recall_f1.mistake(
    "Your numbers are those of the last sentence only. Add up the counts of all sentences, then divide."
)
def last_sentence_only(predicted, expected):
    return entities.precision_recall_f1(predicted[-1:], expected[-1:])


@precision_recall_f1.mistake(
    "Your code divides by zero where nothing was predicted, nothing expected, or nothing found. If the "
    "denominator is 0, the share is 0 here."
)
def unguarded(predicted, expected):
    both = sum(len({*p} & {*e}) for p, e in zip(predicted, expected, strict=True))
    precision, recall = both / sum(map(len, predicted)), both / sum(map(len, expected))
    return precision, recall, 2 * precision * recall / (precision + recall)


@precision_recall_f1.mistake(
    "Your code gives 1 where there is nothing to divide by. If the denominator is 0, the share is 0 here."
)
def nothing_is_perfect(predicted, expected):
    precision, recall, f1 = entities.precision_recall_f1(predicted, expected)
    found, there = sum(map(len, predicted)), sum(map(len, expected))
    return precision if found else 1.0, recall if there else 1.0, f1 if found or there else 1.0


@precision_recall_f1.mistake("Your code returns percentages. Return numbers from 0 to 1.")
def in_per_cent(predicted, expected):
    return tuple(100 * each for each in entities.precision_recall_f1(predicted, expected))


@precision_recall_f1.mistake(
    "Your code leaves out sentences in which nothing is predicted, so that the names expected there are not counted as "
    "missed. Count the expected names of every sentence."
)
def without_predictions_left_out(predicted, expected):
    pairs = [(p, e) for p, e in zip(predicted, expected, strict=True) if p]
    return entities.precision_recall_f1([p for p, _ in pairs], [e for _, e in pairs])


@precision_recall_f1.mistake(
    "Your code leaves out sentences in which nothing is expected, so that the names predicted there are not counted as "
    "wrong. Count the predicted names of every sentence."
)
def without_expectations_left_out(predicted, expected):
    pairs = [(p, e) for p, e in zip(predicted, expected, strict=True) if e]
    return entities.precision_recall_f1([p for p, _ in pairs], [e for _, e in pairs])


@precision_recall_f1.right_for_whole_course
def from_misses(predicted, expected):
    hits, false_alarms, missed = 0, 0, 0
    for ours, theirs in zip(predicted, expected, strict=True):
        hits += sum(span in theirs for span in ours)
        false_alarms += sum(span not in theirs for span in ours)
        missed += sum(span not in ours for span in theirs)
    precision = hits / max(1, hits + false_alarms)
    recall = hits / max(1, hits + missed)
    return precision, recall, hits / max(1, hits + (false_alarms + missed) / 2)


@precision_recall_f1.right
def with_numbered_sentences(predicted, expected):
    P, E = ({(i, *span) for i, spans in enumerate(each) for span in spans} for each in (predicted, expected))
    both = len(P & E)
    if not both:
        return 0, 0, 0
    precision, recall = Fraction(both, len(P)), Fraction(both, len(E))
    return float(precision), float(recall), float(2 / (1 / precision + 1 / recall))


@precision_recall_f1.right
def by_counters(predicted, expected):
    P, E = (Counter((i, span) for i, spans in enumerate(each) for span in spans) for each in (predicted, expected))
    both = (P & E).total()
    return both / (P.total() or 1), both / (E.total() or 1), 2 * both / (P.total() + E.total() or 1)
