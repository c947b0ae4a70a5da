"""Sharing: one run of a source, which readers join and leave at any time."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

from streamkit._core.errors import raise_first
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned, Failing
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.apart import attached
from streamkit._engine.run.run import Run
from streamkit._engine.run.shelter import sheltered
from streamkit._stages.bursts import Bursts

__all__ = ["Owner", "Shared"]


class Owner(Protocol):
    """What keeps the runs of a stream that is shared."""

    alone: bool
    """Whether only those can read the stream who do so now, as in the pipe of a group."""

    def closing(self, shared: Shared, /) -> None:
        """`shared` can be joined no more."""


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

    def __init__(self, shared: Shared, lane: Lane) -> None:
        self.shared = shared
        self.lane = lane

    async def aclose(self) -> None:
        await self.shared.leave(self.lane)


class Shared(Bursts):
    """One run of a source: the target of its pump, which puts each item into the lane of every reader."""

    plain: ClassVar[bool] = False

    def __init__(self, owner: Owner, link: Link) -> None:
        self.owner = owner
        self.book = Book()
        self.book.gate.set()
        self.run = self.run_of(link)
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
        self.lingers: Future[bool] | None = None
        """While the source is open and nobody reads: whether one will come in time."""
        self.come = 0
        """How many readers have joined."""
        self.awaiting: Callable[[], None] | None = None
        """What begins the run when all have joined that it waits for; None once it has begun."""

    def run_of(self, link: Link) -> Run:
        return Run(link, self.book)

    def begin(self, inlet: Inlet[Any], before: Shared | None) -> None:
        """Read `inlet` from now on; if the run `before` this one is closing yet, when it has closed."""
        errors: list[Exception] = []
        inlet = attached(self.run, inlet, errors)
        raise_first(errors)
        self.read(inlet, before)

    def read(self, inlet: Inlet[Any], before: Shared | None) -> None:
        """Begin to read `inlet`, when the run `before` has closed."""

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
        if self.lingers is not None and not self.lingers.done():
            self.lingers.set_result(True)
        self.deal()  # that was for the others
        self.come += 1
        if run.book is not None:
            run.book.enter(self.book, source=True)
        strategy: Strategy = run.link.arguments["strategy"]
        channel = self.way(run)
        lane = channel.lane(strategy)
        channel.iterator = _Seat(self, lane)
        if self.past:
            past = [run.form.listed([*self.past])] if strategy.collects else self.past
            _Past(channel, past, lane)
        self.readers[lane] = run
        self.lanes += (lane,)
        self.came(lane)
        if self.ended:
            self._end(lane)
            self._part(lane)
        else:
            self.wake()
        return channel

    def way(self, run: Run) -> Channel:
        """What the reader whose stage is `run` is to read."""
        return run.channel()

    def came(self, lane: Lane) -> None:
        """A reader has joined, who reads `lane`."""

    async def leave(self, lane: Lane) -> None:
        """The reader of `lane` goes. The last one waits until the source is closed, unless that lingers."""
        del self.readers[lane]
        self._part(lane)
        lane.refuse()
        if self.readers or self.gone.is_set():
            return
        linger: float = self.run.link.arguments["linger"]
        loop = self.run.loop
        if linger and not (self.ended or self.channel.error or loop.is_closed()):
            self.lingers = comes = loop.create_future()
            expire = partial(self._expire, comes)
            sheltered(self._linger(comes, expire, linger), loop, told=expire)
        else:
            await self._close()

    async def _linger(self, comes: Future[bool], expire: Callable[[], None], linger: float) -> None:
        """Close the source when nobody has come in time, or the program ends, which waits for that."""
        timer = self.run.loop.call_later(linger, expire)
        came = await comes
        timer.cancel()
        if not came:
            await self._close()

    def _expire(self, comes: Future[bool]) -> None:
        if not comes.done():
            comes.set_result(False)
            self._refuse_readers()  # now: who comes before that task goes on must not join what it closes

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
            except Exception as error:
                self.refused(lane, error)

    def refused(self, lane: Lane, error: Exception) -> None:
        """The strategy of a reader has raised `error`: so only that reader has it."""
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
