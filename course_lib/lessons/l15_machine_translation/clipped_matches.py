"""The exercise `clipped_matches` of notebook 15."""

from collections import Counter

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import bleu
from course_lib.scoring.bleu import count_ngrams

clipped_matches = Exercise(
    reference=bleu.clipped_matches,
    notebook=15,
    order=20,
    minutes=8,
    difficulty=2,
    returns=(Result("the number of matches"),),
    example=case(["le", "chat", "le", "chat", "le", "chat"], [["le", "chat", "et", "le", "chien"]], 1),
    another=case(["il", "est", "là", "il", "est"], [["il", "est", "parti"]], 1),
    cases=(
        case(["le", "chat", "dort"], [["le", "chien", "dort"], ["un", "chat", "dort"]], 1, having=("two references",)),
        case(["le", "le", "le", "le"], [["le", "le"], ["le", "le", "le"]], 1, having=("two references",)),
        case(["le", "le", "chat"], [["le", "le", "dort"], ["le", "chat"]], 1, having=("two references",)),
        case(["le", "chat", "dort", "ici"], [["ici", "le", "chat", "dort"]], 2, having=("runs of two words",)),
        case(
            ["le", "chat", "dort"],
            [["dort", "chat", "le"]],
            2,
            having=("the same words in another order", "runs of two words"),
        ),
        case(
            ["a", "b", "c", "a", "b"],
            [["a", "b", "d"], ["b", "c", "a", "b"]],
            2,
            having=("two references", "runs of two words"),
        ),
        case(["on", "a", "tout"], [["bon", "chat", "toute"]], 1, having=("a word that is a part of another",)),
        case(
            ["a", "tout", "vu"],
            [["la", "tout", "a", "toute"]],
            2,
            having=("a word that is a part of another", "runs of two words"),
        ),
        case(["oui"], [["non"]], 1, having=("sentences that share no word",)),
        case(["le", "chat"], [["le", "le", "chat"], ["chat"]], 1, having=("two references", "a reference with more")),
        case(["a", "b", "a"], [["a", "b", "a", "b", "a"]], 2, having=("a reference with more", "runs of two words")),
        case(["oui"], [["oui", "oui"]], 2, having=("a text that is too short", "runs of two words")),
        case([], [["oui"]], 1, having=("no words",)),
        case(["le", "le", "le", "chat"], [["le", "chat"]] * 2, 1, having=("two equal references", "two references")),
        case(["a", "a", "b", "b", "c"], [["a", "a", "c"], ["b", "b"], ["a", "b"]], 1, having=("three references",)),
    ),
    hints=(
        "`le chat le chat le chat` has three of `le`; the reference has two. How many of them may count as right?",
        "For each n-gram, how often does it occur in the reference that has it most often? It cannot match more often.",
        "For counters, `a | b` takes the larger count of each, `a & b` the smaller. `.total()` adds all counts up.",
    ),
)


@clipped_matches.mistake(
    "Your code counts every n-gram of the translation that is in a reference, however often. Then `le le le le` is "
    "perfect. Count it at most as often as the reference has it.",
    seen="https://aclanthology.org/P02-1040",
)
def not_clipped(hypothesis, references, n):
    known = set().union(*(count_ngrams(reference, n) for reference in references))
    return sum(count for gram, count in count_ngrams(hypothesis, n).items() if gram in known)


@clipped_matches.mistake(
    "Your code adds up the counts of all references. An n-gram may match as often as it occurs in the reference that "
    "has it most often: take the largest count."
)
def sum_of_references(hypothesis, references, n):
    every = sum((count_ngrams(reference, n) for reference in references), Counter())
    return (count_ngrams(hypothesis, n) & every).total()


@clipped_matches.mistake(
    "Your code counts each n-gram once, even if the translation and a reference both have it twice. Take the smaller "
    "of the two counts."
)
def once_each(hypothesis, references, n):
    known = set().union(*(count_ngrams(reference, n) for reference in references))
    return len(known & set(count_ngrams(hypothesis, n)))


