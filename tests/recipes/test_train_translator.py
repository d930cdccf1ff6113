"""The recipe for the translator, and the file that it wrote."""

import json
from dataclasses import replace

from course_lib.data import grammar
from course_lib.learning import checkpoints
from course_lib.pretrained import load_translator
from course_lib.pretrained.translator import FILE, SETTINGS, SIZES, train_translator
from course_lib.recipes.train_translator import recipe, report
from course_lib.scoring.metrics import exact_match


def test_the_file_is_small_and_contains_the_current_recipe():
    assert FILE.stat().st_size <= 2e6
    _, note = checkpoints.read(FILE)
    assert note["recipe"] == json.loads(json.dumps(recipe(grammar.split())))
    assert {name: note["config"][name] for name in SIZES} == SIZES


def test_the_recipe_makes_a_translator_as_good_as_the_saved_one():
    split = grammar.split()
    sources, expected = [pair.english for pair in split.test], [pair.french for pair in split.test]
    fresh, _ = train_translator(split.train, replace(SETTINGS, progress=False))
    translations = fresh.translate_words(sources)
    assert exact_match(translations, expected) >= 0.98
    assert exact_match(translations, load_translator().translate_words(sources)) >= 0.97


def test_the_report_compares_the_translator_with_simple_baselines():
    lines = report(load_translator(), grammar.split(train=2000, test=50)).splitlines()
    assert lines[0] == "exact match on 50 unseen sentences"
    shares = [float(line.split("%")[0]) for line in lines[1:5]]
    assert shares[0] > 90 > shares[1]
    assert any(line.endswith("  diagonal") for line in lines)
