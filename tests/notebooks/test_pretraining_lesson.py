"""What notebook 11 says of its trainings with seed 0 holds for one more seed, on the course's parts."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from course_lib import data
from course_lib.data import tales
from course_lib.learning.masking import draw_for_hiding, hide_tokens
from course_lib.learning.packing import document_mask, pack_texts
from course_lib.learning.training import Task, train
from course_lib.pretrained.tales_scaling import LENGTH, SETTINGS, predict_next, run, small_config
from course_lib.scoring.gaps import Gaps, choose_gaps, ngram_guesses
from course_lib.scoring.metrics import bits_per_character
from course_lib.scoring.ngrams import NGrams
from course_lib.text.characters import CharacterTokenizer
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.build import build_masked_language_model

SEED = 1


@pytest.fixture(scope="module")
def text() -> SimpleNamespace:
    """The notebook's rows, gaps and special ids."""
    data.fetch("tales")
    split = tales.split()
    known, unseen = tales.sentences(split.train), tales.sentences(split.validation)
    t = CharacterTokenizer.from_text("".join(known))
    rows, exam = (pack_texts([t.encode(each) for each in some], t.eos, LENGTH) for some in (known, unseen))
    special = torch.tensor([t.pad, t.bos, t.eos, t.unk, len(t)])
    gaps = choose_gaps(exam, special, t.eos)
    letters = "".join(t.token(i) for i in gaps.answers.tolist())
    return SimpleNamespace(
        rows=rows, exam=exam, gaps=gaps, letters=letters, special=special, end=t.eos, mask=len(t), V=len(t) + 1
    )


def hidden_letters(model: nn.Module, ids: Tensor, text: SimpleNamespace, share: float) -> tuple[Tensor, Tensor]:
    """As in the notebook."""
    inputs, labels = hide_tokens(ids, text.special, text.mask, *draw_for_hiding(ids, text.special, text.V), share)
    return model(inputs, document_mask(ids, text.end)), labels


@pytest.fixture(scope="module")
def bits(text: SimpleNamespace) -> dict[str, float]:
    """The bits of each letter that is asked for: of two baselines, and of the notebook's three models."""
    objectives = {
        "causal": partial(predict_next, end=text.end),
        "masked": partial(hidden_letters, text=text, share=0.15),
        "half": partial(hidden_letters, text=text, share=0.5),
    }
    gaps: Gaps = text.gaps
    own = document_mask(gaps.rows, text.end)
    stream = text.rows.flatten().tolist()
    log_p = {f"{n}-gram": ngram_guesses(NGrams(stream, n, text.V), gaps) for n in (1, 5)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, objective in objectives.items():
        with torch.random.fork_rng([]):
            torch.manual_seed(SEED)
            model = build_masked_language_model(small_config(text.V, layers=3))
            settings = replace(SETTINGS, steps=400, validate_every=None, seed=SEED, progress=False)
            train(model, Task([(row,) for row in text.rows.tolist()], objective), settings, device="cpu")
        with torch.no_grad():
            if name == "causal":
                log_p[name] = gaps.before(model(gaps.rows, own & causal_mask(LENGTH))).log_softmax(-1)
                continue
            for sight, visible in (("", own), (" left only", own & gaps.left_only())):
                log_p[name + sight] = gaps.at(model(gaps.hidden(text.mask), visible)).log_softmax(-1)
    torch.set_num_threads(threads)
    return {
        name: bits_per_character(each.gather(1, gaps.answers[:, None]), text.letters) for name, each in log_p.items()
    }


def test_the_next_letter_is_foreseen_better_by_the_model_that_was_asked_for_it(bits: dict[str, float]) -> None:
    assert bits["5-gram"] - 0.1 < bits["causal"] < bits["masked left only"] - 0.5
    assert bits["masked left only"] < bits["1-gram"]


def test_more_questions_fill_gaps_better_and_both_sides_help(bits: dict[str, float]) -> None:
    assert bits["half"] < bits["masked"] - 0.1
    assert bits["masked"] < bits["masked left only"] - 0.5


def test_with_little_text_the_loss_on_other_tales_turns_and_rises(text: SimpleNamespace) -> None:
    some = text.exam[:: len(text.exam) // 96][:96].tolist()
    settings = replace(SETTINGS, progress=False)
    live = run(text.rows.tolist(), some, vocabulary=text.V, end=text.end, share=1 / 32, seed=SEED, settings=settings)
    assert live.training[-1] < live.best - 0.5
    assert live.best < live.validation[-1] - 0.3
