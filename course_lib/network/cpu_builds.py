"""PyTorch's own index of the builds for the processor alone."""

import contextlib
import threading
import urllib.request

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""On Linux the usual index has only the build with CUDA, which is useless without an NVIDIA GPU."""


def responds(url: str, seconds: float) -> bool:
    """Say whether a page responds in time. If not, its thread is abandoned: a DNS lookup has no timeout."""
    responded = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=seconds).close()
            responded.set()

    threading.Thread(target=ask, daemon=True).start()
    return responded.wait(seconds)
