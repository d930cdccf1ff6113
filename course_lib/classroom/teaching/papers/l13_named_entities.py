"""Lesson 13 on paper: names read out of tags, their F1, and labels on word pieces."""

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, short
from course_lib.learning.word_pieces import label_pieces
from course_lib.scoring.entities import accuracy_per_token, precision_recall_f1, spans_of_tags

WORDS = ("Ann", "Lee", "met", "Bo", "in", "New", "York")
EXPECTED = ("B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC")
PREDICTED = ("B-PER", "I-PER", "O", "O", "O", "O", "B-LOC")
ODD = ("B-PER", "I-PER", "B-PER", "O", "I-LOC", "I-ORG")
PIECES = ("[CLS]", "joachim", "k", "##rol", "stars", "[SEP]")
WORD_OF_PIECE = (None, 0, 1, 1, 2, None)
LABELS = {"O": 0, "B-PER": 1, "I-PER": 2}
TAGS_OF_WORDS = ("B-PER", "I-PER", "O")


def paper() -> Paper:
    """Make the exercise and its answers."""
    said, true = spans_of_tags(PREDICTED), spans_of_tags(EXPECTED)
    precision, recall, f1 = precision_recall_f1([said], [true])
    accuracy = accuracy_per_token([PREDICTED], [EXPECTED])
    labels = label_pieces(WORD_OF_PIECE, [LABELS[tag] for tag in TAGS_OF_WORDS])
    names = {number: tag for tag, number in LABELS.items()}
    filled = tuple(names.get(label, "−100") for label in labels)
    return Paper(
        formula=Formula(
            (
                (
                    r"P=\frac{\mathrm{both}}{\mathrm{predicted}}\qquad R=\frac{\mathrm{both}}{\mathrm{expected}}\qquad "
                    r"F_1=\frac{2PR}{P+R}=\frac{2\cdot\mathrm{both}}{\mathrm{predicted}+\mathrm{expected}}"
                ),
            ),
            "scoring.entities.precision_recall_f1",
        ),
        task="B- begins a name, I- continues one of the same kind, O is outside. An I- that continues nothing begins "
        "a name.",
        given=Table(("", *WORDS), (("expected", *EXPECTED), ("predicted", *PREDICTED))),
        questions=(
            Question(
                f"Which names are in the tags {' '.join(ODD)}?",
                f"{len(spans_of_tags(ODD))}: {', '.join(_said(span) for span in spans_of_tags(ODD))}, words counted "
                "from 0.",
                room=2,
            ),
            Question(
                "In the table: which names are expected, which are predicted, and which are in both?",
                f"Expected: {_names(true)}. Predicted: {_names(said)}. Both: {_names(set(said) & set(true))}.",
                room=3,
            ),
            Question(
                "What are precision, recall and F1? And the accuracy per word?",
                f"Precision {short(precision)}, recall {short(recall)}, F1 {short(f1)}. The accuracy per word is "
                f"{short(accuracy)}, although only one name is right.",
                room=3,
            ),
            Question(
                f"The words Joachim, Król, stars have the tags {', '.join(TAGS_OF_WORDS)}. What label does each piece "
                "get? "
                "Write −100 where none counts.",
                Table(PIECES, (filled,)),
                Table(PIECES, (("",) * len(PIECES),)),
                room=0,
            ),
        ),
    )


def _said(span: tuple[str, int, int]) -> str:
    kind, start, stop = span
    return f"{kind} at word {start}" if stop == start + 1 else f"{kind} at words {start} to {stop - 1}"


def _names(spans: object) -> str:
    assert isinstance(spans, (list, set))
    return ", ".join(
        f"{' '.join(WORDS[start:stop])} ({kind})" for kind, start, stop in sorted(spans, key=lambda s: s[1])
    )
