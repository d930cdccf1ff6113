import pytest
import torch

from course_lib.decoding import greedy
from course_lib.models import LanguageModel, Transformer, TransformerConfig
from course_lib.tokens import BOS, EOS

SMALL = TransformerConfig(vocabulary=20, target_vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=10)


@pytest.fixture
def model():
    torch.manual_seed(3)
    return Transformer(SMALL)


class Dictionary:
    """A stand-in for a Transformer that is known by heart: it copies its source, then says [eos] for ever."""

    config = SMALL

    def __init__(self):
        self.training = True
        self.rows_at_a_time = []
        self.steps = 0

    def eval(self):
        self.training = False

    def train(self, mode):
        self.training = mode

    def parameters(self):
        return iter([torch.zeros(1)])

    def encode(self, source):
        self.rows_at_a_time.append(len(source))
        return source

    def decode(self, target, memory, source):
        self.steps += 1
        assert not self.training
        assert (target[:, 0] == BOS).all()
        wanted = torch.nn.functional.pad(source, (0, SMALL.max_length + 1))[:, : target.size(1)]
        wanted = torch.where(wanted == 0, EOS, wanted)
        return torch.nn.functional.one_hot(wanted, 20).float()


def test_greedy_writes_until_the_end_sign_and_returns_neither_it_nor_the_first_sign():
    assert greedy(Dictionary(), [[5, 6, 7], [8], [9, 4]]) == [[5, 6, 7], [8], [9, 4]]


def test_greedy_takes_no_step_after_the_last_sentence_has_ended():
    stand_in = Dictionary()
    greedy(stand_in, [[5, 6, 7], [8]])
    assert stand_in.steps == 4


def test_greedy_cuts_a_translation_that_does_not_end():
    assert greedy(Dictionary(), [[5, 6, 7, 8], [9]], max_length=2) == [[5, 6], [9]]


def test_greedy_never_outgrows_the_models_positions():
    long = [4 + i % 8 for i in range(30)]
    assert greedy(Dictionary(), [long]) == [long[: SMALL.max_length]]


def test_greedy_runs_a_real_model_up_to_its_last_position(model, monkeypatch):
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda *ids: decode(*ids).index_fill(-1, torch.tensor([EOS]), -torch.inf))
    (ids,) = greedy(model, [[5, 6]], max_length=99)
    assert len(ids) == SMALL.max_length


def test_greedy_translates_many_sentences_in_several_batches_and_keeps_their_order():
    stand_in = Dictionary()
    sentences = [[4 + i % 8, 4 + i // 8 % 8, 4 + i // 64 % 8] for i in range(300)]
    assert greedy(stand_in, sentences) == sentences
    assert len(stand_in.rows_at_a_time) > 1


def test_greedy_takes_the_likeliest_token_at_each_step(model):
    (ids,) = greedy(model, [[5, 6, 7]], max_length=4)
    model.eval()
    so_far = [BOS]
    for chosen in [*ids, EOS][:4]:
        logits = model(torch.tensor([[5, 6, 7]]), torch.tensor([so_far]))[0, -1]
        assert logits.max() == logits[chosen]
        so_far.append(chosen)


def test_company_changes_no_translation(model):
    alone = [greedy(model, [ids])[0] for ids in ([5, 6, 7, 8], [9], [10, 11])]
    assert greedy(model, [[5, 6, 7, 8], [9], [10, 11]]) == alone


def test_greedy_switches_dropout_off_and_back_on():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocabulary=20, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.5))
    model.train()
    assert len({tuple(greedy(model, [[5, 6, 7]], max_length=8)[0]) for _ in range(5)}) == 1
    assert model.training


def test_greedy_says_which_sentence_is_empty(model):
    with pytest.raises(ValueError, match="prompt 1 has no tokens"):
        greedy(model, [[5], []])


def test_no_sentences_give_no_translations(model):
    assert greedy(model, []) == []


@pytest.fixture
def language_model():
    torch.manual_seed(1)
    return LanguageModel(TransformerConfig(vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=6))


def test_a_continuation_is_the_likeliest_next_token_again_and_again(language_model):
    added = greedy(language_model, [[5, 6]], 4, stop=[-1])[0]
    assert len(added) == 4
    language_model.eval()
    text = [5, 6]
    for chosen in added:
        logits = language_model(torch.tensor([text]))[0, -1]
        assert logits.max() == logits[chosen]
        text.append(chosen)


def test_a_continuation_switches_dropout_off():
    torch.manual_seed(0)
    config = TransformerConfig(vocabulary=20, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.5)
    model = LanguageModel(config).train()
    assert len({tuple(greedy(model, [[5, 6, 7]], 8)[0]) for _ in range(5)}) == 1
    assert model.training


def test_a_continuation_stops_before_the_end_sign(language_model):
    free = greedy(language_model, [[5]], 5, stop=[-1])[0]
    first_place = free.index(free[2])
    assert greedy(language_model, [[5]], 5, stop=[free[2]])[0] == free[:first_place]


def test_a_text_longer_than_the_positions_goes_on_from_its_last_tokens(language_model):
    added = greedy(language_model, [[5, 6, 7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert added == greedy(language_model, [[7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert len(greedy(language_model, [[5]], 20, stop=[-1])[0]) == 20


def test_an_empty_prompt_is_refused(language_model):
    with pytest.raises(ValueError, match="prompt 0 has no tokens"):
        greedy(language_model, [[]], 3)[0]
