"""The source of a pipe in the hands of a test."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from streamkit._core.arguments import flag
from streamkit._core.show import shown
from streamkit.testing.probes.bell import PATIENCE, Bell, ProbeError, items
from streamkit.testing.sources import Error, as_error, fresh
from streamkit.testing.visits import Beyond, Visit, check_visits

__all__ = ["SourceProbe"]

T = TypeVar("T")


@dataclass(eq=False)
class _Offer(Generic[T]):
    """What a test has in its hand for the next pull: an item, an error, or the end."""

    what: str
    item: Any = None
    error: BaseException | None = None
    ends: bool = False
    taken: bool = False


class SourceProbe(AsyncIterable[T], Generic[T]):
    """A source in the hands of a test: it gives what the test sends, when it is asked for it.

    `send`, `fail` and `end` wait until the pipe has asked, and has taken what they offer. If it does not ask
    within `patience` seconds, or has closed the probe, they raise `ProbeError`. A probe is opened once. For a
    pipe that opens its source several times: ``Stream(lambda: next(probes))``, over an iterator of probes.

    Args:
        patience: seconds that the methods wait for the pipe, in the time of the event loop; ``math.inf``:
            for ever.
        goes_on: after its end or its error, it gives what the test sends still, if it is asked, as no source
            should.
        holds_close: its clean-up lasts until the test calls `release`.

    >>> from streamkit import Stream, ops
    >>> from streamkit.testing import SinkProbe, SourceProbe, run
    >>> async def main() -> None:
    ...     left: SourceProbe[int] = SourceProbe()
    ...     right: SourceProbe[int] = SourceProbe(holds_close=True)
    ...     async with SinkProbe(Stream(left) | ops.merge(right)) as sink:
    ...         sink.request(1)
    ...         await left.wanted()
    ...         await left.fail(OSError("gone"))
    ...         await right.closing()
    ...         print(right.cancelled, right.closed)
    ...         right.release()
    ...         print(repr(await sink.failed()))
    >>> run(main)
    1 False
    OSError('gone')
    """

    visit: Visit
    """What the pipe did with it. Its `number` is 0 until the first pull."""
    waiting: bool
    """Whether a pull waits for what the test sends."""

    def __init__(
        self, *, patience: float = PATIENCE, goes_on: bool = False, holds_close: bool = False
    ) -> None:
        self._bell = Bell(patience)
        self._goes_on = flag("goes_on", goes_on)
        self._held = flag("holds_close", holds_close)
        self._close_error: BaseException | None = None
        self._offer: _Offer[T] | None = None
        self._opened = False
        self.visit = Visit()
        self.waiting = False

    # what the pipe did ---------------------------------------------------------------------------

    @property
    def demand(self) -> int:
        """How many items it was asked for, in all."""
        return self.visit.asked + self.visit.asked_after_end

    @property
    def cancelled(self) -> int:
        """How many cancellations reached it."""
        return self.visit.cancelled

    @property
    def closed(self) -> bool:
        """Whether its clean-up is done: it has ended, failed or was closed."""
        return self.visit.closed > 0

    def check(self) -> None:
        """Raise `AssertionError` unless it was pulled, and closed once, in the task of the first pull."""
        check_visits(self, [self.visit])

    # what the test does --------------------------------------------------------------------------

    async def wanted(self) -> int:
        """Wait until the pipe asks for an item; the number of items that it has asked for, in all."""
        self._check_open("wanted()")
        await self._patiently("wanted()", lambda: self.waiting, "nobody asked for an item")
        return self.demand

    async def send(self, item: T) -> None:
        """Give `item` to the pipe, when it asks."""
        await self._give(_Offer(f"send({shown(item)})", item=item))

    async def fail(self, error: Error) -> None:
        """Raise `error`, in place of the next item."""
        await self._give(_Offer(f"fail({shown(error)})", error=fresh(as_error("error", error))))

    async def end(self) -> None:
        """End, in place of the next item."""
        await self._give(_Offer("end()", ends=True))

    async def closing(self) -> None:
        """Wait until its clean-up begins: the pipe closes it, or it has ended or failed."""
        if not await self._bell.soon(lambda: self.visit.closing > 0):
            raise ProbeError(
                f"closing(): within {self._bell.patience} seconds {self._told('nobody closed it')}"
            )

    def release(self, error: Error | None = None) -> None:
        """Let the clean-up end that ``holds_close=True`` holds, with `error` if one is given."""
        raised = None if error is None else fresh(as_error("error", error))
        if not self._held:
            raise ProbeError("release(): its clean-up is not held: make it with holds_close=True, once")
        self._close_error = raised
        self._held = False
        self._bell.ring()

    async def _give(self, offer: _Offer[T]) -> None:
        self._check_open(offer.what)
        if self._offer is not None:
            raise ProbeError(f"{offer.what}: {self._offer.what} still waits to be taken")
        self._offer = offer
        self._bell.ring()
        try:
            await self._patiently(offer.what, lambda: offer.taken, "nobody asked for it")
        finally:
            if self._offer is offer:
                self._offer = None

    def _check_open(self, what: str) -> None:
        if self._goes_on and self.visit.ended:
            return
        if self.visit.ended:
            raise ProbeError(f"{what}: the probe has ended, after {items(self.visit.given)}")
        if self.visit.closing:
            raise ProbeError(f"{what}: the pipe has closed the probe, after {items(self.visit.given)}")

    async def _patiently(self, what: str, found: Callable[[], bool], otherwise: str) -> None:
        begun = self.visit.closing
        if not await self._bell.soon(lambda: found() or self.visit.closing > begun):
            raise ProbeError(f"{what}: within {self._bell.patience} seconds {self._told(otherwise)}")
        if not found():
            self._check_open(what)

    def _told(self, what: str) -> str:
        if not self.visit.number:
            return f"{what}; the probe was never opened"
        return f"{what}; it was asked for {items(self.demand)} and has given {self.visit.given}"

    # what the pipe reads ---------------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[T]:
        if self._opened:
            raise ProbeError(
                f"{self!r} was opened a second time: give each run a probe of its own, as in "
                "Stream(lambda: next(probes))"
            )
        self._opened = True
        items = self._visited()
        return Beyond(items, self.visit, self._beyond) if self._goes_on else items

    async def _visited(self) -> AsyncGenerator[T, None]:
        visit = self.visit
        visit.begin([])
        try:
            while True:
                visit.asked += 1
                offer = await self._pull()
                if not self._is_item(offer):
                    return
                visit.given += 1
                try:
                    yield offer.item
                except BaseException as error:
                    visit.thrown(error)
                    raise
                visit.step("a pull")
        finally:
            await self._clean_up()

    async def _beyond(self) -> T:
        offer = await self._pull()
        if not self._is_item(offer):
            raise StopAsyncIteration
        item: T = offer.item
        return item

    async def _pull(self) -> _Offer[T]:
        self.waiting = True
        self._bell.ring()
        try:
            await self._bell.until(lambda: self._offer is not None)
        except asyncio.CancelledError:
            self.visit.cancelled += 1
            raise
        finally:
            self.waiting = False
        offer = self._offer
        assert offer is not None
        self._offer = None
        offer.taken = True
        self._bell.ring()
        return offer

    def _is_item(self, offer: _Offer[T]) -> bool:
        """Whether there is an item, and no end; raises its error."""
        if offer.error is None and not offer.ends:
            return True
        self.visit.ended = True
        if offer.error is not None:
            raise offer.error
        return False

    async def _clean_up(self) -> None:
        visit = self.visit
        visit.step("the clean-up")
        visit.closing += 1
        self._bell.ring()
        try:
            await self._bell.until(lambda: not self._held)
        except asyncio.CancelledError:
            visit.cancelled += 1
            raise
        visit.closed += 1
        if self._close_error is not None:
            raise self._close_error

    def __repr__(self) -> str:
        return f"<SourceProbe asked for {items(self.demand)}, given {self.visit.given}, closed={self.closed}>"
