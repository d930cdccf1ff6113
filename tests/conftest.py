"""Settings for all tests."""

import os

import pytest

# Small tensors are fastest on one thread, and then rounding does not depend on the number of cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest, so that parallel processes end at about the same time."""
    items.sort(key=lambda item: not {"notebooks", "browser", "test_weights.py"} & {*item.path.parts})
