"""The places of a ``flat_map``: each reads one inner stream at a time.

An inner stream may end in a ``flat_map`` itself, or in a ``concat`` of one. That has `Places` of its own, but
they fill lanes of the same channel: so an item makes one hop, and where ``flat_map`` is called for pages that
lead to more pages, the thousandth level costs what the first does.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Sequence
from functools import partial
from types import AsyncGeneratorType
from typing import Any

from streamkit._core.limit import followed as followed_by
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Rescue, Target
from streamkit._engine.compile.key import Kind
from streamkit._engine.compile.loop import LISTS
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.driver import Driver, Worker
from streamkit._engine.run.drives import Drives
from streamkit._engine.run.pump import DrivenPump, Pump
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import segment
from streamkit._stages.beside_place import emptied, followed
from streamkit._stages.each import asked, inlet_of_made, noted, settled
from streamkit._stages.place import Entrance, PlaceLane
from streamkit._stages.sequence import Streams

__all__ = ["Places"]

_ONE = Suspend(1)


class Places(Target):
    """The target of the outer source. An item takes a place until its stream was delivered to the end."""

    def __init__(
        self, run: Run, channel: Channel, link: Link, around: Places | None = None, *, awaited: bool = False
    ) -> None:
        super().__init__(channel)
        self.run = run
        self.link = link
        """The ``flat_map``, or an operator of its kind: one without a `concurrency` has one place."""
        self.outer = None if around is None or awaited else around._standing()
        """Those of which one is taken until the last inner stream of these has ended."""
        self.awaited: Future[None] | None = get_running_loop().create_future() if awaited else None
        """What a task waits for until the last inner stream has ended."""
        self.concurrency: int = followed_by(link.arguments.get("concurrency", 1), self)
        lookahead: int = link.arguments["lookahead"]
        self.ahead = None if lookahead == 1 else Suspend(lookahead)
        """The buffer that the user asked for; None by default: an inner stream's own buffer decides."""
        self.taken = 0
        self._entry: Entrance | None = None
        """What has its reader step the pump of the outer source, when there is a free place."""
        self.level: int = 0 if run.tracked else Driver.level() if around is None else around.level
        """How deep the inner streams stand in each other that are driven; 0 if these are not."""
        drives: Any = channel.drives
        if self.level and drives is None:
            drives = channel.drives = Drives(run.loop)
        if self.level and around is None and self.waits():
            self._entry = entry = Entrance(self)
            entry.driver = Driver(self.level, entry, drives.clock)
            entry.begun()
        self.idle: deque[Lane] = deque() if around is None else around.idle
        """Lanes whose stream has ended; the next stream takes one, so lanes do not pile up."""
        self.ended = False
        """Whether the outer source has."""
        self._over = False
        """Whether the last inner stream has, too."""
        if around is None:
            channel.join()
        if run.book is not None:
            run.book.watch(self, _told)

    def _standing(self) -> Places:
        """These, or, where they are only waiting for their last stream, those that wait for that, too.

        So a stream that goes on with one more stream, which does the same, keeps no chain of `Places`.
        """
        places = self
        while places.outer is not None and places.ended and places.taken == 1:
            places = places.outer
        return places

    def alike(self, link: Link) -> bool:
        """Whether `link`, at the end of an inner stream, is a ``flat_map`` that may fill lanes of these."""
        own = self.link
        return (
            link.declaration.stage is own.declaration.stage
            and link.arguments["lookahead"] == own.arguments["lookahead"]
        )

    @property
    def gone(self) -> bool:
        """Whether no more items are taken: the reader has left, or something failed."""
        return self.channel.left or self.channel.error is not None

    def waits(self) -> bool:
        """Whether the outer source waits for free places, so that the reader may say when it goes on."""
        return True

    @property
    def driver(self) -> Any:
        return None if self._entry is None else self._entry.driver

    def wake(self) -> None:
        """There may be a free place."""
        if self._entry is None:
            super().wake()
        else:
            self._entry.begun()

    async def room(self, rescue: Rescue | None = None) -> None:
        if self._entry is None:
            return await super().room(rescue)
        while True:
            try:
                await self._entry.parking
            except CancelledError as error:
                if rescue is None:  # pragma: no cover - every pump hands it one
                    raise
                await rescue(error)
            if not self.full():
                return

    def resized(self, more: int) -> None:
        """The limit of its places has been changed."""
        self.concurrency += more
        self.wake()

    def full(self) -> bool:
        return self.taken >= self.concurrency and not self.gone

    def put(self, item: Any) -> bool:
        if self.gone:
            raise Abandoned
        self.taken += 1
        if self.level:
            self._begin(item)
        elif self.run.tracked:
            self.run.spawn(partial(followed, self, [item]), self.channel)
        else:
            self.run.spawn(partial(self._inner, [item]), self.channel)
        return self.full()

    def _begin(self, item: Any) -> None:
        """Have the stream of `item` read into a lane that is free, in the task that has read one before."""
        lane = self._free()
        lane.places = self
        lane.items.append(item)
        driver = lane.driver
        if driver is not None and driver.idle and not driver.stopped():
            driver.again()
            lane.begun()
            return
        driver = Worker(self.level, lane, self.channel.drives.clock)
        driver.make = lane.streams
        lane.driver = driver
        self.channel.drives.renewed()
        lane.begun()  # the reader comes before the task
        self.run.drive(driver, self.channel)

    def close(self) -> None:
        """The outer source has ended; the last inner stream to end closes the lanes."""
        self.ended = True
        self._rise()

    async def take(self, items: Sequence[Any]) -> None:
        """Be filled with `items`. That the last is the last is known at once: this does not wait for it."""
        for number, item in enumerate(items, 1):
            if self.full():
                await self.room()
            self.ended = number == len(items)
            self.put(item)
        if not items:
            self.close()

    def given_back(self) -> None:
        """A place is free again."""
        self.taken -= 1
        self.wake()
        self._rise()

    def _rise(self) -> None:
        """If the last inner stream has ended, say so, and give back the place that was taken for it all."""
        places = self
        while places.ended and not places.taken and not places._over:
            places._over = True
            if places.awaited is not None:
                if not places.awaited.done():
                    places.awaited.set_result(None)
                return
            if places.outer is None:
                for lane in places.idle:
                    lane.close()
                    if lane.driver is not None:
                        lane.driver.end()
                        places.run.spare(lane.driver.task)
                places.channel.closed()
                return
            places = places.outer
            places.taken -= 1
            places.wake()

    def begins(self) -> None:
        """A stream is made, in the task that reads it."""

    async def _inner(self, items: list[Any]) -> None:
        """Make the stream of one item, in a task of its own, and read it there."""
        self.begins()
        await self.made(asked(self.link, items))

    async def made(self, found: Any, lane: PlaceLane | None = None) -> None:
        """Open, step and close the stream that the function has returned; then give its place back."""
        generator: Any = AsyncGeneratorType
        if type(found) is not generator:
            found = await settled(self.link, found)
        kind = type(found)  # pyright: ignore[reportUnknownVariableType] - a type of anything
        if (kind is generator or kind in LISTS) and not self.gone:
            await self._plain(found, Kind.SLICE if kind in LISTS else Kind.ASYNC, lane)
            if lane is not None:
                self.idle.append(lane)
            self.given_back()
            return
        stream = inlet_of_made(self.link, found)
        del found
        if self.gone:
            self.run.claims.take(stream)
            raise Abandoned
        stream, strategy, buffer = fused(stream, self.ahead)
        handed_over = False
        try:
            if strategy is not self.ahead:
                await self._alone(stream, strategy, buffer)
            else:
                handed_over = await self._parts(stream, lane)
        except BaseException as error:
            noted(error, self.link)
            raise
        if handed_over:
            return
        if lane is not None:
            self.idle.append(lane)
        self.given_back()

    async def _plain(self, items: Any, kind: Kind, own: PlaceLane | None) -> None:
        """Read an async generator, or a list, as most inner streams are: there are no operators in it.

        So there is nothing to look for in it (`Streams`): of streams of ten, an item costs a third less.
        """
        lane = self.lane(own)
        pace = Pump(self.run, lane) if own is None else DrivenPump(self.run, own)
        opened = Opened(kind, items)
        if kind is Kind.ASYNC:
            opened.close, pace.source = items.aclose, items
        try:
            await segment(opened, (), lane.end, pace)
        except BaseException as error:
            noted(error, self.link)
            raise
        if lane.held:
            await emptied(lane)
        if own is None:
            self.idle.append(lane)

    async def _alone(self, stream: Inlet[Any], strategy: Strategy | None, buffer: Link | None) -> None:
        """Read a stream that brings its own buffer."""
        lane = self.channel.lane(strategy)
        book = self.run.book and self.run.book.chapter()
        await self.run.fill(lane, stream, book, buffer)
        del stream
        if lane.held:
            await emptied(lane)
        if self.run.book and book:
            self.run.book.close(book)
        lane.close()
        await emptied(lane)  # the reader must still take a `Gap` at its end
        self.channel.retire(lane)

    async def _parts(self, stream: Inlet[Any], lane: PlaceLane | None) -> bool:
        """Read a stream, or those of which it is made; True if `Places` inside will give its place back."""
        parts = _Parts(self, stream, lane)
        del stream
        await parts.read()
        await parts.vacate()
        return parts.handed_over

    def _free(self) -> PlaceLane:
        """The lane that is idle for longest; a new one, if that stands in a queue still, for its old turn.

        Of those that are idle there are no more than places, as many as may begin in one turn of the loop.
        """
        idle: Any = self.idle
        if idle and (not idle[0].queued or len(idle) >= self.concurrency):
            lane: PlaceLane = idle.popleft()
            return lane
        return PlaceLane(self)

    def lane(self, own: PlaceLane | None) -> Lane:
        """A lane for one stream that brings no buffer: its `own`, or an idle one, if there is one."""
        if own is not None:
            own.joins()
            return own
        return self.idle.pop() if self.idle else self.channel.lane(self.ahead or _ONE)


