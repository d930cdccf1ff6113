"""The code that notebooks import from their lessons, against plain code and known numbers."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.data import DataMissing, tales
from course_lib.data.entities import Split, TaggedSentence
from course_lib.experiments import Data
from course_lib.learning.losses import next_token
from course_lib.learning.training import Task
from course_lib.lessons.l02_multi_head.for_notebook.real_heads import embed_without
from course_lib.lessons.l02_multi_head.for_notebook.two_questions import ASKED, TwoQuestions, sentences
from course_lib.lessons.l05_encoder.for_notebook.deep_stacks import DeepStack, train_on_previous_token
from course_lib.lessons.l05_encoder.for_notebook.known_models import parameters_of_known_models
from course_lib.lessons.l05_encoder.for_notebook.real_encoder import encoder_and_ids
from course_lib.lessons.l06_decoder.for_notebook import texts
from course_lib.lessons.l06_decoder.for_notebook.texts import draw_ids, known_and_unseen, windows_of
from course_lib.lessons.l06_decoder.for_notebook.torch_decoder import decoder_without_source
from course_lib.lessons.l06_decoder.for_notebook.under_mask import LanguageModelUnder
from course_lib.lessons.l11_pretraining.for_notebook.hidden_pieces import explore, explore_letters
from course_lib.lessons.l12_fine_tuning.for_notebook import tables
from course_lib.lessons.l13_named_entities.for_notebook.showing import (
    known_shares,
    line_of_scores,
    marked,
    spread_over_pieces,
)
from course_lib.lessons.l17_your_experiments.for_notebook.false_alarms import false_alarms, loss_of_frequencies
from course_lib.lessons.l17_your_experiments.for_notebook.findings import findings
from course_lib.pretrained import build_part, load_encoder
from course_lib.pretrained.hidden_words import load_hidden_words
from course_lib.pretrained.text_tuning import Recorded, Run
from course_lib.scoring.dependence import notices
from course_lib.scoring.entities import entity_scores
from course_lib.text.characters import CharacterTokenizer
from course_lib.transformer.attention import attend_in_heads, causal_mask
from course_lib.transformer.build import build_language_model, build_masked_language_model
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.layers import EncoderLayer, encoder_parameter_count, pre_norm
from course_lib.transformer.models import MaskedLanguageModelHead
from tests.experiments.small import study


def test_the_last_token_of_the_two_questions_gives_an_answer_to_each() -> None:
    ids = sentences(3, seed=0)
    assert TwoQuestions(2, attend_in_heads)(ids).shape == (3, len(ASKED), 8)
    assert ids.equal(sentences(3, seed=0))
    assert not ids.equal(sentences(3, seed=1))


def test_a_head_that_is_off_changes_the_vectors_and_the_encoder_stays_as_it_was() -> None:
    data.fetch("pretrained-encoder")
    encoder, lines = load_encoder("cpu"), ["A baker sold fresh bread."]
    before = encoder.embed(lines)
    assert not torch.allclose(embed_without(encoder, 2, lines), before, atol=1e-4)
    assert torch.equal(encoder.embed(lines), before)
    with pytest.raises(ValueError, match="head should be 0 to 11, but is 12"):
        embed_without(encoder, 12, lines)


def test_a_stack_learns_to_name_the_symbol_before_and_reports_each_step_and_layer() -> None:
    torch.manual_seed(0)
    model = DeepStack(pre_norm, depth=2, ends_in_norm=True)
    losses, lengths = train_on_previous_token(model, warmup=10, steps=100)
    assert losses.shape == (100,)
    assert lengths.shape == (100, 2)
    assert losses[:5].mean() > 1.9
    assert losses[-5:].mean() < 1.2
    assert len(model.hidden(torch.zeros(1, 3, dtype=torch.long))) == 2


def test_the_known_models_have_the_sizes_that_their_papers_give() -> None:
    # Vaswani et al. 2017, table 3: 65 million; Devlin et al. 2019, section 3: 110 and 340 million. Norms are left out.
    totals = {
        name: sum(parts.values()) / 1e6 for name, parts in parameters_of_known_models(encoder_parameter_count).items()
    }
    assert totals == pytest.approx({"2017, base": 65, "BERT, base": 110, "BERT, large": 340}, rel=0.04)


def test_without_the_pretrained_encoder_a_small_one_reads_sentences_of_different_lengths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(device: str) -> None:
        raise DataMissing("nothing here.")

    monkeypatch.setattr("course_lib.lessons.l05_encoder.for_notebook.real_encoder.load_encoder", missing)
    encoder, ids, about = encoder_and_ids(["One two three.", "One."])
    assert (ids != 0).sum(dim=1).tolist() == [3, 1]
    assert encoder(ids).isfinite().all()
    assert "small encoder with random parameters" in about


def test_the_texts_are_the_tales_of_the_split_or_sentences_where_they_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data.fetch("tales")
    found, split = known_and_unseen(), tales.split()
    assert (found.known, found.unseen) == (tales.text(split.train), tales.text(split.validation))
    assert found.about == "49 tales to train on, 5 others to test on."

    def missing() -> None:
        raise DataMissing("nothing here.")

    monkeypatch.setattr(texts.tales, "split", missing)
    made_up = known_and_unseen()
    assert made_up.known.count(". ") == 7999
    assert "made up by the course" in made_up.about


def test_windows_follow_each_other_and_a_rest_is_left_out() -> None:
    assert windows_of(torch.arange(8), 3).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert windows_of(torch.arange(7), 3).tolist() == [[0, 1, 2, 3]]


class Counts(nn.Module):
    """Says that the next number follows, and keeps how much it was given to read."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.read = ids.size(1)
        return 1000 * nn.functional.one_hot((ids + 1) % 9, 9).float()


