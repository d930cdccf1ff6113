"""The exercise `bleu` of notebook 15."""

import math
from collections import Counter

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import bleu as scoring
from course_lib.scoring.bleu import brevity_penalty, clipped_matches, closest_length, count_ngrams

THE_CAT = ["le", "chat", "est", "assis", "sur", "le", "tapis"]
A_DOG = ["il", "y", "a", "un", "chien", "dans", "le", "jardin"]
CATS = [THE_CAT, ["le", "chat", "se", "trouve", "sur", "le", "tapis"]]
DOGS = [["un", "chien", "est", "dans", "le", "jardin"], ["il", "y", "a", "un", "chien", "au", "jardin"]]

bleu = Exercise(
    reference=scoring.bleu,
    notebook=15,
    order=40,
    minutes=12,
    difficulty=3,
    returns=(Result("the score"),),
    example=case([["le", "chat", "est", "sur", "le", "tapis"]], [CATS], 2),
    another=case([["le", "chat", "dort", "sur", "le", "tapis"]], [CATS], 2),
    cases=(
        case([THE_CAT], [[THE_CAT]], 4, having=("a perfect translation", "another longest n")),
        case([THE_CAT, A_DOG], [CATS, DOGS], 4, having=("two sentences", "another longest n")),
        case([["le", "chat"], A_DOG], [CATS, DOGS], 2, having=("two sentences", "a translation of two words")),
        case([[*THE_CAT, "brun"], A_DOG[:6]], [CATS[:1], DOGS[1:]], 3, having=("two sentences", "another longest n")),
        case([["oui"]], [[["non"]]], 2, having=("sentences that share no word",)),
        case(
            [["le", "chat"], THE_CAT],
            [CATS, CATS],
            4,
            having=(
                "a sentence too short for the longest n-grams",
                "two sentences",
                "a translation of two words",
                "another longest n",
            ),
        ),
        case([A_DOG], [DOGS], 1, having=("single words only", "another longest n")),
        case([["le", "chat", "est"]], [[THE_CAT, ["le", "chat", "dort"]]], 2, having=("the closest reference last",)),
        case([["tapis", "chat", "le"]], [CATS], 2, having=("right words without a right pair",)),
        case(
            [THE_CAT, A_DOG[:4]],
            [
                [THE_CAT[:4], [*THE_CAT, "brun"], THE_CAT[:5]],
                [[*A_DOG, "vert"], A_DOG[:6], A_DOG[:7]],
            ],
            2,
            having=("two sentences", "three references of each sentence"),
        ),
        case(
            [["le", "chat", "le", "chat", "le", "chat", "dort"]],
            [[["le", "chat", "dort"], ["le", "chat", "est", "assis", "sur", "le", "tapis"]]],
            2,
            having=("words that are repeated", "two references of unequal length"),
        ),
        case([[], THE_CAT], [DOGS, CATS], 2, having=("an empty translation", "two sentences")),
    ),
    hints=(
        "For one n: how many n-grams of all sentences match, and how many are there? Divide once, at the end.",
        "The mean of the N shares is a geometric one: add up their logarithms, divide by N, and take `math.exp`.",
        (
            "If no n-gram of some length matches, the score is 0. Otherwise it is 100 times the penalty of all lengths "
            "together times `math.exp(sum_of_logs / longest)`."
        ),
    ),
)


def shares(hypotheses, references, longest, matches=clipped_matches):
    """The share of matches for each n, over all sentences together; `matches` counts those of one sentence."""
    pairs = list(zip(hypotheses, references, strict=True))
    return [
        sum(matches(hypothesis, correct, n) for hypothesis, correct in pairs)
        / max(1, sum(max(len(hypothesis) - n + 1, 0) for hypothesis in hypotheses))
        for n in range(1, longest + 1)
    ]


def penalty(hypotheses, references):
    """The brevity penalty over all sentences together."""
    pairs = list(zip(hypotheses, references, strict=True))
    closest = [closest_length(len(hypothesis), list(map(len, correct))) for hypothesis, correct in pairs]
    return brevity_penalty(sum(map(len, hypotheses)), sum(closest))


def geometric_mean(values):
    """Their geometric mean, 0 if one is 0."""
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) else 0.0


