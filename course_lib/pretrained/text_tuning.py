"""What pre-training is worth for film sentences and for topics: accuracies of four ways to learn, from few examples on.

*Scratch*: an encoder with random weights, all of which learn. *Frozen*: the pretrained encoder as it is, and a head
that learns. *Adapters*: a small change of each matrix learns too (`LowRankAdapter`). *Tuned*: everything learns.
*Words*: no encoder, but logistic regression on TF-IDF features. `course_lib.recipes.fine_tune_texts` trained them, and
wrote the table and the adapters that are read here; notebook 12 shows them, and trains the cheaper ones again.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from course_lib.data import DataMissing, sentiment, topics
from course_lib.data.sentiment import Rated
from course_lib.learning.adapters import add_adapters, merge_adapters
from course_lib.learning.batches import pad_rows
from course_lib.learning.checkpoints import put_weights, read, weights_of, write
from course_lib.learning.fine_tuning import Labelled, copy_of
from course_lib.learning.heads import Classifier, ClassifierHead
from course_lib.pretrained.encoder import PretrainedEncoder, load_encoder
from course_lib.pretrained.recorded_runs import read_table
from course_lib.transformer.build import COURSE, Parts, build_encoder
from course_lib.transformer.config import TransformerConfig

FILE = Path(__file__).with_name("text_tuning.json")
ADAPTERS = Path(__file__).with_name("film_adapters.safetensors")
WAYS = ("words", "scratch", "frozen", "adapters", "tuned")
TASKS = ("film", "topics")


TESTED, TWEETED, VALIDATED = 1_000, 400, 100
"""How many sentences and tweets the accuracy is measured on, and how many sentences the best pass is chosen by."""

TOPICS_TESTED, TOPICS_VALIDATED = 400, 100
FIRST_WORDS = 40
"""To how many words a posting is cut: an encoder takes long over long texts."""

RANK, ALPHA = 8, 16.0
"""Of the adapters that are recorded."""


class Text(Protocol):
    """A text and the number of its class."""

    @property
    def text(self) -> str:
        """What is read."""
        ...

    @property
    def label(self) -> int:
        """The class, counted from 0."""
        ...


@dataclass(frozen=True)
class Posting:
    """The first words of a posting, and the number of its newsgroup."""

    text: str
    label: int


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts of some classes, with an encoder that reads them.

    Attributes:
        encoder: from ids (B, S) to hidden states (B, S, d_model).
        reader: cuts texts into ids, with its method `ids`.
        pad: the id that fills up short texts.
        classes: the names of the classes.
        train, validation, test: texts, none in two of them.
        tweets: texts of another kind with the same classes, from which nothing is learned.
        missing: "", or a sentence that says which data is missing and what takes its place.
    """

    encoder: nn.Module
    reader: Any = field(repr=False)
    pad: int
    classes: tuple[str, ...]
    train: Sequence[Any] = field(repr=False)
    validation: Sequence[Any] = field(repr=False)
    test: Sequence[Any] = field(repr=False)
    tweets: Sequence[Any] = field(repr=False, default=())
    missing: str = ""

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Cut texts into word pieces: ids of different lengths."""
        return [self.reader.ids([text])[0].tolist() for text in texts]

    def labelled(self, texts: Sequence[Text]) -> list[Labelled]:
        """Give the ids of some texts, and their labels."""
        return list(zip(self.ids([each.text for each in texts]), [each.label for each in texts], strict=True))

    def sample(self, size: int | None, seed: int = 0) -> list[Any]:
        """Draw so many texts to learn from; None: all, in another order."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed)).tolist()
        return [self.train[i] for i in order[:size]]