@clipped_matches.mistake(
    "Your code counts how often the reference has each n-gram of the translation. If the reference has it more often, "
    "only those of the translation match: take the smaller of the two counts."
)
def counts_of_the_reference(hypothesis, references, n):
    counts = [count_ngrams(reference, n) for reference in references]
    return sum(max(each.get(gram, 0) for each in counts) for gram in count_ngrams(hypothesis, n))


@clipped_matches.mistake("Your code compares with the first reference only. What matches any of them is right.")
def first_reference(hypothesis, references, n):
    return bleu.clipped_matches(hypothesis, references[:1], n)


@clipped_matches.mistake("Your code compares with the last reference only. What matches any of them is right.")
def last_reference(hypothesis, references, n):
    return bleu.clipped_matches(hypothesis, references[-1:], n)


@clipped_matches.mistake(
    "Your result is the number of matches with the best single reference. Different n-grams may match different "
    "references: first collect the largest count of each n-gram."
)
def best_reference(hypothesis, references, n):
    return max(bleu.clipped_matches(hypothesis, [reference], n) for reference in references)


@clipped_matches.mistake(
    "Your code adds up the matches with each reference, so that a word in two references counts twice."
)
def matches_added(hypothesis, references, n):
    return sum(bleu.clipped_matches(hypothesis, [reference], n) for reference in references)


@clipped_matches.mistake(
    "In your code, an n-gram has to be in all references. It is enough that one has it: take the largest count."
)
def in_all(hypothesis, references, n):
    counts = [count_ngrams(reference, n) for reference in references]
    common = counts[0]
    for each in counts[1:]:
        common &= each
    return (count_ngrams(hypothesis, n) & common).total()


@clipped_matches.mistake(
    "The last reference that has an n-gram sets your limit for it. The one that has it most often should: an earlier "
    "one may have it more often."
)
def limit_of_the_last(hypothesis, references, n):
    limit = {}
    for reference in references:
        limit.update(count_ngrams(reference, n))
    return (count_ngrams(hypothesis, n) & Counter(limit)).total()


@clipped_matches.mistake(
    "The first reference that has an n-gram sets your limit for it. The one that has it most often should: a later "
    "one may have it more often."
)
def limit_of_the_first(hypothesis, references, n):
    return limit_of_the_last(hypothesis, references[::-1], n)


@clipped_matches.mistake("Your result is the share of matches. Return their number: the division comes later.")
def share(hypothesis, references, n):
    total = max(len(hypothesis) - n + 1, 1)
    return bleu.clipped_matches(hypothesis, references, n) / total


@clipped_matches.mistake("Your code counts single words, whatever n is. Use runs of n words.")
def single_words(hypothesis, references, n):
    return bleu.clipped_matches(hypothesis, references, 1)


@clipped_matches.mistake(
    "Your code also finds an n-gram inside longer words of a reference, as a search in its joined text does: `on` is "
    "in `bon`. Compare whole words, with `count_ngrams`."
)
def inside_longer_words(hypothesis, references, n):
    texts = [" ".join(reference) for reference in references]
    counts = count_ngrams(hypothesis, n).items()
    return sum(min(count, max(text.count(" ".join(gram)) for text in texts)) for gram, count in counts)


@clipped_matches.right_for_whole_course
def in_loops(hypothesis, references, n):
    matches = 0
    for gram, count in count_ngrams(hypothesis, n).items():
        matches += min(count, max(count_ngrams(reference, n)[gram] for reference in references))
    return matches


@clipped_matches.right
def by_counting_down(hypothesis, references, n):
    left = Counter()
    for reference in references:
        for gram, count in Counter(tuple(reference[i : i + n]) for i in range(len(reference) - n + 1)).items():
            left[gram] = max(left[gram], count)
    matches = 0
    for i in range(len(hypothesis) - n + 1):
        gram = tuple(hypothesis[i : i + n])
        if left[gram] > 0:
            left[gram] -= 1
            matches += 1
    return matches
