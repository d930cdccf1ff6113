"""How each public function of the library is called, and what else knows its result.

A row names a function, draws sensible arguments for it, and may have an oracle: other code, of torch, numpy or a few
plain lines, that gives the same result, or raises where the function has to.
"""

import itertools
import math
import operator
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from seqeval.metrics.sequence_labeling import get_entities
from torch import Tensor, nn

from course_lib import pretrained
from course_lib.data.entities import TaggedSentence
from course_lib.data.grammar import combinations, corpus, kinds, numbering, sentences
from course_lib.data.translations import SentencePair, Source
from course_lib.learning import (
    adapters,
    averaging,
    batches,
    checkpoints,
    descriptions,
    fine_tuning,
    heads,
    losses,
    masking,
    packing,
    parallel,
    quantizing,
    schedules,
    tagging,
    threads,
    training,
    word_pieces,
)
from course_lib.learning.training import Task, TrainingSettings
from course_lib.pretrained import (
    decoder,
    encoder,
    entity_tuning,
    hidden_words,
    inspection,
    modern_changes,
    quantization,
    readers,
    recorded_runs,
    sentence_translator,
    tales_model,
    tales_scaling,
    text_tuning,
    trained_weights,
    translation_machines,
    translator,
)
from course_lib.pretrained.torch_weights import torch_weights
from course_lib.scoring import (
    alignments,
    baselines,
    bleu,
    confidence,
    corpus_bleu,
    dependence,
    entities,
    gaps,
    growth,
    head_patterns,
    metrics,
    searches,
    texts,
    translation_errors,
)
from course_lib.scoring.ngrams import NGrams
from course_lib.text import byte_pairs, chat, fast_merges, streaming, tokenizer, wording, words
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.characters import CharacterTokenizer
from course_lib.text.vocabulary import Vocabulary
from course_lib.transformer import attention, blocks, build, images, layers, positions, recurrent, watching
from course_lib.transformer import cache as key_value_cache
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.config import TransformerConfig
from course_lib.writing import beam, choose, draw, prompts
from course_lib.writing import cache as writing_cache
from tests.fuzz.values import Chance
from tests.learning.pieces import small_tokenizer
from tests.scoring.test_bleu import sacre

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """A function, how to draw sensible arguments, and what else knows its result."""

    function: Callable[..., Any]
    draw: Callable[[Chance], Arguments]
    oracle: Callable[..., Any] | None = None
    calls: int = 16


ROWS: dict[str, Row] = {}


def running_sum(ids: Tensor) -> Tensor:
    """A model whose output at each position depends on the tokens up to there."""
    return ids[..., None].cumsum(dim=1)


def row(function: Callable[..., Any], draw: Callable[[Chance], Arguments], oracle: Any = None, calls: int = 16) -> None:
    """Add a row under the function's name."""
    ROWS[name_of(function)] = Row(function, draw, oracle, calls)


def name_of(function: Callable[..., Any]) -> str:
    """Give a function's name within the library, such as `writing.choose.greedy`."""
    return f"{function.__module__.removeprefix('course_lib.')}.{function.__qualname__}"


# Attention.


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Attention by einsum, in float64."""
    narrow = query.dtype
    query, key, value = query.double(), key.double(), value.double()
    scores = torch.einsum("...td,...sd->...ts", query, key) / query.shape[-1] ** 0.5
    if mask is not None:
        if mask.dtype != torch.bool or not mask.any(-1).all():
            raise ValueError
        if 2 < mask.dim() < scores.dim() and len(mask) > 1:
            raise ValueError
        scores = torch.where(mask.broadcast_to(scores.shape), scores, -math.inf)
    weights = torch.softmax(scores, -1)
    return torch.einsum("...ts,...sd->...td", weights, value).to(narrow), weights.to(narrow)


def draw_attention(c: Chance) -> Arguments:
    T, S = c.randint(1, 4), c.randint(1, 5)
    mask = c.choice([None, c.mask(T, S), c.mask(2, 1, 1, S), c.mask(S)])
    return c.floats(2, 3, T, 4), c.floats(2, 3, S, 4), c.floats(2, 3, S, 5), mask


def weights_of_mask(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Weights by torch's softmax."""
    if mask is None:
        return torch.softmax(scores, -1)
    if mask.dtype != torch.bool or not mask.any(-1).all():
        raise ValueError
    return torch.softmax(torch.where(mask.broadcast_to(scores.shape), scores, -math.inf), -1)


