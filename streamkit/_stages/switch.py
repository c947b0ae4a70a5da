"""One inner stream at a time: that of the newest item, or that of an item that came while there was none.

Where the newest decides (``switch_map``), the reader begins and ends the inner streams, so the next is opened
when the clean-up of the one before has ended. Where the first does (``exhaust_map``), there is one place, as
in a ``flat_map``, and items that find it taken are turned away at the door.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import AsyncGeneratorType
from typing import Any

from streamkit._core.again import throw
from streamkit._core.delivery import NO_DELIVERY
from streamkit._core.errors import raise_first
from streamkit._core.strategy import DropIncoming, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.pump import Pump
from streamkit._engine.run.run import Run
from streamkit._stages.each import asked, inlet_of_made, noted, settled
from streamkit._stages.flat_map import Places
from streamkit._stages.place import Filler

__all__ = ["Exhausted", "switched"]

_GENERATOR: Any = AsyncGeneratorType


# the newest ------------------------------------------------------------------------------------


class _Newest(Channel):
    """Ends the current inner stream at once when a newer item comes, also while the reader is busy."""

    source: Lane
    inner: Lane
    dismiss: Callable[[Lane], None]

    def wake(self) -> None:
        if self.source.held:
            self.dismiss(self.inner)
        super().wake()


class _InTurn(Lane):
    """The lane that one inner stream after the other is read into: a new one for each would cost more."""

    plain = inline = True
    __slots__ = ("_join", "_places")

    def __init__(self, channel: Channel, strategy: Suspend) -> None:
        super().__init__(channel, strategy)
        self._join = channel.join
        self._places = self.limit

    def drop_all(self) -> list[BaseException]:
        """Drop what is held, and take in nothing more, of the current stream."""
        errors: list[BaseException] = []
        self.close()
        if self.held:
            self.discard(errors)
        else:
            self.refuse()
        return errors

    def renew(self) -> None:
        """Take in what the next stream brings: the task of the one before has ended."""
        self._join()
        self.open, self.limit = True, self._places


class _PairedInTurn(_InTurn):
    """The same behind a durable source: each item that is read stands for the one whose stream it is of.

    That is in one place more until its stream has ended and all of it was read, or a newer item has come.
    """

    plain = inline = bare = True
    __slots__ = ("_newest", "_token")

    def __init__(self, channel: _Newest, strategy: Suspend) -> None:
        super().__init__(channel, strategy)
        self._newest = channel
        self._token = NO_DELIVERY

    def pop(self) -> Any:
        item, token = super().pop(), self._token
        token.count += 1
        if not (self.open or self.held):
            self._done()
        return token, item

    def close(self) -> None:
        super().close()
        if not self.held:
            self._done()

    def drop_all(self) -> list[BaseException]:
        errors = super().drop_all()
        self._done()
        return errors

    def renew(self) -> None:
        super().renew()
        self._token = self._newest.source.peek()[0]

    def _done(self) -> None:
        """Nothing more comes of the item, on purpose; of one that an error or the reader has left, it may."""
        if self.channel.error is None and not self.channel.left:
            token, self._token = self._token, NO_DELIVERY
            token.settle()


async def switched(
    run: Run, source: Inlet[Any], *, function: Callable[[Any], Any], lookahead: int
) -> AsyncIterator[Any]:
    """The items of the stream that `function` makes of the newest item of `source`."""
    channel = run.adopt(_Newest(run.halt))
    channel.dismiss = run.dismiss
    channel.inner = lane = (_PairedInTurn if run.tracked else _InTurn)(channel, Suspend(lookahead))
    channel.source = items = run.feed(channel, source, otherwise=Suspend(1))
    channel.adopt(lane)
    lane.close()
    if run.book is not None:
        run.book.watch(channel, partial(_told, run.link))
    filler = Filler(lane, Pump(run, lane))
    inner = _inner_of_pair if run.tracked else _inner
    while True:
        error = channel.error  # looked at first: nothing comes after it
        if items.held:
            late = lane.drop_all()
            await run.stop(lane)
            raise_first(late)
            lane.renew()
            # its task begins before the pump, which `pop` wakes, brings a newer one: test_each_item_is_called
            run.launch(partial(inner, run, lane, filler, [items.peek()]), channel, lane)
            items.pop()
        elif lane.held:
            yield lane.pop()
        elif error is not None:
            throw(error, channel.trace)
        elif items.exhausted and lane.exhausted:
            return
        else:
            await channel.change()


def _told(link: Link, channel: _Newest) -> list[tuple[Link, int]]:
    """Whether the stream of an item is being made, or open."""
    return [(link, int(channel.inner.open))]


def _inner(run: Run, lane: Lane, filler: Filler, items: list[Any]) -> Awaitable[None]:
    """Make the stream of one item; what reads it into `lane`: its `filler`, if it is as most are."""
    found = asked(run.link, items)
    return filler.read(found, run.link) if type(found) is _GENERATOR else _filled(run, lane, [found])


async def _inner_of_pair(run: Run, lane: Lane, filler: Filler, items: list[Any]) -> None:
    """The same of an item that stands for a delivery."""
    token, items[0] = items[0]
    try:
        await _inner(run, lane, filler, items)
    except Exception:
        token.mark()
        raise


async def _filled(run: Run, lane: Lane, items: list[Any]) -> None:
    """Read what the function has returned, which is in `items`, into `lane`."""
    stream = inlet_of_made(run.link, await settled(run.link, items.pop()))
    if run.stopping:  # the function has swallowed its cancellation
        run.claims.take(stream)
        raise Abandoned
    book = run.book and run.book.chapter()
    try:
        await run.fill(lane, stream, book)
    except BaseException as error:
        noted(error, run.link)
        raise
    finally:
        if run.book and book:
            run.book.close(book)


# the first -------------------------------------------------------------------------------------


class Exhausted(Places):
    """One place. Items that come while it is taken are dropped."""

    def __init__(self, run: Run, channel: Channel, link: Link, strategy: DropIncoming[Any]) -> None:
        super().__init__(run, channel, link)
        self._door = _Door(channel, strategy)
        channel.adopt(self._door)
        self._begins = False
        """Whether an inner stream is to begin: the source waits for that, and then no more."""

    def waits(self) -> bool:
        return False

    def alike(self, link: Link) -> bool:
        return False  # one inside drops other items than this

    def full(self) -> bool:
        return self._begins and not self.gone

    def put(self, item: Any) -> bool:
        if self.taken:
            self._door.turn_away(item, "full")
            return False
        self._begins = True
        super().put(item)
        self._door.admit()
        return self.full()

    def begins(self) -> None:
        self._begins = False
        self.wake()

    def close(self) -> None:
        self._door.close()
        super().close()


class _Door(Lane):
    """Counts the items that come in, and those that are turned away. It holds none."""

    def admit(self) -> None:
        self.taken_in += 1
        self.delivered += 1
