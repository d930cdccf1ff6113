"""Settings for all tests."""

import os
import signal
import sys

import pytest

# Small tensors are fastest on one thread, and then rounding does not depend on the number of cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# A shell that starts a program in the background lets it ignore Ctrl-C, and some tests interrupt endless loops.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take longest, so that parallel processes end at about the same time."""
    items.sort(key=lambda item: not {"notebooks", "browser", "test_trained_weights.py"} & {*item.path.parts})


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    """Let each test draw the same random numbers each time, so that one that passes once always passes."""
    import torch  # only now, since it reads the number of threads when it is loaded

    torch.manual_seed(0)


@pytest.fixture
def search_limit_of_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a check search for explanations as far as it does on a learner's laptop: for tests of how long it takes."""
    from course_lib.exercises.judging import recognition
    from tests.pace import slowness

    monkeypatch.setattr(recognition, "SECONDS_TO_SEARCH", recognition.SECONDS_TO_SEARCH * slowness())


@pytest.fixture(autouse=True)
def _search_to_the_end(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a check search as long as it takes for what explains a wrong answer, on slow machines too."""
    recognition = sys.modules.get("course_lib.exercises.judging.recognition")
    if recognition and "search_limit_of_learners" not in request.fixturenames:
        monkeypatch.setattr(recognition, "SECONDS_TO_SEARCH", 10.0)
