"""The exercises of notebook 06: the decoder as a language model."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.filling import filled, in_a_tuple
from course_lib.learning.losses import IGNORE
from course_lib.transformer.attention import causal_mask, masked_weights
from course_lib.transformer.models import LanguageModel
from course_lib.transformer.positions import embed_with_positions

# The mask.


def _only_the_future(T: int) -> Tensor:
    """Yours opens the future and hides the past: turn it round. True stands on the diagonal and below."""
    return ~causal_mask(T)


def _upper_half(T: int) -> Tensor:
    """Yours opens the half above the diagonal, where the future is. Rows ask, columns are read: the past is below."""
    return causal_mask(T).T


def _blind_to_itself(T: int) -> Tensor:
    """Your diagonal is closed, so that a token cannot read itself, and the first one nothing at all. Position i is
    kept, i + 1 and on are hidden.
    """
    return torch.ones(T, T, dtype=torch.bool).tril(-1)


def _one_step_ahead(T: int) -> Tensor:
    """Your mask is off by one: each token reads the next one too, which is the very answer that it is to predict."""
    return torch.ones(T, T, dtype=torch.bool).tril(1)


def _to_be_added(T: int) -> Tensor:
    """Yours holds numbers to add to the scores. Here a mask holds True and False: True where a token may attend."""
    return torch.zeros(T, T).masked_fill(~causal_mask(T), -torch.inf)


def _ones_and_zeros(T: int) -> Tensor:
    """The places are right, but they are marked by numbers. The course's masks are boolean: `dtype=torch.bool`."""
    return torch.ones(T, T).tril()


CAUSAL_MASK = Exercise(
    name="causal_mask",
    notebook=6,
    reference=causal_mask,
    returns=("the mask (T, T)",),
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    cases=(case(3), case(2), case(4), case(7, having="many tokens"), case(1, having="a single token")),
    mistakes=mistakes(_only_the_future, _upper_half, _blind_to_itself, _one_step_ahead, _to_be_added, _ones_and_zeros),
    hints=paragraphs("""
        Row i is the token that asks, column j the one that is read. Which columns may row 0 read? Which row 1?

        A square of True, with everything above the diagonal turned to False. torch has a word for "lower triangle".

        `tril` keeps the diagonal and what is below it. Start from ones of dtype `torch.bool`.
    """),
)


def _mask_after_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """You set weights to 0 after the softmax, so that the rest of a row no longer adds up to 1. Hide the scores: minus
    infinity, before the softmax.

    Seen in https://github.com/lucidrains/memory-compressed-attention/issues/2.
    """
    return torch.softmax(scores, dim=-1) * mask


def _hides_the_open(scores: Tensor, mask: Tensor) -> Tensor:
    """Your mask is the wrong way round: it hides what may be attended to. True means "may attend"."""
    return torch.softmax(scores.masked_fill(mask, -torch.inf), dim=-1)


def _over_the_queries(scores: Tensor, mask: Tensor) -> Tensor:
    """Your softmax runs over the queries, so that columns add up to 1. Each row is one token's budget: the last axis.

    Seen in https://github.com/PetrochukM/PyTorch-NLP/issues/2.
    """
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-2)


def _not_masked(scores: Tensor, _mask: Tensor) -> Tensor:
    """The mask does nothing in yours: the future is read."""
    return torch.softmax(scores, dim=-1)


def _tiny_numbers(scores: Tensor, mask: Tensor) -> Tensor:
    """You put 0, or 1e-9 for −1e9, in the hidden scores' place: a score like others, since exp(0) is 1.
    Take minus infinity.

    Seen in https://github.com/awslabs/gluonts/issues/1401.
    """
    return torch.softmax(scores.masked_fill(~mask, 1e-9), dim=-1)


def _renormalised(scores: Tensor, mask: Tensor) -> Tensor:
    """You set weights to 0 after the softmax and divide by what is left. Beside far larger hidden scores nothing is
    left, and 0 / 0 is NaN. Hide the scores themselves, before the softmax.
    """
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / weights.sum(dim=-1, keepdim=True)


def _not_low_enough(scores: Tensor, mask: Tensor) -> Tensor:
    """You fill in a number that a score may reach, such as −100: where all open scores lie below it, what is hidden is
    read. Nothing lies below minus infinity.
    """
    return torch.softmax(scores.masked_fill(~mask, -100.0), dim=-1)


