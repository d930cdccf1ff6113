"""Four bits per number, worked by hand. `test_gguf_files.py` holds them equal to the `gguf` package's."""

import pytest
import torch

from course_lib.pretrained.quantization import unpack_q4_1


def test_a_block_by_hand() -> None:
    pair = torch.tensor([0.5, -3.0], dtype=torch.float16).view(torch.uint8)
    packed = torch.tensor([0xF0, 0x21, *[0x00] * 14], dtype=torch.uint8)
    numbers = unpack_q4_1(torch.cat((pair, packed))[None])[0]
    assert numbers[:3].tolist() == [-3.0, -2.5, -3.0]  # the lower halves: 0, 1, 0
    assert numbers[16:19].tolist() == [4.5, -2.0, -3.0]  # the upper halves: 15, 2, 0
    assert numbers.dtype == torch.float32


@pytest.mark.parametrize("blocks", [torch.zeros(2, 20), torch.zeros(2, 18, dtype=torch.uint8)], ids=["floats", "18"])
def test_what_are_no_blocks_is_refused(blocks: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"blocks should be \(n, 20\) of uint8"):
        unpack_q4_1(blocks)