def test_drawing_continues_a_text_and_reads_only_its_end() -> None:
    model = Counts().train()
    assert draw_ids(model, [1, 2, 3], 4, reads=2) == [1, 2, 3, 4, 5, 6, 7]
    assert model.read == 2
    assert not model.training


def test_a_model_under_a_mask_notices_what_the_mask_allows() -> None:
    torch.manual_seed(0)
    ids = torch.tensor([[1, 2, 3, 4]])
    causal = LanguageModelUnder(causal_mask, 5).eval()
    assert notices(causal, ids, 5).equal(causal_mask(4))
    everything = LanguageModelUnder(lambda T: torch.ones(T, T, dtype=torch.bool), 5).eval()
    assert notices(everything, ids, 5).all()


def test_torch_s_decoder_layer_ignores_its_source_and_is_an_encoder_layer_under_a_causal_mask() -> None:
    torch.manual_seed(0)
    theirs, parameters = decoder_without_source(16, 4, 32)
    x, source = torch.randn(2, 5, 16, dtype=torch.float64), torch.randn(2, 3, 16, dtype=torch.float64)
    expected = theirs(x, source, tgt_mask=~causal_mask(5))
    assert expected.equal(theirs(x, 9 * source, tgt_mask=~causal_mask(5)))
    ours = build_part("EncoderLayer", EncoderLayer, (16, 4, 32, 0.0), parameters)
    torch.testing.assert_close(ours(x, causal_mask(5)), expected, rtol=0, atol=1e-12)


def test_names_are_put_in_brackets_with_their_kind() -> None:
    words = ["Ann", "Lee", "saw", "Rome"]
    assert marked(words, [("PER", 0, 2), ("LOC", 3, 4)]) == "[Ann Lee]PER saw [Rome]LOC"
    assert marked(words, []) == "Ann Lee saw Rome"
    assert words[0] == "Ann"


def test_a_line_of_scores_has_f1_of_all_and_of_each_kind_and_the_accuracy() -> None:
    scores = entity_scores([["B-PER", "O", "O"]], [["B-PER", "O", "B-LOC"]])
    line = line_of_scores("mine", scores, 2 / 3, width=6)
    assert line == "mine   F1 0.667 (LOC 0.00  PER 1.00)  accuracy per word 66.7%"
    of_pieces = line_of_scores("mine", scores, 2 / 3, width=6, per="piece")
    assert of_pieces == line.replace("per word", "per piece")


