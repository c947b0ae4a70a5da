"""A plain ``for`` over a stream, in a thread where no event loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

from streamkit._core.arguments import discard
from streamkit._core.errors import RunningLoopError
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import prime
from streamkit._engine.run.start import segment, start

__all__ = ["iterate_blocking", "require_no_loop"]

T = TypeVar("T")


def iterate_blocking(stream: Inlet[T]) -> Iterator[T]:
    """Iterate the stream synchronously: by a plain generator if nothing waits, else on a private loop."""
    links = stream.links
    if not stream.source.blocking or any(link.declaration.stage or link.waits for link in links):
        require_no_loop("for x in stream", "async for x in stream")
        return _private(lambda: start(stream.source, links, End.USER))
    opened = stream.source.open(blocking=True)
    if opened.kind is Kind.ASYNC:
        require_no_loop("for x in stream", "async for x in stream")
        return _private(lambda: segment(opened, links, End.USER, Pace()))
    pace = Pace()
    pace.settle = _Settle()
    plain: Iterator[T] = segment(opened, links, End.PLAIN, pace)
    return plain


def require_no_loop(form: str, instead: str) -> None:
    """Raise if an event loop runs in this thread: a second one cannot."""
    if asyncio._get_running_loop() is not None:
        raise RunningLoopError(
            f"{form} needs an event loop of its own, but one runs in this thread: use {instead}"
        )


class _Settle:
    """Awaits what callbacks return, on a private event loop that is made for the first and kept."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def __call__(self, awaitable: Awaitable[Any]) -> Any:
        if self._runner is None:
            try:
                require_no_loop("a callback that returns an awaitable", "async for x in stream")
            except RunningLoopError:
                discard(awaitable)
                raise
            self._runner = asyncio.Runner()
        return self._runner.run(_awaited(awaitable))

    def closing(self, close_source: Callable[[], None] | None) -> Callable[[], None]:
        """What closes the source, by `close_source`, and then the event loop."""

        def close() -> None:
            try:
                if close_source is not None:
                    close_source()
            finally:
                if self._runner is not None:
                    self._runner.close()

        return close


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _private(make: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Run a stream on a private loop, in one task. The loop stands still while the caller's body runs."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        turn = _Turn[T](loop)
        task = loop.create_task(turn.drive(make))
        task.add_done_callback(turn.over)
        try:
            while True:
                loop.run_forever()
                if task.done():
                    return task.result()
                yield turn.item
                turn.resume.set_result(True)
        finally:
            if not task.done():
                turn.end(task)
            while not turn.ended:  # a KeyboardInterrupt may have left the loop with the task unfinished
                loop.run_forever()
            if not task.cancelled():
                task.result()


class _Turn(Generic[T]):
    """Passes control: to the loop until it has an item, to the caller until it asks for the next."""

    item: T
    resume: asyncio.Future[bool]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._resting = False
        self.ended = False

    def over(self, _: object) -> None:
        """Stop the loop: the task has ended."""
        self.ended = True
        self._loop.stop()

    async def drive(self, make: Callable[[], AsyncGenerator[T, None]]) -> None:
        items = prime(make())
        try:
            async for self.item in items:
                self.resume = self._loop.create_future()
                self._resting = True
                self._loop.stop()
                wanted = await self.resume
                self._resting = False
                if not wanted:
                    break
        finally:
            await items.aclose()

    def end(self, task: asyncio.Task[None]) -> None:
        """End the stream, as the caller wants no more; cancel it if it waits for something."""
        if self._resting and not self.resume.done():
            self.resume.set_result(False)
        else:
            task.cancel()
