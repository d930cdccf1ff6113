"""What a variant may change."""

from dataclasses import fields

import pytest

from course_lib.experiments.variants import SETTINGS, Budget, grid, make_plan
from course_lib.learning.training import TrainingSettings
from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.build import COURSE, Parts
from course_lib.transformer.config import TransformerConfig

STEPS = Budget(steps=3)


def test_no_name_means_two_settings():
    of_all = [each.name for kind in (TransformerConfig, TrainingSettings, Parts) for each in fields(kind)]
    assert len(of_all) == len(set(of_all))
    assert len(SETTINGS) == len(set(SETTINGS))


def test_each_setting_reaches_its_place():
    def attend(query, key, value, mask=None):
        return scaled_dot_product_attention(query, key, value, mask)

    chosen = dict(heads=2, learning_rate=0.5, scaled_dot_product_attention=attend, examples=7, start=print)
    plan = make_plan("one", chosen, {"vocabulary": 9}, STEPS)
    assert (plan.config.vocabulary, plan.config.heads) == (9, 2)
    assert (plan.training.steps, plan.training.learning_rate, plan.training.progress) == (3, 0.5, False)
    assert plan.parts.scaled_dot_product_attention is attend
    assert plan.parts.merge_heads is COURSE.merge_heads
    assert (plan.examples, plan.start) == (7, print)


def test_a_grid_combines_each_choice_with_each():
    assert grid(heads=[1, 2], norm_place=["pre"]) == {
        "heads=1, norm_place=pre": {"heads": 1, "norm_place": "pre"},
        "heads=2, norm_place=pre": {"heads": 2, "norm_place": "pre"},
    }


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, "a grid needs settings"),
        ({"heads": []}, "no choices for heads"),
        ({"heads": 4}, r"heads=\[4\]"),
        ({"norm": "rms"}, r"norm=\['rms'\]"),
    ],
)
def test_a_grid_of_nothing_is_refused(choices: dict, words: str):
    with pytest.raises((TypeError, ValueError), match=words):
        grid(**choices)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"head": 4}, "odd: there is no setting 'head': do you mean 'heads'"),
        ({"zzzzzzz": 4}, "odd: there is no setting 'zzzzzzz'; course_lib.experiments.SETTINGS lists them"),
        ({"vocabulary": 4}, "odd: a variant cannot change vocabulary, because the data have it"),
        ({"seed": 4}, "odd: a variant cannot change seed"),
        ({"steps": 4}, "odd: a variant cannot change steps, because the budget"),
        ({"heads": 3}, "odd: d_model should be a multiple of heads"),
        ({"warmup": -1}, "odd: warmup should be 0 or more"),
        ({"gelu": 4}, "odd: gelu should be a function or a class, but is 4"),
        ({"examples": 0}, "odd: examples should be a whole number from 1 on, but is 0"),
        ({"examples": 1.5}, "odd: examples should be a whole number"),
        ({"start": "small"}, "odd: start should be a function"),
    ],
)
def test_a_bad_setting_is_named_with_its_variant(settings: dict, words: str):
    with pytest.raises((TypeError, ValueError), match=words):
        make_plan("odd", settings, {"vocabulary": 9}, STEPS)


def test_a_cosine_without_an_end_is_refused():
    with pytest.raises(ValueError, match="odd: a cosine must know where it ends"):
        make_plan("odd", {"schedule": "cosine"}, {"vocabulary": 9}, Budget(seconds=1.0))


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({}, "one budget, steps=, seconds= or tokens=, the same for all, but none came"),
        ({"steps": 1, "seconds": 2.0}, "but steps=1, seconds=2.0"),
        ({"steps": 0}, "more than 0 steps, but is 0"),
        ({"tokens": -5}, "more than 0 tokens"),
        ({"seconds": float("nan")}, "more than 0 seconds"),
        ({"steps": 1.5}, "a whole number of steps"),
        ({"steps": "many"}, "more than 0 steps, but is 'many'"),
        ({"steps": True}, "more than 0 steps, but is True"),
    ],
)
def test_a_budget_of_nothing_is_refused(budget: dict, words: str):
    with pytest.raises(ValueError, match=words):
        Budget(**budget)