def load_film(parts: Parts = COURSE) -> Texts:
    """Read the film sentences and tweets, and the pretrained encoder, built from these parts.

    Where one of them is not on this computer, made-up sentences and a small encoder with random weights take the place
    of both, so that everything can be tried; `missing` says so. Raises `DataBroken` for damaged files.
    """
    try:
        split = sentiment.split()
        clear = [rated for rated in sentiment.tweets() if rated.is_clear]
        reader = load_encoder("cpu", parts)
    except DataMissing as error:
        made_up = f"{error} Until then, made-up sentences and an encoder that was never trained take their place."
        return _made_up(made_up)
    return Texts(
        reader.encoder,
        reader,
        cast(int, reader.tokenizer.pad),  # this tokenizer has one
        sentiment.CLASSES,
        split.train,
        split.validation[:VALIDATED],
        split.test[:TESTED],
        clear[:: len(clear) // TWEETED][:TWEETED],
    )


def load_topics(reader: PretrainedEncoder | None = None) -> Texts:
    """Read the first words of the postings to newsgroups, with the pretrained encoder, or one that was read before.

    Raises DataMissing where the postings or the encoder are not on this computer yet, DataBroken for damaged files.
    """
    split = topics.load()
    reader = reader or load_encoder("cpu")
    names = topics.names(split.train)

    def draw(postings: list[topics.Posting], count: int) -> list[Posting]:
        drawn = random.Random("topics").sample(postings, count)
        return [Posting(" ".join(each.text.split()[:FIRST_WORDS]), names.index(each.topic)) for each in drawn]

    train = draw(split.train, len(split.train))
    return Texts(
        reader.encoder,
        reader,
        cast(int, reader.tokenizer.pad),
        tuple(names),
        train[TOPICS_VALIDATED:],
        train[:TOPICS_VALIDATED],
        draw(split.test, TOPICS_TESTED),
    )


class _Words:
    """Turns words into ids, and puts a first and a last token around them."""

    pad = 0

    def __init__(self, sentences: Sequence[str]) -> None:
        self.numbers = {word: i + 4 for i, word in enumerate(sorted({w for text in sentences for w in text.split()}))}

    def ids(self, texts: Sequence[str]) -> Tensor:
        return pad_rows([[1, *(self.numbers.get(word, 3) for word in text.split()), 2] for text in texts], self.pad)


def _made_up(missing: str) -> Texts:
    """Sentences from a few words, and an untrained encoder."""
    good, bad = (
        ["wonderful", "moving", "clever", "funny", "warm", "bright"],
        ["boring", "clumsy", "silly", "loud", "cold", "tired"],
    )
    things = ["story", "cast", "music", "plot", "camera", "ending", "hero", "script"]
    rated = [
        Rated(f"the {a} is {word} and so is the {b}", 2.0 if word in good else -2.0)
        for a, b, word in itertools.product(things, things, good + bad)
    ]
    random.Random("made up").shuffle(rated)
    reader = _Words([each.text for each in rated])
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        sizes = {"vocabulary": len(reader.numbers) + 4, "d_model": 32, "heads": 4, "d_ff": 64, "layers": 1}
        encoder = build_encoder(TransformerConfig.bert(**sizes)).eval()
    parts = rated[300:], rated[:100], rated[100:200], rated[200:300]
    return Texts(encoder, reader, reader.pad, sentiment.CLASSES, *parts, missing)


def save_adapted(model: Classifier, file: Path, note: dict[str, Any]) -> None:
    """Write the adapters and the head of a classifier in half precision, with a note."""
    learned = {name: each.half() for name, each in weights_of(model).items() if each.requires_grad}
    write(file, learned, {"rank": RANK, "alpha": ALPHA, "classes": len(learned["head.output.bias"]), **note})


def load_adapted(encoder: nn.Module, pad: int, file: Path = ADAPTERS) -> Classifier:
    """Give a copy of the pretrained encoder the recorded adapters, merge them, and put their head on it.

    Takes the pretrained encoder and the id of padding. Raises CheckpointError for another encoder or a damaged file.
    """
    learned, note = read(file)
    adapted = copy_of(encoder)
    add_adapters(adapted, note["rank"], note["alpha"])
    model = Classifier(adapted, ClassifierHead(adapted.table.size(1), note["classes"]), pad)
    put_weights(model, {**weights_of(model), **{name: each.float() for name, each in learned.items()}}, file)
    merge_adapters(adapted)
    return model.eval()


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        task: what was learned, one of `TASKS`.
        way: how it learned, one of `WAYS`.
        examples: how many labelled texts it learned from.
        seed: which texts these are, and what its first weights and their order depend on.
        accuracy: the share of right answers on the test texts, from 0 to 1.
        tweets: the same on tweets, from which nothing learned; None where the classes are not theirs.
        seconds: of one processor, for the training. What the frozen encoder computed for an earlier run of the same
            texts is not counted again.
    """

    task: str
    way: str
    examples: int
    seed: int
    accuracy: float
    tweets: float | None
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """What the recipe recorded: the runs, and how they were made."""

    runs: list[Run]
    note: dict[str, Any]  # machine, date, numbers of test texts, shares of the commonest class

    def of(self, way: str, task: str = "film") -> dict[int, list[Run]]:
        """Give the runs of one way for each number of examples, in ascending order, one for each seed."""
        found = [run for run in self.runs if (run.task, run.way) == (task, way)]
        return {size: [r for r in found if r.examples == size] for size in sorted({run.examples for run in found})}


@cache
def recorded() -> Recorded:
    """Read what `course_lib.recipes.fine_tune_texts` recorded."""
    return Recorded(*read_table(FILE, Run))
