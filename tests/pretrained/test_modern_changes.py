"""The table of changes taken back, and the run that makes one of its rows."""

from dataclasses import replace
from statistics import fmean

import pytest

from course_lib.pretrained.modern_changes import SETTINGS, VARIANTS, Equal, config_of, recorded, run, seconds_per_step
from course_lib.pretrained.tales_scaling import parameters_without_tables
from course_lib.transformer.build import build_language_model

IDS = [4, 5, 6, 7, 8, 9] * 40
QUICK = replace(SETTINGS, steps=2, warmup=1)


def test_all_variants_have_the_same_number_of_parameters() -> None:
    counts = {parameters_without_tables(build_language_model(config_of(variant, 70))) for variant in VARIANTS}
    assert len(counts) == 1


def test_each_variant_takes_back_what_it_says() -> None:
    llama = config_of("all four changes", 70)
    assert (llama.norm, llama.activation, llama.kv_heads, llama.positions) == ("rms", "swiglu", 2, "rotary")
    none = config_of("none of the four", 70)
    assert (none.norm, none.activation, none.kv_heads, none.positions) == ("layer", "gelu", 6, "sinusoidal")
    for variant in list(VARIANTS)[1:5]:
        changed = config_of(variant, 70)
        names = ("norm", "activation", "kv_heads", "positions")
        assert sum(getattr(changed, name) != getattr(llama, name) for name in names) == 1, variant


def test_the_table_has_every_variant_and_seed_twice_and_beats_counting() -> None:
    table = recorded()
    seeds = table.note["seeds"]
    assert len(seeds) == 3
    for equal in ("steps", "time"):
        for variant in VARIANTS:
            assert len(table.losses(variant, equal)) == len(seeds)
            assert max(table.losses(variant, equal)) < table.note["bigrams"]
    assert len({each.parameters for each in table.runs}) == 1
    assert {each.steps for each in table.runs if each.equal == "steps"} == {SETTINGS.steps}


def test_the_notebooks_reading_of_the_table_holds() -> None:
    def mean(variant: str) -> float:
        return fmean(recorded().losses(variant, "steps"))

    def apart(worse: str, better: str, equal: Equal = "steps") -> bool:
        return min(recorded().losses(worse, equal)) > max(recorded().losses(better, equal))

    single = list(VARIANTS)[1:5]
    assert max(single, key=mean) == "sinusoids for rotary"
    assert apart("sinusoids for rotary", "all four changes")
    assert apart("GELU for SwiGLU", "all four changes")
    assert mean("own keys for shared") < mean("all four changes")
    assert not apart("LayerNorm for RMSNorm", "all four changes")
    assert apart("all four changes", "LayerNorm for RMSNorm", "time")
    for equal in ("steps", "time"):
        assert apart("none of the four", "all four changes", equal)


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    made = [run(IDS, IDS, 10, "all four changes", seed=seed, settings=QUICK) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert made[0].steps == 2


def test_every_variant_is_timed() -> None:
    seconds = seconds_per_step(IDS, 10, rounds=1, settings=QUICK)
    assert seconds.keys() == VARIANTS.keys()
    assert min(seconds.values()) > 0


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(KeyError):
        config_of("none at all", 70)