MASKED_WEIGHTS = Exercise(
    name="masked_weights",
    notebook=6,
    reference=masked_weights,
    returns=("weights (T, S)",),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    cases=(
        case(numbers(3, 3), causal_mask(3)),
        case(numbers(3, 3, seed=1), causal_mask(3)),
        case(numbers(2, 4, 4), causal_mask(4), having="several heads"),
        case(numbers(1, 1), causal_mask(1), having="a single token"),
        case(numbers(4, 4) * 50, causal_mask(4), having="huge numbers"),
        case(numbers(2, 3), torch.tensor([[True, False, True], [False, True, True]]), having="another mask"),
        case(
            torch.tensor([[-200.0, 1.0, 0.5], [0.5, 0.0, 1.0], [1.0, 0.0, 0.5]]),
            causal_mask(3),
            having="hidden scores that are far above the open ones",
        ),
        case(numbers(3, 3, dtype=torch.float64), causal_mask(3), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _mask_after_softmax,
        _hides_the_open,
        _over_the_queries,
        _not_masked,
        _tiny_numbers,
        _renormalised,
        _not_low_enough,
    ),
    hints=paragraphs("""
        What score does a key need, so that the softmax gives it the weight 0, and shares everything among the others?

        exp of minus infinity is 0. So the hidden scores become minus infinity, and then comes the softmax.

        `masked_fill` fills where a mask is True, and yours is True where nothing is to be hidden: `~` turns it round.
        Rows add up to 1: softmax over the last axis.
    """),
)


# Targets and loss.


def inputs_and_labels(ids: Tensor) -> tuple[Tensor, Tensor]:
    """What the model reads, and what it should say at each place: ids (B, T + 1) to two tensors (B, T)."""
    return ids[:, :-1], ids[:, 1:]


def _the_same_twice(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Your labels are your inputs: the model learns to repeat the token that it has just read. Labels are one step
    ahead.

    Seen in https://github.com/pytorch/tutorials/issues/719.
    """
    return ids[:, :-1], ids[:, :-1]


def _swapped(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Yours are swapped: the model would read what comes and say what was. Inputs first, without the last token."""
    return ids[:, 1:], ids[:, :-1]


def _two_ahead(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Your labels are two steps ahead: the token after next. One step.

    Seen in https://github.com/huggingface/transformers/issues/32944.
    """
    return ids[:, :-2], ids[:, 2:]


def _not_cut(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Your inputs still hold the last token, after which nothing is known: they are one longer than the labels."""
    return ids, ids[:, 1:]


def _along_the_batch(ids: Tensor) -> tuple[Tensor, Tensor]:
    """You shifted along the batch, so that each text has to predict the next text. Shift along the tokens, axis 1."""
    return ids[:-1], ids[1:]


def _rolled(ids: Tensor) -> tuple[Tensor, Tensor]:
    """You rolled the labels, so that the last token is asked to predict the first. Cut the ends off instead."""
    return ids, ids.roll(-1, 1)


INPUTS_AND_LABELS = Exercise(
    name="inputs_and_labels",
    notebook=6,
    reference=inputs_and_labels,
    returns=("inputs (B, T)", "labels (B, T)"),
    minutes=5,
    difficulty=1,
    on_map="loss",
    cases=(
        case(torch.tensor([[5, 6, 7, 8]])),
        case(torch.tensor([[9, 4, 4, 3]])),
        case(torch.arange(12).reshape(3, 4), having="a batch"),
        case(torch.arange(16).reshape(4, 4), having="as many texts as tokens"),
        case(torch.tensor([[2, 9]]), having="a single token to predict"),
    ),
    mistakes=mistakes(_the_same_twice, _swapped, _two_ahead, _not_cut, _along_the_batch, _rolled),
    hints=paragraphs("""
        Write a sentence of four tokens down, and under each token the one that should be predicted there. Which token
        has nothing under it, and which is never predicted?

        After the last token nothing is known, so it is no input. Before the first nothing is read, so it is no label.

        Both are slices along axis 1: all but the last, and all but the first.
    """),
)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean surprise, in nats, of logits (B, T, V) at labels (B, T); labels of -100 do not count."""
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    return -right[counts].mean()


def _padding_counted(logits: Tensor, labels: Tensor) -> Tensor:
    """Padding counts in your loss, as if token 0 were the right answer there. Labels of −100 are left out.

    Seen in https://github.com/lukas-blecher/LaTeX-OCR/issues/305.
    """
    return cross_entropy(logits, labels.masked_fill(labels == IGNORE, 0))


def _mean_with_padding(logits: Tensor, labels: Tensor) -> Tensor:
    """You leave padding out of the sum, but divide by all positions: more padding, less loss. Divide by the labels that
    count.

    Seen in https://github.com/huggingface/transformers/pull/5919.
    """
    return cross_entropy(logits, labels) * (labels != IGNORE).sum() / labels.numel()


def _softmaxed_twice(logits: Tensor, labels: Tensor) -> Tensor:
    """You took a softmax before the log-softmax: the loss can no longer come near 0. Logits go in raw.

    Seen in https://github.com/ariecattan/SciCo/issues/2.
    """
    return cross_entropy(logits.softmax(-1), labels)


def _wrong_sign(logits: Tensor, labels: Tensor) -> Tensor:
    """The minus is missing: ln p is below 0, and surprise is −ln p. Training would make the model worse."""
    return -cross_entropy(logits, labels)


def _summed(logits: Tensor, labels: Tensor) -> Tensor:
    """You added the surprise up. It is a mean, so that long texts and large batches compare with short ones."""
    return cross_entropy(logits, labels) * (labels != IGNORE).sum()


def _in_bits(logits: Tensor, labels: Tensor) -> Tensor:
    """Yours is in bits, by the logarithm to base 2. Here and in all papers' losses it is the natural one: nats."""
    return cross_entropy(logits, labels) / torch.log(torch.tensor(2.0))


def _of_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """You averaged 1 − p of the right tokens. Surprise is −ln p: being sure and wrong costs much more."""
    counts = labels != IGNORE
    p = logits.softmax(-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return (1 - p[counts]).mean()


def _over_the_places(logits: Tensor, labels: Tensor) -> Tensor:
    """Your softmax runs over the places, so that tokens at different places compete. At each place the V tokens do: the
    last axis.
    """
    counts = labels != IGNORE
    log_p = logits.log_softmax(-2).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -log_p[counts].mean()


_LABELS = torch.tensor([[1, 4, 0]])

CROSS_ENTROPY = Exercise(
    name="cross_entropy",
    notebook=6,
    reference=cross_entropy,
    returns=("the loss",),
    trained=True,
    adapt=in_a_tuple,
    minutes=15,
    difficulty=2,
    on_map="loss",
    cases=(
        case(numbers(1, 3, 5), _LABELS),
        case(numbers(1, 3, 5, seed=1), _LABELS),
        case(numbers(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), having="a batch"),
        case(numbers(2, 3, 5), torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]), having="padding"),
        case(numbers(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), having="padding"),
        case(numbers(1, 2, 4) * 300, torch.tensor([[0, 3]]), having="huge numbers"),
        case(numbers(1, 3, 5, dtype=torch.float64), _LABELS, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _padding_counted,
        _mean_with_padding,
        _softmaxed_twice,
        _wrong_sign,
        _summed,
        _in_bits,
        _of_probabilities,
        _over_the_places,
    ),
    hints=paragraphs("""
        At each place: the model's probability of the right token, its logarithm, a minus. Then the mean over the places
        that count.

        `torch.log_softmax` over the last axis gives ln p of all V tokens, without overflow. `gather` picks out those of
        the labels; it wants an axis of length 1 at the end of the labels.

        A label of −100 has no place to gather from: put 0 there for the moment, and keep only the places whose label
        counts before the mean.
    """),
)


# The model.


class _Leaks(LanguageModel):
    """Nothing hides the future in your model: each place reads the token that it is to predict. The loss will look
    wonderful, and the text will be garbage. Hand `causal_mask(T)` to each layer.
    """

    def forward(self, ids: Tensor) -> Tensor:
        hidden = embed_with_positions(ids, self.table)
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden @ self.table.T


class _ReadsTheNext(LanguageModel):
    """Your mask is off by one: each place reads the next token too, which is the very one that it is to predict. The
    diagonal is open, and nothing to the right of it.
    """

    def forward(self, ids: Tensor) -> Tensor:
        hidden = embed_with_positions(ids, self.table)
        for layer in self.layers:
            hidden = layer(hidden, torch.ones(ids.size(1), ids.size(1), dtype=torch.bool).tril(1))
        return hidden @ self.table.T


class _MaskedOnce(LanguageModel):
    """Only your first layer gets the mask. The future leaks in through the others: hand it to each layer."""

    def forward(self, ids: Tensor) -> Tensor:
        hidden = embed_with_positions(ids, self.table)
        for i, layer in enumerate(self.layers):
            hidden = layer(hidden, None if i else causal_mask(ids.size(1)))
        return hidden @ self.table.T


class _NoPlaces(LanguageModel):
    """There are no positions in your embeddings: `embed_with_positions` looks tokens up, scales them, and adds where
    they stand.
    """

    def forward(self, ids: Tensor) -> Tensor:
        hidden = self.table[ids] * self.table.size(1) ** 0.5
        for layer in self.layers:
            hidden = layer(hidden, causal_mask(ids.size(1)))
        logits: Tensor = hidden @ self.table.T
        return logits


class _EndsInSoftmax(LanguageModel):
    """Your model ends in a softmax. It hands out logits: the loss takes the softmax itself.

    Seen in https://github.com/ariecattan/SciCo/issues/2.
    """

    def forward(self, ids: Tensor) -> Tensor:
        probabilities: Tensor = super().forward(ids).softmax(-1)
        return probabilities


class _LastPlaceOnly(LanguageModel):
    """You hand out the prediction at the last place only. All T places predict, and all are trained on at once."""

    def forward(self, ids: Tensor) -> Tensor:
        return super().forward(ids)[:, -1]


class _OneLayerAgainAndAgain(LanguageModel):
    """All your layers are the same one: `[layer] * N` holds one layer N times. Make a new one for each.

    Seen in https://github.com/IDEA-Research/DAB-DETR/issues/17.
    """

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.layers = nn.ModuleList([self.layers[0]] * len(self.layers))


class _Unregistered(LanguageModel):
    """torch does not know of your layers: in a plain Python list they are never trained. Use `nn.ModuleList`.

    Seen in https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7.
    """

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        layers = list(self.layers)
        del self.layers
        self.layers = layers  # type: ignore[assignment]


_SIZES = (5, 4, 2, 7, 1)
_DEEP = (5, 4, 2, 7, 2)

LANGUAGE_MODEL = Exercise(
    name="LanguageModel",
    notebook=6,
    reference=LanguageModel,
    returns=("logits (B, T, V)", "the count of numbers in the layers' weight matrices"),
    minutes=20,
    difficulty=2,
    on_map="projection",
    adapt=filled(made_with=5, block=2, uncounted=(5,)),
    cases=(
        case(*_SIZES, torch.tensor([[1, 4, 3]])),
        case(*_SIZES, torch.tensor([[2, 2, 4]])),
        case(*_DEEP, torch.tensor([[1, 4, 3]]), having="two layers"),
        case(*_SIZES, torch.tensor([[1, 4, 2, 2], [3, 3, 1, 4], [2, 1, 4, 3]]), having="a batch"),
        case(*_DEEP, torch.tensor([[1, 4, 3], [3, 3, 0], [2, 1, 1]]), having="two layers, a batch"),
        case(*_SIZES, torch.tensor([[1]]), having="a single token"),
    ),
    mistakes=mistakes(
        _Leaks,
        _ReadsTheNext,
        _MaskedOnce,
        _NoPlaces,
        _EndsInSoftmax,
        _LastPlaceOnly,
        _OneLayerAgainAndAgain,
        _Unregistered,
    ),
    hints=paragraphs("""
        An encoder under a causal mask, with a table of vectors in front and the logits behind. All its parts are
        yours already.

        In `__init__`: a table (V, d_model), and an `nn.ModuleList` of `EncoderLayer`s. In `forward`: embed with
        positions, go through all layers, each under `causal_mask(T)`.

        From (B, T, d_model) to (B, T, V) is one more linear map. The table turned round will do, `.T`: a token is
        likely where the vector found looks like its own.
    """),
)


def continue_greedily(model: Any, ids: list[int], length: int) -> list[int]:
    """Add `length` tokens to a text, each time the likeliest next one. Returns the added ids."""
    text = list(ids)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        text.append(int(logits[0, -1].argmax()))
    return text[len(ids) :]


def grown(text: list[int], length: int, choose: Callable[[list[int]], Tensor], stop: int | None = None) -> list[int]:
    """What a text grows by: up to `length` tokens, each what `choose` makes of the text so far, without the stop."""
    so_far = list(text)
    for _ in range(length):
        token = int(choose(so_far))
        if token == stop:
            break
        so_far.append(token)
    return so_far[len(text) :]


def _at_the_first_place(model: Any, ids: list[int], length: int) -> list[int]:
    """You read the prediction at the first place. The new token is predicted at the last."""
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, 0].argmax())


def _forgets_to_append(model: Any, ids: list[int], length: int) -> list[int]:
    """You ask the model the same question each time: the new token goes to the end of the text before the next call."""
    return grown(ids, length, lambda _text: model(torch.tensor([ids]))[0, -1].argmax())


def _only_the_latest(model: Any, ids: list[int], length: int) -> list[int]:
    """You give the model the latest token only. It has no memory between calls: give it all of the text so far."""
    return grown(ids, length, lambda text: model(torch.tensor([text[-1:]]))[0, -1].argmax())


def _with_the_beginning(model: Any, ids: list[int], length: int) -> list[int]:
    """Your result begins with the text that came in. Only what was added is wanted."""
    return [*ids, *continue_greedily(model, ids, length)]


def _least_likely(model: Any, ids: list[int], length: int) -> list[int]:
    """You take the least likely token: `argmin`. The likeliest has the highest logit."""
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, -1].argmin())