@bleu.mistake(
    "Your score is the mean of the scores of the sentences. Add up matches and n-grams over all sentences, and divide "
    "once: BLEU is a score of a whole text."
)
def mean_of_sentences(hypotheses, references, longest):
    scores = [scoring.bleu([h], [r], longest) for h, r in zip(hypotheses, references, strict=True)]
    return sum(scores) / len(scores)


@bleu.mistake(
    "Your p_n is the mean of the sentences' own shares. Add up matches and n-grams over all sentences, and divide once."
)
def mean_of_shares(hypotheses, references, longest):
    pairs = list(zip(hypotheses, references, strict=True))
    values = []
    for n in range(1, longest + 1):
        parts = [clipped_matches(*pair, n) / max(1, len(pair[0]) - n + 1) for pair in pairs]
        values.append(sum(parts) / len(parts))
    return 100 * penalty(hypotheses, references) * geometric_mean(values)


@bleu.mistake(
    "Your penalty is the mean of the penalties of the sentences. Add up the lengths of all sentences first, since a "
    "long one may make up for a short one."
)
def mean_of_penalties(hypotheses, references, longest):
    penalties = [penalty([h], [r]) for h, r in zip(hypotheses, references, strict=True)]
    return 100 * sum(penalties) / len(penalties) * geometric_mean(shares(hypotheses, references, longest))


@bleu.mistake("Your score takes the arithmetic mean of the shares. BLEU takes the geometric one, which one 0 makes 0.")
def arithmetic_mean(hypotheses, references, longest):
    values = shares(hypotheses, references, longest)
    return 100 * penalty(hypotheses, references) * sum(values) / len(values)


@bleu.mistake(
    "Your score takes the arithmetic mean of the shares where none of them is 0. BLEU takes the geometric one there "
    "too."
)
def arithmetic_mean_or_zero(hypotheses, references, longest):
    values = shares(hypotheses, references, longest)
    return 100 * penalty(hypotheses, references) * sum(values) / len(values) if all(values) else 0.0


@bleu.mistake("Your score has no brevity penalty, so that a translation of a few sure words can score 100.")
def without_penalty(hypotheses, references, longest):
    return 100 * geometric_mean(shares(hypotheses, references, longest))


@bleu.mistake("Your score is from 0 to 1. BLEU is usually given from 0 to 100: multiply by 100.")
def up_to_one(hypotheses, references, longest):
    return scoring.bleu(hypotheses, references, longest) / 100


bleu.patch(
    "Your score takes the product of the shares, without the N-th root: raise it to the power of 1/N, or divide the "
    "sum of the logarithms by N.",
    replace="log_precisions / longest",
    by="log_precisions",
)
bleu.patch(
    "Your score always takes the fourth root of the product. It is the N-th root, where N is `longest`.",
    replace="log_precisions / longest",
    by="log_precisions / 4",
)


@bleu.mistake(
    "Your score adds 1 to the number of matches and to that of all n-grams, for each n. That smooths it, so that it is "
    "not 0 where nothing matches. Here the shares are taken as they are."
)
def smoothed(hypotheses, references, longest):
    return scoring_of_smoothed(hypotheses, references, longest, root=longest)


@bleu.mistake(
    "Your score adds 1 to the number of matches and to that of all n-grams, for each n, and takes the fourth root of "
    "the product. Take the shares as they are, and the N-th root, where N is `longest`."
)
def smoothed_fourth_root(hypotheses, references, longest):
    return scoring_of_smoothed(hypotheses, references, longest, root=4)


def scoring_of_smoothed(hypotheses, references, longest, root):
    """BLEU with 1 added to matches and n-grams, and with a root of the product."""
    pairs = list(zip(hypotheses, references, strict=True))
    logs = 0.0
    for n in range(1, longest + 1):
        matches = sum(clipped_matches(hypothesis, correct, n) for hypothesis, correct in pairs)
        total = sum(max(len(hypothesis) - n + 1, 0) for hypothesis in hypotheses)
        logs += math.log((matches + 1) / (total + 1))
    return 100 * penalty(hypotheses, references) * math.exp(logs / root)


