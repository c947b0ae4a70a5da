"""Sharing pairs: one run of a durable source, of whose deliveries each reader has a portion.

A delivery that is dealt out is in one place for each reader of that moment. What a reader has is a delivery
of its own, told to the reader's `Portion` and by that to the first: so the worst outcome wins, and all that a
reader has not settled when its job ends is handed back then, however long the others go on.

The ledgers belong to the shared run. They are opened in its task, before its first pull, and closed when its
source is closed and the jobs of all have ended who have had something of it: by the last of those, or, where
it has lingered, by the task that closes the source.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from streamkit._core.delivery import NO_DELIVERY, Delivery
from streamkit._core.errors import raise_first
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.tracked import Tracked, Unopened
from streamkit._engine.run.followed import Followed
from streamkit._engine.run.paired import PairedRun
from streamkit._engine.run.run import Run
from streamkit._stages.share import Owner, Shared

__all__ = ["PairedShare", "require_known"]


class _Way(Channel):
    """What a reader reads. Its job may go on for long when it has left: what it leaves goes back at once."""

    def dropped(self, strategy: Strategy, item: Any, reason: str) -> None:
        if reason == "closed":
            item[0].fail(CancelledError())
        super().dropped(strategy, item, reason)


class PairedShare(Shared):
    """One run of a durable source: what it puts into the lanes of readers are pairs."""

    def __init__(self, owner: Owner, link: Link) -> None:
        super().__init__(owner, link)
        self.followed: Followed | None = None
        """Has the ledgers, once it has begun."""
        self.portions: dict[Lane, Portion] = {}
        """What the readers have, until their jobs have ended."""

    def run_of(self, link: Link) -> Run:
        return PairedRun(link, self.book)

    def read(self, inlet: Inlet[Any], before: Shared | None) -> None:
        self.run.claims.take(inlet)
        self.run.spawn(partial(self._read, inlet, before), self.channel, self)

    async def _read(self, inlet: Inlet[Any], before: Shared | None) -> None:
        if before is not None:
            await before.gone.wait()
        self.followed = Followed(inlet, self.book)
        book = await self.followed.open()
        await self.run.fill(self, inlet, book.chapter())

    # the readers ---------------------------------------------------------------------------

    def way(self, run: Run) -> Channel:
        return run.adopt(_Way(run.halt))

    def came(self, lane: Lane) -> None:
        """It is handed what has come while nobody read."""
        book = self.readers[lane].book
        assert book is not None
        assert book.ledgers is not None  # or it would have been refused
        portion = self.portions[lane] = Portion(self, lane, book.ledgers)
        book.ledgers[portion] = portion
        self.deal()

    async def leave(self, lane: Lane) -> None:
        self.portions[lane].leave()
        await super().leave(lane)

    async def close_ledgers(self) -> None:
        """Close them, if nothing of the run is left, and no job that has had something of it."""
        if self.followed is not None and self.gone.is_set() and not self.portions:
            self.burst.clear()  # what nobody took is handed back, and is not for who is told of the end later
            await self.followed.close(self.channel.error)

    async def _close(self) -> None:
        errors: list[BaseException] = []
        for close in (super()._close, self.close_ledgers):
            try:
                await close()
            except BaseException as error:
                errors.append(error)
        raise_first(errors)

    def _part(self, lane: Lane) -> None:
        super()._part(lane)
        if not self.lanes:
            self.left = 0  # the next item waits for a reader, and the pump with it

    # the pump ------------------------------------------------------------------------------

    def deal(self) -> None:
        """What comes while nobody reads, as of a pull that was under way, waits for the next reader."""
        if self.lanes:
            super().deal()

    def dealt(self, burst: list[Any]) -> None:
        self.past.extend([(NO_DELIVERY, item) for _, item in burst])
        more = len(self.lanes) - 1
        for token, _ in burst:
            token.count += more
        for lane in self.lanes:
            try:
                lane.extend(self.portions[lane].of(burst))
            except Exception as error:
                self.refused(lane, error)


class _Dealt(Delivery):
    """What a reader has of a delivery, which it knows as its message."""

    __slots__ = ()

    @property
    def handed(self) -> Iterable[Delivery]:
        of: Delivery = self.message
        return of.handed


class _DealtTogether(_Dealt):
    """The same of several."""

    __slots__ = ()

    several = True


class Portion:
    """The ledger of what one reader has of the deliveries of a shared run."""

    most: ClassVar[int] = 0
    """How many deliveries may be open besides those of the sources."""

    def __init__(self, shared: PairedShare, lane: Lane, ledgers: dict[Any, Any]) -> None:
        self._shared = shared
        self._lane = lane
        self._ledgers = ledgers
        """Those of the reader's job, of which this is one."""
        self._open: dict[Delivery, None] = {}
        self._left = False
        """Whether the reader reads no more."""

    def of(self, burst: list[tuple[Delivery, Any]]) -> list[tuple[Delivery, Any]]:
        """The pairs of `burst`, with deliveries of the reader's own."""
        return [(token if token is NO_DELIVERY else self._made(token), item) for token, item in burst]

    def _made(self, token: Delivery) -> Delivery:
        made = (_DealtTogether if token.several else _Dealt)(self, token)
        self._open[made] = None
        return made

    def closed(self, delivery: Delivery) -> None:
        del self._open[delivery]
        if delivery.failed:
            _fail(delivery.message, delivery.error)
        else:
            delivery.message.settle()
        self._look()

    def leave(self) -> None:
        """The reader has left, and works on what it has."""
        self._left = True
        self._look()

    def _look(self) -> None:
        """Forget it, where nothing is to come of it, and nobody is to wait for that: groups may be many."""
        if self._left and not (self._open or self._shared.book.ledgers):
            self._forgotten()

    def _forgotten(self) -> None:
        self._ledgers.pop(self, None)
        self._shared.portions.pop(self._lane, None)

    async def close(self, error: BaseException | None = None) -> None:
        """Hand back what is open: the reader's job has ended, with `error` if it has failed."""
        opened, self._open = self._open, {}
        # or else all of it is of the run that reads it, which hands back by itself
        own = self._shared.book.ledgers
        # that one of several readers goes is nobody's failure: it counts as no try
        spared = None if isinstance(error, Exception) or not self._shared.readers else CancelledError()
        for delivery in opened:
            if own:
                _fail(delivery.message, error if delivery.failed and spared is None else spared)
            elif delivery.failed:
                delivery.message.mark()
        self._forgotten()
        await self._shared.close_ledgers()


def _fail(delivery: Delivery, error: BaseException | None) -> None:
    """Let one place of `delivery` fail; an error that is to blame for it stands before one that is not."""
    if isinstance(error, Exception):
        delivery.error = error
    delivery.fail(error)


def require_known(inlet: Inlet[Any], run: Run) -> None:
    """Raise if nobody follows the items of `inlet` to where they leave the run that a reader is part of.

    Raises:
        TypeError: a callback has made the stream.
    """
    source = inlet.source
    if isinstance(source, Tracked):
        ledgers = None if run.book is None else run.book.ledgers
        if ledgers is None or source not in ledgers:
            Unopened(source).refuse()