def _longer_by_one(model: Any, ids: list[int], length: int) -> list[int]:
    """You add one token too many: as many as `length` says."""
    return continue_greedily(model, ids, length + 1)


def _logit_for_token(model: Any, ids: list[int], length: int) -> list[int]:
    """You append the highest logit itself: `max`. The token is the place where it stands: `argmax`."""
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, -1].max())


def _over_all_places(model: Any, ids: list[int], length: int) -> list[int]:
    """Your `argmax` runs over the predictions of all places at once. Take those at the last place first:
    `logits[0, -1]`.
    """
    return grown(ids, length, lambda text: model(torch.tensor([text])).argmax())


def _place_for_token(model: Any, ids: list[int], length: int) -> list[int]:
    """Your `argmax` runs over the places and gives the number of a place. It should run over the V tokens: the last
    axis.
    """
    return grown(ids, length, lambda text: model(torch.tensor([text])).argmax(dim=1)[0, -1])


def summed_up(ids: Tensor) -> Tensor:
    """At each place of ids (B, T), a number that hangs on all tokens up to there and on their order."""
    if ids.dim() != 2:
        raise ValueError(f"the model takes ids (B, T), but their shape is {tuple(ids.shape)}")
    return (ids * torch.arange(1, ids.size(1) + 1)).cumsum(dim=1)


