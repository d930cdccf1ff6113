"""The exercise `spans_of_tags` of notebook 13."""

import itertools
from typing import Any

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import entities


def as_plain_tuples(answer: Any) -> Any:
    """Call an answer, and turn spans with names for their parts into plain tuples, in which they are compared."""

    def function(tags: list[str]) -> Any:
        spans = answer(tags)
        return [tuple(span) if isinstance(span, tuple) else span for span in spans] if type(spans) is list else spans

    return function


spans_of_tags = Exercise(
    reference=entities.spans_of_tags,
    notebook=13,
    order=10,
    minutes=12,
    difficulty=3,
    adapt=as_plain_tuples,
    returns=(Result("the spans"),),
    example=case(["B-PER", "I-PER", "O", "B-LOC"]),
    another=case(["B-ORG", "I-ORG", "O", "B-MISC"]),
    cases=(
        case(["O", "B-LOC", "I-LOC", "I-LOC"], having=("a name of three words",)),
        case(["B-PER", "B-PER", "I-PER", "O"], having=("two names side by side",)),
        case(["O", "I-PER", "I-PER", "O", "I-LOC"], having=("an I at the beginning or after O",)),
        case(
            ["B-PER", "I-LOC", "I-LOC", "O"],
            having=("in which an `I-` follows a name of another kind", "two names side by side"),
        ),
        case(
            ["I-ORG", "B-ORG", "I-PER", "I-PER"],
            having=(
                "an I at the beginning or after O",
                "in which an `I-` follows a name of another kind",
                "two names side by side",
            ),
        ),
        case(["O", "O", "O"], having=("no name",)),
        case(["B-MISC"], having=("a single word",)),
        case(["I-ORG"], having=("a single word", "an I at the beginning or after O")),
        case(["I-LOC", "O", "B-LOC"], having=("the same kind again after O", "an I at the beginning or after O")),
        case(["B-BOOK", "I-BOOK", "O", "B-ITEM"], having=("a kind that begins with B or I",)),
        case(
            ["B-LOC", "O", "B-LOC", "O", "I-LOC"],
            having=("the same kind again after O", "an I at the beginning or after O"),
        ),
        case(
            ["B-PER", "O", "O", "I-PER", "I-PER"],
            having=("the same kind again after O", "an I at the beginning or after O"),
        ),
    ),
    hints=(
        (
            "Go through the tags from left to right, and keep the kind and the first word of the name that you are "
            "in, if any. Which tags end it? Which begin another?"
        ),
        (
            "A name continues only with `I-` of its own kind. Anything else ends it. `B-` begins one, and so does "
            "`I-` where no name of its kind is open."
        ),
        (
            "Split each tag: `place, _, kind = tag.partition('-')`. Loop over `[*tags, 'O']`, so that a name at the "
            "end of the sentence is closed as well."
        ),
    ),
)


def spans_of(tags):
    """The right spans, as plain tuples."""
    return [tuple(span) for span in entities.spans_of_tags(tags)]


@spans_of_tags.mistake(
    "Your code loses a name that goes up to the last word. If a name is closed only where another tag follows, close "
    "the last one after the loop, or loop over `[*tags, 'O']`."
)
def last_one_lost(tags):
    return [span for span in spans_of(tags) if span[2] < len(tags)]