def additive(q: Tensor, k: Tensor, v: Tensor, W: Tensor, U: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    """The score of 2014 by one sum for each pair."""
    scores = torch.stack([torch.stack([torch.tanh(W @ one + U @ other) @ a for other in k]) for one in q])
    weights = torch.softmax(scores, -1)
    return weights @ v, weights


row(attention.softmax, lambda c: (c.floats(3, 4), c.randrange(-2, 2)), torch.softmax)
row(
    attention.attend_one_query,
    lambda c: (c.floats(4), c.floats(5, 4), c.floats(5, 3)),
    lambda q, k, v: torch.softmax(k @ q, 0) @ v,
)
row(
    attention.dot_product_scores, lambda c: (c.floats(2, 3, 4), c.floats(2, 5, 4)), lambda q, k: q @ k.transpose(-1, -2)
)
row(attention.masked_weights, lambda c: (c.floats(2, 3, 4), c.mask(3, 4)))
row(attention.attention_weights, lambda c: (c.floats(2, 3, 4), c.choice([None, c.mask(3, 4)])), weights_of_mask)
row(attention.mix_values, lambda c: (c.floats(2, 3, 4), c.floats(2, 4, 5)), lambda w, v: w @ torch.as_tensor(v))
row(
    attention.entropy_of_weights,
    lambda c: (c.floats(2, 3).softmax(-1),),
    lambda w: (
        torch.special.entr(w).sum(-1) if not w.is_complex() and (w >= 0).all() and w.is_floating_point() else None
    ),
)
row(attention.scaled_dot_product_attention, draw_attention, attend, calls=60)
row(
    attention.additive_attention,
    lambda c: (c.floats(3, 4), c.floats(5, 2), c.floats(5, 6), c.floats(7, 4), c.floats(7, 2), c.floats(7)),
)
row(attention.causal_mask, lambda c: (c.randint(1, 6),), lambda T: np.tril(np.ones((T, T), dtype=bool)), calls=30)
row(
    attention.padding_mask,
    lambda c: (c.ids(2, 4), 0),
    lambda ids, pad: [[[[i != pad for i in row]]] for row in ids.tolist()] if ids.dim() == 2 else None,
)


def cut_in_heads(x: Tensor, heads: int) -> Tensor:
    """Heads by cutting the last axis."""
    if x.size(-1) % heads:
        raise ValueError
    return torch.stack(x.chunk(int(heads), -1) if x.size(-1) else [x] * heads, -3)


row(attention.split_heads, lambda c: (c.floats(2, 3, 8), c.choice([1, 2, 4])), cut_in_heads, calls=30)
row(
    attention.repeat_heads,
    lambda c: (c.floats(2, 3, 4, 2), c.randint(1, 3)),
    lambda x, times: x[..., torch.arange(x.size(-3) * times) // times, :, :],
)
row(attention.merge_heads, lambda c: (c.floats(2, 4, 3, 2),), lambda x: torch.cat(x.unbind(-3), -1))
row(attention.attend_in_heads, lambda c: (c.floats(2, 3, 8), c.floats(2, 4, 8), c.floats(2, 4, 8), 2))
row(
    attention.multi_head_parameter_count,
    lambda c: (8 * c.randint(1, 4), c.choice([1, 2, 4, 8])),
)
row(attention.check_shapes, lambda c: (c.floats(2, 3, 4), c.floats(2, 5, 4), c.floats(2, 5, 6), 4))
row(attention.check_mask, lambda c: (c.mask(2, 1, 1, 4), torch.Size((2, 3, 5, 4))))


@cache
def attention_module() -> MultiHeadAttention:
    """Two heads with random weights."""
    torch.manual_seed(0)
    return MultiHeadAttention(8, 2)


def watched(x: Tensor, mask: Tensor | None) -> Tensor:
    """The written-out attention, which watching asks for."""
    with watching.watch_attention(attention_module()):
        return attention_module()(x, x, x, mask)


def fused(x: Tensor, mask: Tensor | None) -> Tensor:
    """The fused kernel where it may be used."""
    return attention_module()(x, x, x, mask)


def draw_for_module(c: Chance) -> Arguments:
    T = c.randint(1, 4)
    return c.floats(2, T, 8), c.choice([None, c.mask(T, T), c.mask(2, 1, 1, T)])


ROWS["transformer.attention.MultiHeadAttention"] = Row(fused, draw_for_module, watched, calls=60)
row(
    watching.watch_attention,
    lambda c: (attention_module(),),
)

# The cache, layers, positions and models.

SIZES = dict(vocabulary=9, d_model=8, heads=2, d_ff=12, layers=1, max_length=12)


def attend_causally(q: Tensor, k: Tensor, v: Tensor, past: Any) -> Any:
    """Attention over past and new tokens with torch's kernel."""
    keys, values = (k, v) if past is None else (torch.cat((past[0], k), 2), torch.cat((past[1], v), 2))
    T, S = q.size(2), keys.size(2)
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    return attend(q, keys, values, mask)[0], (keys, values)


row(
    key_value_cache.attend_with_cache,
    lambda c: (
        *(c.floats(2, 2, 3, 4) for _ in range(3)),
        c.choice([None, (c.floats(2, 2, 2, 4), c.floats(2, 2, 2, 4))]),
    ),
    attend_causally,
)


row(
    key_value_cache.attend_in_pieces,
    lambda c: (key_value_cache.attend_with_cache, *(c.floats(2, 2, 3, 4) for _ in range(3)), c.randint(1, 4)),
    lambda attend, q, k, v, size: attend_causally(q, k, v, None)[0],
)


def rotary_attention_module() -> MultiHeadAttention:
    """Two heads with random weights, and rotary positions."""
    torch.manual_seed(0)
    return MultiHeadAttention(8, 2, rotate=positions.rotary)


def attend_with_weights(module: MultiHeadAttention, x: Tensor, past: Any) -> Any:
    """Attention over past and new tokens, with all new tokens projected by the module itself."""
    start = 0 if past is None else past[0].size(2)
    mixed, longer = attend_causally(*module.project(x, x, x, start), past)
    return module.W_o(mixed.transpose(1, 2).flatten(2)), longer


row(
    key_value_cache.cached_self_attention,
    lambda c: (
        rotary_attention_module(),
        c.floats(2, 3, 8),
        c.choice([None, (c.floats(2, 2, 2, 4), c.floats(2, 2, 2, 4))]),
    ),
    attend_with_weights,
)
row(
    key_value_cache.reorder_cache,
    lambda c: ([(c.floats(3, 2, 2, 4), c.floats(3, 2, 2, 4))], c.ids(4, below=3)),
)
row(key_value_cache.cache_bytes, lambda c: tuple(c.randint(1, 9) for _ in range(5)), lambda *n: 2 * math.prod(n))
row(key_value_cache.join_maps, lambda c: ((nn.Linear(2, 3), nn.Linear(2, 4)),))
row(key_value_cache.store_side_by_side, lambda c: ((nn.Linear(2, 3), nn.Linear(2, 4)),))
row(key_value_cache.by_columns, lambda c: (c.floats(2, 3),), lambda x: x)
row(key_value_cache.caching, lambda c: ([key_value_cache.TextCache(attention_module(), 4)],))
row(layers.gelu, lambda c: (c.floats(3, 4),), lambda x: x * torch.special.ndtr(x))


def of_usual_size(x: Tensor, expected: Tensor) -> Tensor | None:
    """What is expected, but for numbers whose squares float32 cannot hold: there even torch's norms differ."""
    return expected if (x.float().abs().nan_to_num(0, 0) < 1e18).all() else None


ROWS["transformer.layers.LayerNorm"] = Row(
    layers.LayerNorm(6),
    lambda c: (c.floats(2, 6),),
    # The one built by hand stretches a width of 1; models have torch's, which refuses it.
    lambda x: of_usual_size(x, F.layer_norm(x.float(), (6,))) if x.size(-1) != 1 else None,
    calls=30,
)
ROWS["transformer.layers.RMSNorm"] = Row(
    layers.RMSNorm(6),
    lambda c: (c.floats(2, 6),),
    lambda x: of_usual_size(x, F.rms_norm(x.float(), (6,), eps=1e-5)),
    calls=30,
)
row(layers.post_norm, lambda c: (c.floats(2, 4), torch.tanh, torch.relu), lambda x, f, norm: norm(x + f(x)))
row(layers.pre_norm, lambda c: (c.floats(2, 4), torch.tanh, torch.relu), lambda x, f, norm: x + f(norm(x)))
row(layers.cross_attend, lambda c: (attention_module(), c.floats(2, 3, 8), c.floats(2, 4, 8), c.mask(2, 1, 1, 4)))
row(layers.encoder_parameter_count, lambda c: tuple(c.randint(1, 9) for _ in range(3)))
row(positions.embed, lambda c: (c.ids(2, 3), c.floats(9, 4)))
row(
    positions.sinusoidal,
    lambda c: (c.randint(1, 5), 2 * c.randint(1, 4)),
    lambda length, width: (
        [
            [(math.cos if i % 2 else math.sin)(p / 10_000 ** ((i - i % 2) / width)) for i in range(width)]
            for p in range(length)
        ]
        if width % 2 == 0
        else operator.index("odd")
    ),
    calls=40,
)
row(positions.add_positions, lambda c: (c.floats(2, 3, 4), c.choice([None, c.ids(3)])))
row(positions.embed_with_positions, lambda c: (c.ids(2, 3), c.floats(9, 4)))


def rotated_by_angles(x: Tensor, start: int = 0) -> Tensor:
    """Rotary positions as a product of complex numbers."""
    if start < 0 or x.is_complex():
        raise ValueError
    first, second = x.double().chunk(2, -1)
    half = x.size(-1) // 2
    if x.size(-1) % 2:
        raise ValueError
    angles = (operator.index(start) + torch.arange(x.size(-2)))[:, None] / 10_000 ** (torch.arange(half) / half)
    turned = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles.float()).to(torch.complex128)
    return torch.cat((turned.real, turned.imag), -1)


row(
    positions.alibi_bias,
    lambda c: (c.randint(1, 5), c.randint(1, 6)),
    lambda heads, T: [
        [[-(2 ** (-8 * (h + 1) / heads)) * abs(i - j) for j in range(T)] for i in range(T)] for h in range(heads)
    ],
)
row(positions.rotary, lambda c: (c.floats(2, 3, 4), c.randint(0, 70)), rotated_by_angles, calls=40)

SETTINGS_OF_CONFIG: list[tuple[str, Callable[[Chance], Any]]] = [
    ("vocabulary", lambda c: c.randint(2, 9)),
    ("d_model", lambda c: 8),
    ("heads", lambda c: c.choice([1, 2, 4])),
    ("kv_heads", lambda c: 1),
    ("layers", lambda c: 1),
    ("dropout", lambda c: c.random()),
    ("norm_eps", lambda c: 1e-5),
    ("positions", lambda c: c.choice(["rotary", "learned", "none"])),
    ("activation", lambda c: c.choice(["gelu", "swiglu"])),
    ("pad", lambda c: 0),
    ("rotary_base", lambda c: 100.0),
    ("max_length", lambda c: 5),
    ("segments", lambda c: 2),
]


def draw_setting(c: Chance) -> Arguments:
    name, draw = c.choice(SETTINGS_OF_CONFIG)
    return lambda: name, draw(c)


def build_and_run(builder: Callable[[TransformerConfig], Any], name: Callable[[], str], value: Any) -> tuple[int, ...]:
    """Build a model with one setting changed, and run it once."""
    model = builder(TransformerConfig(**{**SIZES, name(): value})).eval()
    ids = torch.ones(1, 2, dtype=torch.long)
    output = model(ids, ids) if hasattr(model, "encode") else model(ids)
    if output.isnan().any():
        raise AssertionError(f"{name()}={value!r} makes a model that gives NaN")
    return tuple(output.shape)


for builder in (
    build.build_transformer,
    build.build_language_model,
    build.build_encoder,
    build.build_masked_language_model,
):
    ROWS[name_of(builder)] = Row(partial(build_and_run, builder), draw_setting, calls=30)


@cache
def language_model() -> Any:
    """A language model of 9 tokens."""
    torch.manual_seed(0)
    return build.build_language_model(TransformerConfig(**{**SIZES, "dropout": 0.0})).eval()


@cache
def transformer() -> Any:
    """An encoder–decoder of 9 tokens."""
    torch.manual_seed(0)
    return build.build_transformer(TransformerConfig(**{**SIZES, "dropout": 0.0})).eval()


# Text.

MERGES = [(64, 65), (256, 64), (84, 257)]


def tokens_of_bytes(text: str) -> list[int]:
    """The ids of a text without any merge, by GPT-2's order of bytes."""
    return [byte_pairs.BYTES.index(byte) for byte in text.encode("utf-8")]


def replaced(word: Any, pair: Any, new_id: int) -> list[int]:
    """Replace a pair from left to right."""
    first, second = pair
    ids, merged = list(word), []
    while ids:
        if len(ids) > 1 and ids[0] == first and ids[1] == second:
            merged.append(new_id)
            ids = ids[2:]
        else:
            merged.append(ids.pop(0))
    return merged


def bytes_by_recursion(ids: Any, merges: Any) -> str:
    """Take ids apart until only bytes are left."""

    def apart(i: int) -> list[int]:
        if not 0 <= i < 256 + len(merges):
            raise ValueError
        return [byte_pairs.BYTES[i]] if i < 256 else [*apart(merges[i - 256][0]), *apart(merges[i - 256][1])]

    return bytes(byte for i in ids for byte in apart(operator.index(i))).decode("utf-8", errors="replace")


row(byte_pairs.pieces, lambda c: (c.text(),))
row(byte_pairs.printable_bytes, lambda c: (c.text(),))
row(byte_pairs.encode_piece, lambda c: ("the", {"t": 0, "h": 1, "e": 2, "he": 3}, {("h", "e"): 0}))
row(chat.chat_prompt, lambda c: ([{"role": "user", "content": c.text()}], c.text()))
row(streaming.stream_text, lambda c: (byte_pairs.BytePairTokenizer([]), byte_pairs.byte_ids(c.text())))
row(byte_pairs.byte_ids, lambda c: (c.text(),), tokens_of_bytes)
row(byte_pairs.count_words, lambda c: (c.text(),))
row(
    byte_pairs.count_pairs,
    lambda c: ({tuple(c.ids(c.randint(1, 5), below=3).tolist()): c.randint(1, 3) for _ in range(2)},),
    lambda words: Counter(pair for word, n in words.items() for _ in range(n) for pair in itertools.pairwise(word)),
)
row(byte_pairs.merge_pair, lambda c: (c.ids(6, below=2).tolist(), (0, c.randrange(2)), 9), replaced, calls=40)
row(byte_pairs.learn_merges, lambda c: (dict(byte_pairs.count_words(c.text())), c.randint(0, 4)))
row(byte_pairs.apply_merges, lambda c: (c.ids(5, below=2).add(64).tolist(), MERGES))
row(byte_pairs.bpe_encode, lambda c: (c.text(), MERGES))
row(byte_pairs.bpe_decode, lambda c: (c.ids(4, below=259).tolist(), MERGES), bytes_by_recursion, calls=60)
row(tokenizer.special_ids, lambda c: (BytePairTokenizer([]),))
row(words.words, lambda c: (c.text(),))
row(words.join, lambda c: (c.words(),))
row(wording.join_words, lambda c: (c.words(),))
row(wording.in_words, lambda c: (c.randint(0, 20),))
row(wording.with_minus_signs, lambda c: (c.text(),))
row(wording.capitalized, lambda c: (c.text(),))
row(wording.as_sentence, lambda c: (c.text(),))


def round_trip(text: str) -> str:
    """Byte pairs lose nothing."""
    byte_pair_tokenizer = BytePairTokenizer(MERGES)
    return byte_pair_tokenizer.decode(byte_pair_tokenizer.encode(text))


def same_text(text: str) -> str:
    """The text, if it is one."""
    text.encode("utf-8")
    return text


ROWS["text.byte_pairs.BytePairTokenizer"] = Row(round_trip, lambda c: (c.text(),), same_text, calls=30)
ROWS["text.characters.CharacterTokenizer"] = Row(
    lambda text: CharacterTokenizer.from_text(text).decode(CharacterTokenizer.from_text(text).encode(text)),
    lambda c: (c.text(),),
    lambda text: "".join(list(text)) if isinstance(text, str) else operator.index("no text"),
    calls=30,
)
ROWS["text.words.WordTokenizer"] = Row(
    lambda text: words.words(text),
    lambda c: (c.text(),),
    lambda text: words.words(unicodedata.normalize("NFD", text)),
    calls=30,
)
VOCABULARY = Vocabulary(("le", "chat", "the"))
ROWS["text.vocabulary.Vocabulary.encode"] = Row(
    VOCABULARY.encode,
    lambda c: (c.words(),),
    lambda tokens: [
        {"[pad]": 0, "[bos]": 1, "[eos]": 2, "le": 4, "chat": 5, "the": 6}.get(token, 3)
        if isinstance(token, str)
        else operator.index("no token")
        for token in (tokens if not isinstance(tokens, str) else operator.index("text"))
    ],
    calls=40,
)
ROWS["text.vocabulary.Vocabulary.decode"] = Row(
    VOCABULARY.decode,
    lambda c: (c.ids(4, below=7).tolist(),),
    lambda ids: [
        ("[pad]", "[bos]", "[eos]", "[unk]", "le", "chat", "the")[_in_range(i, 7)]
        for i in itertools.takewhile(lambda i: i != 2, ids)
        if operator.index(i) > 3 or _in_range(i, 7) < 0
    ],
    calls=40,
)


def _in_range(i: int, end: int) -> int:
    if not 0 <= i < end:
        raise ValueError
    return operator.index(i)


# Data.


def is_short(pair: sentences.Pair) -> bool:
    """Whether a sentence has at most six words."""
    return len(pair.english) <= 6


row(corpus.generate, lambda c: (c.randint(0, 5), c.randint(0, 9), c.choice([None, is_short])))
row(corpus.split, lambda c: (c.randint(0, 5), c.randint(0, 5), c.randint(0, 9)))
row(numbering.as_ids, lambda c: (corpus.generate(3, 0), *[words.WordTokenizer.from_sentences([c.words()])] * 2))
row(corpus.refuse_negatives, lambda c: (), lambda: None, calls=1)
row(combinations.translation_split, lambda c: (c.randint(40, 60), c.randint(0, 5), c.randint(0, 9)), calls=8)
row(combinations.is_held_back, lambda c: (c.choice(["old", "new"]), c.choice(["king", "keys"])))
row(kinds.word_kinds, lambda c: (c.choice(pairs()),))
row(kinds.has_swap, lambda c: (c.choice(pairs()),))
row(kinds.nouns_of_determiners, lambda c: (c.choice(pairs()),))
row(combinations.described_nouns, lambda c: (c.choice(pairs()).english,))
row(
    sentences.express,
    lambda c: (sentences.Clause((c.choice([sentences.HE, sentences.SHE, sentences.THEY]),)),),
    calls=6,
)
row(sentences.opens_with_vowel, lambda c: (c.choice(["homme", "héros", "chat", "école"]),))

# Learning.


def examples(c: Chance, lists: int = 1, number: int = 4) -> list[tuple[list[int], ...]]:
    """Examples of some lists of ids."""
    return [tuple(c.ids(c.randint(2, 5)).tolist() for _ in range(lists)) for _ in range(number)]


def padded(lists: Any, pad: int | None) -> list[list[int]]:
    """Rows filled up by Python."""
    longest = max(len(ids) for ids in lists)
    if pad is None and any(len(ids) < longest for ids in lists):
        raise ValueError
    return [[*ids, *[pad] * (longest - len(ids))] for ids in lists]


row(batches.check_examples, lambda c: (examples(c), "examples"), calls=40)
row(batches.batches_by_length, lambda c: (examples(c), c.randint(1, 20), "0"))
row(batches.of_similar_length, lambda c: ([c.randint(1, 9) for _ in range(5)], c.randint(1, 4)))
row(batches.collate, lambda c: (examples(c, lists=2), 0))
row(batches.pad_rows, lambda c: ([ids for (ids,) in examples(c)], c.choice([0, 3])), padded)


def written_and_read(name: Callable[[], str], tensor: Tensor, note: Any) -> Any:
    """Write a file, and read it."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.write(Path(folder) / "x.safetensors", {name(): tensor}, note)
        tensors, read = checkpoints.read(Path(folder) / "x.safetensors")
    return tensors[name()], read


def draw_file(c: Chance) -> Arguments:
    return lambda: "a", c.choice([c.floats(2, 3), c.ids(4)]), {"step": c.randint(0, 5)}


ROWS["learning.checkpoints.write"] = Row(written_and_read, draw_file, lambda _, tensor, note: (tensor, note))
ROWS["learning.checkpoints.read"] = ROWS["learning.checkpoints.write"]


def resumed(steps: int, more: int) -> Any:
    """Train in two pieces with a checkpoint between."""
    with tempfile.TemporaryDirectory() as folder:
        for limit in (steps, steps + more):
            weights = trained(limit, checkpoint=Path(folder) / "x.safetensors")
    return weights


def trained(steps: int, **arguments: Any) -> dict[str, Tensor]:
    """Train a new language model for some steps on the CPU, and give its weights."""
    torch.manual_seed(0)
    model = build.build_language_model(TransformerConfig(**SIZES))
    settings = TrainingSettings(steps=steps, batch_tokens=20, warmup=1, progress=False)
    task = Task(examples(Chance(0), number=9), partial(losses.next_token, pad=0), pad=0)
    training.train(model, task, settings, device="cpu", **arguments)
    return checkpoints.weights_of(model)


ROWS["learning.checkpoints.write_training"] = Row(
    resumed, lambda c: (c.randint(1, 3), c.randint(1, 3)), lambda steps, more: trained(steps + more), calls=2
)
ROWS["learning.checkpoints.read_training"] = ROWS["learning.checkpoints.write_training"]
row(checkpoints.weights_of, lambda c: (language_model(),), lambda model: dict(model.named_parameters()))


def put_into_new(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Put weights into a new linear map."""
    part = nn.Linear(2, 1)
    checkpoints.put_weights(part, {"weight": weight, "bias": bias}, Path("x"))
    return part.weight, part.bias


def of_their_shapes(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The weights, if they fit into a linear map from 2 to 1."""
    if weight.shape != (1, 2) or bias.shape != (1,):
        raise ValueError
    return weight, bias


ROWS["learning.checkpoints.put_weights"] = Row(put_into_new, lambda c: (c.floats(1, 2), c.floats(1)), of_their_shapes)
row(descriptions.describe_model, lambda c: (c.choice([language_model(), nn.Dropout(0.1)]),))
row(descriptions.describe_function, lambda c: (c.choice([math.sin, partial(round, ndigits=1)]),))


def torchs_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """torch's loss, which counts each position, for one label at each."""
    if logits.shape[:-1] != labels.shape:
        raise ValueError
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten().long(), label_smoothing=smoothing)


def draw_logits(c: Chance) -> tuple[Tensor, Tensor]:
    labels = c.ids(2, 3, below=5)
    labels[0, 0] = c.choice([1, losses.IGNORE])
    return c.floats(2, 3, 5), labels


row(losses.inputs_and_labels, lambda c: (c.ids(2, 4),), lambda ids: (ids[:, :-1], ids[:, 1:]))
row(losses.translation, lambda c: (lambda s, t: F.one_hot(t, 9), c.ids(2, 3), c.ids(2, 4)), calls=0)
ROWS["learning.losses.translation"] = Row(
    lambda source, target: losses.translation(transformer(), source, target, pad=0)[1],
    lambda c: (c.ids(2, 3), c.ids(2, 4)),
)
ROWS["learning.losses.next_token"] = Row(
    lambda ids: losses.next_token(language_model(), ids, pad=0)[1],
    lambda c: (c.ids(2, 4),),
    lambda ids: [[losses.IGNORE if i == 0 else i for i in row[1:]] for row in _checked_ids(ids, below=1001)],
    calls=40,
)


def _checked_ids(ids: Tensor, below: int = 9) -> list[list[int]]:
    """Ids of texts of two tokens or more that are `below` a number."""
    if ids.dim() != 2 or ids.is_floating_point() or ids.dtype == torch.bool or ids.size(1) < 2:
        raise ValueError
    if ids.numel() and not 0 <= ids.min() <= ids.max() < below:
        raise ValueError
    return ids.tolist()


row(losses.cross_entropy, draw_logits, torchs_loss, calls=60)
row(losses.smoothed_cross_entropy, lambda c: (*draw_logits(c), c.choice([0.0, 0.1, 0.9])), torchs_loss, calls=60)
row(losses.training_losses, lambda c: (*draw_logits(c), c.choice([0.0, 0.1])))
row(losses.smoothed_loss_floor, lambda c: (c.randint(1, 9), c.random()))
row(
    masking.hide_tokens,
    lambda c: (c.ids(2, 3), torch.tensor([0, 1]), 8, torch.rand(2, 2, 3), c.ids(2, 3), c.random()),
)
row(packing.pack_texts, lambda c: ([c.ids(4).tolist(), c.ids(3).tolist()], 2, c.randint(1, 5)))
row(packing.document_mask, lambda c: (c.ids(2, 4), 2))
row(packing.packed_labels, lambda c: (c.ids(2, 4), 2))
row(losses.masked_lm_loss, lambda c: (*draw_logits(c), torch.nn.Identity()))
row(masking.hide, lambda c: (c.ids(2, 3), BytePairTokenizer([]), c.random()))
row(masking.draw_for_hiding, lambda c: (c.ids(2, 3), torch.tensor([0, 1]), c.randint(3, 9)))


def means_of_tokens(hidden: Tensor, real: Tensor) -> Tensor | None:
    """The mean of each text's real tokens, one text after the other."""
    if hidden.dim() != 3 or real.shape != hidden.shape[:2] or hidden.is_complex():
        return None
    return torch.stack(
        [states[kept.bool()].sum(0) / kept.bool().sum() for states, kept in zip(hidden, real, strict=True)]
    )


def lowest_is_old(losses: Any, patience: Any) -> bool | None:
    """Whether the lowest loss is as many checks ago as patience says."""
    if len(losses) == 0 or any(loss != loss for loss in losses):
        return None
    return len(losses) - 1 - list(losses).index(min(losses)) >= patience


# What changes a model in place, or trains, is called by its own tests.
row(heads.mean_of_tokens, lambda c: (c.floats(2, 3, 4), c.ids(2, 3) >= 0), means_of_tokens)
row(heads.freeze, lambda c: (nn.Linear(2, 2), ["weight"]), calls=0)
row(heads.parameter_groups, lambda c: (nn.Linear(2, 2), nn.Linear(3, 2), 0.1, 0.01), calls=0)
row(heads.should_stop, lambda c: ([c.random() for _ in range(5)], c.randint(1, 5)), lowest_is_old)
row(heads.leave_one_out, lambda c: (lambda words: float(len(words)), ["a", "b"][: c.randint(1, 2)]))
row(
    adapters.merge_adapter,
    lambda c: (c.floats(3, 4), c.floats(2, 4), c.floats(3, 2), 4.0),
    lambda W, A, B, alpha: W + torch.einsum("or,ri->oi", B, A) * alpha / A.size(0),
)
row(adapters.add_adapters, lambda c: (nn.Linear(2, 2), 1, 1.0), calls=0)
row(adapters.merge_adapters, lambda c: (nn.Linear(2, 2),), calls=0)
row(fine_tuning.fine_tune, lambda c: (), calls=0)
row(fine_tuning.classification, lambda c: ([([4, 5], 1)], [], 0), calls=1)
row(fine_tuning.classify, lambda c: (lambda ids: ids[:, :2].float(), c.ids(2, 3), c.ids(2, 1)))
row(fine_tuning.logits_of, lambda c: (), calls=0)
row(fine_tuning.loss_of, lambda c: (), calls=0)
row(fine_tuning.mean_vectors, lambda c: (), calls=0)
row(fine_tuning.fit_head, lambda c: (), calls=0)
row(fine_tuning.copy_of, lambda c: (nn.Linear(2, 2),), calls=0)
row(schedules.learning_rate, lambda c: (c.randint(1, 50), 8, c.randint(1, 20)))
row(schedules.inverse_square_root, lambda c: (c.randint(1, 50), 0.1, c.randint(0, 20)))
row(
    schedules.warmup_cosine,
    lambda c: (c.randint(1, 60), 0.1, c.randint(0, 20), c.randint(21, 50)),
)
row(training.best_device, lambda c: (), calls=1)
row(training.has_fast_bfloat16, lambda c: (torch.device("cpu"),), calls=1)
row(training.evaluating, lambda c: (language_model(),), calls=2)
row(threads.one_thread, lambda c: (), calls=1)
row(training.fingerprint, lambda c: (examples(c),))


def evaluated(validation: Any, batch_tokens: int) -> float:
    """The loss on validation examples."""
    task = Task((), partial(losses.next_token, pad=0), validation, pad=0)
    return training.evaluate(language_model(), task, batch_tokens)


def evaluated_one_by_one(validation: Any, batch_tokens: int) -> float:
    """The mean surprise, text by text."""
    if not batch_tokens >= 1:
        raise ValueError
    total, count = 0.0, 0
    for example in validation:
        (text,) = example
        ids = torch.tensor([[operator.index(i) for i in text]])
        _checked_ids(ids)
        labels = ids[:, 1:].masked_fill(ids[:, 1:] == 0, losses.IGNORE)
        with torch.no_grad():
            total += F.cross_entropy(language_model()(ids[:, :-1])[0], labels[0], reduction="sum").item()
        count += int((labels != losses.IGNORE).sum())
    return total / count


ROWS["learning.training.evaluate"] = Row(
    evaluated, lambda c: (examples(c), c.randint(1, 20)), evaluated_one_by_one, calls=40
)
SETTINGS_OF_TRAINING: dict[str, Any] = {
    "epochs": 1,
    "learning_rate": 1e-3,
    "warmup": 2,
    "batch_tokens": 20,
    "label_smoothing": 0.1,
    "clip": 1.0,
    "betas": (0.9, 0.98),
    "weight_decay": 0.1,
    "seed": 1,
    "schedule": "cosine",
}


def train_once(name: Callable[[], str], value: Any) -> bool:
    """Train for two steps with one setting changed; all weights have to be numbers."""
    settings = TrainingSettings(steps=2, progress=False, **{name(): value})
    model = build.build_language_model(TransformerConfig(**SIZES))
    task = Task(examples(Chance(0)), partial(losses.next_token, pad=0), pad=0)
    history = training.train(model, task, settings, device="cpu")
    return history.steps in (1, 2) and all(weight.isfinite().all() for weight in model.parameters())


def draw_training(c: Chance) -> Arguments:
    name = c.choice(list(SETTINGS_OF_TRAINING))
    return lambda: name, SETTINGS_OF_TRAINING[name]


ROWS["learning.training.train"] = Row(train_once, draw_training, lambda name, value: True, calls=24)

# Writing.


def continued_by_hand(prompt: Any, length: int) -> list[int]:
    """Run the model over the whole text at each step, and take the largest logit."""
    text = [_in_range(i, 9) for i in prompt]
    start = len(text)
    if not text or length < 0:
        raise ValueError
    for _ in range(operator.index(length)):
        with torch.no_grad():
            logits = language_model()(torch.tensor([text[-12:]]))[0, -1]
        text.append(max(range(9), key=logits.tolist().__getitem__))
    return text[start:]


def draw_prompt(c: Chance) -> Arguments:
    return c.ids(c.randint(1, 5)).tolist(), c.randint(0, 5)


def sums_of_extensions(logits: Tensor, totals: Tensor, beams: int) -> Any:
    """Every extension of every text, sorted by Python."""
    sums = [
        (total + log_p, row, token)
        for row, (total, p) in enumerate(zip(totals.tolist(), torch.log_softmax(logits, -1).tolist(), strict=True))
        for token, log_p in enumerate(p)
    ]
    return [each[0] for each in sorted(sums, key=lambda each: -each[0])[: operator.index(beams)]]


row(beam.length_penalty, lambda c: (c.randint(0, 9), c.random()), lambda length, alpha: ((5 + length) / 6) ** alpha)
row(beam.beam_step, lambda c: (c.floats(2, 5), c.floats(2), c.randint(1, 6)))
row(beam.beam_search_text, lambda c: (language_model(), c.ids(2).tolist(), c.randint(1, 3), c.randint(0, 3), 2))
ROWS["writing.beam.beam_search"] = Row(
    lambda prompt, length, beams: [
        (text.ids, text.log_probability)
        for text in beam.beam_search(language_model(), [prompt], length, beams=beams, n_best=beams, alpha=0.0)[0]
    ],
    lambda c: (c.ids(c.randint(1, 4)).tolist(), c.randint(0, 3), c.randint(1, 3)),
    calls=40,
)
row(writing_cache.can_cache, lambda c: (c.choice([language_model(), nn.Linear(1, 1)]),), calls=4)


def read_in_pieces(first: Tensor, second: Tensor) -> Tensor:
    """The logits after two pieces, read with a cache."""
    cached = writing_cache.CachedModel(language_model(), 12)
    cached.read(first)
    return cached.read(second)


def read_at_once(first: Tensor, second: Tensor) -> Tensor:
    """The logits after a text."""
    for ids in (first, second):
        if ids.dtype == torch.bool:
            raise ValueError
        _checked_ids(torch.cat((ids, ids), dim=1))
    whole = torch.cat((first, second), dim=1)
    with torch.no_grad():
        return language_model()(whole[:, -12:])[:, -1]


ROWS["writing.cache.CachedModel"] = Row(
    read_in_pieces, lambda c: (c.ids(2, c.randint(1, 4)), c.ids(2, c.randint(1, 3))), read_at_once, calls=60
)
row(choose.apply_temperature, lambda c: (c.floats(2, 5), c.choice([0.0, 0.5, 1.0, 3.0])))
row(choose.top_k_filter, lambda c: (c.floats(2, 5), c.randint(1, 6)))
row(choose.top_p_filter, lambda c: (c.floats(2, 5), c.random()))


def drawn_from(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Any:
    """The probabilities of each token by numpy, without filters."""
    if not (0 < temperature < math.inf) or k is not None or p is not None:
        return None
    x = np.asarray(logits.double()) - np.asarray(logits.double()).max(-1, keepdims=True)
    with np.errstate(all="ignore"):
        shares = np.exp(x / max(temperature, 1e-30))
        shares = shares / shares.sum(-1, keepdims=True)
    if not np.isfinite(shares).all():
        raise ValueError
    return shares


row(
    choose.next_token_probabilities,
    lambda c: (c.floats(2, 5), c.choice([0.5, 1.0]), c.choice([None, 2]), c.choice([None, 0.7])),
    drawn_from,
    calls=60,
)


def largest(logits: Tensor) -> list[int]:
    """The first of the largest of each row."""
    rows = logits.tolist()
    if any(not math.isfinite(max(row, key=lambda x: (x != x, x))) for row in rows):
        raise ValueError
    return [row.index(max(row)) for row in rows]


row(choose.likeliest, lambda c: (c.floats(2, 5),), lambda x: largest(x) if x.dim() == 2 else None, calls=40)
ROWS["writing.choose.sampler"] = Row(
    lambda logits, temperature, k, p: choose.sampler(temperature, k, p, torch.Generator().manual_seed(0))(logits),
    lambda c: (c.floats(2, 5), 1.0, c.choice([None, 2]), c.choice([None, 0.7])),
    calls=30,
)
row(choose.continue_greedily, lambda c: (language_model(), *draw_prompt(c)))
row(choose.greedy_translation, lambda c: (transformer(), c.ids(3).tolist(), c.randint(0, 4)))
row(
    choose.text_log_probability,
    lambda c: (c.floats(3, 5), c.ids(3, below=5)),
)
ROWS["writing.choose.greedy"] = Row(
    lambda prompt, length: choose.greedy(language_model(), [prompt], length)[0],
    draw_prompt,
    continued_by_hand,
    calls=80,
)
ROWS["writing.choose.sample"] = Row(
    lambda prompt, length, temperature: choose.sample(language_model(), [prompt], length, temperature=temperature),
    lambda c: (*draw_prompt(c), c.choice([0.0, 1.0])),
    calls=40,
)
ROWS["writing.choose.write_tokens"] = Row(
    lambda prompt, length: list(choose.write_tokens(language_model(), prompt, length)),
    draw_prompt,
    continued_by_hand,
    calls=40,
)
ROWS["writing.prompts.request"] = Row(
    lambda texts, length: (
        prompts.request(language_model(), texts, length, bos=None, stop=(), pad=None, use_cache=True).length
    ),
    lambda c: ([c.ids(2).tolist(), c.ids(3).tolist()], c.randint(0, 4)),
    calls=40,
)
row(prompts.check_logits, lambda c: (c.floats(2, 5),), calls=30)

# Scoring.


@cache
def pairs() -> list[sentences.Pair]:
    """Some sentences with their translations."""
    return corpus.generate(6, seed=0)


def share_of_common_words(predicted: Any, expected: Any) -> float:
    """For each sentence, cross out the words of the other one by one."""
    if len(predicted) != len(expected) or not len(expected):
        raise ValueError
    shares = []
    for ours, theirs in zip(predicted, expected, strict=True):
        left, shared = list(theirs), 0
        for word in ours:
            if word in left:
                left.remove(word)
                shared += 1
        shares.append(2 * shared / max(1, len(ours) + len(theirs)))
    return math.fsum(shares) / len(shares)


def share_of_pieces(texts: Any, length: int) -> float:
    """Compare each piece with all before it."""
    pieces = [list(text[i : i + length]) for text in texts for i in range(len(text) - length + 1)]
    return sum(piece not in pieces[:i] for i, piece in enumerate(pieces)) / len(pieces)


def share_of_equals(predicted: Any, expected: Any) -> float:
    """Count pairs that look the same, whatever lists they are in."""
    if isinstance(predicted, str | bytes) or isinstance(expected, str | bytes) or len(predicted) != len(expected):
        raise TypeError

    def look(x: Any) -> str:
        x = x.tolist() if hasattr(x, "tolist") else x
        return repr([look(each) for each in x]) if isinstance(x, list | tuple) else repr(x)

    return sum(look(a) == look(b) for a, b in zip(predicted, expected, strict=True)) / len(expected)


def links(c: Chance) -> list[tuple[int, int]]:
    """Some links."""
    return [(c.randrange(3), c.randrange(3)) for _ in range(c.randint(1, 4))]


def error_rate(predicted: Any, sure: Any) -> float:
    """1 - F1, for where every possible link is sure."""
    ours, theirs = (
        [{(operator.index(s), operator.index(t)) for s, t in each} for each in x] for x in (predicted, sure)
    )
    found = sum(len(a & b) for a, b in zip(ours, theirs, strict=True))
    return 1 - 2 * found / (sum(map(len, ours)) + sum(map(len, theirs)))


row(alignments.best_single_links, lambda c: (c.choice(pairs()),))
row(alignments.links_by_kind, lambda c: ([c.floats(2, len(p.french), len(p.english)) for p in pairs()], pairs()))
row(baselines.word_by_word, lambda c: (pairs(), pairs()))
row(baselines.diagonal, lambda c: (c.choice(pairs()),))
row(baselines.least_loss, lambda c: ("ab" + c.text(), c.randint(0, 1)))
row(baselines.loss_baselines, lambda c: ("ab" + c.text(), c.randint(1, 9)))
row(
    metrics.exact_match,
    lambda c: ([c.words(2) for _ in range(3)], [c.words(2) for _ in range(3)]),
    share_of_equals,
    calls=60,
)
row(gaps.choose_gaps, lambda c: (c.ids(3, 8) + 1, torch.tensor([0]), 0, 2))
row(gaps.ngram_guesses, lambda c: (NGrams([1, 2, 1], 2, 9), gaps.Gaps(c.ids(2, 4), torch.tensor([1, 2]))))
row(gaps.share_right, lambda c: (c.floats(3, 4), c.ids(3, below=4)))
row(metrics.perplexity, lambda c: (-c.floats(4).abs(),))
row(metrics.bits_per_character, lambda c: (-c.floats(4).abs(), "a" + c.text()))
row(metrics.alignment_error_rate, lambda c: ([links(c), links(c)], [links(c), links(c)]), error_rate, calls=60)
row(
    metrics.share_of_right_words,
    lambda c: ([c.words(4) for _ in range(3)], [c.words(4) for _ in range(3)]),
    share_of_common_words,
    calls=60,
)
row(texts.words_in, lambda c: (c.text(),))
row(texts.share_of_real_words, lambda c: (f"the king {c.text()} slept here", c.words(4)))
row(texts.share_of_distinct_pieces, lambda c: ([c.ids(9).tolist() for _ in range(3)], c.randint(1, 4)), share_of_pieces)
row(texts.in_random_order, lambda c: (c.text(), c.randint(0, 9)))
row(
    searches.measure_search,
    lambda c: ([(c.ids(3).tolist(), -1.5)], pretrained.load_translator().french, [c.words(4)]),
    calls=6,
)
row(
    metrics.alignment_from_weights,
    lambda c: (c.floats(3, 4).softmax(-1),),
)


def shares_compatible(right: int, total: int) -> tuple[float, float]:
    """The roots of the quadratic equation that the definition of Wilson's interval leads to."""
    share, c = operator.index(right) / operator.index(total), 1.96**2 / total
    low, high = sorted(np.roots([1 + c, -(2 * share + c), share**2]).real)
    return max(low, 0.0), high


def calibration_by_histogram(sure: Tensor, right: Tensor, bins: int) -> float:
    """The calibration error from two histograms, of the confidences and of the right answers."""
    sure, right = sure.double().numpy(), right.double().numpy()
    sums = [np.histogram(sure, bins, (0, 1), weights=weights)[0] for weights in (right, sure)]
    return float(np.abs(sums[0] - sums[1]).sum() / len(sure))


def confidences(c: Chance) -> Arguments:
    n = c.randint(1, 9)
    return c.floats(n).sigmoid(), c.floats(n) > 0, c.randint(1, 5)


row(confidence.wilson_interval, lambda c: (c.randint(0, 5), c.randint(5, 9)), calls=60)
# Several processes; here there is one.

row(parallel.count, lambda c: (), lambda: 1, calls=2)
row(parallel.number, lambda c: (), lambda: 0, calls=2)
row(parallel.several_processes, lambda c: ())
row(parallel.own_share, lambda c: (c.ids(4).tolist(),), list)
row(parallel.total, lambda c: (c.floats(3),), lambda x: x)
row(parallel.furthest, lambda c: (c.random(),), lambda x: x)
row(parallel.joined, lambda c: (nn.Linear(2, 2),), lambda x: x)

row(
    confidence.bootstrap_interval,
    lambda c: (c.floats(3), torch.randint(3, (50, 3), generator=torch.Generator().manual_seed(c.randint(0, 99)))),
)
row(confidence.interval_of_mean, lambda c: (c.floats(4).tolist(),))
row(confidence.widening, lambda c: (c.randint(2, 30),))
row(confidence.calibration_error, confidences, calls=60)
row(confidence.reliability, confidences, calls=60)


def loss_of_counts(counted: Any, text: Any) -> float:
    """The loss of unigrams by Witten and Bell's formula."""
    seen = [_in_range(i, 5) for i in counted]
    counts = Counter(seen)
    kinds = len(counts)
    surprise = [-math.log((counts[_in_range(i, 5)] + kinds / 5) / (len(seen) + kinds) if seen else 1 / 5) for i in text]
    return sum(surprise) / len(surprise)


ROWS["scoring.ngrams.NGrams"] = Row(
    lambda counted, text: NGrams(counted, 1, 5).loss(text),
    lambda c: (c.ids(6, below=5).tolist(), c.ids(4, below=5).tolist()),
    loss_of_counts,
    calls=60,
)


def surprise_of_even_bets_and_words(known: Any, windows: Any, vocabulary: int) -> dict[str, float] | None:
    """The first two baselines, by the formula of unigrams."""
    if vocabulary != 5:
        return None
    found = baselines.ngram_baselines(known, windows, vocabulary)
    return {
        **found,
        "ln V": math.log(5),
        "unigram": np.mean([[loss_of_counts(known, [i]) for i in window[1:]] for window in windows]),
    }


row(
    baselines.ngram_baselines,
    lambda c: (c.ids(9, below=5).tolist(), c.ids(2, 4, below=5).tolist(), 5),
    surprise_of_even_bets_and_words,
)
row(
    dependence.notices,
    lambda c: (running_sum, c.ids(1, 4), 9),
    lambda _model, ids, _vocabulary: torch.ones(ids.size(1), ids.size(1), dtype=torch.bool).tril(),
)
row(
    head_patterns.head_patterns,
    lambda c: (c.floats(1, 2, 4, 4).softmax(-1),),
)
row(
    head_patterns.share_of_ends,
    lambda c: (c.floats(2, 4, 4).softmax(-1),),
    lambda w: (w[..., [0, -1]][..., : w.size(-1)].sum(-1) / w.sum(-1)).mean(),
)

# Pretrained models.

row(encoder.our_name, lambda c: ("encoder.layer.5.attention.self.query.weight",))
row(encoder.our_weights, lambda c: ({"embeddings.LayerNorm.bias": c.floats(2)},))
row(encoder.load_encoder, lambda c: ("cpu",), calls=0)
row(hidden_words.load_hidden_words, lambda c: (), calls=0)
row(hidden_words.train_head, lambda c: (), calls=0)
row(
    hidden_words.share_among,
    lambda c: (torch.tensor([[0, 1], [2, 0]]), torch.tensor([c.randint(0, 2), 0])),
    lambda guessed, answers: sum(a in row for a, row in zip(answers.tolist(), guessed.tolist(), strict=True)) / 2,
)
row(decoder.our_name, lambda c: (f"blk.{c.randint(0, 9)}.ffn_gate.weight",))
row(decoder.config_of, lambda c: ({"general.architecture": "bert"},), lambda about: None, calls=0)
row(decoder.halves_from_neighbours, lambda c: (c.floats(12, 3), 3), calls=4)
row(decoder.load_decoder, lambda c: (), calls=0)
row(decoder.merges_of, lambda c: ({"tokenizer.ggml.merges": ["a b", "ab c"]},))
row(decoder.our_weights, lambda c: (), calls=0)
row(decoder.tokenizer_of, lambda c: (), calls=0)
row(trained_weights.empty_model, lambda c: (), calls=0)
row(trained_weights.fitting_parts, lambda c: (), calls=0)
row(modern_changes.config_of, lambda c: ("none of the four", c.randint(1, 9)))
row(modern_changes.recorded, lambda c: (), calls=0)
row(modern_changes.run, lambda c: (), calls=0)
row(modern_changes.seconds_per_step, lambda c: (), calls=0)
row(
    quantization.unpack_q4_1,
    lambda c: (torch.tensor([[c.randint(0, 59) for _ in range(20)] for _ in range(c.randint(1, 3))]).to(torch.uint8),),
    lambda blocks: (
        torch.from_numpy(gguf.dequantize(blocks.contiguous().numpy(), gguf.GGMLQuantizationType.Q4_1).reshape(-1, 32))
        if len(blocks) and blocks.dtype == torch.uint8 and blocks.dim() == 2 and blocks.size(1) == 20
        else None
    ),
)
row(tales_scaling.recorded, lambda c: (), calls=0)
row(tales_scaling.run, lambda c: (), calls=0)
row(tales_scaling.as_json, lambda c: ([], c.randint(0, 9), {"date": c.text()}))
row(tales_scaling.small_config, lambda c: (c.randint(1, 9), 8 * c.randint(1, 3), c.randint(1, 3)))
row(tales_scaling.parameters_without_tables, lambda c: (torch.nn.Linear(3, c.randint(1, 4)),))
ROWS["pretrained.tales_scaling.predict_next"] = Row(
    lambda ids: tales_scaling.predict_next(lambda inputs, mask: F.one_hot(inputs, 9), ids, 2)[1],
    lambda c: (c.ids(2, 4),),
)
ROWS["writing.draw.draw_text"] = Row(
    lambda ids: draw.draw_text(lambda text: torch.zeros(9), ids, 3, torch.tensor([0])), lambda c: (c.ids(3).tolist(),)
)
row(encoder.similarity, lambda c: (c.text(), c.text()), calls=0)
row(readers.load_encoder_or_translator, lambda c: (), calls=0)
row(
    torch_weights,
    lambda c: ({"norm_1": nn.LayerNorm(2)},),
    lambda parts: {"norm_1.gain": [1.0, 1.0], "norm_1.bias": [0.0, 0.0]} if parts else {},
    calls=4,
)
row(tales_model.windows, lambda c: (c.ids(c.randint(60, 140)).tolist(), c.randint(1, 64)), calls=8)
row(tales_model.train_tales_model, lambda c: (c.text(), TrainingSettings(steps=1, progress=False)), calls=0)
row(tales_model.validation_loss, lambda c: (pretrained.load_tales_model().model, c.ids(80).tolist()), calls=6)
row(entity_tuning.load_names, lambda c: (), calls=0)
row(entity_tuning.own_templates, lambda c: (c.randint(0, 9), c.randint(1, 3)), calls=4)
row(entity_tuning.letters_and_words, lambda c: ([tagged(c), tagged(c)], c.randint(1, 3)), calls=4)
row(entity_tuning.recorded, lambda c: (), calls=1)
row(text_tuning.load_film, lambda c: (), calls=0)
row(text_tuning.load_topics, lambda c: (), calls=0)
row(text_tuning.save_adapted, lambda c: (), calls=0)
row(text_tuning.load_adapted, lambda c: (), calls=0)
row(text_tuning.recorded, lambda c: (), calls=1)
row(recorded_runs.as_json, lambda c: (text_tuning.recorded().runs[:2], {"minutes": 1}), calls=2)
row(descriptions.describe_machine, lambda c: (), calls=1)
row(recorded_runs.made_here, lambda c: (c.text(),), calls=2)
row(recorded_runs.complete, lambda c: (), calls=0)
row(recorded_runs.lines_of, lambda c: (None,), calls=1)
row(recorded_runs.read_table, lambda c: (text_tuning.FILE, text_tuning.Run), calls=1)
row(tales_model.load_tales_model, lambda c: (), calls=1)
row(tales_model.load_plain_tales_model, lambda c: (), calls=1)
row(
    trained_weights.build_with_weights,
    lambda c: (
        build.build_language_model,
        TransformerConfig(**SIZES),
        build.COURSE,
        checkpoints.weights_of(language_model()),
        Path("x"),
    ),
    calls=4,
)
row(trained_weights.rebuild, lambda c: (language_model(), build.COURSE), lambda model, parts: model, calls=2)
row(
    trained_weights.build_part,
    lambda c: ("LayerNorm", layers.LayerNorm, (4,), {"gain": c.floats(4), "bias": c.floats(4)}),
    calls=8,
)
row(trained_weights.compatible_parts, lambda c: (build.COURSE,), calls=1)
row(trained_weights.weight_shapes, lambda c: (nn.Linear(2, 3),), lambda part: {"weight": (3, 2), "bias": (3,)}, calls=2)
row(translator.translation_examples, lambda c: (pairs()[: c.randint(1, 6)],), calls=4)
row(translator.train_translator, lambda c: (pairs(), TrainingSettings(steps=1, progress=False)), calls=0)
row(translator.load_translator, lambda c: (), calls=1)
row(inspection.count_right, lambda c: (translator.load_translator(), pairs()), calls=10)
row(inspection.loss_per_word, lambda c: (translator.load_translator(), pairs()), calls=10)
row(inspection.counting_losses, lambda c: (translator.load_translator(), pairs(), pairs()), calls=4)
row(inspection.predictions, lambda c: (translator.load_translator(), pairs()), calls=10)
row(
    inspection.complete,
    lambda c: (translator.load_translator(), c.choice(pairs()).english, c.choice(pairs()).french[: c.randint(0, 3)]),
    calls=10,
)
row(
    inspection.without_head,
    lambda c: (translator.load_translator(), c.randint(0, 1), c.randint(0, 3)),
    calls=4,
)
ROWS["pretrained.translator.Translator"] = Row(
    lambda sentence: pretrained.load_translator().translate(sentence),
    lambda c: (c.choice(["the king slept", "the queen found the key"]),),
    calls=20,
)
ROWS["pretrained.tales_model.TalesModel"] = Row(
    lambda prompt, length: pretrained.load_tales_model().complete(prompt, length)[len(prompt) :],
    lambda c: ("Once upon a ti", c.randint(0, 3)),
    calls=20,
)


def tags(c: Chance) -> list[str]:
    """Four tags, which may be ill-formed."""
    return [c.choice(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]) for _ in range(4)]


def tagged(c: Chance) -> TaggedSentence:
    """Four words with tags."""
    return TaggedSentence(tuple(c.choice("abc") for _ in range(4)), tuple(tags(c)))


def spans_of_seqeval(tags: Any) -> list[tuple[str, int, int]]:
    """The entities that seqeval finds."""
    if not all(tag == "O" or (tag[0] in "BI" and tag[1] == "-" and tag[2]) for tag in tags):
        raise ValueError
    return [(kind, start, stop + 1) for kind, start, stop in get_entities(list(map(str, tags)))]


def share_of_equal_tags(predicted: Any, expected: Any) -> float:
    """The share of equal tags by numpy."""
    if any(isinstance(each, str) for each in (*predicted, *expected)) or [*map(len, predicted)] != [
        *map(len, expected)
    ]:
        raise ValueError
    return float(
        np.mean(
            [ours == theirs for row in zip(predicted, expected, strict=True) for ours, theirs in zip(*row, strict=True)]
        )
    )


row(entities.spans_of_tags, lambda c: (tags(c),), spans_of_seqeval, calls=60)
row(
    entities.precision_recall_f1,
    lambda c: ([entities.spans_of_tags(tags(c)) for _ in "ab"], [entities.spans_of_tags(tags(c)) for _ in "ab"]),
)
row(entities.entity_scores, lambda c: ([tags(c), tags(c)], [tags(c), tags(c)]), calls=60)
row(entities.accuracy_per_token, lambda c: ([tags(c), tags(c)], [tags(c), tags(c)]), share_of_equal_tags, calls=60)
row(entities.remembered_names, lambda c: ([tagged(c), tagged(c)], [[*"abcab"], [*"cb"]]))


def labels_of_first_pieces(word_of_piece: Any, labels: Any) -> list[int]:
    """Labels by a loop over the pieces that remembers the former words."""
    if {word for word in word_of_piece if word is not None} != set(range(len(labels))):
        raise ValueError
    former: list[int] = []
    found = []
    for word in word_of_piece:
        found.append(-100 if word is None or word in former else labels[word])
        former += [] if word is None else [word]
    return found


row(word_pieces.cut_words, lambda c: (c.words(), small_tokenizer()))
row(
    word_pieces.label_pieces,
    lambda c: ([None, 0, *[1] * c.randint(1, 3), 2, None], c.ids(3).tolist()),
    labels_of_first_pieces,
    calls=60,
)


def labels_of_all_pieces(word_of_piece: Any, labels: Any) -> list[int]:
    """Labels of all pieces by a table from words to labels, in which a special token has its own."""
    if {word for word in word_of_piece if word is not None} != set(range(len(labels))):
        raise ValueError
    table = {None: -100, **dict(enumerate(labels))}
    return [table[word] for word in word_of_piece]


row(
    word_pieces.label_every_piece,
    lambda c: ([None, 0, *[1] * c.randint(1, 3), 2, None], c.ids(3).tolist()),
    labels_of_all_pieces,
)
row(word_pieces.at_first_pieces, lambda c: (c.ids(5).tolist(), [None, 0, 0, 1, None], 2))
row(tagging.tag_names, lambda c: (["PER", "LOC"],))
row(
    tagging.tagging_examples,
    lambda c: ([tagged(c), tagged(c)], small_tokenizer(), tagging.tag_names(["PER", "LOC"])),
)
ROWS["learning.tagging.tagging"] = Row(
    lambda ids, labels: tagging.tagging(language_model(), ids, labels, pad=0)[1],
    lambda c: (c.ids(2, 3), c.ids(2, 3)),
)
row(
    tagging.labelled_vectors,
    lambda c: (nn.Embedding(9, 4), [(c.ids(3).tolist(), [-100, 1, 0]), (c.ids(2).tolist(), [1, -100])], 0),
    lambda encoder, examples, pad: (
        torch.stack([encoder.weight[ids[i]] for ids, labels in examples for i, each in enumerate(labels) if each >= 0]),
        torch.tensor([each for _, labels in examples for each in labels if each >= 0]),
    ),
)
row(tagging.fit_tagging_head, lambda c: (), calls=0)
row(tagging.word_probabilities, lambda c: (small_tagger(), c.words(), small_tokenizer()))
row(tagging.predict_tags, lambda c: (small_tagger(), [c.words(), c.words()], small_tokenizer(), ["O", "B-X", "I-X"]))


@cache
def small_tagger() -> tagging.Tagger:
    """A tagger of three tags."""
    return tagging.Tagger(nn.Embedding(len(small_tokenizer()), 4), tagging.TaggingHead(4, 3)).eval()


# Long texts, and pictures.

row(
    blocks.online_softmax_step,
    lambda c: (c.floats(2, 1), c.floats(2, 1).exp(), c.floats(2, 3), c.floats(2, 4), c.floats(4, 3)),
    calls=30,
)
row(
    blocks.attend_in_blocks,
    lambda c: (c.floats(4, 3), c.floats(5, 3), c.floats(5, 2), c.randint(1, 6)),
    calls=30,
)
row(blocks.sliding_window_mask, lambda c: (c.randint(1, 6), c.randint(1, 8)), calls=30)
row(blocks.reach, lambda c: (c.randint(0, 6), c.randint(1, 8)), calls=30)
row(images.patches, lambda c: (c.floats(2, 4, 6), c.choice([1, 2])), calls=30)
row(
    growth.growth_exponent,
    lambda c: ([1.0, 2.0, 5.0 + c.random()], [c.random() + 0.1 for _ in range(3)]),
    calls=30,
)
# Translating what people say.


def references(c: Chance) -> list[list[list[str]]]:
    """One or two references for each of two texts."""
    return [[c.words() for _ in range(c.randint(1, 2))] for _ in range(2)]


def bleu_of_sacrebleu(hypotheses: Any, correct: Any, longest: int = 4) -> float:
    """The score by sacreBLEU, for lists of words."""
    if longest < 1 or not all(correct) or len(hypotheses) != len(correct):
        raise ValueError
    as_words = [[*map(str, words)] for words in hypotheses]
    return sacre(as_words, [[[*map(str, words)] for words in each] for each in correct], longest)


row(bleu.count_ngrams, lambda c: (c.words(), c.randint(1, 3)), calls=30)
row(bleu.clipped_matches, lambda c: (c.words(), references(c)[0], c.randint(1, 3)), calls=30)
row(bleu.closest_length, lambda c: (c.randint(0, 9), [c.randint(1, 9), c.randint(1, 9)]), calls=30)
row(bleu.brevity_penalty, lambda c: (c.randint(0, 9), c.randint(1, 9)), calls=30)
row(bleu.bleu, lambda c: ([c.words(), c.words()], references(c), c.randint(1, 4)), bleu_of_sacrebleu, calls=40)
row(bleu.length_ratio, lambda c: ([c.words(), ["a"]], references(c)), calls=30)
row(translation_errors.unshortened, lambda c: (c.text(),), calls=20)
row(translation_errors.repeated, lambda c: (c.text(), c.randint(1, 5)), calls=20)
row(translation_errors.is_too_short, lambda c: (c.text(), [c.text(), "a b"]), calls=20)
row(translation_errors.faults, lambda c: (c.text(), [c.text(), "a b"]), calls=20)
row(averaging.average_weights, lambda c: ([{"W": c.floats(2, 3)}, {"W": c.floats(2, 3)}],), calls=30)
row(
    batches.fill_batches,
    lambda c: ([(c.randint(1, 9), c.randint(1, 9)) for _ in range(c.randint(0, 6))], c.randint(1, 60)),
    calls=30,
)
row(quantizing.quantize_rows, lambda c: (c.floats(3, 4),), calls=30)
row(quantizing.quantize, lambda c: ({"W": c.floats(3, 4), "b": c.floats(3)},))
row(quantizing.dequantize, lambda c: (quantizing.quantize({"W": c.floats(3, 4), "b": c.floats(3)}),))
row(
    schedules.warmup_stable_decay,
    lambda c: (c.randint(1, 99), 1e-3, c.randint(0, 9), c.random(), c.choice([0.0, 0.3, 1.0])),
    calls=30,
)
row(
    recurrent.gru_step,
    lambda c: (c.floats(2, 3), c.floats(2, 4), c.floats(12, 3), c.floats(12, 4), c.floats(12), c.floats(12)),
    calls=40,
)
row(fast_merges.learn_byte_pairs, lambda c: ([c.text(), c.text()], c.randint(0, 9)), calls=20)
row(baselines.nearest_neighbours, lambda c: ([("a cat", "un chat"), ("a dog", "un chien")], ["the dog", c.text()]))


def few_pairs(c: Chance) -> list[SentencePair]:
    """Two pairs of sentences."""
    return [SentencePair(c.text(), c.text()) for _ in range(2)]


def few_sources(c: Chance) -> list[Source]:
    """Two English sentences with one or two translations each."""
    return [Source(c.text(), tuple(c.text() for _ in range(c.randint(1, 2)))) for _ in range(2)]


row(corpus_bleu.corpus_bleu, lambda c: ([c.text(), c.text()], few_sources(c)), calls=20)
row(
    translation_machines.make_machine,
    lambda c: (c.choice(translation_machines.KINDS), BytePairTokenizer([(64, 65)])),
    calls=6,
)
row(translation_machines.by_length, lambda c: ([c.text(), c.text()], few_sources(c)), calls=20)
row(translation_machines.run, lambda c: (), calls=0)
row(translation_machines.recorded, lambda c: (), calls=0)
row(sentence_translator.examples_of, lambda c: (few_pairs(c), BytePairTokenizer([]), 40), calls=8)
row(sentence_translator.task_of, lambda c: (few_pairs(c), few_pairs(c), BytePairTokenizer([]), 40), calls=8)
row(sentence_translator.config_of, lambda c: (BytePairTokenizer([]),), calls=4)
row(sentence_translator.load_sentence_translator, lambda c: (), calls=0)
row(
    sentence_translator.word_groups,
    lambda c: (BytePairTokenizer([]), c.ids(c.randint(0, 6), below=260).tolist()),
    calls=20,
)
row(sentence_translator.merge_words, lambda c: (c.floats(3, 3), [[0], [1, 2]], [[0, 1], [2]]), calls=20)