bleu.patch(
    "Your score takes the product of the shares and divides it by N, as `** 1 / longest` does. The N-th root is the "
    "power of 1/N: write `** (1 / longest)`.",
    replace="math.exp(log_precisions / longest)",
    by="math.exp(log_precisions) / longest",
)


@bleu.mistake("Your score always counts n-grams up to n = 4. Count those from 1 to `longest`.")
def always_up_to_four(hypotheses, references, longest):
    return scoring.bleu(hypotheses, references, 4)


@bleu.mistake("Your score counts the longest n-grams only. BLEU takes the mean over all n from 1 to `longest`.")
def longest_only(hypotheses, references, longest):
    return 100 * penalty(hypotheses, references) * shares(hypotheses, references, longest)[-1]


@bleu.mistake(
    "Your score counts n-grams only up to n = `longest` - 1. If you loop over n with `range`, note that it leaves out "
    "its end: `range(1, longest + 1)`."
)
def one_too_few(hypotheses, references, longest):
    return scoring.bleu(hypotheses, references, longest - 1) if longest > 1 else 0.0


@bleu.mistake(
    "Your score leaves out the longest n-grams, but takes the root as if they were there. If you loop over n with "
    "`range`, note that it leaves out its end: `range(1, longest + 1)`."
)
def one_too_few_for_the_root(hypotheses, references, longest):
    values = shares(hypotheses, references, longest)[:-1]
    return 100 * penalty(hypotheses, references) * math.prod(values) ** (1 / longest)


bleu.patch(
    "Your shares are divided by the number of words. A sentence of w words has w - n + 1 n-grams, or none if it is "
    "shorter than n.",
    replace="max(len(hypothesis) - n + 1, 0)",
    by="len(hypothesis)",
)
bleu.patch(
    "Your shares are divided by the number of different n-grams. Count each as often as it occurs.",
    replace="max(len(hypothesis) - n + 1, 0)",
    by="len(set(count_ngrams(hypothesis, n)))",
)
bleu.patch(
    "For a sentence shorter than n − 1, your number of n-grams is negative. It has none: `max(len(…) - n + 1, 0)`.",
    replace="max(len(hypothesis) - n + 1, 0)",
    by="len(hypothesis) - n + 1",
)
bleu.patch(
    "Your penalty compares with the shortest reference. Take the one whose length is closest, by `closest_length`.",
    replace="closest_length(len(hypothesis), list(map(len, correct)))",
    by="min(map(len, correct))",
)
bleu.patch(
    "Your penalty compares with the longest reference. Take the one whose length is closest, by `closest_length`.",
    replace="closest_length(len(hypothesis), list(map(len, correct)))",
    by="max(map(len, correct))",
)
bleu.patch(
    "Your penalty compares with the first reference. Take the one whose length is closest, by `closest_length`.",
    replace="closest_length(len(hypothesis), list(map(len, correct)))",
    by="len(correct[0])",
)


@bleu.mistake(
    "Your penalty adds up the lengths of all first references, of all second ones and so on, and takes the closest of "
    "these sums. Take the closest length for each sentence, by `closest_length`, and add these up."
)
def closest_of_the_sums(hypotheses, references, longest):
    length = sum(map(len, hypotheses))
    sums = [sum(map(len, column)) for column in zip(*references, strict=False)]
    factor = brevity_penalty(length, closest_length(length, sums))
    return 100 * factor * geometric_mean(shares(hypotheses, references, longest))


@bleu.mistake(
    "Where an n-gram is repeated, your code lets it match as often as it occurs in all references together. Call your "
    "`clipped_matches`: at most as often as in the one reference that has it most often."
)
def limited_by_the_sum(hypotheses, references, longest):
    def matches(hypothesis, correct, n):
        in_all = sum((Counter(count_ngrams(tokens, n)) for tokens in correct), Counter())
        return (Counter(count_ngrams(hypothesis, n)) & in_all).total()

    return 100 * penalty(hypotheses, references) * geometric_mean(shares(hypotheses, references, longest, matches))


