"""Lesson 08 on paper: an alignment and its error rate, and how far confidence may be trusted."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.scoring.confidence import calibration_error
from course_lib.scoring.metrics import alignment_error_rate, alignment_from_weights

ENGLISH = ("the", "tired", "king", "slept")
FRENCH = ("le", "roi", "fatigué", "a", "dormi")
WEIGHTS = ((0.8, 0.1, 0.1, 0), (0.1, 0.2, 0.7, 0), (0, 0.4, 0.6, 0), (0, 0, 0.1, 0.9), (0.1, 0, 0, 0.9))
TRUE_LINKS = frozenset({(0, 0), (2, 1), (1, 2), (3, 3), (3, 4)})
CONFIDENCE = (0.3, 0.4, 0.8, 0.9, 1.0)
CORRECT = (False, True, True, True, False)


def paper() -> Paper:
    """Make the exercise and its answers."""
    found = alignment_from_weights(torch.tensor(WEIGHTS))
    rate = alignment_error_rate([found], [TRUE_LINKS])
    error = calibration_error(torch.tensor(CONFIDENCE), torch.tensor(CORRECT), bins=2).item()
    kept = "; ".join(
        f"{short(c)} {'right' if is_right else 'wrong'}" for c, is_right in zip(CONFIDENCE, CORRECT, strict=True)
    )
    return Paper(
        formula=Formula(
            (r"\mathrm{AER}=1-\frac{2\cdot\mathrm{agreed}}{\mathrm{found}+\mathrm{true}}",),
            "Och and Ney 2003, for links that are all certain",
        ),
        task="Each French word reads the English words with these weights. The true links are: "
        + _links(TRUE_LINKS)
        + ".",
        given=Table(
            ("", *ENGLISH),
            tuple((word, *(short(each) for each in row)) for word, row in zip(FRENCH, WEIGHTS, strict=True)),
        ),
        questions=(
            Question(
                "Link each French word to the English word that it reads most. Which link is not true, and which true "
                "link is missing?",
                f"Found: {_links(found)}. Not true: {_links(found - TRUE_LINKS)}. Missing: "
                f"{_links(TRUE_LINKS - found)}.",
                room=2,
            ),
            Question(
                "What is the alignment error rate?",
                f"{short(rate)}: {len(found & TRUE_LINKS)} agree, {len(found)} were found, {len(TRUE_LINKS)} are true.",
                room=2,
            ),
            Question(
                f"A translator chose five words, with the confidence and the outcome: {kept}. Put them into two bins, "
                "below "
                "0.5 and from 0.5 on. In each, how far is the mean confidence from the share that is right? Take the "
                "mean "
                "of the two gaps, each counted by its number of words.",
                f"The calibration error is {short(error)}: gaps of {listed(_gaps(), 3)}, for 2 and for 3 words.",
                room=3,
            ),
        ),
    )


def _links(links: set[tuple[int, int]] | frozenset[tuple[int, int]]) -> str:
    return ", ".join(
        f"{ENGLISH[source]}–{FRENCH[target]}" for source, target in sorted(links, key=lambda link: link[1])
    )


def _gaps() -> list[float]:
    """The gap of each bin, as the calibration error of its words alone."""
    confidence, correct = torch.tensor(CONFIDENCE), torch.tensor(CORRECT)
    return [
        calibration_error(confidence[low], correct[low], bins=2).item() for low in (confidence < 0.5, confidence >= 0.5)
    ]
