"""Every tokenizer follows the protocol, and nothing outside its room knows a special id by number."""

import ast
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import models, pre_tokenizers
from torch import Tensor

from course_lib.learning.batches import collate
from course_lib.learning.losses import IGNORE, cross_entropy, next_token, translation
from course_lib.learning.masking import hide
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.characters import CharacterTokenizer
from course_lib.text.pretrained import PretrainedTokenizer
from course_lib.text.tokenizer import Tokenizer, special_ids
from course_lib.text.words import WordTokenizer
from course_lib.transformer.build import build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.beam import beam_search
from course_lib.writing.choose import greedy

TEXT = "the old king saw the old queen"


def pretrained() -> PretrainedTokenizer:
    """Make a tokenizer of the library for the words of the text, with special ids scattered among theirs."""
    tokens = ["the", "[MASK]", "old", "[SEP]", "king", "[PAD]", "saw", "[UNK]", "queen", "[CLS]"]
    library = HuggingFaceTokenizer(models.WordLevel({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.add_special_tokens([token for token in tokens if token.startswith("[")])
    return PretrainedTokenizer(library, pad=5, bos=9, eos=3, unk=7, mask=1)


TOKENIZERS: dict[str, Tokenizer] = {
    "characters": CharacterTokenizer.from_text(TEXT),
    "words": WordTokenizer.from_sentences([TEXT.split()]),
    "byte pairs": BytePairTokenizer.from_text(TEXT, merges=9),
    "pretrained": pretrained(),
}
every_tokenizer = pytest.mark.parametrize("name", TOKENIZERS)


@every_tokenizer
def test_a_text_becomes_ids_of_the_vocabulary_and_is_decoded_to_itself(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(TEXT)
    assert all(0 <= number < len(tokenizer) for number in ids)
    assert tokenizer.decode(ids) == tokenizer.decode(torch.tensor(ids)) == TEXT
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""


@every_tokenizer
def test_special_ids_differ_and_belong_to_no_part_of_a_text(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    given = [tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.unk, tokenizer.mask]
    ids = [number for number in given if number is not None]
    assert len(set(ids)) == len(ids) >= 4
    assert special_ids(tokenizer) == set(ids)
    assert max(ids) < len(tokenizer)
    assert not set(ids) & set(tokenizer.encode(TEXT))
    for number in ids:
        assert re.fullmatch(r"\[\w+\]", tokenizer.token(number))


@every_tokenizer
def test_decoding_stops_at_the_end_and_leaves_special_ids_out(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(TEXT)
    others = sorted(special_ids(tokenizer) - {tokenizer.eos})
    assert tokenizer.decode([*others, *ids, *others, tokenizer.eos, *ids]) == TEXT


@every_tokenizer
def test_the_spelling_of_a_token_is_found_by_its_id(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    spelled = [tokenizer.token(number) for number in tokenizer.encode(TEXT)]
    assert "".join(spelled).replace(" ", "") == TEXT.replace(" ", "")


@every_tokenizer
def test_an_id_outside_the_vocabulary_is_refused(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    for number in (-1, len(tokenizer)):
        with pytest.raises(ValueError, match=f"go from 0 to {len(tokenizer) - 1}, but got {number}$"):
            tokenizer.decode([number])
        with pytest.raises(ValueError, match=f"but got {number}$"):
            tokenizer.token(number)


def test_a_tokenizer_file_is_read_with_its_special_ids_and_neither_truncates_nor_pads(tmp_path: Path) -> None:
    library = pretrained().library
    library.enable_truncation(2)
    library.enable_padding(length=40, pad_id=5, pad_token="[PAD]")
    library.save(str(tmp_path / "tokenizer.json"))
    tokenizer = PretrainedTokenizer.from_file(tmp_path / "tokenizer.json", pad="[PAD]", bos="[CLS]", eos="[SEP]")
    assert (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.unk, tokenizer.mask) == (5, 9, 3, None, None)
    assert tokenizer.encode(TEXT) == pretrained().encode(TEXT)


def test_an_invalid_file_and_a_missing_token_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"tokenizer\.json cannot be read as a tokenizer \("):
        PretrainedTokenizer.from_file(path)
    pretrained().library.save(str(path))
    with pytest.raises(ValueError, match=r"has no token '<s>' for bos"):
        PretrainedTokenizer.from_file(path, bos="<s>")


# The ids of `!`, `"`, `#` and `$` as byte pairs are 0 to 3: the special ids of the course's own vocabularies.
SIGNS = 'Go! #1 "$"'
TEXTS = [SIGNS, "$$!", "!", '"##"']


@pytest.fixture(scope="module")
def byte_pairs() -> BytePairTokenizer:
    return BytePairTokenizer.from_text("Go and go and go! #1", merges=6)


@pytest.fixture(scope="module")
def examples(byte_pairs: BytePairTokenizer) -> list[tuple[list[int], list[int]]]:
    """Each text, with itself as its translation."""
    ids = [byte_pairs.encode(text) for text in TEXTS]
    return [(row, [byte_pairs.bos, *row, byte_pairs.eos]) for row in ids]  # type: ignore[list-item]


def test_some_punctuation_marks_have_the_ids_that_others_use_for_special_tokens(byte_pairs: BytePairTokenizer) -> None:
    assert {0, 1, 2, 3} <= set(byte_pairs.encode(SIGNS))


def test_these_punctuation_marks_are_unchanged_in_a_batch(byte_pairs: BytePairTokenizer, examples: list) -> None:
    source, target = collate(examples, byte_pairs.pad)
    for row, text in zip(source.tolist(), TEXTS, strict=True):
        assert byte_pairs.decode(row) == text
        assert row.count(byte_pairs.pad) == source.size(1) - len(byte_pairs.encode(text))
    assert [byte_pairs.decode(row) for row in target.tolist()] == TEXTS


def test_no_punctuation_mark_is_ignored_as_a_label(byte_pairs: BytePairTokenizer, examples: list) -> None:
    source, target = collate(examples, byte_pairs.pad)

    def even_bets(ids: Tensor) -> Tensor:
        return torch.zeros(*ids.shape, len(byte_pairs))

    for logits, labels in (
        translation(lambda _, ids: even_bets(ids), source, target, pad=byte_pairs.pad),
        next_token(even_bets, target, pad=byte_pairs.pad),
    ):
        kept = [[number for number in row if number != IGNORE] for row in labels.tolist()]
        assert kept == [expected[1:] for _, expected in examples]
        assert cross_entropy(logits, labels).item() == pytest.approx(torch.tensor(len(byte_pairs)).log().item())


def test_punctuation_marks_are_masked_and_predicted_like_any_other_token(
    byte_pairs: BytePairTokenizer, examples: list
) -> None:
    _, target = collate(examples, byte_pairs.pad)
    inputs, labels = hide(target, byte_pairs, share=1.0, generator=torch.Generator().manual_seed(0))
    ordinary = target < len(byte_pairs) - 4
    assert torch.equal(labels, torch.where(ordinary, target, IGNORE))
    assert torch.equal(inputs[~ordinary], target[~ordinary])
    assert (inputs == byte_pairs.mask).any()


def test_punctuation_marks_are_learned_and_generated(byte_pairs: BytePairTokenizer, examples: list) -> None:
    sizes = dict(d_model=32, heads=2, d_ff=64, layers=1, dropout=0.0, max_length=16)
    torch.manual_seed(0)
    model = build_transformer(TransformerConfig(vocabulary=len(byte_pairs), pad=byte_pairs.pad, **sizes))
    task = Task(examples, partial(translation, pad=byte_pairs.pad), pad=byte_pairs.pad)
    settings = TrainingSettings(steps=80, learning_rate=1e-2, warmup=10, label_smoothing=0.0, progress=False)
    assert train(model, task, settings, device="cpu").loss[-1] < 0.2  # 0.003 to 0.044 with seeds 0 to 7
    sources, ends = [source for source, _ in examples], {"bos": byte_pairs.bos, "stop": [byte_pairs.eos]}
    for use_cache in (True, False):
        written = greedy(model, sources, **ends, use_cache=use_cache)
        assert [byte_pairs.decode(ids) for ids in written] == TEXTS
        found = beam_search(model, sources, beams=3, **ends, use_cache=use_cache)
        assert [byte_pairs.decode(best.ids) for (best,) in found] == TEXTS


LIBRARY = Path(__file__).resolve().parents[2] / "course_lib"
# Tokenizers define their special ids, and some exercises are about them.
MAY_KNOW = ("text/", "lessons/")
# The learner's version in a notebook has no argument for them, so the library's version has these defaults.
DEFAULTS = [
    "transformer/models.py expects pad=0",
    "transformer/models.py expects pad=0",
    "writing/choose.py expects bos=1",
    "writing/choose.py expects eos=2",
]
CONSTANTS = {"PAD", "BOS", "EOS", "UNK", "MASK", "SPECIALS"}
ARGUMENTS = {"pad", "bos", "eos", "unk", "mask", "stop", "padding_value", "ignore_index"}
IDS = re.compile(r"(^|_)(ids?|tokens?|labels?|source|target|prompts?)$")


def special_ids_by_number(source: str) -> Iterator[str]:
    """List where a source imports or defines a special id, passes one as a number, or compares ids with a number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield from (f"imports {alias.name}" for alias in node.names if alias.name in CONSTANTS)
        elif isinstance(node, ast.Assign):
            names = [name for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            yield from (f"defines {name.id}" for name in names if name.id in CONSTANTS)
        elif isinstance(node, ast.keyword) and node.arg in ARGUMENTS and is_number(node.value):
            yield f"passes {node.arg}={ast.unparse(node.value)}"
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            defaults = [None] * (len(positional) - len(node.defaults)) + node.defaults + node.kw_defaults
            for argument, default in zip([*positional, *node.kwonlyargs], defaults, strict=True):
                if argument.arg in ARGUMENTS and default is not None and is_number(default):
                    yield f"expects {argument.arg}={ast.unparse(default)}"
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            sides = [node.left, *node.comparators]
            if any(map(is_number, sides)) and any(IDS.search(last_name(side)) for side in sides):
                yield f"compares {ast.unparse(node)}"


def is_number(node: ast.expr) -> bool:
    """Whether an expression is a whole number, or a list of whole numbers."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return bool(node.elts) and all(map(is_number, node.elts))
    return isinstance(node, ast.Constant) and type(node.value) is int


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_nothing_outside_the_tokenizers_room_knows_a_special_id_by_number() -> None:
    found = [
        f"{path.relative_to(LIBRARY)} {what}"
        for path in sorted(LIBRARY.rglob("*.py"))
        if not path.relative_to(LIBRARY).as_posix().startswith(MAY_KNOW)
        for what in special_ids_by_number(path.read_text(encoding="utf-8"))
    ]
    assert found == DEFAULTS


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("from course_lib.text.words import PAD, words", "imports PAD"),
        ("PAD, OTHER = 0, 1", "defines PAD"),
        ("collate(rows, pad=0)", "passes pad=0"),
        ("greedy(model, ids, stop=[2])", "passes stop=[2]"),
        ("def write(ids, *, bos=1): pass", "expects bos=1"),
        ("def write(ids, pad=0, other=None): pass", "expects pad=0"),
        ("real = source_ids != 0", "compares source_ids != 0"),
        ("if token == 2: pass", "compares token == 2"),
        ("labels[0] == 3", "compares labels[0] == 3"),
        ("token in (0, 2)", "compares token in (0, 2)"),
    ],
)
def test_every_hard_coded_special_id_is_detected(source: str, what: str) -> None:
    assert list(special_ids_by_number(source)) == [what]


@pytest.mark.parametrize(
    "source",
    ["collate(rows, pad=tokenizer.pad)", "len(ids) == 0", "batch_tokens < 1", "def write(ids, pad=None): pass"],
)
def test_ids_from_a_tokenizer_and_other_numbers_are_allowed(source: str) -> None:
    assert list(special_ids_by_number(source)) == []