def _told(places: Places) -> list[tuple[Link, int]]:
    """How many items have a place: their streams are being made, or open, or not delivered to the end."""
    return [(places.link, places.taken)]


class _Parts(Streams[Awaitable[None]]):
    """The parts of one inner stream: each is to be awaited, which reads it into a lane, or into `Places`."""

    def __init__(self, places: Places, stream: Inlet[Any], own: PlaceLane | None) -> None:
        super().__init__(places.run, stream)
        self._places = places
        self._own = own
        self._lane: Lane | None = None
        self.handed_over = False
        """Whether the place is given back by those inside."""

    def _open(self, inlet: Inlet[Any], book: Book | None) -> Awaitable[None]:
        links, places = inlet.links, self._places
        # an operator that may take the errors of a ``flat_map`` must be told them: that has a run of its own
        if links and places.alike(links[-1]) and not self.sheltered:
            inner = Places(places.run, places.channel, links[-1], places, awaited=not self.last)
            return self._nested(inner, Inlet(inlet.source, links[:-1]), book)
        if self._lane is None:
            self._lane = places.lane(self._own)
        return places.run.fill(self._lane, inlet, book)

    async def _nested(self, inner: Places, inlet: Inlet[Any], book: Book | None) -> None:
        """Read `inlet` into `inner`."""
        await self.vacate()
        if inner.awaited is None and self._own is not None:  # those inside may need it, and may be the last
            self._places.idle.append(self._own)
        if inlet.native is not None:
            await inner.take(inlet.native)
        else:
            await self._run.fill(inner, inlet, book)
            inner.close()
        if inner.awaited is not None:
            await inner.awaited
        else:
            self.handed_over = True

    async def vacate(self) -> None:
        """Let go of the lane when everything in it was delivered."""
        if self._lane is None:
            return
        if self._lane.held:
            await emptied(self._lane)
        if self._own is None:
            self._places.idle.append(self._lane)
        self._lane = None
