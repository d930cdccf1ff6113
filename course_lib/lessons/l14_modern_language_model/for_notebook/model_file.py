"""The file of SmolLM2 or, where it is missing, a small one of the same kind with random weights."""

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gguf
import numpy as np

from course_lib.data import DataMissing
from course_lib.data import path as data_path
from course_lib.pretrained.decoder import DATA_SET, FILE
from course_lib.pretrained.gguf_files import ModelFile
from course_lib.text.byte_pairs import printable_bytes

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
D_MODEL, HEADS, KV_HEADS, D_FF, LAYERS = 288, 9, 3, 320, 2
TEMPLATE = "<|im_start|>system\nYou are a small model with random weights<|im_end|>\n"


@dataclass(frozen=True)
class FoundFile:
    """A GGUF file, opened.

    Attributes:
        path: where it is.
        file: what it says.
        about: one sentence that says which file it is.
        is_real: whether it is the real one.
    """

    path: Path
    file: ModelFile
    about: str
    is_real: bool


def find_model_file() -> FoundFile:
    """Open the file of SmolLM2, or write and open a small one with random weights, and say so."""
    try:
        path = data_path(DATA_SET) / FILE
    except DataMissing as missing:
        about = f"{missing} Until then, a small model with random weights takes its place, and writes nonsense."
        return FoundFile(_small_file(), ModelFile(_small_file()), about, is_real=False)
    return FoundFile(path, ModelFile(path), "SmolLM2-135M-Instruct, with its trained weights.", is_real=True)


@cache
def _small_file() -> Path:
    """Write the small file into a folder of its own, once in a session."""
    path = Path(tempfile.mkdtemp(prefix="course-small-model-")) / "small.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    letters = [printable_bytes(chr(i))[0] for i in range(128)] + [printable_bytes(chr(i))[1] for i in range(128, 256)]
    tokens = list(dict.fromkeys([*SPECIAL, *letters, "Ã", "Â", *map(chr, range(256, 324)), *map(chr, range(161, 256))]))
    tokens = [*tokens, "he", "Ġt", "Ġthe"]
    writer.add_vocab_size(len(tokens))
    writer.add_embedding_length(D_MODEL)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_feed_forward_length(D_FF)
    writer.add_block_count(LAYERS)
    writer.add_context_length(1024)
    writer.add_rope_freq_base(100_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_merges(["h e", "Ġ t", "Ġt he"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    _add_weights(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    numbers = np.random.default_rng(0)
    d_kv = D_MODEL // HEADS * KV_HEADS

    def add(name: str, rows: int, columns: int, kind: gguf.GGMLQuantizationType) -> None:
        matrix = (numbers.standard_normal((rows, columns)) * columns**-0.5).astype(np.float32)
        writer.add_tensor(name, gguf.quantize(matrix, kind), raw_dtype=kind)

    add("token_embd.weight", vocabulary, D_MODEL, gguf.GGMLQuantizationType.Q8_0)
    for i in range(LAYERS):
        for name, rows, columns in (
            ("attn_q", D_MODEL, D_MODEL),
            ("attn_k", d_kv, D_MODEL),
            ("attn_v", d_kv, D_MODEL),
            ("attn_output", D_MODEL, D_MODEL),
            ("ffn_gate", D_FF, D_MODEL),
            ("ffn_up", D_FF, D_MODEL),
            ("ffn_down", D_MODEL, D_FF),
        ):
            add(f"blk.{i}.{name}.weight", rows, columns, gguf.GGMLQuantizationType.Q4_1)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{i}.{name}.weight", np.ones(D_MODEL, dtype=np.float32))
    writer.add_tensor("output_norm.weight", np.ones(D_MODEL, dtype=np.float32))