@spans_of_tags.mistake(
    "Your stop is the name's last word. Here it is the word after that, as in Python's slices: `words[start:stop]`."
)
def stop_inclusive(tags):
    return [(kind, start, stop - 1) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake(
    "Your code joins two names of one kind that are side by side. `B-` always begins a new one, also directly after "
    "another of the same kind."
)
def neighbours_joined(tags):
    return spans_of(["I" + tag[1:] if tag != "O" else tag for tag in tags])


@spans_of_tags.mistake(
    "Your code drops an `I-` that continues no name. A model may write that; here it begins a name, as in conlleval "
    "and seqeval."
)
def stray_inside_dropped(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append([tag[2:], i, i + 1])
        elif tag != "O" and found and found[-1][0] == tag[2:] and found[-1][2] == i:
            found[-1][2] = i + 1
    return [tuple(each) for each in found]


@spans_of_tags.mistake(
    "Your code continues a name with an `I-` of another kind. B-PER I-LOC are two names, since a name has one kind."
)
def kinds_mixed(tags):
    found, begun = [], False
    for i, tag in enumerate(tags):
        if tag.startswith("B-") or (tag != "O" and not begun):
            found.append([tag[2:], i, i + 1])
        elif tag != "O":
            found[-1][2] = i + 1
        begun = tag != "O"
    return [tuple(each) for each in found]


@spans_of_tags.mistake(
    "Your code continues a name after O, if an `I-` of its kind comes. O ends a name: an `I-` after it begins another."
)
def continued_after_outside(tags):
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("I-") and found and found[-1][0] == tag[2:]:
            found[-1][2] = i + 1
        elif tag != "O":
            found.append([tag[2:], i, i + 1])
    return [tuple(each) for each in found]


@spans_of_tags.mistake(
    "Your code begins a name for an `I-` of another kind, but not for one after O or at the beginning. All of them "
    "begin one: no name of their kind is open."
)
def after_outside_dropped(tags):
    return [span for span in spans_of(tags) if tags[span[1]][0] == "B" or (span[1] > 0 and tags[span[1] - 1] != "O")]


@spans_of_tags.mistake(
    "Your code begins a name for an `I-` after O, but not for one of another kind than the name before it. Both begin "
    "one: no name of their kind is open."
)
def other_kind_dropped(tags):
    return [span for span in spans_of(tags) if tags[span[1]][0] == "B" or span[1] == 0 or tags[span[1] - 1] == "O"]


@spans_of_tags.mistake(
    "In your result, an `I-` of another kind ends a name, but begins none, so the next `I-` does. It does both: it "
    "ends the name before it, and begins one of its own kind."
)
def other_kind_only_ends(tags):
    found, kind = [], None
    for i, tag in enumerate(tags):
        if tag[0] == "B" or (tag[0] == "I" and kind is None):
            kind = tag[2:]
            found.append([kind, i, i + 1])
        elif tag == f"I-{kind}":
            found[-1][2] = i + 1
        else:
            kind = None
    return [tuple(each) for each in found]


@spans_of_tags.mistake(
    "Your code begins no name for an `I-` at the beginning if the last tag is of the same kind, as if the last word "
    "came before the first. `tags[i - 1]` is the last tag where i is 0: no name is open there."
)
def last_tag_before_the_first(tags):
    same = bool(tags) and tags[0][0] == "I" and tags[0][2:] == tags[-1][2:]
    return [span for span in spans_of(tags) if span[1] > 0 or not same]


@spans_of_tags.mistake(
    "Your code loses a name that begins with the first word. If it tells by the start whether a name is open, note "
    "that 0 counts as false: compare with None."
)
def start_0_lost(tags):
    return [span for span in spans_of(tags) if span[1] > 0]


@spans_of_tags.mistake(
    "Where a name begins with the first word, your code begins it with the second, or loses it. If it tells by the "
    "start whether a name is open, note that 0 counts as false: compare with None."
)
def start_0_is_none(tags):
    found, start = [], None
    for i, tag in enumerate([*tags, "O"]):
        if start and tag != f"I-{tags[start][2:]}":
            found.append((tags[start][2:], start, i))
            start = None
        if not start and tag != "O":
            start = i
    return found


@spans_of_tags.mistake("Your spans are (start, stop, kind). The kind comes first: (kind, start, stop).")
def kind_last(tags):
    return [(start, stop, kind) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake("Your spans have no kind. A span is (kind, start, stop).")
def without_kind(tags):
    return [(start, stop) for _, start, stop in spans_of(tags)]


@spans_of_tags.mistake("Your kinds still have their `B-` or `I-`. The kind is what follows: `tag[2:]`.")
def kind_with_letter(tags):
    return [(tags[start], start, stop) for _, start, stop in spans_of(tags)]


@spans_of_tags.mistake(
    "Your kinds lose a B or I with which they begin. `lstrip` does that: it removes all of some letters, not a prefix. "
    "The kind is `tag[2:]`."
)
def left_letters_stripped(tags):
    return [(kind.lstrip("BI-"), start, stop) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake(
    "Your kinds lose a B, I or O at their ends. `strip` does that: it removes all of some letters, not a prefix. The "
    "kind is `tag[2:]`."
)
def letters_stripped(tags):
    return [(kind.strip("BIO-"), start, stop) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake(
    "Your kinds are the last three letters of the tags. A kind may be shorter or longer: it is all that follows `B-` "
    "or `I-`."
)
def last_three_letters(tags):
    return [(tags[start][-3:], start, stop) for _, start, stop in spans_of(tags)]


@spans_of_tags.mistake("Your code makes a span of each word. The words of one name belong to one span.")
def word_by_word(tags):
    return [(tag[2:], i, i + 1) for i, tag in enumerate(tags) if tag != "O"]


@spans_of_tags.mistake(
    "Your spans begin where they should, but each is one word long. A name continues with each `I-` of its kind."
)
def first_words(tags):
    return [(kind, start, start + 1) for kind, start, _ in spans_of(tags)]


@spans_of_tags.mistake("Your spans count words from 1. They are counted from 0, as everywhere in Python.")
def counted_from_1(tags):
    return [(kind, start + 1, stop + 1) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake("Your spans end with their number of words. They end with the word after the last one.")
def with_length(tags):
    return [(kind, start, stop - start) for kind, start, stop in spans_of(tags)]


@spans_of_tags.mistake("Your code returns a set. Return a list, in the order of the sentence.")
def as_a_set(tags):
    return set(spans_of(tags))


@spans_of_tags.mistake(
    "Your spans are lists. Make each a tuple, (kind, start, stop), so that spans can be put into a set."
)
def as_lists(tags):
    return [list(span) for span in spans_of(tags)]


def plain_spans_of_tags(tags):
    """Read the entities out of a sentence's tags: a list of (kind, start, stop)."""
    spans, start, kind = [], 0, ""
    for i, tag in enumerate([*tags, "O"]):  # the last one ends an entity at the end of the sentence
        here = tag[2:]  # the kind, or "" for O
        begins = tag[0] == "B" or here != kind
        if begins and kind:
            spans.append((kind, start, i))
        if begins:
            start, kind = i, here
    return spans


spans_of_tags.plain(plain_spans_of_tags)


@spans_of_tags.right_for_whole_course
def one_entity_at_a_time(tags):
    found, i = [], 0
    while i < len(tags):
        kind = tags[i][2:]
        stop = i + 1
        if kind:
            while stop < len(tags) and tags[stop] == f"I-{kind}":
                stop += 1
            found.append((kind, i, stop))
        i = stop
    return found


@spans_of_tags.right
def by_where_they_begin(tags):
    kinds, number, numbers = [tag[2:] for tag in tags], 0, []
    for i, tag in enumerate(tags):
        number += tag[0] != "I" or i == 0 or kinds[i - 1] != kinds[i]
        numbers.append(number)
    groups = [[*group] for _, group in itertools.groupby(range(len(tags)), key=numbers.__getitem__)]
    return [(kinds[group[0]], group[0], group[-1] + 1) for group in groups if kinds[group[0]]]
