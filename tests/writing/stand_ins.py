"""Small models, or models with known outputs, for the tests of writing."""

import torch
from torch import Tensor, nn

from course_lib.transformer.build import build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import LanguageModel, Transformer
from tests.transformer.reference import stir

PAD, BOS, EOS = 0, 1, 2
ENDS = {"bos": BOS, "stop": (EOS,)}
SMALL = TransformerConfig(vocabulary=20, target_vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=10)
PROMPTS = [[5, 6, 7], [8], [9, 4, 3, 3, 10], [11, 11], [6] * 30, [5, 6, 7, 8, 9, 10, 11, 4]]


def small_translator() -> Transformer:
    torch.manual_seed(3)
    return build_transformer(SMALL)


def small_language_model() -> LanguageModel:
    torch.manual_seed(1)
    return build_language_model(TransformerConfig(vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=6))


def precise_language_model() -> LanguageModel:
    """A language model that reads and writes 12 tokens, in float64, so that no two logits are equal by rounding."""
    torch.manual_seed(2)
    config = TransformerConfig.gpt2(vocabulary=12, d_model=16, heads=2, d_ff=32, layers=2, max_length=9)
    model = build_language_model(config).double()
    stir(model)
    return model


class Dictionary:
    """A stand-in for a Transformer with a known output: it copies its source, and then repeats [eos]."""

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
        expected = torch.nn.functional.pad(source, (0, SMALL.max_length + 1))[:, : target.size(1)]
        expected = torch.where(expected == 0, EOS, expected)
        return torch.nn.functional.one_hot(expected, 20).float()


class Toy(nn.Module):
    """Not one of the course: every short text of V tokens has its own random odds for the next token."""

    def __init__(self, vocabulary: int, seed: int) -> None:
        super().__init__()
        self.vocabulary, self.seed = vocabulary, seed
        self.here = nn.Parameter(torch.zeros(1))
        self.known: dict[tuple[int, ...], Tensor] = {}

    def log_probabilities(self, text: tuple[int, ...]) -> Tensor:
        if text not in self.known:
            number = sum((token + 1) * (self.vocabulary + 1) ** i for i, token in enumerate(text))
            generator = torch.Generator().manual_seed(1000 * self.seed + number)
            odds = torch.randn(self.vocabulary, generator=generator, dtype=torch.float64)
            self.known[text] = odds.log_softmax(-1)
        return self.known[text]

    def log_p(self, text: tuple[int, ...], token: int) -> float:
        return self.log_probabilities(text)[token].item()

    def forward(self, ids: Tensor) -> Tensor:
        rows = [[self.log_probabilities(tuple(row[: i + 1])) for i in range(len(row))] for row in ids.tolist()]
        return torch.stack([torch.stack(row) for row in rows])
