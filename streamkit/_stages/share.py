"""Sharing: one run of a source, which readers join and leave at any time."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from threading import RLock
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from streamkit._core.errors import raise_first
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Failing
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Source
from streamkit._engine.run.apart import attached
from streamkit._engine.run.run import Run
from streamkit._engine.run.shelter import sheltered
from streamkit._stages.bursts import Bursts

__all__ = ["Expected", "Shares"]


class _Past(Lane):
    """Has what is replayed to a reader. When that was taken out, the reader gets what has come since."""

    plain = inline = True
    __slots__ = ("since",)

    def __init__(self, channel: Channel, items: Collection[Any], since: Lane) -> None:
        super().__init__(channel, Suspend(len(items)))
        self.since = since
        since.listed = True  # so that it does not have itself read before
        channel.adopt(self)
        for item in items:
            self.put(item)
        self.account.not_full()
        self.mark = len(items)
        self.close()

    def loosen(self) -> None:
        super().loosen()
        since = self.since
        since.relist()
        if since.listed:
            self.channel.enlist(since)


class _Seat:
    """What a reader's run closes: the reader leaves the shared run."""

    def __init__(self, shared: _Shared, lane: Lane) -> None:
        self.shared = shared
        self.lane = lane

    async def aclose(self) -> None:
        await self.shared.leave(self.lane)


