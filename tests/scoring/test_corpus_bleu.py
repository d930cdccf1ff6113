"""BLEU with a different number of references for each sentence is sacreBLEU's."""

import pytest
import sacrebleu

from course_lib.data.translations import Source
from course_lib.scoring.corpus_bleu import corpus_bleu

SOURCES = [
    Source("Where is my book?", ("Où est mon livre ?", "Où se trouve mon livre ?")),
    Source("Tom is at home now.", ("Tom est maintenant à la maison.",)),
]
TEXTS = ["Où se trouve mon livre ?", "Tom est à la maison maintenant."]


def test_all_references_count_or_the_first_alone():
    first = [each.references[0] for each in SOURCES]
    second = ["Où se trouve mon livre ?", None]
    every = sacrebleu.corpus_bleu(TEXTS, [first, second]).score  # type: ignore[list-item]
    assert corpus_bleu(TEXTS, SOURCES) == pytest.approx(every, abs=1e-9)
    assert corpus_bleu(TEXTS, SOURCES, references=1) == pytest.approx(sacrebleu.corpus_bleu(TEXTS, [first]).score)
    assert corpus_bleu(TEXTS, SOURCES) > corpus_bleu(TEXTS, SOURCES, references=1)


@pytest.mark.parametrize(("texts", "sources"), [([], []), (TEXTS[:1], SOURCES)])
def test_a_translation_that_is_missing_is_said(texts: list[str], sources: list[Source]):
    with pytest.raises(ValueError, match="each source needs a translation, but there are"):
        corpus_bleu(texts, sources)
