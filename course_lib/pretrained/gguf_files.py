"""Read a GGUF file, in which llama.cpp and others keep a model: its settings, its vocabulary, and weights of few bits.

The `gguf` package reads the file; `quantization` unpacks its weights of four bits.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from torch import Tensor

from course_lib.pretrained.quantization import BYTES_OF_BLOCK, unpack_q4_1


class ModelFile:
    """A GGUF file: what it says of the model, and its weights.

    Args:
        path: the file.
        unpack: what unpacks weights of type Q4_1; all other types are left to the `gguf` package.

    Attributes:
        about: the settings by their names in the file, such as "llama.block_count", and the vocabulary.

    Raises ValueError for a file that is none of this kind, or is damaged.
    """

    def __init__(self, path: Path, unpack: Callable[[Tensor], Tensor] = unpack_q4_1) -> None:
        try:
            reader = _Reader(path)
        except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read as a GGUF file ({error})") from error
        self.unpack = unpack
        self.about: Mapping[str, Any] = {name: field.contents() for name, field in reader.fields.items()}
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}

    def names(self) -> list[str]:
        """Name the weights."""
        return list(self._tensors)

    def kind(self, name: str) -> str:
        """Name the type in which a weight is stored, such as "Q4_1" or "F32"."""
        return str(self._tensors[name].tensor_type.name)

    def bytes(self, name: str) -> int:
        """How many bytes a weight takes in the file."""
        return int(self._tensors[name].n_bytes)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a weight, (rows, columns). The file names the columns first."""
        return tuple(int(size) for size in reversed(self._tensors[name].shape))

    def blocks(self, name: str) -> Tensor:
        """Give the blocks of a weight of type Q4_1 as they are in the file, (n, 20)."""
        if self.kind(name) != "Q4_1":
            raise ValueError(f"{name} is of type {self.kind(name)}, and has no blocks of Q4_1")
        return torch.from_numpy(np.array(self._tensors[name].data).reshape(-1, BYTES_OF_BLOCK))

    def weight(self, name: str) -> Tensor:
        """Unpack a weight, (rows, columns), to float32."""
        if self.kind(name) == "Q4_1":
            return self.unpack(self.blocks(name)).reshape(self.shape(name))
        return self.by_package(name)

    def by_package(self, name: str) -> Tensor:
        """Unpack a weight with the `gguf` package, whatever its type."""
        tensor = self._tensors[name]
        numbers = dequantize(tensor.data, tensor.tensor_type)
        return torch.from_numpy(
            np.require(numbers, requirements="W")
        )  # float32 is a view of the file, not to be changed

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Give each weight with its name, unpacked when it is its turn."""
        return ((name, self.weight(name)) for name in self._tensors)


class _Reader(GGUFReader):
    """The package's reader on a plain view of the mapped file: slicing a `numpy.memmap` so often takes seconds."""

    @property
    def data(self) -> Any:
        return self._plain

    @data.setter
    def data(self, mapped: Any) -> None:
        self._plain = mapped.view(np.ndarray)
