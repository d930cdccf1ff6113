"""What pre-training is worth for named entities: F1 of a tagger that remembers, of random, frozen and tuned encoders.

*Memory* tags the names that it has seen, and no others. *Random*: an encoder with random weights, all of which learn.
*Frozen*: the pretrained encoder as it is, and a head that learns. *Tuned*: all layers of the pretrained encoder learn.
`course_lib.recipes.tune_entities` trained them, on sentences of Wikipedia and on templates with made-up names, and
wrote the table that is read here; notebook 13 shows it, and trains the cheaper ones again.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from faker import Faker
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn

from course_lib.data import DataMissing, entities, entity_templates
from course_lib.data.entities import Split, TaggedSentence, divide
from course_lib.learning.tagging import tag_names
from course_lib.pretrained.encoder import load_encoder
from course_lib.pretrained.recorded_runs import read_table
from course_lib.text.pretrained import PretrainedTokenizer
from course_lib.transformer.build import COURSE, Parts, build_encoder
from course_lib.transformer.config import TransformerConfig

FILE = Path(__file__).with_name("entity_tuning.json")
WAYS = ("memory", "random", "frozen", "tuned")
WIKIPEDIA, TEMPLATES = TEXTS = ("Wikipedia", "templates")
TAGS = tag_names(entities.KINDS)
"""O, and B and I of each kind: the tags that the taggers tell apart."""

OWN_TEMPLATES = (
    "{{name}} was born in {{city}} in {{year}} .",
    "The head office of {{organization}} is in {{city}} .",
    "{{first_name}} moved from {{country}} to {{city}} for a new job .",
    "My name is {{name}} and I work as a {{job}} .",
    "Is {{organization}} still hiring , asked {{first_name}} {{last_name}} .",
    "A {{nationality}} singer opened the evening in {{country}} .",
    "{{last_name}} signed the contract with {{organization}} on {{date_time}} .",
    "Please send the parcel to {{address}} .",
    "Many {{nation_plural}} visit {{city}} every summer .",
    "We met {{name}} at the station on {{day_of_week}} .",
    "The bridge near {{street_name}} is closed until {{date_time}} .",
    "{{organization}} and {{organization}} will merge next year .",
    "Where did {{first_name}} leave the keys ?",
    "Nothing happened on {{day_of_week}} .",
    "The new mayor of {{city}} is {{name}} .",
    "I have never been to {{country}} , but my friend {{first_name}} has .",
    "The {{nationality}} team lost again .",
    "Call {{phone_number}} and ask for {{last_name}} .",
)
"""Templates of the course's own, for a computer on which those of `data.entity_templates` are missing."""


@dataclass(frozen=True, eq=False)
class Names:
    """Sentences with marked names, and an encoder that reads them. Made by `load_names`.

    Attributes:
        encoder: from ids (B, S) to hidden states (B, S, d_model).
        tokenizer: cuts words into pieces.
        real: sentences of Wikipedia; where they are missing, those of `made_up`.
        made_up: templates with made-up names, divided by template.
        missing: "", or sentences that say which data is missing and what takes its place.
    """

    encoder: nn.Module
    tokenizer: PretrainedTokenizer = field(repr=False)
    real: Split = field(repr=False)
    made_up: Split = field(repr=False)
    missing: str = ""

    @property
    def pad(self) -> int:
        """The id that fills up short sentences."""
        return cast(int, self.tokenizer.pad)  # both tokenizers have one

    @property
    def is_real(self) -> bool:
        """Whether `real` are sentences of Wikipedia."""
        return self.real is not self.made_up


def load_names(seed: int = 0, parts: Parts = COURSE) -> Names:
    """Read the sentences, and the pretrained encoder, built from these parts.

    Where something is not on this computer, something else takes its place, so that everything can be tried: templates
    that of Wikipedia's sentences, a few templates of the course's own that of all templates, and a small encoder with
    random weights that of the pretrained one. `missing` says so. Raises `DataBroken` for damaged files.
    """
    missing = list[str]()
    try:
        made_up = entity_templates.split(seed)
    except DataMissing as error:
        missing.append(f"{error} Until then, a few templates of the course's own take their place.")
        made_up = own_templates(seed)
    try:
        real = entities.split(seed)
    except DataMissing as error:
        missing.append(
            f"{error} Until then, templates with made-up names take the place of Wikipedia's sentences, also where the "
            "text says Wikipedia."
        )
        real = made_up
    try:
        reader = load_encoder("cpu", parts)
    except DataMissing as error:
        missing.append(f"{error} Until then, a small encoder that was never trained takes its place.")
        tokenizer = letters_and_words(real.train)
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            config = TransformerConfig.bert(vocabulary=len(tokenizer), d_model=32, heads=4, d_ff=64, layers=1)
            encoder = build_encoder(config, parts).eval()
        return Names(encoder, tokenizer, real, made_up, " ".join(missing))
    return Names(reader.encoder, reader.tokenizer, real, made_up, " ".join(missing))


def own_templates(seed: int = 0, copies: int = 12) -> Split:
    """Fill the course's own templates with made-up names, and divide them by template, as `entity_templates.split`."""
    faker = Faker("en_US")
    faker.seed_instance(f"own templates/{seed}")
    groups = [[entity_templates.fill(each, faker) for _ in range(copies)] for each in OWN_TEMPLATES]
    return divide(groups, f"own templates/{seed}", 2, 5, "templates")


def letters_and_words(sentences: Sequence[TaggedSentence], least: int = 3) -> PretrainedTokenizer:
    """Make a small tokenizer of word pieces: words that occur `least` times are whole, others are cut into letters."""
    counts = Counter(word.lower() for sentence in sentences for word in sentence.words)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    frequent = sorted(word for word, count in counts.items() if count >= least)
    special = {"pad": "[PAD]", "unk": "[UNK]", "bos": "[CLS]", "eos": "[SEP]"}
    pieces = dict.fromkeys([*special.values(), *letters, *(f"##{letter}" for letter in letters), *frequent])
    library = Tokenizer(WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    library.normalizer = BertNormalizer()
    library.pre_tokenizer = BertPreTokenizer()
    return PretrainedTokenizer(library, **{name: library.token_to_id(token) for name, token in special.items()})


@dataclass(frozen=True)
class Run:
    """One tagger, trained and measured.

    Attributes:
        way: how it learned, one of `WAYS`.
        texts: which texts it learned from, one of `TEXTS`.
        seed: which documents or templates it is tested on, and what its first weights depend on.
        f1: the F1 of each kind of entity, and of all together under "all", on test sentences of the same texts.
        accuracy: the share of words with the right tag, from 0 to 1.
        elsewhere: the F1 of all entities on test sentences of the other texts.
        seconds: of one processor, for the training.
    """

    way: str
    texts: str
    seed: int
    f1: dict[str, float]
    accuracy: float
    elsewhere: float
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """What the recipe recorded: the runs, and how they were made."""

    runs: list[Run]
    note: dict[str, Any]  # machine, date, minutes, shares of O, settings

    def of(self, way: str, texts: str = WIKIPEDIA) -> list[Run]:
        """Give the runs of one way on one kind of texts, in the order of their seeds."""
        found = [run for run in self.runs if (run.way, run.texts) == (way, texts)]
        return sorted(found, key=lambda run: run.seed)


@cache
def recorded() -> Recorded:
    """Read what `course_lib.recipes.tune_entities` recorded."""
    return Recorded(*read_table(FILE, Run))
