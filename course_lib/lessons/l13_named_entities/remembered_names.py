"""The exercise `remembered_names` of notebook 13."""

from collections import Counter, defaultdict
from typing import Any

from course_lib.data.entities import TaggedSentence
from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import entities
from course_lib.scoring.entities import spans_of_tags


def as_plain_tuples(answer: Any) -> Any:
    """Call an answer, and turn the tags of each sentence into a tuple, whether they are in a list or a tuple."""

    def function(known: list[TaggedSentence], sentences: list[list[str]]) -> Any:
        found = answer(known, sentences)
        if not isinstance(found, (list, tuple)):
            return found
        return [tuple(tags) if isinstance(tags, list) else tags for tags in found]

    return function


def tagged(text: str, tags: str) -> TaggedSentence:
    """A sentence from its words and its tags, with spaces between."""
    return TaggedSentence(tuple(text.split()), tuple(tags.split()))


NEW_YORK = tagged("New York is big", "B-LOC I-LOC O O")
YORK = tagged("York is old", "B-LOC O O")
TIMES = tagged("The New York Times wrote", "O B-ORG I-ORG I-ORG O")
OF_AMERICA = tagged("The United States of America won", "O B-LOC I-LOC I-LOC I-LOC O")
OF_EDUCATION = tagged("The State Board of Higher Education met", "O B-ORG I-ORG I-ORG I-ORG I-ORG O")
MAY = tagged("Ms May met Ann", "O B-PER O B-PER")
ANN_LEE = tagged("Ann Lee slept", "B-PER I-PER O")
LEE_SMITH = tagged("Lee Smith ran", "B-ORG I-ORG O")
LEE_AND_SON = tagged("At Lee and Son", "O B-ORG I-ORG I-ORG")
PARIS = [
    tagged("Paris slept", "B-PER O"),
    tagged("In Paris", "O B-LOC"),
    tagged("Near Paris", "O B-LOC"),
]
"""A name that is a person first, and a place most often; the other way round, it is a person last."""
WASHINGTON = [
    tagged("Washington slept", "B-PER O"),
    tagged("In Washington", "O B-LOC"),
    tagged("Washington sang", "B-PER O"),
]
"""A name whose most frequent kind comes last in the alphabet."""

remembered_names = Exercise(
    reference=entities.remembered_names,
    notebook=13,
    order=30,
    minutes=12,
    difficulty=3,
    adapt=as_plain_tuples,
    returns=(Result("the tags"),),
    example=case([NEW_YORK, MAY], [["Ann", "likes", "New", "York"], ["A", "new", "day"]]),
    another=case([MAY, NEW_YORK], [["New", "York", "likes", "May"], ["He", "met", "Ann"]]),
    cases=(
        case([YORK, NEW_YORK, TIMES], [["In", "New", "York", "today"]], having=("a name inside a longer one",)),
        case(
            [TIMES, NEW_YORK, YORK],
            [["A", "New", "York", "Times", "man"], ["old", "York", "Times"]],
            having=("a name inside a longer one", "a part of a name"),
        ),
        case([MAY], [["Annie", "met", "the", "Mayor"]], having=("a name inside a longer word",)),
        case([NEW_YORK], [["New", "Yorkers", "sing"]], having=("a name inside a longer word",)),
        case([MAY], [["Ms", "May", "may", "sing"]], having=("a small letter",)),
        case([ANN_LEE, LEE_SMITH], [["Ann", "Lee", "Smith", "ran"]], having=("names that overlap", "a part of a name")),
        case(
            [LEE_SMITH, ANN_LEE],
            [["Ann", "Lee", "Smith"], ["Lee", "Smith"]],
            having=("names that overlap", "a part of a name"),
        ),
        case(
            [ANN_LEE, LEE_AND_SON],
            [["Ann", "Lee", "and", "Son"], ["Lee", "and", "Son"]],
            having=("names that overlap", "a part of a name"),
        ),
        case(PARIS, [["Paris", "sleeps"]], having=("a name of two kinds",)),
        case([*PARIS[::-1], MAY], [["Paris", "met", "Ann"]], having=("a name of two kinds",)),
        case(WASHINGTON, [["Washington", "sleeps"]], having=("a name of two kinds",)),
        case([NEW_YORK, MAY], [["May", "Ann", "New", "York", "Ann"]], having=("names side by side",)),
        case([NEW_YORK], [["New"], ["York", "New"], []], having=("a part of a name", "an empty sentence")),
        case(
            [OF_AMERICA, MAY],
            [["United", "States", "of", "America"], ["the", "United", "States", "of"]],
            having=("a long name",),
        ),
        case(
            [OF_EDUCATION, MAY],
            [["May", "met", "State", "Board", "of", "Higher", "Education"]],
            having=("a long name",),
        ),
        case([MAY], [[], ["Ms", "May", "ran"]], having=("an empty sentence",)),
        case([OF_AMERICA], [["United"], [], ["America"]], having=("a part of a name", "an empty sentence")),
        case([tagged("It rains", "O O")], [["It", "snows"]], having=("nothing known",)),
    ),
    hints=(
        (
            "Two steps. First make a dictionary from each known name, a tuple of words, to its kind. Then go through "
            "each sentence from left to right, and look for names that begin at the word where you are."
        ),
        (
            "Count the kinds of each name: `Counter.most_common(1)` gives the one that it has most often. In a "
            "sentence, try the longest run of words first, and continue after a name that you have found."
        ),
        (
            "`spans_of_tags(sentence.tags)` gives the names of a known sentence; their words are "
            "`tuple(sentence.words[start:stop])`. A name of n words gets one `B-` and n − 1 times `I-`."
        ),
    ),
)


