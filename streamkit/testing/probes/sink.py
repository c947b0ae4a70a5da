"""The consumer of a stream in the hands of a test."""

import asyncio
from collections.abc import AsyncIterable, Callable
from enum import Enum
from types import TracebackType
from typing import Generic, Self, TypeVar

from streamkit._core.arguments import seconds as checked, whole
from streamkit._core.show import shown, told
from streamkit.testing.consumers import async_iterable, late_errors, opened
from streamkit.testing.probes.bell import PATIENCE, Bell, ProbeError, items

__all__ = ["SinkProbe"]

T = TypeVar("T")


class _State(Enum):
    """What the task of a `SinkProbe` does."""

    NEW = "it has not opened the stream yet"
    IDLE = "it waits to be told what to do"
    PULLS = "it waits for an item"
    LEAVES = "it closes the stream before the end"
    ENDED = "it came to the end of the stream"


class SinkProbe(Generic[T]):
    """A consumer in the hands of a test: it asks when the test says so, in a task of its own.

    It is used in a block, ``async with SinkProbe(stream) as sink``. At the end of the block the stream is
    closed, and an error of the stream that the test did not look at is raised.

    Args:
        source: a stream, or any other async iterable.
        patience: seconds that the methods wait for the pipe, in the time of the event loop; ``math.inf``:
            for ever.

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import SinkProbe, run
    >>> async def main() -> None:
    ...     async with SinkProbe(Stream("abc") | ops.delay(5.0)) as sink:
    ...         await sink.quiet(4.0)
    ...         print(await sink.next())
    ...         print(sink.requested, sink.items, sink.waiting)
    ...         sink.request(2)
    ...         print(await sink.next(), await sink.next())
    ...         await sink.ended()
    >>> run(main)
    a
    1 ['a'] False
    b c
    """

    requested: int
    """How many items it was told to ask for."""
    items: list[T]
    """The items that came."""
    error: Exception | None
    """What the stream failed with, or its clean-up."""
    done: bool
    """Whether the stream has ended, failed or was left, and is closed."""

    def __init__(self, source: AsyncIterable[T], *, patience: float = PATIENCE) -> None:
        self._bell = Bell(patience)
        self._source = async_iterable("source", source)
        self._task: asyncio.Task[None] | None = None
        self._read = 0
        """How many of the items the test has read by `next`."""
        self._looked = False
        """Whether the test was told of the error."""
        self._state = _State.NEW
        self.requested = 0
        self.items = []
        self.error = None
        self.done = False

    @property
    def waiting(self) -> bool:
        """Whether it has asked for an item that has not come."""
        return not self.done and self.requested > len(self.items)

    def request(self, count: int = 1) -> None:
        """Ask for `count` more items, one after the other, without waiting for them."""
        self._check_used(f"request({shown(count)})")
        self.requested += whole("count", count, least=1)
        self._bell.ring()

    async def next(self) -> T:
        """The next item that the test has not read. It is asked for, if none is asked for already."""
        self._ask("next()")
        await self._patiently("next()", lambda: self._unread or self.done, "no item came")
        if not self._unread:
            raise ProbeError(f"next(): {self._outcome()}") from self._look()
        self._read += 1
        return self.items[self._read - 1]

    async def quiet(self, seconds: float) -> None:
        """Ask as `next` does, and check that for so many seconds nothing comes: no item, no error, no end."""
        limit = checked("seconds", seconds)
        self._ask(f"quiet({limit})")
        begun = asyncio.get_running_loop().time()
        if await self._bell.soon(lambda: self._unread or self.done, limit):
            came = asyncio.get_running_loop().time() - begun
            found = shown(self.items[self._read]) if self._unread else self._outcome()
            raise ProbeError(f"quiet({limit}): after {came} seconds {found}") from self._look()

    async def ended(self) -> None:
        """Check that nothing but the end comes. The stream is asked, if nothing is asked for already."""
        await self._finished("ended()")
        if self.error is not None or self._state is not _State.ENDED:
            raise ProbeError(f"ended(): {self._outcome()}") from self._look()

    async def failed(self) -> Exception:
        """The error that comes next. The stream is asked, if nothing is asked for already."""
        await self._finished("failed()")
        if self.error is None:
            raise ProbeError(f"failed(): {self._outcome()}")
        self._looked = True
        return self.error

    async def cancel(self) -> None:
        """Leave the stream: cancel the pull that waits, if one does, and close; return when that is done."""
        self._check_used("cancel()")
        assert self._task is not None
        if self._state is _State.PULLS:  # once: a second cancellation would interrupt the clean-up
            self._task.cancel()
        if self._state in (_State.PULLS, _State.IDLE):
            self._state = _State.LEAVES
        self._bell.ring()
        await self._patiently("cancel()", lambda: self.done, "the stream was not closed")

    # the task that pulls -----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise ProbeError("a SinkProbe is used in one block only: make another")
        self._task = asyncio.create_task(self._run(), name="sink probe")
        await self._patiently(
            "async with", lambda: self._state is not _State.NEW or self.done, "the stream was not opened"
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self.done:
                await self.cancel()
        except ProbeError as late:
            if error is None:
                raise
            error.add_note(str(late))
        if self.error is None or self._looked:
            return
        if error is None:
            raise self.error
        error.add_note(f"in the SinkProbe, {self._outcome()}")

    async def _run(self) -> None:
        try:
            async with opened(self._source) as items:
                while await self._told_to_pull():
                    try:
                        self.items.append(await anext(items))
                    except StopAsyncIteration:
                        self._state = _State.ENDED
                        break
        except asyncio.CancelledError as error:
            self.error = next(iter(late_errors(error)), None)
            raise
        except Exception as error:
            self.error = error
        finally:
            self.done = True
            self._bell.ring()

    async def _told_to_pull(self) -> bool:
        """Wait for a request; False if the stream is to be left instead."""
        if not self._leaves:  # else the pull has ignored that it was cancelled
            self._state = _State.IDLE
        self._bell.ring()
        await self._bell.until(lambda: self.waiting or self._leaves)
        if self._leaves:
            return False
        self._state = _State.PULLS
        return True

    @property
    def _leaves(self) -> bool:
        return self._state is _State.LEAVES

    # what there is to tell ---------------------------------------------------------------------------

    @property
    def _unread(self) -> bool:
        return self._read < len(self.items)

    def _check_used(self, what: str) -> None:
        if self._task is None:
            raise ProbeError(f"{what}: use the probe in a block, as in async with SinkProbe(stream) as sink")
        if self.done:
            raise ProbeError(f"{what}: {self._outcome()}") from self._look()

    def _ask(self, what: str) -> None:
        """Ask for an item, unless one is to be read, or asked for, or none can come."""
        if not self._unread and not self.waiting and not self.done:
            self._check_used(what)
            self.request()

    async def _finished(self, what: str) -> None:
        self._ask(what)
        await self._patiently(what, lambda: self._unread or self.done, "nothing came")
        if self._unread:
            raise ProbeError(f"{what}: {shown(self.items[self._read])} came")

    async def _patiently(self, what: str, found: Callable[[], bool], otherwise: str) -> None:
        if not await self._bell.soon(found):
            raise ProbeError(
                f"{what}: within {self._bell.patience} seconds {otherwise}; the stream was asked for "
                f"{items(self.requested)} and has given {len(self.items)}"
            )

    def _look(self) -> Exception | None:
        """The error of the stream, which the test is told of now."""
        self._looked = True
        return self.error

    def _outcome(self) -> str:
        """How the stream came to its end."""
        count = f"after {items(len(self.items))}"
        if self.error is not None:
            return f"the stream has failed, {count}: {told(self.error)}"
        return (
            f"the stream has ended, {count}"
            if self._state is _State.ENDED
            else f"the stream was left, {count}"
        )

    def __repr__(self) -> str:
        state = self._outcome() if self.done else f"asked for {items(self.requested)}, got {len(self.items)}"
        return f"<SinkProbe {state}>"
