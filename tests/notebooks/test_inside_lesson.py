"""What notebook 08 says of its trainings with seed 0 holds for two more seeds, on the course's parts."""

from types import SimpleNamespace

import pytest
import torch

from course_lib import yours
from course_lib.data import grammar
from course_lib.data.grammar.kinds import word_kinds
from course_lib.exercises.keeping import parts
from course_lib.pretrained.inspection import (
    complete,
    count_right,
    counting_losses,
    loss_per_word,
    predictions,
    without_head,
)
from course_lib.pretrained.translator import Translator
from course_lib.scoring.alignments import ITS_NOUN, best_single_links, links_by_kind
from course_lib.scoring.baselines import diagonal
from course_lib.scoring.confidence import calibration_error
from course_lib.scoring.metrics import alignment_error_rate, alignment_from_weights
from course_lib.transformer.models import Transformer

SPLIT = grammar.translation_split()
PAIRS = SPLIT.test[:200]
GOLD = [pair.alignment for pair in PAIRS]


class ReadsNothing(Transformer):
    """As in the notebook."""

    def encode(self, source_ids: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(super().encode(source_ids))

    def forward(self, source_ids: torch.Tensor, target_ids: torch.Tensor) -> torch.Tensor:
        return self.decode(target_ids, self.encode(source_ids), source_ids)


@pytest.fixture(scope="module", params=[1, 2])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The notebook's three translators with another seed, and the weights of the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_WORK", str(tmp_path_factory.mktemp("parts")))
        parts.forget_loaded()
        seed = int(request.param)
        mine, _ = yours.train_translator(SPLIT.train, seed=seed)
        sharp, _ = yours.train_translator(SPLIT.train, smoothing=0.0, seed=seed)
        deaf, _ = yours.train_translator(SPLIT.train, make=ReadsNothing, epochs=1, seed=seed)
    read = mine.cross_attention([pair.english for pair in PAIRS], [pair.french for pair in PAIRS])
    return SimpleNamespace(mine=mine, sharp=sharp, deaf=deaf, weights=[grids[0] for grids in read])


def errors(weights: list[torch.Tensor]) -> list[float]:
    """The error rate of each head."""
    return [alignment_error_rate([alignment_from_weights(grids[h]) for grids in weights], GOLD) for h in range(4)]


def test_new_pairs_are_translated_about_as_well_as_known_ones(trained: SimpleNamespace):
    # Of 400, seeds 0 to 4 gave 330 to 367 for known pairs, and 312 to 351 for new ones: 0.94 to 0.98 as many.
    known, new = count_right(trained.mine, SPLIT.known), count_right(trained.mine, SPLIT.new)
    assert new > 0.9 * known > 300
    assert trained.mine.translate("the detective investigated") == "le détective a enquêté"


def test_the_best_head_is_aligned_much_better_than_the_diagonal(trained: SimpleNamespace):
    found = errors(trained.weights)
    baseline = alignment_error_rate([diagonal(pair) for pair in PAIRS], GOLD)
    floor = alignment_error_rate([best_single_links(pair) for pair in PAIRS], GOLD)
    assert floor < 0.05 < min(found) < 0.25 < baseline - 0.1


def test_the_worst_aligned_head_reads_the_nouns_of_determiners_and_is_needed(trained: SimpleNamespace):
    found = errors(trained.weights)
    worst = found.index(max(found))
    kinds = links_by_kind(trained.weights, PAIRS)
    # Seeds 0 to 4 gave 0.47 to 0.91 for this head, and 0.02 to 0.30 for the next; another processor gave 0.38.
    assert kinds[ITS_NOUN].argmax() == worst
    assert kinds[ITS_NOUN][worst] > max(0.3, kinds[ITS_NOUN].sort().values[-2] + 0.05)
    of_kind = [kind for pair in PAIRS for kind in word_kinds(pair)]

    def determiners() -> float:
        correct = torch.cat([each.correct for each in predictions(trained.mine, PAIRS)]).tolist()
        chosen = [c for c, kind in zip(correct, of_kind, strict=True) if kind == "determiner"]
        return sum(chosen) / len(chosen)

    before, words = count_right(trained.mine, PAIRS), determiners()
    with without_head(trained.mine, 0, worst):
        assert count_right(trained.mine, PAIRS) < before - 20
        assert determiners() < words - 0.05


def test_without_the_memory_it_is_a_language_model_that_says_one_sentence(trained: SimpleNamespace):
    losses = counting_losses(trained.mine, SPLIT.train, SPLIT.test)
    nothing, english = loss_per_word(trained.deaf, SPLIT.test), loss_per_word(trained.mine, SPLIT.test)
    assert english < nothing / 4
    assert nothing < losses["bigram"] < losses["unigram"] - 1
    said = {trained.deaf.translate(sentence) for sentence in ("the king slept", "she found a key", "two dogs ran")}
    assert len(said) == 1


def test_the_word_after_a_wrong_one_suffers_most_and_the_harm_fades(trained: SimpleNamespace):
    answers = trained.mine.translate_words([pair.english for pair in SPLIT.test])
    right = [p for p, answer in zip(SPLIT.test, answers, strict=True) if answer == p.french and len(p.french) >= 8]
    cases = [(p, q.french[2]) for p, q in zip(right, right[1:] + right[:1], strict=True) if p.french[2] != q.french[2]]
    reads = [(*p.french[:2], word, *p.french[3:]) for p, word in cases]
    after = predictions(trained.mine, [p for p, _ in cases], reads)
    correct = torch.stack([each.correct[:8] for each in after]).double().mean(dim=0)
    # Seeds 0 to 4 gave 0.19 to 0.21 for the next word, then 0.67 to 0.79, 0.90 to 0.95, and at last 0.98 to 1.00.
    assert correct[:3].eq(1).all()
    assert correct[3] < 0.35 < 0.6 < correct[4] < correct[5] < correct[7]
    assert correct[7] > 0.95
    rest = [complete(trained.mine, p.english, (*p.french[:2], word))[3:] == p.french[3:] for p, word in cases[:100]]
    assert sum(rest) < 35
    assert (
        0.15 < sum(each.words[3] == p.french[2] for each, (p, _) in zip(after, cases, strict=True)) / len(cases) < 0.4
    )


def calibration(translator: Translator) -> tuple[float, float, float]:
    """The mean confidence, the share of words that are right, and the calibration error."""
    found = predictions(translator, SPLIT.test)
    confidence, correct = (torch.cat([getattr(each, name) for each in found]) for name in ("confidence", "correct"))
    error = calibration_error(confidence, correct, 10).item()
    return confidence.mean().item(), correct.double().mean().item(), error


def test_smoothing_makes_it_less_sure_and_more_often_right(trained: SimpleNamespace):
    smooth, sharp = calibration(trained.mine), calibration(trained.sharp)
    # Seeds 0 to 4 gave errors of 0.125 to 0.135 and 0.006 to 0.010, and 19 to 52 of 400 new sentences more.
    assert 0.82 < smooth[0] < 0.88 < 0.95 < sharp[0]
    assert min(smooth[1], sharp[1]) > 0.97
    assert smooth[2] > 0.1 > 0.03 > sharp[2]
    assert count_right(trained.mine, SPLIT.new) > count_right(trained.sharp, SPLIT.new)