def counts_of(known):
    """How often each name has each kind."""
    counts = defaultdict(Counter)
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            counts[tuple(sentence.words[start:stop])][kind] += 1
    return counts


def by_kinds(kinds, sentences, *, order=reversed, step=None, key=tuple):
    """Tag the names of a dictionary: the longest first, or in another order, and with another step after a name."""
    found = []
    for words in sentences:
        tags = ["O"] * len(words)
        i = 0
        while i < len(words):
            runs = (key(words[i:stop]) for stop in order(range(i + 1, len(words) + 1)))
            name = next((run for run in runs if run in kinds), ())
            for j in range(len(name)):
                tags[i + j] = f"{'I' if j else 'B'}-{kinds[name]}"
            i += step or len(name) or 1
        found.append(tuple(tags))
    return found


def most_frequent(known):
    """The kind that each name has most often."""
    return {name: counter.most_common(1)[0][0] for name, counter in counts_of(known).items()}


@remembered_names.mistake(
    "Your code takes the shortest name that begins at a word, New York in New York Times. Try the longest first."
)
def shortest_first(known, sentences):
    return by_kinds(most_frequent(known), sentences, order=iter)


@remembered_names.mistake(
    "Your code finds no name of more than three words. Try every length, up to the end of the sentence."
)
def up_to_three_words(known, sentences):
    kinds = {name: kind for name, kind in most_frequent(known).items() if len(name) <= 3}
    return by_kinds(kinds, sentences)


@remembered_names.mistake(
    "Your code finds no name of more than four words. Try every length, up to the end of the sentence."
)
def up_to_four_words(known, sentences):
    kinds = {name: kind for name, kind in most_frequent(known).items() if len(name) <= 4}
    return by_kinds(kinds, sentences)


@remembered_names.mistake(
    "Of two names that overlap, your code takes the one that ends last, as if it went from right to left. Go from left "
    "to right: the one that begins first counts."
)
def right_to_left(known, sentences):
    kinds, result = most_frequent(known), []
    for words in sentences:
        tags, stop = ["O"] * len(words), len(words)
        while stop:
            start = next((i for i in range(stop) if tuple(words[i:stop]) in kinds), None)
            if start is not None:
                kind = kinds[tuple(words[start:stop])]
                tags[start:stop] = [f"B-{kind}", *[f"I-{kind}"] * (stop - start - 1)]
            stop = stop - 1 if start is None else start
        result.append(tags)
    return result


