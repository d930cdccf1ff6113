"""Our reading of GGUF files, against the `gguf` package."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from course_lib import data
from course_lib.pretrained.decoder import FILE
from course_lib.pretrained.gguf_files import ModelFile
from course_lib.pretrained.quantization import unpack_q4_1


@pytest.fixture(scope="module")
def path() -> Path:
    return data.fetch("pretrained-decoder") / FILE


def test_four_bits_are_unpacked_as_the_package_does_to_the_last_bit() -> None:
    numbers = np.random.default_rng(0).standard_normal((64, 96)).astype(np.float32)
    packed = gguf.quantize(numbers, gguf.GGMLQuantizationType.Q4_1)
    expected = gguf.dequantize(packed, gguf.GGMLQuantizationType.Q4_1)
    unpacked = unpack_q4_1(torch.from_numpy(packed).reshape(-1, 20)).reshape(64, 96)
    assert torch.equal(unpacked, torch.from_numpy(expected))


def test_every_weight_of_the_real_file_is_the_packages_to_the_last_bit(path: Path) -> None:
    file, theirs = ModelFile(path), gguf.GGUFReader(path)
    assert {file.kind(name) for name in file.names()} == {"Q4_1", "Q8_0", "F32"}
    assert [tensor.name for tensor in theirs.tensors] == file.names()
    for tensor in theirs.tensors:
        weight = file.weight(tensor.name)
        assert weight.shape == file.shape(tensor.name)
        assert torch.equal(weight, torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy()))


def test_what_the_file_says_is_read(path: Path) -> None:
    about = ModelFile(path).about
    assert (about["llama.block_count"], about["llama.attention.head_count_kv"]) == (30, 3)
    assert len(about["tokenizer.ggml.tokens"]) == 49152


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all, but long enough to be read" * 9])
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.gguf cannot be read as a GGUF file"):
        ModelFile(tmp_path / "model.gguf")


def test_a_file_that_was_cut_off_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(path.read_bytes()[:3_000_000])
    with pytest.raises(ValueError, match=r"cut\.gguf cannot be read"):
        ModelFile(tmp_path / "cut.gguf")


def test_what_are_no_blocks_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"should be \(n, 20\) of uint8, but are \(2, 18\)"):
        unpack_q4_1(torch.zeros(2, 18, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"token_embd\.weight is of type Q8_0"):
        ModelFile(path).blocks("token_embd.weight")


def test_weights_of_four_bits_are_unpacked_as_was_asked_for(path: Path) -> None:
    file = ModelFile(path, lambda blocks: torch.full((len(blocks), 32), 7.0))
    assert (file.weight("blk.0.attn_k.weight") == 7).all()
    assert (file.weight("output_norm.weight") != 7).all()


def test_bytes_are_those_in_the_file(path: Path) -> None:
    file = ModelFile(path)
    assert file.bytes("blk.0.attn_k.weight") == 192 * 576 // 32 * 20
    assert file.bytes("output_norm.weight") == 576 * 4


def test_a_weight_is_a_copy_even_where_the_file_holds_it_unpacked(path: Path) -> None:
    file = ModelFile(path)
    first, second = file.weight("output_norm.weight"), file.weight("output_norm.weight")
    assert first.data_ptr() != second.data_ptr()