def test_what_a_test_shares_with_the_training_sentences_is_counted() -> None:
    def here(text: str, tags: str) -> TaggedSentence:
        return TaggedSentence(tuple(text.split()), tuple(tags.split()))

    train = [here("Ann Lee is in Rome since 1999", "B-PER I-PER O O B-LOC O O")]
    alike = here("Bo is in New Rome since 2001", "B-PER O O B-LOC I-LOC O O")  # one word of a name of three is known
    other = here("Lee sang", "B-PER O")
    assert known_shares(Split(train, [], [alike, other])) == (2 / 4, 1 / 2)
    assert known_shares(Split(train, [], [here("It rains", "O O")])) == (0, 0)


def test_tags_are_spread_over_pieces_so_that_no_name_begins_twice() -> None:
    tags = [("B-PER", "B-PER", "O", "I-LOC"), ()]
    rows = [[None, 0, 0, 1, 2, 2, 3, 3, None], [None, None]]
    assert spread_over_pieces(tags, rows) == [("B-PER", "I-PER", "B-PER", "O", "O", "I-LOC", "I-LOC"), ()]


def test_the_explorer_of_hidden_pieces_gives_pieces_from_outside_the_tales_no_chance() -> None:
    data.fetch("tales")
    data.fetch("pretrained-encoder")
    words = load_hidden_words()
    torch.manual_seed(0)
    shown = explore(words, words.model(MaskedLanguageModelHead), "The king has a smartphone.", token=2)
    assert shown.found["tokens"][:3] == ["[CLS]", "the", "king"]
    outside = shown.found["tokens"].index("smartphone")
    assert shown.found["own"][outside][-1] == 0
    assert shown.found["own"][2][-1] > 0


def test_the_explorer_of_letters_names_the_mask() -> None:
    tokenizer = CharacterTokenizer.from_text("king")
    mask = len(tokenizer)
    config = TransformerConfig(vocabulary=mask + 1, d_model=8, heads=2, d_ff=8, layers=1, pad=None, dropout=0.0)
    shown = explore_letters(build_masked_language_model(config).eval(), tokenizer, mask, "king", token=1)
    assert shown.found["tokens"] == list("king")
    names = {name for name, _ in shown.found["guesses"][0][0]}
    assert names <= {tokenizer.token(i) for i in range(mask)} | {"[mask]"}


def test_a_table_shows_means_seeds_and_what_was_not_run() -> None:
    runs = [
        Run("film", "words", 50, 0, 0.5, 0.5, 1.0),
        Run("film", "words", 50, 1, 0.6, 0.5, 1.0),
        Run("film", "tuned", 1_000, 0, 0.8, 0.5, 1.0),
        Run("topics", "words", 200, 0, 0.1, None, 1.0),
    ]
    head, *rows = tables.lines(Recorded(runs, {}), "film")
    assert head.split() == ["50", "1,000"]
    assert rows[0].split() == ["words", "55.0%", "(2)", "–"]
    assert rows[-1].split() == ["tuned", "–", "80.0%", "(1)"]
    assert [len(line) for line in rows] == [len(head)] * 5


def test_false_alarms_are_counted_for_both_intervals() -> None:
    always = false_alarms(lambda values, picks: (1.0, 2.0), seeds=3)
    never = false_alarms(lambda values, picks: (-1e9, 1e9), seeds=3)
    assert (always[0], never[0]) == (1.0, 0.0)
    assert always[1] == never[1]
    assert 0.02 < always[1] < 0.09


def test_a_model_of_frequencies_has_the_loss_of_its_counts() -> None:
    # Ids 4 and 5 occur three times and once; with one more for each of 6 ids, their shares are 4/10 and 2/10.
    task = Task([([1, 4, 4, 5],), ([1, 4],)], next_token, [([1, 4, 5],)])
    found = loss_of_frequencies(Data(task, build_language_model, {"vocabulary": 6}))
    assert found == pytest.approx(-(math.log(0.4) + math.log(0.2)) / 2)


def test_findings_have_the_numbers_and_leave_room_for_thoughts(tmp_path: Path) -> None:
    results = study().run(workers=1, progress=False, folder=tmp_path)
    text = findings(results, baseline="narrow")
    assert text.startswith("# Which width is better?\n")
    assert results.to_markdown() in text
    assert str(results.compare("wide", "narrow")) in text
    assert "2 variants (narrow, wide), each trained with 2 seeds and a budget of 5 steps. No run failed." in text
    assert text.count("…") == 4
    with pytest.raises(ValueError, match="no variant 'odd'"):
        findings(results, baseline="odd")