@remembered_names.mistake(
    "Of two names that overlap, your code takes the longer one, even if the other begins before it. Go from left to "
    "right, and compare only names that begin at the same word."
)
def longest_of_the_sentence_first(known, sentences):
    kinds, result = most_frequent(known), []
    for words in sentences:
        tags = ["O"] * len(words)
        for name in sorted(kinds, key=len, reverse=True):
            for i in range(len(words) - len(name) + 1):
                if tuple(words[i : i + len(name)]) == name and set(tags[i : i + len(name)]) == {"O"}:
                    tags[i : i + len(name)] = [f"{'I' if j else 'B'}-{kinds[name]}" for j in range(len(name))]
        result.append(tags)
    return result


@remembered_names.mistake(
    "Your code also looks for names inside a name that it has found, and these overwrite its tags. Continue after the "
    "name."
)
def inside_names_too(known, sentences):
    return by_kinds(most_frequent(known), sentences, step=1)


@remembered_names.mistake(
    "Your code tags each word for itself, as it was tagged in a name, so a part of a name counts as a name. Remember "
    "whole names, as tuples of words."
)
def single_words(known, sentences):
    tags = {}
    for sentence in known:
        tags.update({word: tag for word, tag in zip(sentence.words, sentence.tags, strict=True) if tag != "O"})
    return [tuple(tags.get(word, "O") for word in words) for words in sentences]


@remembered_names.mistake(
    "Your code tags each word for itself, with its most frequent tag, O included, so a part of a name counts as a "
    "name. Remember whole names, as tuples of words."
)
def every_word(known, sentences):
    counts = defaultdict(Counter)
    for sentence in known:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts[word][tag] += 1
    return [
        tuple(counts[word].most_common(1)[0][0] if word in counts else "O" for word in words) for words in sentences
    ]


@remembered_names.mistake(
    "Your code finds only names of a single word. A name may have several: look for runs of words, the longest first."
)
def single_word_names(known, sentences):
    return by_kinds({name: kind for name, kind in most_frequent(known).items() if len(name) == 1}, sentences)


@remembered_names.mistake(
    "Your code finds no name that goes up to the end of the sentence. If you try the ends with `range`, note that it "
    "leaves out its own: a name may end at `len(words)`."
)
def never_up_to_the_end(known, sentences):
    return [
        tags[:-1] for tags in by_kinds(most_frequent(known), [[*words, "."] for words in sentences], order=but_last)
    ]


def but_last(stops):
    """The stops from right to left, without the two that are farthest right."""
    return reversed(stops[:-2])


@remembered_names.mistake(
    "Where a name ends a sentence, there may be more tags than words in your result: past the end, `words[i : i + n]` "
    "is shorter than n. Write as many tags as the name has words."
)
def more_tags_than_words(known, sentences):
    kinds, result = most_frequent(known), []
    longest = max(map(len, kinds), default=0)
    for words in sentences:
        tags, i = [], 0
        while i < len(words):
            n = next((n for n in range(longest, 0, -1) if tuple(words[i : i + n]) in kinds), 0)
            kind = kinds.get(tuple(words[i : i + n]))
            tags += [f"B-{kind}", *[f"I-{kind}"] * (n - 1)] if n else ["O"]
            i += n or 1
        result.append(tuple(tags))
    return result


@remembered_names.mistake(
    "Your code gives each word of a name a `B-`. Only its first word has one; the others have `I-`."
)
def all_begin(known, sentences):
    found = entities.remembered_names(known, sentences)
    return [tuple("B" + tag[1:] if tag != "O" else tag for tag in tags) for tags in found]


@remembered_names.mistake("Your code gives each word of a name an `I-`. Its first word has a `B-`.")
def all_inside(known, sentences):
    found = entities.remembered_names(known, sentences)
    return [tuple("I" + tag[1:] if tag != "O" else tag for tag in tags) for tags in found]


@remembered_names.mistake(
    "Your code takes the kind that a name had last. Count its kinds, and take the one that it has most often."
)
def last_kind(known, sentences):
    kinds = {}
    for sentence in known:
        kinds |= {tuple(sentence.words[a:b]): kind for kind, a, b in spans_of_tags(sentence.tags)}
    return by_kinds(kinds, sentences)


