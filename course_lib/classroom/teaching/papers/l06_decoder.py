"""Lesson 06 on paper: the chain rule, the surprise, the causal mask and the shifted labels."""

import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.learning.losses import cross_entropy, inputs_and_labels
from course_lib.transformer.attention import causal_mask, masked_weights

WORDS = ("the", "king", "slept")
PROBABILITIES = (0.5, 0.2, 0.1)
MASK_WORDS = ("the", "king", "slept", "well")
IDS = (10, 11, 12, 13)
SCORES = (2.0, 1.0, 3.0)


def paper() -> Paper:
    """Make the exercise and its answers."""
    # At each position, the right token has the id 0, and one other token has the rest of the probability.
    logits = torch.tensor([[[math.log(p), math.log(1 - p)] for p in PROBABILITIES]])  # (B, T, V)
    surprise = cross_entropy(logits, torch.zeros(1, len(WORDS), dtype=torch.long)).item()
    each = [cross_entropy(logits[:, t : t + 1], torch.zeros(1, 1, dtype=torch.long)).item() for t in range(len(WORDS))]
    likely = math.exp(-surprise * len(WORDS))
    mask = causal_mask(len(MASK_WORDS))
    inputs, labels = (each[0].tolist() for each in inputs_and_labels(torch.tensor([IDS])))
    weights = masked_weights(torch.tensor([SCORES]), causal_mask(len(SCORES))[1:2])[0].tolist()
    logarithms = ", ".join(f"−ln {short(p)} ≈ {short(-math.log(p))}" for p in PROBABILITIES)
    filled = tuple(
        (word, *("✓" if may else "–" for may in row)) for word, row in zip(MASK_WORDS, mask.tolist(), strict=True)
    )
    return Paper(
        formula=Formula(
            (
                r"p(z_1,z_2,z_3)=p(z_1)\;p(z_2\mid z_1)\;p(z_3\mid z_1,z_2)",
                r"\mathrm{loss}=\frac{1}{T}\sum_{t}-\ln\,p(z_t\mid z_{<t})",
            ),
            "the chain rule of probability; learning.losses.cross_entropy",
        ),
        task=f"“{WORDS[0]}” has probability {short(PROBABILITIES[0])} as the first word, “{WORDS[1]}” "
        f"{short(PROBABILITIES[1])} after it, and “{WORDS[2]}” {short(PROBABILITIES[2])} after both.",
        questions=(
            Question(
                f"How likely is “{' '.join(WORDS)}”? And what is the loss, the mean surprise per word? ({logarithms})",
                f"{short(100 * likely)} %. The surprises are {listed(each)}, their mean is {short(surprise)} nats.",
                room=2,
            ),
            Question(
                "Rows ask, columns are read. Mark with ✓ what each word may read when it predicts the next one.",
                Table(("", *MASK_WORDS), filled),
                Table(("", *MASK_WORDS), tuple((word, "", "", "", "") for word in MASK_WORDS)),
                room=0,
            ),
            Question(
                f"Here is a row of ids: {listed(IDS)}. What does the model read, and what should it predict at each "
                "position?",
                f"It reads {listed(inputs)} and should predict {listed(labels)}.",
                room=1,
            ),
            Question(
                f"The second of three words has the scores {listed(SCORES)}. What are its weights under the mask? "
                "(e ≈ 2.7)",
                f"{listed(weights)}: the softmax of the first two scores. The third is set to −∞, so e^(−∞) = 0.",
                room=2,
            ),
        ),
    )
