"""Plant faults in the Transformer, in writing and in what counts, one at a time, and see which test dies of each.

Run all with `python -m tools.mutation`, some with `python -m tools.mutation cache rotary`. Ends with status 1 if a
fault survives, or if the text that it replaces no longer stands in its file exactly once.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
TRANSFORMER = ("attention", "positions", "layers", "models")
WRITING = ("choose", "beam", "prompts", "cache", "generate")
# Which tests are asked about a fault in a file. The file's own come first.
TESTS = {
    **{name: sorted(TRANSFORMER, key=lambda test, own=name: test != own) for name in TRANSFORMER},
    **{
        name: sorted(WRITING, key=lambda test, own=name: test != own) for name in ("choose", "beam", "prompts", "cache")
    },
    "byte_pairs": ["byte_pairs"],
    "ngrams": ["ngrams"],
}
ROOM_OF = {
    **dict.fromkeys(TRANSFORMER, "transformer"),
    **dict.fromkeys(WRITING, "writing"),
    "byte_pairs": "text",
    "ngrams": "scoring",
}
FILES = tuple(TESTS)
SECONDS_FOR_ONE = 240


@dataclass(frozen=True)
class Fault:
    """One wrong text in one file, and what it does in a phrase."""

    file: str
    right: str
    wrong: str
    phrase: str

    def plant(self, source: str) -> str:
        """The source with the fault. Raises LookupError where the right text does not stand in it exactly once."""
        if source.count(self.right) != 1:
            raise LookupError(
                f"{self.file}.py should hold {self.right!r} once, but has it {source.count(self.right)} times"
            )
        return source.replace(self.right, self.wrong)


def source_of(file: str) -> str:
    return (ROOT / "course_lib" / ROOM_OF[file] / f"{file}.py").read_text(encoding="utf-8")


PLANTED = {
    "attention": [
        ("(x - x.amax(dim, keepdim=True)).exp()", "x.exp()", "softmax of large numbers overflows"),
        ("(x - x.amax(dim, keepdim=True))", "(x - x.amax())", "one maximum for all rows: low ones vanish"),
        (
            "(x - x.amax(dim, keepdim=True))",
            "x.sub_(x.amax(dim, keepdim=True))",
            "maximum taken off in place",
        ),
        ("exponentials.sum(dim, keepdim=True)", "exponentials.sum()", "rows divided by the whole sum"),
        ("return softmax(scores, dim=-1)", "return softmax(scores, dim=-2)", "softmax over the queries"),
        ("masked_fill(~mask, -math.inf)", "masked_fill(mask, -math.inf)", "mask inverted"),
        ("masked_fill(~mask, -math.inf)", "masked_fill(~mask, 0.0)", "masked scores set to 0"),
        ("masked_fill(~mask, -math.inf)", "masked_fill(~mask, -1e9)", "masked scores set to -1e9"),
        (
            "scores = scores.masked_fill(~mask, -math.inf)",
            "return softmax(scores, dim=-1) * mask",
            "mask after the softmax",
        ),
        ("@ key.transpose(-2, -1) / math.sqrt(d_k)", "@ key.transpose(-2, -1)", "scores not scaled"),
        ("/ math.sqrt(d_k)  #", "/ d_k  #", "scores divided by d_k, not by its root"),
        (
            "keys, values, attn_mask=mask)",
            "keys, values, attn_mask=mask, scale=self.W_q.in_features**-0.5)",
            "scores scaled by d_model",
        ),
        ("keys, values, attn_mask=mask)", "keys, values)", "fused kernel not told of the mask"),
        ("torch.tanh(asked + offered) @ v_a", "(asked + offered) @ v_a", "additive score without tanh"),
        ("torch.tanh(asked + offered)", "torch.tanh(asked * offered)", "additive score multiplies"),
        ("(query @ W_a.mT)", "(query @ W_a.mT * 0)", "additive score without the query"),
        ('("U_a", U_a, key.size(-1))', '("U_a", U_a, U_a.size(-1))', "width of U_a not checked"),
        ("device=device).tril()", "device=device).tril(1)", "causal mask one token too far"),
        ("device=device).tril()", "device=device).tril(-1)", "causal mask hides the token itself"),
        ("device=device).tril()", "device=device).triu()", "causal mask shows the future"),
        ("return (ids != pad)", "return (ids == pad)", "padding mask shows the padding only"),
        ("[..., None, None, :]", "[..., None, :, None]", "padding mask hides queries, not keys"),
        (
            "heads, -1)  # (B, T, H, d_k)\n    return pieces.transpose(-3, -2)",
            "heads, -1)\n    return pieces.reshape(*x.shape[:-2], heads, x.size(-2), -1)",
            "heads split by a view",
        ),
        (
            "pieces = x.reshape(*x.shape[:-1], heads, -1)",
            "pieces = x.reshape(*x.shape[:-1], -1, heads).mT",
            "heads dealt out feature by feature",
        ),
        ("x.transpose(-3, -2).flatten(-2)", "x.reshape(len(x), x.size(-2), -1)", "heads merged by a view"),
        ("self.W_o(merge_heads(", "(merge_heads(", "no W_o"),
        ("self.W_k(key)", "self.W_k(query)", "keys from the asking side"),
        ("self.W_v(value)", "self.W_v(key)", "values from the keys"),
        ("self.W_v(value)", "self.W_k(value)", "keys and values share a projection"),
        (
            "queries, keys = self.rotate(queries), self.rotate(keys)",
            "queries = self.rotate(queries)",
            "keys not turned",
        ),
        (
            "queries, keys = self.rotate(queries), self.rotate(keys)",
            "queries, keys, values = map(self.rotate, (queries, keys, values))",
            "values turned as well",
        ),
        (
            "keys.repeat_interleave(shared_by, dim=-3)",
            "keys.repeat(1, shared_by, 1, 1)",
            "keys shared by the wrong heads",
        ),
        (
            "values.repeat_interleave(shared_by, dim=-3)",
            "values.repeat(1, shared_by, 1, 1)",
            "values shared by the wrong heads",
        ),
        (
            "            check_mask(mask, torch",
            "            tuple(torch",
            "mask not checked before the fused kernel",
        ),
        (
            "            check_shapes(queries, keys, values, d_key=queries.size(-1))",
            "            pass",
            "values not checked before the fused kernel",
        ),
        ("if self.watcher is None and self", "if self", "watched attention runs fused, unseen"),
        ("mask if mask.dim() > 1 else mask[None]", "mask", "mask of one axis breaks the fused kernel"),
        (
            "partial(seen.__setitem__, name)",
            "lambda w: seen.__setitem__(name, w)",
            "all parts watched under the last name",
        ),
        ("weights.detach()", "weights", "watched weights keep the graph"),
        (
            "try:\n        yield seen\n    finally:",
            "if True:\n        yield seen\n    if True:",
            "watching goes on after an exception",
        ),
        (
            "blind = ~mask.any(dim=-1)",
            "blind = ~mask.any(dim=-2)",
            "keys that nobody reads refused, blind queries not",
        ),
        ("if mask.dtype != torch.bool:", "if False:", "mask of numbers taken"),
        ("size not in (1, wanted)", "size > wanted", "mask of the wrong length taken"),
    ],
    "positions": [
        ("arange(length, dtype", "arange(1, length + 1, dtype", "sinusoids count from 1"),
        ("(length, dtype=torch.float64)", "(length, dtype=torch.float32)", "sinusoids worked out in float32"),
        ("(angles.sin(), angles.cos())", "(angles.cos(), angles.sin())", "sine and cosine exchanged"),
        (
            "torch.stack((angles.sin(), angles.cos()), dim=-1)",
            "torch.stack((angles.sin(), angles.cos()), dim=-2)",
            "sines and cosines in halves",
        ),
        (
            "exponents = torch.arange(0, width, 2",
            "exponents = 2 * torch.arange(0, width, 2",
            "exponent doubled",
        ),
        ("/ base**exponents", "* base**exponents", "slow clocks fast"),
        ("torch.arange(offset, offset + x.size(-2)", "torch.arange(x.size(-2)", "rotary offset ignored"),
        ("x.size(-1), base)", "x.size(-1), 10_000.0)", "rotary base ignored"),
        ("torch.promote_types(x.dtype, torch.float32)", "x.dtype", "positions counted in half precision"),
        (
            "x.chunk(2, dim=-1)",
            "(x[..., ::2], x[..., 1::2])",
            "rotary pairs of neighbours, put back as halves",
        ),
        (
            "first * cos - second * sin, second * cos + first * sin",
            "first * cos + second * sin, second * cos - first * sin",
            "rotary turns backwards",
        ),
        ("second * cos + first * sin", "second * cos - first * sin", "rotary mirrors instead of turning"),
        (
            "angles = _angles(steps, x.size(-1), base)",
            "angles = _angles(steps[0] + torch.arange(x.size(-3), dtype=dtype), x.size(-1), base)[:, None]",
            "rotary turns along the heads",
        ),
    ],
    "layers": [
        (
            "x * torch.rsqrt(mean_square + self.eps)",
            "x / (mean_square.sqrt() + self.eps)",
            "eps outside the root",
        ),
        ("x.pow(2).mean(-1, keepdim=True)", "x.pow(2).mean(-2, keepdim=True)", "RMSNorm over the tokens"),
        ("x.pow(2).mean(", "(x - x.mean(-1, keepdim=True)).pow(2).mean(", "RMSNorm with the variance"),
        (
            "torch.rsqrt(mean_square + self.eps) * self.weight",
            "torch.rsqrt(mean_square + self.eps)",
            "RMSNorm without its gain",
        ),
        ("RMSNorm(d_model, style.norm_eps)", "RMSNorm(d_model)", "RMSNorm's eps not the style's"),
        (
            "nn.LayerNorm(d_model, style.norm_eps, bias",
            "nn.LayerNorm(d_model, bias",
            "LayerNorm's eps not the style's",
        ),
        ('partial(F.gelu, approximate="tanh")', "F.gelu", "GPT-2's GELU exact"),
        ('"gelu": F.gelu', '"gelu": partial(F.gelu, approximate="tanh")', "BERT's GELU approximate"),
        ("self.activation(self.W_gate(x)) * up", "self.activation(up)", "SwiGLU without its gate"),
        (
            "self.activation(self.W_gate(x)) * up",
            "self.activation(up) * self.W_gate(x)",
            "gate and map exchanged",
        ),
        (
            "output: Tensor = self.W_2(hidden)",
            "output: Tensor = self.activation(self.W_2(up))",
            "bend after the second map",
        ),
        ("written: Tensor = x + self", "written: Tensor = self", "residual dropped"),
        ("written: Tensor = x + self", "written: Tensor = read + self", "residual carries the norm's output"),
        ("self.norm(x) if self.norm_first else x", "x", "pre-norm left out"),
        ("else self.norm(written)", "else x + self.norm(written - x)", "post-norm before the residual"),
        ("written if self.norm_first else self.norm(written)", "self.norm(written)", "pre-norm also after"),
        ("x + self.dropout(sublayer(read))", "x + sublayer(read)", "no dropout on sublayers"),
        ("x + self.dropout(sublayer(read))", "self.dropout(x + sublayer(read))", "dropout after the residual"),
        (
            "x + self.dropout(sublayer(read))",
            "x + F.dropout(sublayer(read), self.dropout.p)",
            "dropout outside training",
        ),
        ("partial(rotary, base=style.rotary_base)", "rotary", "rotary base lost on its way"),
        ("style, rotates=False)", "style, rotates=True)", "cross-attention turned by positions"),
        ("kv_heads=style.kv_heads, bias", "bias", "shared key heads lost on their way"),
        (
            "self.self_attention(y, y, y, mask))\n        x = self.around_feed_forward",
            "self.self_attention(y, y, y))\n        x = self.around_feed_forward",
            "encoder layer reads padding",
        ),
        (
            "self.self_attention(y, y, y, mask))\n        x = self.around_cross_attention",
            "self.self_attention(y, y, y))\n        x = self.around_cross_attention",
            "decoder layer reads the future",
        ),
        (
            "(y, memory, memory, memory_mask)",
            "(memory, y, y, mask)",
            "cross-attention asks from the memory's side",
        ),
        ("(y, memory, memory, memory_mask)", "(y, memory, memory)", "cross-attention reads padding"),
        ("(y, memory, memory, memory_mask)", "(y, y, y, mask)", "cross-attention never reads the memory"),
        (
            "lambda y: self.cross_attention(y, memory",
            "lambda y: self.cross_attention(y, self.around_cross_attention.norm(memory)",
            "memory's keys normed again",
        ),
    ],
    "models": [
        ("x = x * math.sqrt(self.config.d_model)", "pass", "embeddings not scaled"),
        ("x = x + self.positions[slice(ids.size(-1)) if where is None else where]", "pass", "positions never added"),
        ("[slice(ids.size(-1)) if where", "[(slice(ids.size(0)), None) if where", "positions along the batch"),
        (
            "[slice(ids.size(-1)) if where",
            "[ids.size(-1) - 1 if where",
            "one position for the whole sentence",
        ),
        ("self.segments.weight[0]", "self.segments.weight[1]", "the second segment's vector"),
        ("embedded: Tensor = self.dropout(x)", "embedded: Tensor = x", "no dropout on embeddings"),
        (
            "            x = self.norm(x)\n        embedded",
            "            pass\n        embedded",
            "BERT's embeddings not normed",
        ),
        (
            "std=config.d_model**-0.5 if config.scaled_embeddings else 0.02",
            "std=1.0",
            "embeddings start too large",
        ),
        ("padding_mask(ids, config.pad)", "padding_mask(ids, 0)", "the configuration's pad ignored"),
        ("(ids == config.pad).any()", "(ids == config.pad).all()", "padding hidden where there is nothing else only"),
        ("mask = _hide_padding(ids, self.config)", "pass", "encoder reads padding"),
        ("memory, _hide_padding(source_ids, self.config))", "memory)", "decoder reads the source's padding"),
        ("if mask is None:", "if True:", "encoder forgets the mask that it is given"),
        ("mask = causal_mask(ids.size(-1), ids.device)", "mask = None", "decoder reads the future"),
        (
            "self.body(ids, causal_mask(ids.size(-1), ids.device))",
            "self.body(ids)",
            "language model reads the future",
        ),
        (
            "self.body(ids, causal_mask(ids.size(-1), ids.device))",
            "self.body(ids, causal_mask(ids.size(-1)).mT)",
            "language model reads backwards",
        ),
        (
            "projection.weight = embeddings.tokens.weight",
            "projection.weight.data.copy_(embeddings.tokens.weight)",
            "embeddings tied at the start only",
        ),
        ("self.encoder.embeddings.tokens.weight = self", "_ = self", "the two languages' embeddings not tied"),
        (
            "if config.tied_embeddings and config.target_vocabulary is None:",
            "if config.tied_embeddings:",
            "two vocabularies tied",
        ),
        (
            "config.target_vocabulary or config.vocabulary",
            "config.vocabulary",
            "target embeddings of the source's size",
        ),
        ('self.norm_place == "pre" if self', "False if self", "no norm after a pre-norm stack"),
        (
            "F.gelu(self.transform(self.encoder(ids)))",
            "self.transform(self.encoder(ids))",
            "BERT's head without its bend",
        ),
        (
            "self.norm(F.gelu(self.transform(self.encoder(ids))))",
            "F.gelu(self.norm(self.transform(self.encoder(ids))))",
            "BERT's head norms before the bend",
        ),
        (
            "nn.ModuleList(EncoderLayer(*sizes, config) for _ in range(config.layers))",
            "nn.ModuleList([EncoderLayer(*sizes, config)] * config.layers)",
            "all encoder layers are one",
        ),
        (
            "nn.ModuleList(DecoderLayer(*sizes, config) for _ in range(config.layers))",
            "nn.ModuleList([DecoderLayer(*sizes, config)] * config.layers)",
            "all decoder layers are one",
        ),
        ('".layers." in f".{name}"', "True", "tied projections initialised anew"),
        (
            "nn.init.xavier_uniform_(part.weight)",
            "nn.init.xavier_normal_(part.weight)",
            "normal start instead of uniform",
        ),
        ("nn.init.zeros_(part.bias)", "pass", "biases start anyhow"),
        ("norm_eps=1e-12, ", "", "BERT's eps"),
        ("if size % count:", "if False:", "heads that do not divide taken"),
        ("persistent=False", "persistent=True", "sinusoids saved among the weights"),
    ],
    "choose": [
        ("if temperature == 0:", "if temperature < 0:", "temperature 0 divides by 0"),
        ("return logits / temperature", "return logits * temperature", "temperature multiplies"),
        ("logits < smallest", "logits <= smallest", "top-k leaves the k-th out"),
        ("min(int(k), logits.size(-1))", "int(k)", "k above V breaks"),
        ("if not 0 <= p <= 1:", "if p < 0 or p > 1:", "p that is not a number taken"),
        ("ordered.cumsum(dim=-1) - ordered >= p", "ordered.cumsum(dim=-1) >= p", "the token that crosses p left out"),
        ("reached_before[..., 0] = False", "pass", "p of 0 leaves nothing"),
        ("reached_before.scatter(-1, order, reached_before)", "reached_before", "top-p counts in another order"),
        (
            "logits = apply_temperature(logits, temperature)\n",
            "logits = top_p_filter(logits, 1 if top_p is None else top_p) / max(temperature, 1e-9)\n",
            "top-p before the temperature",
        ),
        ("top_k_filter(logits, top_k)", "top_k_filter(top_p_filter(logits, top_p or 1), top_k)", "top-p before top-k"),
        ("1, generator=generator)", "1)", "generator ignored"),
        (
            "        if step is None:\n            return\n        _, (token,) = step\n        yield token",
            "            if step:\n                yield step[1][0]\n        if step is None:\n            return",
            "dropout stays off between two tokens",
        ),
        ("[rows[i] for i in going], [tokens", "going, [tokens", "tokens given to other rows"),
        ("chosen = chosen[selected]", "chosen = chosen[: len(going)]", "rows read other rows' tokens"),
        ("if step + 1 < asked.length:", "if True:", "one step too many"),
        ("with evaluating(asked.model):", "with torch.no_grad():", "dropout stays on while writing"),
    ],
    "beam": [
        ("((5 + length) / 6)", "length", "length penalty of another formula"),
        ("((5 + length) / 6)", "((6 + length) / 6)", "length penalty counts one more"),
        (
            "min((1 + len(settings.stop)) * settings.beams, n * V)",
            "min(2 * settings.beams, n * V)",
            "too few candidates for many stops",
        ),
        ("            if rank < settings.beams:\n    ", "", "hypotheses from below the beams"),
        ("elif len(continued) < settings.beams:", "else:", "more texts continued than there are beams"),
        ("key=lambda text: -text.score", "key=lambda text: -text.log_probability", "hypotheses without their penalty"),
        ("for length in (step + 1, settings.length)", "for length in (step + 1,)", "a search gives up on longer texts"),
        (
            "for length in (step + 1, settings.length)",
            "for length in (settings.length,)",
            "a search gives up on shorter texts",
        ),
        ("hypotheses[-1].score >=", "hypotheses[0].score >=", "a search ends when one is good enough"),
        (
            "if len(hypotheses) < settings.beams or settings.early_stopping:",
            "if len(hypotheses) < settings.beams:",
            "early stopping ignored",
        ),
        ("in settings.stop or step == settings.length", "in settings.stop", "unfinished texts forgotten"),
        ("if extension.token not in settings.stop:", "if True:", "stop token in the hypothesis"),
        ("total / length_penalty(step,", "total / length_penalty(step - 1,", "stop token not in the length"),
        (" + totals[..., None]", "", "only the newest token's probability"),
        ("_Extension(i * n + index // V,", "_Extension(index // V,", "texts extended from other prompts"),
        ("reader.select(rows)", "pass", "beams keep others' keys and values"),
        ("written = torch.cat((written[rows],", "written = torch.cat((written[: len(rows)],", "beams keep others' ids"),
        ('{**dict.fromkeys(best, "dropped"), ', "{", "dropped candidates not watched"),
    ],
    "prompts": [
        (">= lengths[:, None]", "> lengths[:, None]", "one column of padding read"),
        ("yield ids, padding if padding.any() else None", "yield ids, None", "padding read"),
        (
            "min(max_length, positions) if translates and positions is not None",
            "max_length if False",
            "translations outgrow the model",
        ),
        ("len(ids), 1), self.bos)", "len(ids), 1), min(self.stop))", "translations start at the end"),
        ("if not 0 <= min(ids) <= max(ids) < vocabulary:", "if False:", "ids that the model lacks taken"),
        ("if translates and bos is None:", "if False:", "translations start without an id"),
        ('"pad", None) if pad is None else pad', '"pad", None)', "pad ignored"),
        ("self.pad if self.translates else prompts[0][0]", "self.pad", "language models need a pad"),
        ("CachedModel if use_cache and can_cache(model)", "CachedModel if use_cache", "any model cached"),
        ("CachedModel if use_cache and", "CachedModel if", "cache used although refused"),
        (
            "self.prompts[start : start + size]",
            "self.prompts[start : start + size - 1]",
            "prompts lost between batches",
        ),
    ],
    "cache": [
        (
            "self.room = min(room, model.config.max_length)",
            "self.room = room",
            "more room than the model has positions",
        ),
        ("(columns - pads).clamp(min=0)", "columns", "cached positions count padding"),
        ("self.turns[:, first:last]", "self.turns[:, : last - first]", "cached tokens turned as the first"),
        (
            "causal_mask(last, device)[first:] if last - first > 1 else None",
            "None",
            "tokens read at once see the future",
        ),
        ("causal_mask(last, device)[first:]", "causal_mask(last, device)[: last - first]", "tokens forget the past"),
        ("real = (columns >= self.text.pads)", "real = (columns > self.text.pads)", "the first real token hidden"),
        ("causal & (real | torch.eye(last", "causal & (real & torch.eye(last", "tokens of padded texts see themselves"),
        ("self.stack.norm(x[:, -1])", "self.stack.norm(x[:, 0])", "logits after the first token read"),
        ("self.stack.norm(x[:, -1])", "(x[:, -1])", "no norm after a cached stack"),
        ("(~padding).int().argsort", "padding.int().argsort", "padding gathered on the right"),
        ("(self.pads - too_many).clamp(min=0)", "self.pads", "padding stays where the text slides"),
        ("self.ids[:, too_many:]", "self.ids[:, : self.room]", "the newest tokens let go"),
        (
            "ids = self.ids = self.ids[:, too_many:]",
            "self.ids = self.ids[:, too_many:]",
            "a text that slides is not read again",
        ),
        ("if not torch.equal(old_pads, self.pads):", "if False:", "rows of equal ids keep others' padding"),
        ("return differing[0] if differing else self.length", "return self.length", "rows keep others' keys"),
        ("return differing[0] if differing", "return differing[-1] if differing", "rows keep some of others' keys"),
        ("sources, share = wanted, 1", "pass", "rows read others' sources"),
        (
            "self.mask = None if self.mask is None else self.mask[sources]",
            "pass",
            "rows keep others' source padding",
        ),
        ("plain = attention.watcher is None and ", "plain = ", "watched cached steps unseen"),
        (" and attention.attention is scaled_dot_product_attention", "", "an attention that stands in not asked"),
        (
            "each.repeat_interleave(rows, 0)",
            "each.repeat(rows, 1, 1, 1)",
            "beams read other sources",
        ),
        ("if self.length:\n                raise", "if False:\n                raise", "padding later on taken"),
        (
            " + sum(each.kept.nbytes for each in self.memory)",
            "",
            "bytes without the source's",
        ),
        ("ids.device) + pads) %", "ids.device) - pads) %", "uncached padding turned the wrong way"),
        ("ids.size(1) - 1 - pads[..., None]", "ids.size(1) - 1 - 0 * pads[..., None]", "uncached logits of padding"),
        (
            "self.memory[rows], self.source_ids[rows]",
            "self.memory, self.source_ids[rows]",
            "uncached sources not moved",
        ),
        ("mask = padding_mask(source_ids, pad) if", "mask = None if", "cached steps read the source's padding"),
        (
            "with torch.inference_mode():",
            "with torch.enable_grad():",
            "cached steps keep the graph",
        ),
    ],
    "byte_pairs": [
        ("(-counts[pair], pair)", "(-counts[pair], -pair[0])", "equally frequent pairs in another order"),
        ("earliest = min(ranks)", "earliest = max(ranks)", "the newest merge goes first"),
        ("counts[pair] += times", "counts[pair] += 1", "a word counts once, however frequent"),
        ("merged[-1] = new_id", "merged.append(new_id)", "a pair stays beside its merge"),
        ('r" ?\\w+| ?', 'r"\\w+| ?', "words without the space before them"),
        ("*range(161, 173)", "*range(161, 174)", "a byte that is not printable in front"),
    ],
    "ngrams": [
        ("p = 1 / self.vocabulary", "p = 0.0", "no even bets at the bottom"),
        ("counts[token] + len(counts) * p", "counts[token] + p", "shorter contexts weigh one, not their kinds"),
        ("range(min(n, end + 1))", "range(min(n, end))", "the longest context at a start not counted"),
        ("min(self.n, len(context) + 1)", "min(self.n, len(context))", "the longest context not asked"),
        ("ids[max(0, t - reach) : t]", "ids[max(0, t - reach) : t + 1]", "the loss sees the token itself"),
        ("for t, i in enumerate(ids)) / len(ids)", "for t, i in enumerate(ids))", "the loss added up"),
    ],
}
FAULTS = [Fault(file, *row) for file, rows in PLANTED.items() for row in rows]


@dataclass
class FirstFailure:
    """Notes the first test that fails, and what breaks before any test runs."""

    test: str | None = None
    broken: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.test is None:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(report.longreprtext.strip().splitlines()[-1])


def run_tests(file: str, source: str) -> FirstFailure:
    """Run the tests that are asked about `file` on a copy of the library in which `file` has this source.

    Leaves this process with the copy imported: call it in a process of its own.
    """
    torch.set_num_threads(1)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    failure = FirstFailure()
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "course_lib"
        shutil.copytree(ROOT / "course_lib", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / ROOM_OF[file] / f"{file}.py").write_text(source, encoding="utf-8")
        sys.path.insert(0, folder)
        loaded = importlib.import_module("course_lib").__file__
        if loaded is None or Path(loaded).parent != package:
            raise RuntimeError(f"the tests should run on {package}, but run on {loaded}")
        with (
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            options = ["-x", "-q", "--noconftest", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", str(ROOT)]
            for name in TESTS[file]:
                if failure.test is None and not failure.broken:
                    pytest.main([*options, str(ROOT / "tests" / ROOM_OF[name] / f"test_{name}.py")], plugins=[failure])
    return failure


def verdict(fault: Fault) -> tuple[Fault, bool, str]:
    """The fault, whether a test died of it, and the test or what happened instead."""
    try:
        failure = run_tests(fault.file, fault.plant(source_of(fault.file)))
    except LookupError as error:
        return fault, False, str(error)
    if failure.broken:
        return fault, False, f"BROKEN, not tested: {failure.broken[0]}"
    return (fault, True, failure.test.split("::")[1]) if failure.test else (fault, False, "SURVIVED")


def failing_without_a_fault(file: str) -> str | None:
    """The test of `file` that fails without any fault, or None as it should be."""
    failure = run_tests(file, source_of(file))
    return failure.test or (failure.broken[0] if failure.broken else None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults in these files, or with such words in their phrase")
    parser.add_argument("--jobs", type=int, default=1, help="faults at once")
    arguments = parser.parse_args()
    words = arguments.words
    chosen = [f for f in FAULTS if not words or f.file in words or any(word in f.phrase for word in words)]

    start = time.perf_counter()
    # A forked process has torch and transformers already; elsewhere each process imports them anew.
    method = "fork" if sys.platform == "linux" else "spawn"
    if method == "fork":
        for name in ("bert", "gpt2", "llama", "marian", "olmo"):
            importlib.import_module(f"transformers.models.{name}.modeling_{name}")
    survivors = 0
    with multiprocessing.get_context(method).Pool(arguments.jobs, maxtasksperchild=1) as pool:
        # Files of one group are asked the same tests.
        for file in {tuple(sorted(TESTS[fault.file])): fault.file for fault in chosen}.values():
            if fails := pool.apply_async(failing_without_a_fault, (file,)).get(SECONDS_FOR_ONE):
                print(f"Without any fault, this fails: {fails}")
                return 1
        results = pool.imap(verdict, chosen, chunksize=1)
        for _ in chosen:
            fault, died, what = results.next(SECONDS_FOR_ONE)
            survivors += not died
            print(f"{fault.file:9}  {fault.phrase:50}  {what}", flush=True)
    print(f"{len(chosen)} faults, {survivors} not caught, {time.perf_counter() - start:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
