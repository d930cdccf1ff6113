"""Fine-tuning: what learns, which weights are kept, and vectors that are computed once."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_lib.learning.checkpoints import CheckpointError
from course_lib.learning.fine_tuning import (
    classification,
    copy_of,
    fine_tune,
    fit_head,
    logits_of,
    loss_of,
    mean_vectors,
)
from course_lib.learning.heads import Classifier, ClassifierHead, freeze, mean_of_tokens, parameter_groups
from course_lib.learning.training import TrainingSettings, train
from course_lib.transformer.models import Encoder

EXAMPLES = [([1, 4 + i, 4 + j, 2][: 3 + (i + j) % 2], int(i < 4)) for i in range(8) for j in range(8)]
"""The class is told by the first word."""


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    return Classifier(Encoder(12, d_model=16, heads=2, d_ff=16, layers=1, dropout=0.0), ClassifierHead(16, 2), pad=0)


def tune(model: Classifier, validation: list[tuple[list[int], int]], **changes: object):
    groups = parameter_groups(model.head, model.encoder, 1e-2, 1e-2)
    settings = {"epochs": 8, "batch_tokens": 32, "progress": False, **changes}
    return fine_tune(model, EXAMPLES, validation, groups, **settings)


def test_a_classifier_learns_what_the_first_word_says(classifier: Classifier):
    before = loss_of(classifier, EXAMPLES)
    went = tune(classifier, [])
    assert went.loss[-1] < 0.4 < before - 0.2
    assert went.best == 7
    right = logits_of(classifier, [ids for ids, _ in EXAMPLES]).argmax(-1) == torch.tensor([y for _, y in EXAMPLES])
    assert right.float().mean() > 0.95


def test_the_best_weights_are_kept_and_training_stops(classifier: Classifier):
    wrong = [(ids, 1 - label) for ids, label in EXAMPLES]  # the better it learns, the worse it does here
    went = tune(classifier, wrong, patience=2)
    assert len(went.loss) == went.best + 3 < 8
    assert loss_of(classifier, wrong) == pytest.approx(min(went.validation), abs=1e-5)


def test_it_may_be_told_when_to_stop(classifier: Classifier):
    assert len(tune(classifier, EXAMPLES, stop=lambda losses, _: len(losses) == 3).loss) == 3


def test_what_is_frozen_does_not_move(classifier: Classifier):
    freeze(classifier, ["head"])
    before = copy_of(classifier)
    tune(classifier, EXAMPLES, epochs=1)
    assert torch.equal(classifier.encoder.table, before.encoder.table)
    assert not torch.equal(classifier.head.output.weight, before.head.output.weight)


def test_the_same_seed_gives_the_same_weights(classifier: Classifier):
    other = copy_of(classifier)
    third = copy_of(classifier)
    tune(classifier, [], epochs=1, seed=5)
    tune(other, [], epochs=1, seed=5)
    tune(third, [], epochs=1, seed=6)
    assert torch.equal(classifier.head.output.weight, other.head.output.weight)
    assert not torch.equal(classifier.head.output.weight, third.head.output.weight)


def test_vectors_come_in_the_order_of_the_texts(classifier: Classifier):
    rows = [ids for ids, _ in EXAMPLES]
    vectors = mean_vectors(classifier.encoder, rows, classifier.pad, batch_tokens=20)
    classifier.eval()
    for row, vector in zip(rows, vectors, strict=True):
        hidden = classifier.encoder(torch.tensor([row]))
        torch.testing.assert_close(mean_of_tokens(hidden, torch.ones(1, len(row)))[0], vector, rtol=0, atol=1e-5)


def test_a_head_on_vectors_is_a_head_on_the_frozen_encoder(classifier: Classifier):
    rows, labels = [ids for ids, _ in EXAMPLES], torch.tensor([label for _, label in EXAMPLES])
    vectors = mean_vectors(classifier.encoder, rows, classifier.pad)
    before = loss_of(classifier, EXAMPLES)
    after = fit_head(classifier.head, vectors, labels)
    assert after < before - 0.2
    assert loss_of(classifier, EXAMPLES) == pytest.approx(after, abs=0.01)


def test_nothing_to_learn_is_refused(classifier: Classifier):
    with pytest.raises(ValueError, match="at least one example and one group"):
        fine_tune(classifier, [], [], [], epochs=1)
    with pytest.raises(ValueError, match="no texts to classify"):
        logits_of(classifier, [])


def test_each_group_has_its_own_rate_all_of_them_rising_and_falling_together(classifier: Classifier):
    steps: list[list[float]] = []
    watching = register_optimizer_step_pre_hook(
        lambda optimizer, *_: steps.append([group["lr"] for group in optimizer.param_groups if group["params"]])
    )
    try:
        groups = parameter_groups(classifier.head, classifier.encoder, 1e-2, 1e-3)
        fine_tune(classifier, EXAMPLES, [], groups, epochs=2, batch_tokens=64, progress=False)
    finally:
        watching.remove()
    of_head, of_encoder = [rates[0] for rates in steps], [rates[-1] for rates in steps]
    assert of_head == pytest.approx([10 * rate for rate in of_encoder])
    rising = round(0.1 * len(steps))
    assert of_head[rising - 1] == pytest.approx(1e-2)
    falls = [before - after for before, after in pairwise(of_head[rising:])]
    assert falls == pytest.approx([falls[0]] * len(falls))
    assert min(falls) > 0


def test_a_training_knows_no_second_rate_beside_those_of_its_groups(classifier: Classifier):
    groups = parameter_groups(classifier.head, classifier.encoder, 1e-2, 1e-3)
    task = classification(EXAMPLES, [], classifier.pad)
    with pytest.raises(ValueError, match="give groups= or rate=, not both"):
        train(classifier, task, TrainingSettings(steps=1), rate=lambda _: 0.1, groups=groups)
    classifier.requires_grad_(False)
    with pytest.raises(ValueError, match="all are frozen"):
        train(classifier, task, TrainingSettings(steps=1), groups=groups)


def test_a_checkpoint_does_not_continue_at_other_rates(classifier: Classifier, tmp_path: Path):
    def tuned(model: Classifier, rate: float) -> list[float]:
        groups = parameter_groups(model.head, model.encoder, 1e-2, rate)
        settings = TrainingSettings(steps=2, progress=False)
        task = classification(EXAMPLES, [], model.pad)
        return train(model, task, settings, device="cpu", checkpoint=tmp_path / "tuning", groups=groups).loss

    fresh = copy_of(classifier)
    assert tuned(classifier, 1e-3) == tuned(fresh, 1e-3)  # it is done, and not trained again
    with pytest.raises(CheckpointError, match="its groups is"):
        tuned(copy_of(classifier), 1e-4)
