"""What holds for every test."""

import os

import pytest

# Small tensors are fastest on one thread, and a sum's last digits do not depend on how many cores there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that the processes of a whole run end at the same time."""
    items.sort(key=lambda item: not {"notebooks", "browser", "test_weights.py"} & {*item.path.parts})
