"""Sources that are drawn: what is there for each run, and a record of when it was asked for and left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

from streamkit._core.arguments import seconds
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit.testing.marbles.notation import NANO, SOURCE, Line, frame_of, nanos, parsed
from streamkit.testing.marbles.rendering import drawing, line_of
from streamkit.testing.marbles.signs import Signs

__all__ = ["Drawn", "drawn"]


class Drawn:
    """A source that is drawn, made by `drawn`: a callable that each run calls for a fresh iterator.

    It records all runs together, in seconds on the clock of the event loop: in ``runs`` how many there were,
    in ``asked`` when it was asked for an item, its end or its error; in ``left`` when it was closed or
    cancelled before its own end, in ``cancelled`` those when it was cancelled while it was asked; and in
    ``cleaned`` when its clean-up was done, after any end.
    """

    asked: list[float]
    left: list[float]
    cancelled: list[float]
    cleaned: list[float]
    runs: int

    def __init__(self, line: Line, text: str, signs: Signs, frame: int, closing: float) -> None:
        self._line = line
        self._text = text
        self._signs = signs
        self._frame = frame
        self._closing = closing
        self._marks: list[tuple[int, str]] = []
        self.asked = []
        self.left = []
        self.cancelled = []
        self.cleaned = []
        self.runs = 0

    @property
    def demand(self) -> str:
        """The record as a line: ``^`` where it was asked, ``!`` where it was left."""
        return drawing([self.line()], self._frame).texts[0]

    def line(self, origin: float = 0.0) -> Line:
        """The record as a line that begins at the time `origin` of the loop."""
        begin = nanos(origin)
        return line_of([(time - begin, sign) for time, sign in self._marks], ends="")

    def __call__(self) -> AsyncIterator[Any]:
        """A fresh iterator: it begins when it is first asked."""
        return self._played()

    async def _played(self) -> AsyncIterator[Any]:
        self.runs += 1
        loop = asyncio.get_running_loop()
        begun = loop.time()
        ended = False
        try:
            for time, sign in self._line.marks:
                self._note("^", self.asked)
                await self._waited(asyncio.sleep(max(0.0, begun + time / NANO - loop.time())))
                ended = sign in "|#"
                if sign == "|":
                    return
                if sign == "#":
                    raise self._signs.error()
                yield self._signs.value(sign)
            self._note("^", self.asked)
            await self._waited(loop.create_future())
        finally:
            if not ended:
                self._note("!", self.left)
            if self._closing:
                await asyncio.sleep(self._closing)
            self.cleaned.append(loop.time())

    async def _waited(self, waiting: Awaitable[object]) -> None:
        """Wait as one who was asked for something."""
        try:
            await waiting
        except asyncio.CancelledError:
            self.cancelled.append(asyncio.get_running_loop().time())
            raise

    def _note(self, sign: str, times: list[float]) -> None:
        now = asyncio.get_running_loop().time()
        times.append(now)
        self._marks.append((nanos(now), sign))

    def __repr__(self) -> str:
        return f"drawn({shown(self._text)})"


@answering
def drawn(
    marbles: str, *, values: Mapping[str, Any] | None = None, frame: float = 1.0, closing: float = 0.0
) -> Drawn:
    """A source drawn as marbles, for tests in virtual time; `check_marbles` has the notation.

    Each run begins when it is first asked. An item that is due before it is asked for comes at once. Without
    ``|`` or ``#`` at its end, the source never ends.

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import drawn, run
    >>> letters = drawn("--a-b---c|")
    >>> run(lambda: Stream(letters) | ops.take(2) | ops.timestamp() | ops.to_list())
    [Timestamped(value='a', time=2.0), Timestamped(value='b', time=4.0)]
    >>> letters.demand
    '^-^-!'

    Args:
        marbles: the line.
        values: the item for each letter that does not stand for itself; for ``#`` the error.
        frame: how many seconds one character is.
        closing: how many seconds the clean-up of each run takes.

    Raises:
        ValueError: `marbles` cannot be read; the message shows where.
    """
    step = frame_of(frame)
    signs = Signs(values)
    pause = seconds("closing", closing, positive=False)
    return Drawn(parsed(marbles, SOURCE, frame=step), marbles, signs, step, pause)
