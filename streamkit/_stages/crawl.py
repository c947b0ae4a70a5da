"""A crawl: ``expand``, whose streams are made of items that others of its streams have brought.

An item goes two ways: to the consumer, and into the frontier, where it waits until a place is free. A place
reads the stream of one item at a time. Where the frontier makes those wait that fill it, a stream whose item
finds no room waits in its place. If all places wait so, nobody is left to take an item out, and the crawl
fails: waiting for ever would be worse.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from streamkit._core.errors import BufferOverflowError
from streamkit._core.limit import followed
from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.plan.link import Link
from streamkit._engine.run.run import Run
from streamkit._stages.beside_place import emptied
from streamkit._stages.each import made, noted

__all__ = ["Crawl"]


class Crawl:
    """The places of one ``expand``, its frontier, and the lanes in which items go to the consumer."""

    def __init__(self, run: Run, channel: Channel, link: Link) -> None:
        self.run = run
        self.channel = channel
        self.link = link
        self._concurrency: int = followed(link.arguments["concurrency"], self)
        self._ahead = Suspend(link.arguments["lookahead"])
        self.taken = 0
        """Places that read a stream."""
        self._idle: list[_Found] = []
        """Lanes whose stream has ended; the next stream takes one."""
        strategy: Strategy = link.arguments["frontier"]
        inbox = run.adopt(Channel())
        if link.arguments["depth_first"]:
            self._frontier: Lane = _Stack(inbox, strategy)
            inbox.adopt(self._frontier)
        else:
            self._frontier = inbox.lane(strategy)
        self._blocked: deque[_Found] = deque()
        """Lanes with an item that finds no room in the frontier."""
        self.seeds = _Seeds(self)
        """The lane of the source: its items begin a crawl."""
        channel.adopt(self.seeds)
        channel.join()
        if run.book is not None:
            run.book.watch(self, _told)

    def resized(self, more: int) -> None:
        """The limit of its places has been changed."""
        self._concurrency += more
        self._begin()
        self.seeds.wake()

    @property
    def _gone(self) -> bool:
        """Whether nothing more is expanded: the reader has left, or something failed."""
        return self.channel.left or self.channel.error is not None

    @property
    def busy(self) -> bool:
        """Whether all places are taken, or something waits for one: the source is not pulled then."""
        return self.taken >= self._concurrency or bool(self._frontier.held)

    def found(self, lane: _Found, item: Any) -> None:
        """Have `item` expanded, which was put into `lane`, when there is room in the frontier."""
        if not self._frontier.full():
            self._frontier.put(item)
            self._begin()
            return
        lane.waiting = item
        self._blocked.append(lane)
        self._check()

    def _check(self) -> None:
        """Fail, if every stream waits for room in the frontier, and no place is free to make some."""
        blocked = len(self._blocked) - (self.seeds.waiting is not EMPTY)
        if blocked == self.taken >= self._concurrency:
            raise BufferOverflowError(
                f"each stream of the crawl ({self.taken} at once) waits for room in its frontier, "
                f"{self._frontier.strategy!r}: give it more room, let it Spill, or expand depth_first=True"
            )

    def _begin(self) -> None:
        """Expand what waits, as far as there are places."""
        while self.taken < self._concurrency and self._frontier.held and not self._gone:
            self.taken += 1
            self.run.spawn(partial(self._expand, [self._frontier.take()]), self.channel)
            self._admit()

    def _admit(self) -> None:
        """There is room in the frontier: let in what waits for it."""
        while self._blocked and not self._frontier.full():
            lane = self._blocked.popleft()
            item, lane.waiting = lane.waiting, EMPTY
            self._frontier.put(item)
            lane.wake()

    async def _expand(self, items: list[Any]) -> None:
        """Make the stream of one item, and read it, in a task of its own; then give its place back."""
        stream = await made(self.link, items)
        if self._gone:
            self.run.claims.take(stream)
            raise Abandoned
        lane = self._idle.pop() if self._idle else self._lane()
        book = self.run.book and self.run.book.chapter()
        try:
            await self.run.fill(lane, stream, book)
        except BaseException as error:
            noted(error, self.link)
            raise
        finally:
            if self.run.book and book:
                self.run.book.close(book)
        del stream
        if lane.held:
            await emptied(lane)
        self._idle.append(lane)
        self.taken -= 1
        self._begin()
        self._check()  # the limit may be lower than when the others began to wait
        self.seeds.wake()
        self.end_if_over()

    def _lane(self) -> _Found:
        lane = _Found(self, self._ahead)
        self.channel.adopt(lane)
        return lane

    def end_if_over(self) -> None:
        """End, if the source has, and nothing is left to expand."""
        if self.seeds.open or self.taken or self._frontier.held or self._gone:
            return
        for lane in self._idle:
            lane.close()
        self.channel.closed()


def _told(crawl: Crawl) -> list[tuple[Link, int]]:
    """How many items are being expanded."""
    return [(crawl.link, crawl.taken)]


class _Found(Lane):
    """A lane whose items are to be expanded, too."""

    __slots__ = ("_crawl", "waiting")

    def __init__(self, crawl: Crawl, strategy: Strategy) -> None:
        super().__init__(crawl.channel, strategy)
        self._crawl = crawl
        self.waiting: Any = EMPTY
        """The item that finds no room in the frontier."""

    def put(self, item: Any) -> bool:
        full = super().put(item)
        self._crawl.found(self, item)
        return full or self.full()

    def full(self) -> bool:
        return super().full() or (self.waiting is not EMPTY and self.limit >= 0)


class _Seeds(_Found):
    """The lane of the source, which is pulled when the crawl has nothing else to do for a place."""

    __slots__ = ()

    def __init__(self, crawl: Crawl) -> None:
        super().__init__(crawl, Suspend(1))

    def full(self) -> bool:
        return super().full() or (self._crawl.busy and self.limit >= 0)

    def close(self) -> None:
        super().close()
        self._crawl.end_if_over()


class _Stack(Lane):
    """A frontier whose newest item is taken first."""

    __slots__ = ()

    def pop(self) -> Any:
        held: Any = self.held
        item = held.pop()
        self.delivered += 1
        if self.delivered >= self.mark:
            self.loosen()
        return item
