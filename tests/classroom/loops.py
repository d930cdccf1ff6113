"""A loop of asyncio in a thread of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_elsewhere(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in another thread. In that of the tests, a browser's loop may be running already."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()