@remembered_names.mistake(
    "Your code takes the kind that a name had first. Count its kinds, and take the one that it has most often."
)
def first_kind(known, sentences):
    return by_kinds({name: next(iter(counter)) for name, counter in counts_of(known).items()}, sentences)


@remembered_names.mistake(
    "Your code takes the kind that a name has least often. `most_common()` begins with the most frequent one."
)
def rarest_kind(known, sentences):
    return by_kinds({name: counter.most_common()[-1][0] for name, counter in counts_of(known).items()}, sentences)


@remembered_names.mistake(
    "Of several kinds of a name, your code takes the last in the alphabet, as `max` of the kinds would. Take the one "
    "that the name has most often: `most_common(1)` finds it."
)
def last_in_the_alphabet(known, sentences):
    return by_kinds({name: max(counter) for name, counter in counts_of(known).items()}, sentences)


@remembered_names.mistake(
    "Of several kinds of a name, your code takes the first in the alphabet. Take the one that the name has most often: "
    "`most_common(1)` finds it."
)
def first_in_the_alphabet(known, sentences):
    return by_kinds({name: min(counter) for name, counter in counts_of(known).items()}, sentences)


@remembered_names.mistake(
    "Your code leaves out names that occur with several kinds. Give them the kind that they have most often."
)
def unambiguous_only(known, sentences):
    counts = counts_of(known).items()
    return by_kinds({name: next(iter(counter)) for name, counter in counts if len(counter) == 1}, sentences)


@remembered_names.mistake("Your code ignores capitals, so that any *may* is a name. Compare the words as they are.")
def without_capitals(known, sentences):
    kinds = {tuple(map(str.lower, name)): kind for name, kind in most_frequent(known).items()}
    return by_kinds(kinds, sentences, key=lambda words: tuple(map(str.lower, words)))


@remembered_names.mistake(
    "Your code returns spans. Return a tag for each word of each sentence, so that it can be compared with a model's."
)
def as_spans(known, sentences):
    return [[tuple(span) for span in spans_of_tags(tags)] for tags in entities.remembered_names(known, sentences)]


@remembered_names.mistake(
    "Your code finds a name at the beginning of a longer word, Ann in Annie, as `startswith` in the joined text does. "
    "Compare whole words, as tuples."
)
def at_the_beginning_of_a_word(known, sentences):
    kinds, found = most_frequent(known), []
    for words in sentences:
        tags, i = ["O"] * len(words), 0
        while i < len(words):
            rest = " ".join(words[i:])
            name = max((name for name in kinds if rest.startswith(" ".join(name))), key=len, default=())
            for j in range(len(name)):
                tags[i + j] = f"{'I' if j else 'B'}-{kinds[name]}"
            i += len(name) or 1
        found.append(tuple(tags))
    return found


@remembered_names.mistake(
    "Your code forgets names at the end of a known sentence, as if a name were kept only when another word follows. "
    "Keep the name that is still open after the last word, too."
)
def names_at_the_end_forgotten(known, sentences):
    cut = []
    for sentence in known:
        stop = len(sentence.words)
        if sentence.tags[-1:] != ("O",):
            stop = max(start for _, start, _ in spans_of_tags(sentence.tags))
        cut.append(TaggedSentence(sentence.words[:stop], sentence.tags[:stop]))
    return entities.remembered_names(cut, sentences)


@remembered_names.right_for_whole_course
def by_marking(known, sentences):
    seen = {}
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            name = tuple(sentence.words[start:stop])
            seen.setdefault(name, []).append(kind)
    found = []
    for words in sentences:
        tags, i = ["O"] * len(words), 0
        while i < len(words):
            for stop in range(len(words), i, -1):
                name = tuple(words[i:stop])
                if name in seen:
                    kind = max(dict.fromkeys(seen[name]), key=seen[name].count)
                    tags[i:stop] = [f"B-{kind}"] + [f"I-{kind}"] * (len(name) - 1)
                    i = stop - 1
                    break
            i += 1
        found.append(tags)
    return found


@remembered_names.right
def by_one_long_function(known, sentences):
    return by_kinds(most_frequent(known), sentences)
