"""The explorer of translations: what the kernel sends, and what is shown where no script runs."""

import re

import pytest
import torch

from course_lib.pictures.explorers import TranslationExplorer
from course_lib.pretrained.sentence_translator import FoundTranslation, SentenceTranslator
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig

SOURCE = ("the", "key", "[eos]")


class FixedTranslator:
    """Knows two translations of everything but zebras."""

    def __init__(self, weights: torch.Tensor | None, second: str = "une clé") -> None:
        self.weights, self.second = weights, second

    def translations(self, sentence: str, beams: int) -> list[FoundTranslation]:
        if "zebra" in sentence:
            raise ValueError("I have never seen a zebra")
        texts = ["la clé", self.second][:beams]
        shares = [0.75, 0.25] if beams > 1 else [1.0]
        return [
            FoundTranslation(text, share, SOURCE, tuple(text.split()), _rows(self.weights, text))
            for text, share in zip(texts, shares, strict=True)
        ]


def _rows(weights: torch.Tensor | None, text: str) -> torch.Tensor | None:
    return None if weights is None else weights[torch.arange(len(text.split())) % 2]


def explorer(second: str = "une clé", sentence: str = "the key") -> TranslationExplorer:
    weights = torch.tensor([[0.75, 0.25, 0.0], [0.125, 0.75, 0.125]])
    machines = {"Transformer": FixedTranslator(weights, second), "recurrent": FixedTranslator(None, second)}
    return TranslationExplorer(machines, sentence)


def test_texts_shares_words_and_weights_of_each_machine_are_sent() -> None:
    machines = explorer().found["machines"]
    first, second = machines["Transformer"]
    assert first == {
        "text": "la clé",
        "share": 0.75,
        "source": ["the", "key", "[eos]"],
        "target": ["la", "clé"],
        "weights": [[0.75, 0.25, 0.0], [0.125, 0.75, 0.125]],
    }
    assert second["text"] == "une clé"
    assert machines["recurrent"][0]["weights"] is None


def test_a_sentence_that_cannot_be_translated_is_reported_and_the_old_texts_stay() -> None:
    shown = explorer()
    shown.sentence = "a zebra"
    assert shown.found["message"] == "I have never seen a zebra."
    assert shown.found["machines"]["Transformer"][0]["text"] == "la clé"
    shown.sentence = "the key again"
    assert "message" not in shown.found


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers() -> None:
    page = explorer("une <clé>").static_html()
    assert explorer().alt() == "Translations of “the key”. Transformer: “la clé”; recurrent: “la clé”."
    assert explorer().alt() in page
    assert '<th scope="row">recurrent</th><td>0.25</td><td>une &lt;clé&gt;</td>' in page
    assert page.count('scope="col"') == 3
    assert "never seen a zebra" in explorer(sentence="zebra").static_html()


def test_no_translator_is_refused() -> None:
    with pytest.raises(ValueError, match="one translator at least"):
        TranslationExplorer({}, "the key")


def test_it_shows_a_sentence_translator() -> None:
    torch.manual_seed(0)
    tokenizer = BytePairTokenizer([])
    sizes = dict(d_model=16, heads=2, d_ff=32, layers=1, max_length=20, pad=tokenizer.pad)
    translator = SentenceTranslator(build_transformer(TransformerConfig(vocabulary=len(tokenizer), **sizes)), tokenizer)
    shown = TranslationExplorer({"mine": translator}, "Go on.", beams=2)
    several = shown.found["machines"]["mine"]
    assert [each["text"] for each in several] == [each.text for each in translator.translations("Go on.", 2)]
    for each in several:
        assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in each["weights"])
    shown.sentence = "Go on " * 20
    assert shown.found["message"].startswith("The sentence has ")


def test_nothing_comes_from_a_network() -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer()._esm) + str(explorer()._css))
