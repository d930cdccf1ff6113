"""What studies learn from: no sentence to measure on was learned, and every word is known."""

from dataclasses import replace

import pytest

from course_lib.experiments import material, sentences, translations
from tests.experiments.small import DATA


def test_no_english_sentence_is_both_learned_and_measured_and_every_word_is_known():
    data = translations(train=400, test=300, longest=7)
    english, french = data.more["english"], data.more["french"]
    learned = {tuple(source) for source, _ in data.task.examples}
    measured = {tuple(english.encode(pair.english)) for pair in data.more["pairs"]}
    assert not learned & measured
    assert max(map(len, learned)) == 7
    assert not any(english.unk in source for source in measured)
    assert not any(french.unk in target for _, target in data.task.validation)
    assert data.sizes == {"vocabulary": len(english), "target_vocabulary": len(french), "pad": english.pad}
    for _, target in data.task.examples:
        assert (target[0], target[-1]) == (french.bos, french.eos)


def test_a_sentence_to_measure_on_is_not_kept_to_learn_from():
    pair = translations(train=5, test=5).more["pairs"][0]
    assert material._is_kept(pair, unseen=set(), longest=None)
    assert not material._is_kept(pair, unseen={pair.english}, longest=None)


def test_texts_begin_and_end():
    data = sentences(train=20, test=10)
    french = data.more["french"]
    assert (len(data.task.examples), len(data.task.validation)) == (20, 10)
    for (text,) in (*data.task.examples, *data.task.validation):
        assert (text[0], text[-1]) == (french.bos, french.eos)
        assert french.unk not in text


def test_few_are_the_first_eight():
    many = replace(DATA, task=replace(DATA.task, examples=[*DATA.task.examples] * 2, validation=DATA.task.examples * 2))
    few = many.few()
    assert few.task.examples == many.task.examples[:8]
    assert few.task.validation == many.task.validation[:8]


@pytest.mark.parametrize("name", ["examples", "validation"])
def test_data_of_nothing_are_refused(name: str):
    with pytest.raises(ValueError, match=f"there are no {name}"):
        replace(DATA, task=replace(DATA.task, **{name: []}))
