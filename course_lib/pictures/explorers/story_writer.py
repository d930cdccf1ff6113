"""A language model that continues a text, word by word, until it ends or is stopped. Met in notebook 14."""

import asyncio
from collections.abc import Callable, Iterator
from html import escape
from time import perf_counter
from typing import Any

import torch
import traitlets

from course_lib.pictures.explorers.base import Explorer
from course_lib.writing.choose import Choice, sampler

MOST_TOKENS = 200

Write = Callable[[str, Choice], Iterator[str]]
"""From the beginning of a text and a way to choose tokens to the pieces of text that follow."""


class StoryWriter(Explorer):
    """A box for the beginning of a story, sliders for temperature and top-p, and the story as it is written.

    The kernel writes between its other tasks: a token at a time, so that the button that stops it is heard, and no
    cell waits longer than for one token.

    Args:
        write: continues a text, such as `lambda text, choose: decoder.write(text, 200, choose=choose)`.
        prompt: the first beginning in the box.
        example: a continuation to show where no script runs and before anything is written; "" for none.
    """

    script = "story_writer.js"
    prompt = traitlets.Unicode().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    stop = traitlets.Int().tag(sync=True)
    written = traitlets.Dict().tag(sync=True)

    def __init__(self, write: Write, prompt: str, example: str = "") -> None:
        self._write = write
        first = {"key": 0, "prompt": prompt, "text": example, "tokens": 0, "seconds": 0.0, "done": True}
        super().__init__(prompt=prompt, written=first)
        self.observe(self._begin, names="request")

    def _begin(self, _: Any) -> None:
        self._run(self._steps(dict(self.request)))

    def _run(self, steps: Iterator[None]) -> None:
        """Write as a task of the kernel's loop or, where there is none, at once."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            for _ in steps:
                pass
            return
        self._task = loop.create_task(_between_messages(steps))  # kept, since a loop keeps tasks weakly

    def _steps(self, asked: dict[str, Any]) -> Iterator[None]:
        """Write one piece per step, and send the text so far. Ends where it was stopped, or asked for another text."""
        began, text, tokens = perf_counter(), "", 0

        def send(done: bool, **more: Any) -> None:
            seconds = round(perf_counter() - began, 2)
            same = {"key": asked["key"], "prompt": asked["prompt"], "text": text, "tokens": tokens, "seconds": seconds}
            self.written = {**same, "done": done, **more}

        send(done=False)
        yield
        try:
            generator = torch.Generator().manual_seed(int(asked["seed"]))
            top_p = float(asked["top_p"])
            choose = sampler(float(asked["temperature"]), None, top_p if 0 < top_p < 1 else None, generator)
            pieces = self._write(str(asked["prompt"]), choose)
            for piece in pieces:
                text, tokens = text + piece, tokens + 1
                send(done=False)
                yield
                if self.request.get("key") != asked["key"]:
                    return
                if self.stop == asked["key"]:
                    send(done=True, stopped=True)
                    return
            send(done=True)
        except (ValueError, RuntimeError) as problem:
            send(done=True, message=f"{problem}.")

    def alt(self) -> str:
        """Give the beginning and what follows it so far."""
        written = self.written
        return f"A box that continues “{written['prompt']}”: {written['text'] or 'nothing yet'}"

    def static_html(self) -> str:
        """Return the beginning, and what follows it in italics."""
        return f"<p>{escape(self.written['prompt'])}<em>{escape(self.written['text'])}</em></p>"


async def _between_messages(steps: Iterator[None]) -> None:
    for _ in steps:
        await asyncio.sleep(0.001)