class StandIn(nn.Module):
    """Stands for a model: what it predicts at each place hangs on all tokens up to there, and on their order."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # (states, V)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V)."""
        return self.table[summed_up(ids) % len(self.table)]


_WRITER = StandIn(4 * numbers(13, 11))

CONTINUE_GREEDILY = Exercise(
    name="continue_greedily",
    notebook=6,
    reference=continue_greedily,
    returns=("the added ids",),
    minutes=10,
    difficulty=2,
    cases=(
        case(_WRITER, [1, 2], 5),
        case(_WRITER, [5, 3], 5),
        case(_WRITER, [4], 3, having="a single token"),
        case(_WRITER, [1, 2, 3, 4], 1, having="one token to add"),
        case(_WRITER, [7, 7], 0, having="nothing to add"),
    ),
    mistakes=mistakes(
        _at_the_first_place,
        _forgets_to_append,
        _only_the_latest,
        _with_the_beginning,
        _least_likely,
        _longer_by_one,
        _logit_for_token,
        _over_all_places,
        _place_for_token,
    ),
    hints=paragraphs("""
        A loop: ask the model, take the likeliest token after the last one, put it at the end of the text.

        The model wants a batch, (1, T), and gives logits (1, T, V): a prediction after every token. Only the one after
        the last token is new.

        `logits[0, -1].argmax()` is the new token; `int(…)` makes it a number for the list. At the end, hand out the
        part of the list that came after the beginning.
    """),
)

EXERCISES = (CAUSAL_MASK, MASKED_WEIGHTS, INPUTS_AND_LABELS, CROSS_ENTROPY, LANGUAGE_MODEL, CONTINUE_GREEDILY)