class _Shared(Bursts):
    """One run of a source: the target of its pump, which puts each item into the lane of every reader."""

    plain: ClassVar[bool] = False

    def __init__(self, owner: _Runs, link: Link) -> None:
        self.owner = owner
        self.book = Book()
        self.book.gate.set()
        self.run = Run(link, self.book)
        super().__init__(Failing(), self.run.loop)
        self.past: deque[Any] = deque(maxlen=link.arguments["replay"])
        """The items for readers that come later."""
        self.readers: dict[Lane, Run] = {}
        self.lanes: tuple[Lane, ...] = ()
        """Those of the readers that are still to get items."""
        self.ended = False
        """Whether the source has ended by itself, which readers that come later are told, too."""
        self.gone = asyncio.Event()
        """Whether nothing of the run is left."""
        self.timer: TimerHandle | None = None
        self.come = 0
        """How many readers have joined."""
        self.awaiting: Callable[[], None] | None = None
        """What begins the run when all have joined that it waits for; None once it has begun."""

    def begin(self, inlet: Inlet[Any], before: _Shared | None) -> None:
        """Read `inlet` from now on; if the run `before` this one is closing yet, when it has closed."""
        errors: list[Exception] = []
        inlet = attached(self.run, inlet, errors)
        raise_first(errors)

        async def later() -> None:
            assert before is not None
            await before.gone.wait()
            self.run.pump(inlet, into=self)

        if before is None:
            self.run.pump(inlet, into=self)
        else:
            self.run.spawn(later, self.channel)

    # the readers ---------------------------------------------------------------------------

    def join(self, run: Run) -> Channel:
        """What the reader whose stage is `run` reads: what comes from now on, and the end."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.deal()  # that was for the others
        self.come += 1
        if run.book is not None:
            run.book.enter(self.book, source=True)
        strategy: Strategy = run.link.arguments["strategy"]
        channel = run.channel()
        lane = channel.lane(strategy)
        channel.iterator = _Seat(self, lane)
        if self.past:
            _Past(channel, [[*self.past]] if strategy.collects else self.past, lane)
        self.readers[lane] = run
        if self.ended:
            self._end(lane)
        else:
            self.lanes += (lane,)
            self.wake()
        return channel

    async def leave(self, lane: Lane) -> None:
        """The reader of `lane` goes. The last one waits until the source is closed, unless that lingers."""
        del self.readers[lane]
        self._part(lane)
        lane.refuse()
        if self.readers or self.gone.is_set():
            return
        linger: float = self.run.link.arguments["linger"]
        if linger and not self.ended:
            self.timer = self.run.loop.call_later(linger, self._expire)
        else:
            await self._close()

    def _expire(self) -> None:
        """Nobody has come in time."""
        self.timer = None
        self._refuse_readers()  # now: who comes before that task has begun must not join what it closes
        sheltered(self._close(), self.run.loop)

    def _refuse_readers(self) -> None:
        """Let nobody join any more, unless the source has ended, of which later readers are told, too."""
        if not self.ended:
            self.owner.closing(self)

    async def _close(self) -> None:
        self._refuse_readers()
        self.channel.left = True  # what the source raises in its clean-up is for the run to tell
        try:
            await self.run.leave()
        finally:
            self.gone.set()
            if self.owner.alone or not self.ended:  # nobody will join it
                self.past.clear()

    # the pump ------------------------------------------------------------------------------

    def wanted(self) -> Sequence[Lane]:
        if self.run.ending:  # nobody reads, and the source has ignored that it was cancelled: not again
            raise Abandoned
        return self.lanes

    def dealt(self, burst: list[Any]) -> None:
        self.past.extend(burst)
        for lane in self.lanes:
            try:
                lane.extend(burst)
            except Exception as error:  # of this reader's strategy, and so only for this reader
                self._part(lane)
                lane.channel.fail(self.readers[lane].blame(error))

    def full(self) -> bool:
        self.deal()
        return not self.lanes or any(lane.full() for lane in self.lanes)

    def vacancy(self) -> Future[None]:
        for lane in self.lanes:
            if lane.full():
                return lane.vacancy()
        return super().vacancy()  # until a reader comes

    def unwait(self) -> None:
        super().unwait()
        for lane in self.lanes:
            lane.unwait()

    def close(self) -> None:
        self.deal()
        error = self.channel.error
        self.ended = not self.run.ending and (error is None or isinstance(error, Exception))
        if not self.ended:
            self.owner.closing(self)
        for lane in self.lanes:
            self._end(lane)
        self.lanes = ()

    def _end(self, lane: Lane) -> None:
        error = self.channel.error
        if error is not None:
            lane.channel.fail(error.with_traceback(self.channel.trace))
        lane.close()

    def _part(self, lane: Lane) -> None:
        """Put nothing more into `lane`."""
        self.lanes = tuple([each for each in self.lanes if each is not lane])


class _Runs:
    """The runs of one stream that is shared: the one that can be joined, and one that is closing."""

    def __init__(self, alone: bool) -> None:
        self.alone = alone
        """Whether only those can read the stream who do so now, as in the pipe of a group."""
        self.joined: _Shared | None = None
        self.last: _Shared | None = None

    def closing(self, shared: _Shared) -> None:
        """`shared` can be joined no more: the next reader begins another, once it has closed."""
        if self.joined is shared:
            self.joined, self.last = None, shared

    def require(self, loop: AbstractEventLoop) -> None:
        """Raise if a run is under way in another event loop than `loop`; forget one whose loop is gone."""
        for shared in (self.joined, self.last):
            if shared is None or shared.ended or shared.gone.is_set() or shared.run.loop is loop:
                continue
            if not shared.run.loop.is_closed():
                raise RuntimeError(
                    "this stream runs in another event loop, where others read it: share() runs a source in "
                    "one loop at a time. Give each loop a stream of its own, or pass items on with push()"
                )
            if shared is self.joined:
                self.joined = None
            else:
                self.last = None

    def current(self, link: Link, inlet: Inlet[Any], readers: int) -> _Shared:
        """The run to join; a new one, if there is none, which begins when so many `readers` have joined."""
        if self.joined is None:
            before, self.last = self.last, None
            shared = _Shared(self, link)
            begin = partial(shared.begin, inlet, None if before is None or before.gone.is_set() else before)
            if readers > 1:
                shared.awaiting = begin
            else:
                begin()
            self.joined = shared
        return self.joined


class Shares:
    """What the runs of one ``share`` have in common, for each stream that it was joined to.

    Args:
        readers: how many must have joined before the source is opened, so that none of them misses an item.
    """

    def __init__(self, readers: int = 1) -> None:
        self._readers = readers
        self._gone = 0
        """How many of them will never come."""
        self._waiting: _Shared | None = None
        """The run that waits for some of them."""
        self._lock = RLock()
        self._streams: WeakKeyDictionary[Source, dict[tuple[Link, ...], _Runs]] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[type[Shares], tuple[int]]:
        """A copy shares nothing with this one."""
        return Shares, (self._readers,)

    def joined(self, run: Run, inlet: Inlet[Any]) -> Channel:
        """Join the run of `inlet`, and begin it if this reader is the first.

        Raises:
            RuntimeError: it runs in another event loop.
        """
        with self._lock:
            found = self._streams.setdefault(inlet.source, {})
            runs = found.setdefault(inlet.links, _Runs(inlet.source.alone))
            runs.require(run.loop)
            shared = runs.current(run.link, inlet, self._readers)
            channel = shared.join(run)
            if shared.awaiting is not None:
                self._waiting = shared
                self._begin()
            return channel

    def missed(self) -> None:
        """One of the readers that are waited for will never come."""
        self._gone += 1
        self._begin()

    def _begin(self) -> None:
        shared = self._waiting
        if shared is not None and shared.awaiting is not None and shared.come + self._gone >= self._readers:
            begin, shared.awaiting = shared.awaiting, None
            begin()


class Expected(Source):
    """Stands for a reader that is waited for. Runs claim it, and say when it will never come.

    It is among the arguments of that reader's ``share``, and never opened.
    """

    __slots__ = ("taken",)

    awaited = True

    def __init__(self, shares: Shares) -> None:
        super().__init__(())
        self.value = shares
        self.taken = False
        """Whether the reader has come, or is known not to come."""

    def claim(self) -> None:
        """A run may come to read."""

    def disclaim(self) -> None:
        """A run that might have read has ended."""
        if not self.taken:
            self.taken = True
            self.value.missed()