@bleu.mistake(
    "Your code does not clip: an n-gram that is repeated matches every time, even if no reference has it so often. "
    "Call your `clipped_matches`."
)
def without_clipping(hypotheses, references, longest):
    def matches(hypothesis, correct, n):
        known = {each for tokens in correct for each in count_ngrams(tokens, n)}
        return sum(count for each, count in count_ngrams(hypothesis, n).items() if each in known)

    return 100 * penalty(hypotheses, references) * geometric_mean(shares(hypotheses, references, longest, matches))


@bleu.mistake(
    "Your code skips an empty translation, so the length of its reference is missing in r. Nothing was translated "
    "there, and the penalty has to count it."
)
def empty_ones_skipped(hypotheses, references, longest):
    kept = [i for i, hypothesis in enumerate(hypotheses) if hypothesis]
    return scoring.bleu([hypotheses[i] for i in kept], [references[i] for i in kept], longest)


@bleu.mistake("Your score uses the first reference of each sentence only. A translation may agree with any of them.")
def first_reference(hypotheses, references, longest):
    return scoring.bleu(hypotheses, [each[:1] for each in references], longest)


@bleu.mistake(
    "Your shares are divided by the number of n-grams of the first references. That is recall; BLEU divides by those "
    "of the translations, and the penalty takes recall's place."
)
def recall(hypotheses, references, longest):
    pairs = list(zip(hypotheses, references, strict=True))
    values = [
        sum(clipped_matches(hypothesis, correct, n) for hypothesis, correct in pairs)
        / max(1, sum(max(len(correct[0]) - n + 1, 0) for correct in references))
        for n in range(1, longest + 1)
    ]
    return 100 * penalty(hypotheses, references) * geometric_mean(values)


@bleu.mistake(
    "Where no n-gram of some length matches, your code takes the logarithm of 0. The score is 0 then: return it "
    "before you take a logarithm."
)
def logarithm_of_zero(hypotheses, references, longest):
    values = shares(hypotheses, references, longest)
    return 100 * penalty(hypotheses, references) * math.exp(sum(map(math.log, values)) / longest)


@bleu.mistake("Your score skips the lengths at which nothing matches. If no n-gram of one length matches, BLEU is 0.")
def skips_zeros(hypotheses, references, longest):
    values = [value for value in shares(hypotheses, references, longest) if value]
    return 100 * penalty(hypotheses, references) * geometric_mean(values) if values else 0.0


@bleu.mistake(
    "Your penalty is upside down. Its exponent is 1 − r/c, with the length c of the translations and the length r of "
    "the closest references; `brevity_penalty` takes c first."
)
def lengths_exchanged(hypotheses, references, longest):
    pairs = list(zip(hypotheses, references, strict=True))
    closest = sum(closest_length(len(hypothesis), list(map(len, correct))) for hypothesis, correct in pairs)
    factor = brevity_penalty(closest, sum(map(len, hypotheses)))
    return 100 * factor * geometric_mean(shares(hypotheses, references, longest))


@bleu.right_for_whole_course
def with_a_product(hypotheses, references, longest=4):
    product = 1.0
    for n in range(1, longest + 1):
        matches = total = 0
        for hypothesis, correct in zip(hypotheses, references, strict=True):
            matches += clipped_matches(hypothesis, correct, n)
            total += count_ngrams(hypothesis, n).total()
        if total == 0:
            return 0.0
        product *= matches / total
    length = of_references = 0
    for hypothesis, correct in zip(hypotheses, references, strict=True):
        length += len(hypothesis)
        of_references += closest_length(len(hypothesis), [len(each) for each in correct])
    return 100 * brevity_penalty(length, of_references) * product ** (1 / longest)


@bleu.right
def by_logarithms_of_counts(hypotheses, references, longest=4):
    logs = []
    for n in range(1, longest + 1):
        found = [clipped_matches(h, r, n) for h, r in zip(hypotheses, references, strict=True)]
        if not any(found):
            return 0
        total = sum(count_ngrams(h, n).total() for h in hypotheses)
        logs.append(math.log(sum(found)) - math.log(total))
    c = sum(map(len, hypotheses))
    pairs = zip(hypotheses, references, strict=True)
    r = sum(closest_length(len(h), [len(each) for each in correct]) for h, correct in pairs)
    return 100 * math.exp(min(0, 1 - r / c) + sum(logs) / longest)
