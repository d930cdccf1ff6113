"""Which tensors a computation makes: the bytes that are there at once, and the largest of them."""

import weakref
from collections import Counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Allocations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no type hints here
    """Counts the storages that operations make within a `with` block. Views, and what was there before, do not count.

    Attributes:
        alive: the bytes of the storages that are still there.
        most: the most bytes that were there at once.
        largest: the number of elements of the largest storage.
        shapes: how many tensors of fractions of each shape got a storage of their own.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Answer a question of torch's: with yes, it would load its compiler, which takes more than a second."""
        return False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = 0
        self.most = 0
        self.largest = 0
        self.shapes: Counter[tuple[int, ...]] = Counter()
        self._known: set[int] = set()  # where the storages are that were made
        self._before: set[int] = set()  # and those that were there before, such as the inputs'

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in filter(torch.is_tensor, tree_leaves((args, kwargs))):
            self._before |= {tensor.untyped_storage().data_ptr()} - self._known
        result = func(*args, **(kwargs or {}))
        for tensor in filter(torch.is_tensor, tree_leaves(result)):
            self._note(tensor)
        return result

    def _note(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if place in self._known | self._before or not size:
            return
        self._known.add(place)
        if tensor.is_floating_point():
            self.shapes[tuple(tensor.shape)] += 1
        self.alive += size
        self.most = max(self.most, self.alive)
        self.largest = max(self.largest, size // tensor.element_size())
        weakref.finalize(tensor if tensor._base is None else tensor._base, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._known.discard(place)
        self.alive -= size
