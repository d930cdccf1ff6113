"""Scores, mask, weights and output of one attention head after the other, on the learner's own sentence.

Met in notebook 01 with one head, in 02 with all heads of a pretrained encoder.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer, weights_table
from course_lib.pictures.look import token_labels
from course_lib.transformer.attention import attention_weights
from course_lib.transformer.models import Encoder, Transformer
from course_lib.transformer.watching import watch_attention

DIGITS = 3
MOST_TOKENS = 28


@dataclass(frozen=True)
class Lookup:
    """The queries, keys and values of every head, and the tokens that they belong to.

    Attributes:
        queries: the T tokens that ask.
        keys: the S tokens that are asked.
        query: (N, H, T, d_k) for N layers of H heads.
        key: (N, H, S, d_k).
        value: (N, H, S, d_v).

    Raises ValueError where tokens and tensors do not match.
    """

    queries: Sequence[str]
    keys: Sequence[str]
    query: Tensor
    key: Tensor
    value: Tensor

    def __post_init__(self) -> None:
        for tokens, tensor, name in ((self.queries, self.query, "query"), (self.keys, self.key, "key")):
            if tensor.dim() != 4 or tensor.size(2) != len(tokens):
                raise ValueError(
                    f"{name} should be (N, H, {len(tokens)}, d_k) for {len(tokens)} tokens, "
                    f"but its shape is {tuple(tensor.shape)}"
                )

    def scores(self) -> Tensor:
        """The scores before mask and softmax, q·k / √d_k: (N, H, T, S)."""
        return self.query @ self.key.mT / math.sqrt(self.query.size(-1))


def self_attention_of(
    model: Encoder | Transformer, read: Callable[[str], tuple[Sequence[str], Tensor]]
) -> Callable[[str], Lookup]:
    """Make the `look_up` of an explorer from an encoder: its queries, keys and values, layer by layer.

    Args:
        model: an `Encoder`, or a `Transformer`, whose encoder it is then. The sentence goes through all of it.
        read: turns a sentence into its S tokens and their ids, (1, S); raises ValueError with a sentence for the
            learner where it cannot.

    What comes back raises ValueError, besides, for an empty sentence, and for one of more tokens than a grid has room
    for.
    """

    @torch.no_grad()
    def look_up(sentence: str) -> Lookup:
        if not sentence.strip():
            raise ValueError("There is nothing to read yet: type a sentence.")
        tokens, ids = read(sentence)
        if len(tokens) > MOST_TOKENS:
            raise ValueError(
                f"That makes {len(tokens)} tokens, and there is room for {MOST_TOKENS}: shorten it a little."
            )
        with watch_attention(model) as readings:
            model.encode(ids) if isinstance(model, Transformer) else model(ids)
        layers = readings.values()  # in the order in which they read
        seen = [(layer.queries, layer.keys, layer.values) for layer in layers if layer.queries is not None]
        query, key, value = (torch.cat(parts).cpu() for parts in zip(*seen, strict=True))  # (N, H, S, d_k) each
        return Lookup(tokens, tokens, query, key, value)

    return look_up


class AttentionExplorer(Explorer):
    """Scores → mask → weights → output of one head, one at a time; each row of a grid is a token that asks.

    Args:
        look_up: gives the queries, keys and values for a sentence; raises ValueError with a sentence for the learner.
        sentence: the first sentence in the box.
        head: the layer and the head shown at first, counted from 0.
    """

    script = "attention_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    lookup = traitlets.Dict().tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)

    def __init__(self, look_up: Callable[[str], Lookup], sentence: str, head: tuple[int, int] = (0, 0)) -> None:
        self._look_up = look_up
        super().__init__(sentence=sentence, layer=head[0], head=head[1])
        self._compute()
        self.observe(self._compute, names="sentence")

    def _compute(self, _: Any = None) -> None:
        try:
            found = self._look_up(self.sentence)
        except ValueError as problem:
            self.lookup = {"message": str(problem), "to": self.sentence}  # "to": no two answers are the same
            return
        self.lookup = {
            "to": self.sentence,
            "queries": list(found.queries),
            "keys": list(found.keys),
            "d_k": found.query.size(-1),
            "scores": _rounded(found.scores()),
            "values": _rounded(found.value),
        }

    def _weights(self) -> Tensor:
        return attention_weights(torch.tensor(self.lookup["scores"][self.layer][self.head], dtype=torch.float64))

    def alt(self) -> str:
        """Say in one sentence which weight is the largest of all."""
        if "message" in self.lookup:
            return str(self.lookup["message"])
        weights = self._weights()
        queries, keys = token_labels(self.lookup["queries"]), token_labels(self.lookup["keys"])
        asks, reads = divmod(int(weights.argmax()), weights.size(-1))
        return (
            f"Attention of layer {self.layer}, head {self.head} on “{self.sentence}”: "
            f"“{queries[asks]}” reads {weights[asks, reads]:.2f} of “{keys[reads]}”, the largest of all weights."
        )

    def static_html(self) -> str:
        """Return the weights of the head that is shown as a table."""
        if "message" in self.lookup:
            return f"<p>{escape(self.alt())}</p>"
        caption = "Rows: the token that asks. Columns: the token that is read. Each row adds up to 1."
        table = weights_table(self._weights().tolist(), self.lookup["queries"], self.lookup["keys"], caption)
        return f"<p>{escape(self.alt())}</p>{table}"


def _rounded(tensor: Tensor) -> list[Any]:
    """Return a tensor as nested lists, rounded so that there is less to send."""
    rounded: list[Any] = torch.round(tensor.double(), decimals=DIGITS).tolist()
    return rounded
