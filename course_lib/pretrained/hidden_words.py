"""Grimms' tales in the word pieces of the pretrained encoder, for a head that guesses hidden ones. Used in 11."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.data import tales
from course_lib.learning.losses import IGNORE
from course_lib.learning.schedules import warmup_cosine
from course_lib.pretrained.encoder import PretrainedEncoder, load_encoder
from course_lib.scoring.ngrams import NGrams
from course_lib.transformer.models import MaskedLanguageModel

LENGTH = 64
UNSEEN = 60
"""How many rows of the other tales are kept for an exam."""

Guesses = list[tuple[str, float]]
"""Tokens with their probabilities, the likeliest first."""


@dataclass(frozen=True, eq=False)
class HiddenWords:
    """The pretrained encoder, and tales to learn from and to be examined on.

    Only K of the encoder's V pieces occur in the tales, so a model has to choose among these: it gives each a number of
    its own, from 0 to K - 1. All other pieces share the number K, which is never guessed.

    Attributes:
        reader: the encoder with its tokenizer.
        rows: rows of 64 pieces, [CLS] and [SEP] included, from 49 tales.
        exam: rows of the 5 other tales.
        pieces: the ids of the K pieces of `rows`, ascending, without [CLS] and [SEP].
        counts: n → n-grams of the ids of `rows`, for n = 1 and 5.
    """

    reader: PretrainedEncoder
    rows: Tensor
    exam: Tensor
    pieces: Tensor
    counts: dict[int, NGrams]

    @property
    def vocabulary(self) -> int:
        """V."""
        return len(self.reader.tokenizer)

    @property
    def mask(self) -> int:
        """The id of [MASK]."""
        return _known(self.reader.tokenizer.mask)

    @property
    def special(self) -> Tensor:
        """The special ids."""
        t = self.reader.tokenizer
        return torch.tensor([_known(each) for each in (t.pad, t.bos, t.eos, t.unk, t.mask)])

    def token(self, number: int) -> str:
        """Spell the piece of an id."""
        return self.reader.tokenizer.token(number)

    def piece(self, number: int) -> str:
        """Spell the piece that has this number in the models' guesses."""
        return self.token(int(self.pieces[number])) if number < len(self.pieces) else "another piece"

    def numbers(self, ids: Tensor) -> Tensor:
        """Give the numbers that ids have in the models' guesses; labels of -100 stay."""
        table = torch.full((self.vocabulary,), len(self.pieces))
        table[self.pieces] = torch.arange(len(self.pieces))
        return torch.where(ids == IGNORE, IGNORE, table[ids.clamp(min=0)])

    def model(self, head: Callable[[int, int], nn.Module]) -> MaskedLanguageModel:
        """Put a new head on the frozen encoder. It guesses by the rows of the K pieces in the encoder's own table.

        Takes the head's class, made with K and d_model. Where the head has a bias for each piece, it begins at ln of
        the piece's share of the tales, so that the head need not learn how frequent each piece is.
        """
        made = MaskedLanguageModel(self.reader.encoder, head=lambda _, d_model: head(len(self.pieces), d_model))
        made.encoder.requires_grad_(False)
        made.output_table = nn.Parameter(self.reader.encoder.table[self.pieces].detach(), requires_grad=False)
        times = torch.bincount(self.numbers(self.rows[:, 1:-1]).flatten()).float()
        for name, each in made.head.named_parameters():
            if "bias" in name and each.shape == times.shape:
                each.data.copy_((times / times.sum()).log())
        return made.eval()

    @torch.no_grad()
    def states(self, rows: Tensor, hide: Callable[[Tensor], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Let the encoder read rows with hidden pieces once, and keep its states where there is something to guess.

        Takes rows of ids, and what hides some: from ids to inputs and labels. Returns n states (n, d_model), and the
        numbers of the pieces that are hidden there, (n,). Shows a bar.
        """
        states, answers = [], []
        for part in tqdm(torch.split(rows, 16), leave=False, disable=len(rows) < 100):
            inputs, labels = hide(part)
            asked = labels != IGNORE
            states.append(self.reader.encoder(inputs)[asked])
            answers.append(self.numbers(labels)[asked])
        return torch.cat(states), torch.cat(answers)

    def by_counting(self, rows: Tensor, labels: Tensor, n: int, count: int) -> Tensor:
        """Guess hidden pieces by n-grams, from the pieces before them, none of which is hidden.

        Takes rows of ids (B, T), labels that are -100 where there is nothing to guess, n = 1 or 5, and how many pieces
        to guess. Returns their numbers, (questions, count), the likeliest first.
        """
        guessed = [
            [number for number, _ in self.counts[n].likeliest(rows[row, 1:place].tolist(), count)]
            for row, place in (labels != IGNORE).nonzero().tolist()
        ]
        return self.numbers(torch.tensor(guessed))

    @torch.no_grad()
    def guesses(self, model: MaskedLanguageModel, sentence: str, word: str, count: int = 5) -> dict[str, Guesses]:
        """Hide a word of a sentence, and list the likeliest pieces by the model, by unigrams and by 5-grams.

        Raises ValueError for a word that is not in the sentence.
        """
        if word not in sentence or not word:
            raise ValueError(f"the word to hide should be in the sentence, but {word!r} is not in {sentence!r}")
        ids = self.reader.ids([sentence.replace(word, "[MASK]", 1)])
        place = ids[0].tolist().index(self.mask)
        p, best = model(ids)[0, place].softmax(dim=-1).topk(count)
        found = {"your model": [(self.piece(i), each) for i, each in zip(best.tolist(), p.tolist(), strict=True)]}
        for n, name in ((1, "unigram"), (5, "5-gram")):
            likeliest = self.counts[n].likeliest(ids[0, 1:place].tolist(), count)
            found[name] = [(self.token(i), each) for i, each in likeliest]
        return found


def train_head(
    model: MaskedLanguageModel,
    states: Tensor,
    answers: Tensor,
    *,
    steps: int = 900,
    rate: float = 3e-3,
    size: int = 256,
) -> list[float]:
    """Train the head on states that the frozen encoder computed once.

    Args:
        model: as `HiddenWords.model` makes it.
        states: (n, d_model).
        answers: the numbers of the hidden pieces, (n,).
        steps: how many updates.
        rate: the highest learning rate.
        size: how many states are drawn for each update.

    Returns the loss of each step. Shows a bar.
    """
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=rate, weight_decay=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: warmup_cosine(step + 1, 1.0, steps // 10 + 1, steps)
    )
    losses = []
    for _ in tqdm(range(steps), leave=False):
        drawn = torch.randint(len(states), (size,))
        loss = F.cross_entropy(model.head(states[drawn], model.output_table), answers[drawn])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def share_among(guessed: Tensor, answers: Tensor) -> float:
    """Give the share of answers (n,) that are among the guesses for them, (n, count).

    Raises ValueError for another number of guesses than of answers.
    """
    if guessed.shape[:-1] != answers.shape:
        raise ValueError(
            f"there should be a row of guesses for each answer, but the shapes are {tuple(guessed.shape)} and "
            f"{tuple(answers.shape)}"
        )
    return (guessed == answers[:, None]).any(dim=-1).double().mean().item()


def load_hidden_words() -> HiddenWords:
    """Load the pretrained encoder and the tales.

    Raises `course_lib.data.DataMissing` if one of them is not on this computer yet.
    """
    split, reader = tales.split(), load_encoder("cpu")
    rows, exam = (reader.rows([tale.text for tale in some], LENGTH) for some in (split.train, split.validation))
    read: list[int] = rows[:, 1:-1].flatten().tolist()
    counts = {n: NGrams(read, n, len(reader.tokenizer)) for n in (1, 5)}
    return HiddenWords(reader, rows, exam[:UNSEEN], torch.unique(rows[:, 1:-1]), counts)


def _known(number: int | None) -> int:
    if number is None:
        raise ValueError("the tokenizer lacks a special token that hiding needs")
    return number
