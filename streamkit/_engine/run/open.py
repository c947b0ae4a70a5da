"""``stream.open()`` and ``aiter(stream)``: pulls that outlive a cancelled caller, and one close."""

from __future__ import annotations

import asyncio
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from opcode import opmap
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

from streamkit._engine import run
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import is_late, iterate, prime, root
from streamkit._engine.run.leave import combine
from streamkit._engine.run.pulls import Pulls
from streamkit._engine.run.shelter import sheltered
from streamkit._engine.run.start import Begun, begin, require_asyncio

__all__ = ["BareIterator", "OpenStream", "of_statement"]

T = TypeVar("T")


class _Closing:
    """An iterator that is closed once."""

    def __init__(self) -> None:
        self._home = None if asyncio._get_running_loop() is None else asyncio.current_task()
        """The task that opened it."""
        self._closer: asyncio.Task[Any] | None = None
        """The task that closes, and what is done when it has."""
        self._closing: asyncio.Future[None] | None = None

    async def _close(self, pulls: Pulls | run.Polls[Any]) -> None:
        """End the run, once; whoever calls this meanwhile waits for that."""
        task = asyncio.current_task()
        if self._closing is not None:
            if task is not self._closer:
                await asyncio.wait({self._closing})
            return
        if pulls.entered:
            assert isinstance(pulls, Pulls)
            pulls.pace.closing = pulls.ended_by_us
            raise CancelledError(pulls.word)
        loop = asyncio.get_running_loop()
        if task is not self._home and _works_for_a_run(task) and not pulls.pending:
            # the run waits for its tasks: one of them cannot wait for the run, and close it too
            self._closing = self._closer = closing = sheltered(pulls.close(), loop)
            await asyncio.wait({closing})
            return closing.result()
        self._closer, self._closing = task, loop.create_future()
        try:
            await pulls.close()
        finally:
            self._closing.set_result(None)


def _works_for_a_run(task: asyncio.Task[Any] | None) -> bool:
    return task is not None and getattr(task.get_coro(), "cr_code", None) is run.Tasks._watched.__code__  # pyright: ignore[reportPrivateUsage]


class OpenStream(_Closing, Generic[T]):
    """A running stream, for ``async with stream.open() as items``. Its run has ended when the block has.

    ``anext(items)`` may be cancelled, as `asyncio.wait_for` does: the pull goes on, and the next
    ``anext(items)`` or ``async for`` gets its item. For that, a task of the run makes the pulls, if the first
    is one of these. An ``async for`` that begins pulls in its own task, and if it is cancelled in a pull, the
    stream ends.
    """

    def __init__(self, stream: Inlet[T]) -> None:
        _require_untracked(stream)
        self._stream = stream
        self._begun: Begun | None = None
        self._pulls: Pulls | run.Polls[T] | None = None

    async def __aenter__(self) -> OpenStream[T]:
        if self._begun is not None:
            raise RuntimeError("this stream is open already; call open() for each use")
        super().__init__()
        self._begun = begin(self._stream.source, self._stream.links)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except BaseException as late:
            combine(error, late)

    def __aiter__(self) -> AsyncIterator[T]:
        if of_statement(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
            pulls = self._in_place()
            if isinstance(pulls, Pulls) and pulls.unharmed:
                return pulls.items  # type: ignore[no-any-return]
        self._running()
        return self

    async def __anext__(self) -> T:
        if self._pulls is None:
            self._pulls = run.Polls(self._stream, self._running())
        item: T = await self._pulls.pull()
        return item

    async def aclose(self) -> None:
        """End the run. A pull that is pending in another task sees the end.

        Called again meanwhile, it waits for the first call. In a callback that the stream awaits for a pull
        it cannot wait for that: the callback is cancelled, and the pull sees the end.
        """
        await self._close(self._in_place())

    @property
    def items(self) -> AsyncGenerator[T, None]:
        """The generator, for one who pulls no more after a cancellation."""
        pulls = self._in_place()
        assert isinstance(pulls, Pulls)
        items: AsyncGenerator[T, None] = pulls.items
        return items

    def _in_place(self) -> Pulls | run.Polls[T]:
        """What pulls; unless that is decided, the task that asks."""
        if self._pulls is None:
            pace = Pace()
            self._pulls = Pulls(iterate(self._stream, pace, self._running()), pace)
        return self._pulls

    def _running(self) -> Begun:
        if self._begun is None:
            raise RuntimeError("enter the stream first: async with stream.open() as items")
        return self._begun


class BareIterator(_Closing, AsyncGenerator[T, None]):
    """What ``aiter(stream)`` gives: polled as an open stream can be, and closed when it is dropped."""

    def __init__(self, stream: Inlet[T]) -> None:
        super().__init__()
        require_asyncio()
        _require_untracked(stream)
        begun = None if is_late(stream) else begin(stream.source, stream.links)
        self._pulls = pulls = run.Polls(stream, begun)
        self._guard = prime(_guard(pulls))
        self._unroot = root(self._guard, pulls)

    def __aiter__(self) -> BareIterator[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self._pulls.pull()
        finally:
            self._look()

    async def asend(self, value: None) -> T:
        return await self.__anext__()

    async def athrow(self, kind: Any, error: Any = None, traceback: Any = None) -> T:
        thrown: BaseException = error or (kind if isinstance(kind, BaseException) else kind())
        try:
            await self.aclose()
        except BaseException as late:
            combine(thrown, late)
        raise thrown

    async def aclose(self) -> None:
        """End the run, as `OpenStream.aclose` does."""
        try:
            await self._close(self._pulls)
        finally:
            self._look()
            if self._closing is not None and not self._closing.done():  # only this call was cancelled
                self._closing.add_done_callback(lambda _: self._look())

    def _look(self) -> None:
        """Let the guard go, if it has nothing to close any more."""
        if self._pulls.over:
            self._unroot()
            with suppress(StopIteration):
                self._guard.aclose().__await__().send(None)


async def _guard(pulls: run.Polls[Any]) -> AsyncGenerator[Any, None]:
    """Closes what is pulled: as a generator it is told when it is dropped, and when the program ends."""
    try:
        yield None
    finally:
        # where the loop was closed before, nothing can be awaited, and the task is gone with it
        if not pulls.over and asyncio._get_running_loop() is not None:
            await pulls.close()


def _require_untracked(stream: Inlet[Any]) -> None:
    """Raise if deliveries are to be followed to whoever calls ``anext``, who may never call it again."""
    if stream.source.tracked:
        raise TypeError(
            f"{stream.source!r} acknowledges an item when it has left the pipe: read it by a sink, such as "
            "for_each(...), or by async for, which says so by asking for the next"
        )


_GET_AITER = opmap.get("GET_AITER")


def of_statement(frame: FrameType) -> bool:
    """Whether an ``async for``, or a comprehension, in `frame` asks for an iterator now.

    Nobody else can pull that one, and so nobody does after a cancelled pull: it can be the bare generator,
    which costs nothing. Who calls ``aiter`` has an iterator to poll.
    """
    return frame.f_code.co_code[frame.f_lasti] == _GET_AITER
