"""Entities and their scores, compared with seqeval and with numbers worked out by hand."""

import random
import warnings

import pytest
from seqeval.metrics import accuracy_score, classification_report
from seqeval.metrics.sequence_labeling import get_entities

from course_lib.data.entities import TaggedSentence
from course_lib.scoring.entities import (
    ALL,
    Span,
    accuracy_per_token,
    entity_scores,
    precision_recall_f1,
    remembered_names,
    spans_of_tags,
)

# B and I of each kind after each other, ill-formed sequences included.
TAGS = ["O", "O", "B-PER", "I-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "I-my-kind"]


def random_tags(chance: random.Random, length: int) -> list[str]:
    return [chance.choice(TAGS) for _ in range(length)]


def changed(tags: list[str], chance: random.Random) -> list[str]:
    """The tags with some of them replaced."""
    return [chance.choice(TAGS) if chance.random() < 0.3 else tag for tag in tags]


def test_spans_are_those_of_seqeval_for_3000_random_sequences() -> None:
    chance = random.Random(13)
    for _ in range(3_000):
        tags = random_tags(chance, chance.randrange(1, 12))
        # seqeval counts the last word in.
        assert [(kind, start, stop - 1) for kind, start, stop in spans_of_tags(tags)] == get_entities(tags), tags


def test_scores_are_those_of_seqeval_for_3000_random_sequences() -> None:
    chance = random.Random(13)
    for _ in range(300):
        expected = [random_tags(chance, chance.randrange(1, 12)) for _ in range(10)]
        predicted = [changed(tags, chance) for tags in expected]
        report = classification_report(expected, predicted, output_dict=True, zero_division=0)
        ours = entity_scores(predicted, expected)
        assert {*ours} == {*report} - {"micro avg", "macro avg", "weighted avg"} | {ALL}
        for kind, scores in ours.items():
            theirs = report["micro avg" if kind == ALL else kind]
            assert scores.precision == pytest.approx(theirs["precision"], abs=1e-12)
            assert scores.recall == pytest.approx(theirs["recall"], abs=1e-12)
            assert scores.f1 == pytest.approx(theirs["f1-score"], abs=1e-12)
            assert scores.expected == theirs["support"]
        assert accuracy_per_token(predicted, expected) == pytest.approx(accuracy_score(expected, predicted), abs=1e-12)


def test_scores_by_hand() -> None:
    # Found: PER at 0, LOC at 3 (its end is wrong), ORG at 6. Expected: PER at 0, LOC at 3 to 4, MISC at 6, PER at 8.
    predicted = [["B-PER", "O", "O", "B-LOC", "O", "O", "B-ORG", "O", "O"]]
    expected = [["B-PER", "O", "O", "B-LOC", "I-LOC", "O", "B-MISC", "O", "B-PER"]]
    scores = entity_scores(predicted, expected)
    assert list(scores) == ["LOC", "MISC", "ORG", "PER", ALL]
    assert (scores[ALL].precision, scores[ALL].recall, scores[ALL].expected) == (1 / 3, 1 / 4, 4)
    assert scores[ALL].f1 == pytest.approx(2 / 7)
    assert (scores["PER"].precision, scores["PER"].recall, scores["PER"].f1) == (1, 1 / 2, pytest.approx(2 / 3))
    assert (scores["LOC"].f1, scores["ORG"].expected, scores["MISC"].recall) == (0, 0, 0)
    assert accuracy_per_token(predicted, expected) == 6 / 9


def test_precision_recall_and_f1_by_hand() -> None:
    # A mean over the two sentences would give another precision, (1/1 + 0/3) / 2.
    predicted = [[("PER", 0, 1)], [("PER", 0, 1), ("LOC", 2, 3), ("LOC", 5, 6)]]
    expected = [[("PER", 0, 1)], [("LOC", 2, 4)]]
    assert precision_recall_f1(predicted, expected) == (1 / 4, 1 / 2, 2 / 6)
    assert precision_recall_f1([{("PER", 0, 1)}], [[["PER", 0, 1]]]) == (1, 1, 1)
    assert precision_recall_f1([[]], [[("PER", 0, 1)]]) == precision_recall_f1([], []) == (0, 0, 0)
    with pytest.raises(ValueError, match="of the same sentences, but there are 1 and 0"):
        precision_recall_f1([[]], [])


def test_other_spans_and_another_measure_can_be_given() -> None:
    def whole(tags: list[str]) -> list[tuple[str, int, int]]:
        return [("ALL", 0, len(tags))]

    def counts(predicted: list[list[Span]], expected: list[list[Span]]) -> tuple[float, float, float]:
        return float(len(predicted)), float(len(expected)), float(predicted[0][0].stop)

    scores = entity_scores([["O", "B-PER"]], [["O", "O"]], whole, counts)
    assert list(scores) == ["ALL", ALL]
    assert (scores[ALL].precision, scores[ALL].recall, scores[ALL].f1, scores[ALL].expected) == (1, 1, 2, 1)


def test_scores_are_zero_where_nothing_was_found_or_expected() -> None:
    nothing = [["O", "O"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = entity_scores(nothing, nothing)[ALL]
    assert (scores.precision, scores.recall, scores.f1, scores.expected) == (0, 0, 0, 0)
    assert entity_scores([], [])[ALL] == scores


def test_ill_formed_tags_begin_entities_too() -> None:
    assert spans_of_tags(["I-PER", "I-PER", "I-LOC", "O", "I-LOC", "B-LOC"]) == [
        Span("PER", 0, 2),
        Span("LOC", 2, 3),
        Span("LOC", 4, 5),
        Span("LOC", 5, 6),
    ]
    assert spans_of_tags(["B-PER", "I-LOC"]) == [Span("PER", 0, 1), Span("LOC", 1, 2)]
    assert spans_of_tags([]) == spans_of_tags(["O"]) == []


@pytest.mark.parametrize("tag", ["X-PER", "B", "B-", "", "PER", "o", 3, None])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=f"such as 'B-PER', but one is {tag!r}"):
        spans_of_tags(["O", tag])


def test_a_string_in_place_of_a_list_is_refused() -> None:
    for call in (
        lambda: spans_of_tags("OO"),
        lambda: entity_scores(["OO"], [["O", "O"]]),
        lambda: accuracy_per_token(["OO"], [["O", "O"]]),
        lambda: accuracy_per_token([["O", "O"]], ["OO"]),
    ):
        with pytest.raises(TypeError, match="expected a list of tags, but got the string 'OO'"):
            call()
    with pytest.raises(TypeError, match="expected a list of words, but got the string 'New York'"):
        remembered_names([], ["New York"])


@pytest.mark.parametrize("measure", [entity_scores, accuracy_per_token])
def test_tags_that_do_not_match_are_refused(measure) -> None:
    with pytest.raises(ValueError, match="of the same sentences, but there are 2 and 1"):
        measure([["O"], ["O"]], [["O"]])
    with pytest.raises(ValueError, match="sentence 1 has 2 words, but 1 predicted tags"):
        measure([["O"], ["O"]], [["O"], ["O", "O"]])


def test_no_word_has_no_accuracy() -> None:
    with pytest.raises(ValueError, match="the sentences have no words"):
        accuracy_per_token([[]], [[]])


KNOWN = [
    TaggedSentence(("New", "York", "Times", "of", "New", "York"), ("B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "I-LOC")),
    TaggedSentence(("Paris", "and", "Paris", "met", "in", "Paris"), ("B-PER", "O", "B-PER", "O", "O", "B-LOC")),
]


def test_the_longest_known_name_is_remembered_with_its_commonest_kind() -> None:
    sentences = [["New", "York", "Times", "in", "New", "York", "New"], ["Paris", "Paris"], ["new", "york"], []]
    assert remembered_names(KNOWN, sentences) == [
        ("B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "I-LOC", "O"),
        ("B-PER", "B-PER"),
        ("O", "O"),
        (),
    ]


def test_nothing_is_remembered_of_nothing() -> None:
    assert remembered_names([], [["New", "York"]]) == [("O", "O")]


def test_every_known_sentence_of_different_names_is_tagged_correctly() -> None:
    chance = random.Random(0)
    for _ in range(200):
        words = [str(number) for number in chance.sample(range(100), 8)]
        tags = []
        while len(tags) < 8:
            length = min(chance.randint(1, 3), 8 - len(tags))
            tags += chance.choice([["O"] * length, ["B-PER"] + ["I-PER"] * (length - 1)])
        assert remembered_names([TaggedSentence(tuple(words), tuple(tags))], [words]) == [tuple(tags)]
