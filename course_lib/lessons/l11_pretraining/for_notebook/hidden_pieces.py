"""What the explorer of notebook 11 shows: hidden pieces of a sentence, guessed by a head on the pretrained encoder."""

import torch

from course_lib.pictures.explorers import HiddenTokenExplorer, HiddenTokens, guesses_by_layer
from course_lib.pretrained.hidden_words import HiddenWords
from course_lib.text.characters import CharacterTokenizer
from course_lib.transformer.models import MaskedLanguageModel


def explore(words: HiddenWords, model: MaskedLanguageModel, sentence: str, token: int) -> HiddenTokenExplorer:
    """Make an explorer of a sentence; `token` is hidden at first, counted from 0.

    The model gives probabilities to the pieces of the tales only, so all others get a column of zeros.
    """

    def look_up(text: str) -> HiddenTokens:
        ids = words.reader.ids([text])[0]  # (S,)
        p = guesses_by_layer(model, ids, words.mask)  # (S, N + 1, K)
        with_others = torch.cat((p, torch.zeros(*p.shape[:-1], 1)), dim=-1)  # (S, N + 1, K + 1)
        return HiddenTokens([words.token(i) for i in ids.tolist()], words.numbers(ids).tolist(), with_others)

    return HiddenTokenExplorer(look_up, words.piece, sentence, token)


def explore_letters(
    model: MaskedLanguageModel, tokenizer: CharacterTokenizer, mask: int, sentence: str, token: int
) -> HiddenTokenExplorer:
    """Make an explorer of a model of letters, which takes the place of the other one where its data is missing."""

    def name(i: int) -> str:
        return "[mask]" if i == mask else tokenizer.token(i)

    return HiddenTokenExplorer.of(model, tokenizer.encode, name, mask, sentence, token)
