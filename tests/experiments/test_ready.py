"""The ready studies can be run, and their recorded answers come out the same."""

import pytest
import torch

from course_lib.experiments import ready
from course_lib.experiments.measures import LOSS, RIGHT

SMALLEST = "tables"


def test_there_are_at_least_twelve():
    assert len(ready.READY) >= 12


@pytest.mark.parametrize("name", ready.READY)
def test_a_ready_study_asks_a_question_and_every_model_of_it_can_be_built(name: str):
    study = ready.ready(name)
    assert study.question.endswith("?")
    assert len(study.variants) >= 2
    for plan in study.plans().values():
        model = study.data.build(plan.config, study.parts)
        if plan.start is not None:
            plan.start(model)
        source, target = (torch.tensor([part]) for part in study.data.task.examples[0])
        assert model(source, target).isfinite().all()


def test_models_that_are_compared_by_their_depth_or_activation_are_about_as_large():
    for name in ("heads", "depth", "activations"):
        study = ready.ready(name)
        sizes = [
            sum(each.numel() for each in study.data.build(plan.config, plan.parts).parameters())
            for plan in study.plans().values()
        ]
        assert max(sizes) < 1.04 * min(sizes)


def test_long_sentences_are_measured_and_not_learned_from():
    data = ready.ready("lengths").data
    longest = max(len(source) for source, _ in data.task.examples)
    assert longest == ready.LONGEST_LEARNED < ready.SHORTEST_LONG
    assert sum(len(pair.english) >= ready.SHORTEST_LONG for pair in data.more["pairs"]) >= 50


def test_a_model_whose_sublayers_start_at_0_gives_each_sublayers_input():
    study = ready.ready("starts")
    plan = study.plans()["sublayers at 0"]
    model = study.data.build(plan.config, plan.parts)
    ready.quiet_start(model)
    x = torch.randn(1, 3, 64)
    layer = model.encoder[0]
    assert torch.equal(layer.self_attention(x, x, x), torch.zeros_like(x))
    assert torch.equal(layer.feed_forward(x), torch.zeros_like(x))


@pytest.mark.parametrize("name", ready.READY)
def test_a_recorded_answer_is_whole(name: str):
    found = ready.recorded(name)
    assert found is not None
    study = ready.ready(name)
    assert len(found.results.runs) == len(study.variants) * len(found.results.seeds)
    assert not found.results.failed()
    assert found.minutes > 0
    assert len(ready.verdicts(found.results)) == len(study.measures) * (len(study.variants) - 1)
    assert all(len(curves["validation"]) >= 5 for curves in found.results.curves.values())


def test_the_smallest_study_comes_out_as_recorded(tmp_path):
    found = ready.recorded(SMALLEST)
    assert found is not None
    results = ready.ready(SMALLEST, seeds=1).run(workers=1, progress=False, folder=tmp_path)
    for variant in results.variants:
        # The same machine gives the same digits. On another one, sums are rounded otherwise at each of 300 steps.
        assert results.values(variant, "loss")[0] == pytest.approx(found.results.values(variant, "loss")[0], abs=0.1)
        assert results.values(variant, "right")[0] == pytest.approx(found.results.values(variant, "right")[0], abs=0.15)


def test_a_name_that_there_is_not_is_refused():
    for function in (ready.ready, ready.recorded):
        with pytest.raises(ValueError, match="There is no ready study 'haeds': they are heads, depth"):
            function("haeds")


def test_the_measures_are_those_of_the_translator():
    assert ready.ready("heads").measures == {"loss": LOSS, "right": RIGHT}
