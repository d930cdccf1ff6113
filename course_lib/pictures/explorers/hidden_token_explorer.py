"""One token of a sentence hidden, and what a masked language model guesses at each layer. Met in notebook 11."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Self

import torch
import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer
from course_lib.pictures.look import token_label
from course_lib.transformer.models import MaskedLanguageModel

SHOWN = 6
MOST_TOKENS = 40


@dataclass(frozen=True)
class HiddenTokens:
    """What a model guesses for each token of a sentence when that token is hidden.

    Attributes:
        tokens: the S tokens of the sentence, with special ones in brackets.
        ids: their ids.
        probabilities: (S, N + 1, V): for each hidden token, after the embeddings and after each of N layers.
    """

    tokens: Sequence[str]
    ids: Sequence[int]
    probabilities: Tensor


@torch.no_grad()
def guesses_by_layer(model: MaskedLanguageModel, ids: Tensor, mask: int) -> Tensor:
    """Hide each token of a text in turn, and let the head guess it from the output of every layer.

    The head was trained on the last layer. Earlier layers add to the same vectors, so that it can read them as well,
    though it was not trained to (nostalgebraist 2020, "interpreting GPT: the logit lens").

    Args:
        model: the model, in evaluation mode.
        ids: one text without padding, (S,).
        mask: the id of the mask token.

    Returns:
        Probabilities, (S, N + 1, V), after the embeddings and after each of N layers.
    """
    S, encoder = len(ids), model.encoder
    rows = ids.repeat(S, 1).fill_diagonal_(mask)  # (S, S)
    hidden = encoder.embed(rows, encoder.table)  # (S, S, d_model)
    at = torch.arange(S)
    states = [hidden[at, at]]
    for layer in encoder.layers:
        hidden = layer(hidden, None)
        states.append(hidden[at, at])
    table = encoder.table if model.output_table is None else model.output_table
    logits: Tensor = model.head(encoder.final_norm(torch.stack(states, dim=1)), table)  # (S, N + 1, V)
    return logits.softmax(dim=-1)


class HiddenTokenExplorer(Explorer):
    """The tokens of a sentence to click, and bars: what the model guesses where the chosen one is hidden.

    Args:
        look_up: gives the guesses for a sentence; raises ValueError with a sentence for the learner.
        name: spells the token of an id.
        sentence: the first sentence in the box.
        token: which token is hidden at first, counted from 0.
    """

    script = "hidden_token_explorer.js"
    sentence = traitlets.Unicode().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, look_up: Callable[[str], HiddenTokens], name: Callable[[int], str], sentence: str, token: int = 1
    ) -> None:
        self._look_up, self._name = look_up, name
        super().__init__(sentence=sentence, token=token)
        self._compute()
        self.observe(self._compute, names="sentence")

    @classmethod
    def of(
        cls,
        model: MaskedLanguageModel,
        encode: Callable[[str], Sequence[int]],
        name: Callable[[int], str],
        mask: int,
        sentence: str,
        token: int = 1,
    ) -> Self:
        """Make an explorer of a model.

        Takes the model in evaluation mode, what turns a sentence into ids and an id into its token, the id of the mask
        token, and what `HiddenTokenExplorer` takes.
        """

        def look_up(text: str) -> HiddenTokens:
            ids = list(encode(text))
            return HiddenTokens([name(i) for i in ids], ids, guesses_by_layer(model, torch.tensor(ids), mask))

        return cls(look_up, name, sentence, token)

    def _compute(self, _: Any = None) -> None:
        try:
            if not self.sentence.strip():
                raise ValueError("There is nothing to read yet: type a sentence.")
            hidden = self._look_up(self.sentence)
            if len(hidden.tokens) > MOST_TOKENS:
                raise ValueError(
                    f"That makes {len(hidden.tokens)} tokens, and there is room for {MOST_TOKENS}: shorten it a little."
                )
        except ValueError as problem:
            self.found = {**self.found, "message": str(problem), "to": self.sentence}  # "to": no two are the same
            return
        p = hidden.probabilities  # (S, N + 1, V)
        own = p.gather(-1, torch.tensor(hidden.ids)[:, None, None].expand(-1, p.size(1), 1))  # (S, N + 1, 1)
        values, ids = p.topk(min(SHOWN, p.size(-1)), dim=-1)
        self.found = {
            "tokens": list(hidden.tokens),
            "guesses": [
                [[[self._name(i), round(x, 4)] for i, x in zip(*pair, strict=True)] for pair in zip(*both, strict=True)]
                for both in zip(ids.tolist(), values.tolist(), strict=True)
            ],
            "own": own.squeeze(-1).double().round(decimals=4).tolist(),
            "rank": ((p > own).sum(dim=-1) + 1).tolist(),
        }

    def alt(self) -> str:
        """Say in one sentence what is guessed for the token that is hidden at first."""
        if "tokens" not in self.found:
            return str(self.found["message"])
        at = min(self.token, len(self.found["tokens"]) - 1)
        guess, p = self.found["guesses"][at][-1][0]
        return (
            f"“{self.sentence}” with “{token_label(self.found['tokens'][at])}” hidden: the last layer's first guess is "
            f"“{token_label(guess)}”, with probability {p:.2f}; the hidden token has "
            f"{self.found['own'][at][-1]:.2f} and rank {self.found['rank'][at][-1]}."
        )

    def static_html(self) -> str:
        """Return the last layer's first guess for each token as a table."""
        if "tokens" not in self.found:
            return f"<p>{escape(self.alt())}</p>"
        columns = ("hidden token", "its probability", "its rank", "first guess", "probability")
        head = "".join(f'<th scope="col">{column}</th>' for column in columns)
        body = "".join(
            f'<tr><th scope="row">{escape(token_label(token))}</th><td>{own[-1]:.2f}</td><td>{rank[-1]}</td>'
            f"<td>{escape(token_label(guesses[-1][0][0]))}</td><td>{guesses[-1][0][1]:.2f}</td></tr>"
            for token, own, rank, guesses in zip(
                *(self.found[key] for key in ("tokens", "own", "rank", "guesses")), strict=True
            )
        )
        caption = "<caption>Each token hidden in turn, and what the last layer guesses</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"
