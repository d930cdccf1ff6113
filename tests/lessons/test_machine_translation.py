"""What notebook 15 uses: its sentences, and its three machines."""

from collections.abc import Sequence

import pytest
import torch

from course_lib import data
from course_lib.data import DataMissing, translations
from course_lib.data.translations import Source
from course_lib.learning.training import Task, evaluate
from course_lib.lessons.l15_machine_translation.for_notebook import machines, sentences
from course_lib.pretrained.sentence_translator import task_of
from course_lib.pretrained.translation_machines import KINDS, WITHOUT, make_machine
from course_lib.text.byte_pairs import BytePairTokenizer


def test_without_the_real_sentences_those_of_the_course_take_their_place(monkeypatch: pytest.MonkeyPatch):
    def missing() -> None:
        raise DataMissing("nothing here.")

    monkeypatch.setattr(translations, "split", missing)
    found = sentences.human_sentences(known=50, unseen=10)
    assert [len(found.train), len(found.validation), len(found.test)] == [50, 10, 10]
    assert found.about == "nothing here. Until then, sentences made up by the course take their place."
    assert not {each.english for each in found.test} & {pair.english for pair in found.train}
    assert all(pair.french.endswith(".") and pair.french[0].isupper() for pair in found.train)
    assert found.near <= {each.english for each in found.test}


def test_the_real_sentences_are_a_part_of_the_split():
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))
    found, split = sentences.human_sentences(known=100, unseen=20), translations.split()
    assert set(found.train) <= set(split.train)
    assert found.test == split.test[:20]
    assert found.validation == split.validation[:20]
    assert found.about == "137,696 pairs to learn from; 100 of them, drawn at random, are used here."


def test_tokens_are_those_of_sacrebleu():
    assert sentences.tokens("L'été, c'est fini !") == ["L'été", ",", "c'est", "fini", "!"]


def test_one_person_is_judged_by_the_others():
    sources = [Source("a", ("x", "y", "z")), Source("b", ("w",))]
    assert sentences.one_against_the_others(sources) == (["x"], [Source("a", ("y", "z"))])


def test_short_and_long_sentences_are_scored_apart():
    sources = [Source("a b", ("x",)), Source("a b c d e f g h", ("y",)), Source("a b c d", ("z",))]

    def count(texts: Sequence[str], some: Sequence[Source]) -> float:
        return float([*texts, *(each.references[0] for each in some)] == ["x", "z", "x", "z"])

    assert sentences.scores_by_length(["x", "y", "z"], sources, count) == ([3.0, 8.0], [1.0, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_each_machine_learns(kind: str):
    tokenizer = BytePairTokenizer([])
    pairs = sentences.SentencePair("Go.", "Va !"), sentences.SentencePair("Run.", "Cours !")
    task = task_of(pairs * 20, pairs, tokenizer, longest=64)
    model = make_machine(kind, tokenizer)
    before = evaluate(model, task)
    history = machines.train_machine(model, task, seconds=1.5)
    assert history.validation[-1] < before
    found = machines.translators({kind: model}, tokenizer)[kind].translations("Go.", beams=2)
    assert all((each.weights is None) == (kind == WITHOUT) for each in found if each.target)


def test_checkpoints_of_a_finished_model_differ_and_are_kept():
    model, task = machines.finished_translator()
    first, second = machines.further_checkpoints(model, task, count=2, steps=2)
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(second[name], weight) for name, weight in model.state_dict().items())


def test_the_finished_translator_is_a_copy():
    model, task = machines.finished_translator()
    assert isinstance(task, Task)
    assert evaluate(model, task) < 0.2
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert evaluate(machines.finished_translator()[0], task) < 0.2
