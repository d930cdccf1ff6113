"""The story writer: what the kernel sends as it writes, and how it is stopped."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from course_lib.pictures.explorers import StoryWriter
from course_lib.writing.choose import Choice

ASKED = {"key": 7, "prompt": "A king", "temperature": 0.8, "top_p": 0.9, "seed": 3}


class AtOnce(StoryWriter):
    """Writes the whole text at once, also where a loop runs, as Playwright's does in other tests of this process."""

    def _run(self, steps: Iterator[None]) -> None:
        for _ in steps:
            pass


def in_own_loop(task: Coroutine[Any, Any, None]) -> None:
    """Run a task in a loop of its own, in a thread that has no other."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, task).result()


def three_pieces(text: str, choose: Choice) -> Iterator[str]:
    yield from (" had", " a", " frog")


def test_a_text_is_sent_piece_by_piece_and_ends_with_done() -> None:
    writer = AtOnce(three_pieces, "Once")
    sent = []
    writer.observe(lambda change: sent.append(change["new"]), names="written")
    writer.request = ASKED
    assert [each["text"] for each in sent] == ["", " had", " had a", " had a frog", " had a frog"]
    assert [each["done"] for each in sent] == [False] * 4 + [True]
    assert {each["key"] for each in sent} == {7}
    assert (writer.written["prompt"], writer.written["tokens"]) == ("A king", 3)


def test_a_stop_is_heard_between_two_pieces() -> None:
    writer = StoryWriter(lambda text, choose: iter(["a"] * 1000), "Once")

    async def in_a_loop() -> None:
        writer.request = ASKED
        while writer.written["tokens"] < 3:
            await asyncio.sleep(0.001)
        writer.stop = ASKED["key"]
        while not writer.written["done"]:
            await asyncio.sleep(0.001)

    in_own_loop(in_a_loop())
    assert writer.written["stopped"] is True
    assert 3 <= writer.written["tokens"] < 1000


def test_a_new_request_ends_the_one_under_way() -> None:
    writer = StoryWriter(lambda text, choose: iter([text] * 50), "Once")

    async def in_a_loop() -> None:
        writer.request = ASKED
        await asyncio.sleep(0.005)
        writer.request = {**ASKED, "key": 8, "prompt": "B"}
        while not (writer.written["done"] and writer.written["key"] == 8):
            await asyncio.sleep(0.001)

    in_own_loop(in_a_loop())
    assert writer.written["text"] == "B" * 50


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_temperature_and_top_p_reach_the_choice(temperature: float) -> None:
    drawn = []

    def write(text: str, choose: Choice) -> Iterator[str]:
        for _ in range(20):
            drawn.append(choose(torch.tensor([[2.0, 1.9, -5.0]])).item())
            yield "x"

    AtOnce(write, "Once").request = {**ASKED, "temperature": temperature}
    assert set(drawn) == ({0} if temperature == 0 else {0, 1})


def test_a_problem_is_told_in_words() -> None:
    def write(text: str, choose: Choice) -> Iterator[str]:
        raise ValueError("the text is empty")
        yield ""

    writer = AtOnce(write, "Once")
    writer.request = ASKED
    assert writer.written["message"] == "the text is empty."
    assert writer.written["done"]


def test_where_no_script_runs_the_example_is_shown_and_escaped() -> None:
    writer = StoryWriter(three_pieces, "1 < 2 and", " 2 > 1")
    assert writer.static_html() == "<p>1 &lt; 2 and<em> 2 &gt; 1</em></p>"
    assert writer.alt() == "A box that continues “1 < 2 and”:  2 > 1"
    assert "nothing yet" in StoryWriter(three_pieces, "x").alt()
