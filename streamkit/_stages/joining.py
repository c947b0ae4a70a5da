"""Joining: which run of a shared stream a reader joins, and how many readers that waits for."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from functools import partial
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from streamkit._engine.buffer.channel import Channel
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Source
from streamkit._engine.run.run import Run
from streamkit._stages.share import Shared
from streamkit._stages.share_pairs import PairedShare, require_known

__all__ = ["Expected", "Shares"]


class _Runs:
    """The runs of one stream that is shared: the one that can be joined, and one that is closing."""

    def __init__(self, alone: bool) -> None:
        self.alone = alone
        """Whether only those can read the stream who do so now, as in the pipe of a group."""
        self.joined: Shared | None = None
        self.last: Shared | None = None

    def closing(self, shared: Shared) -> None:
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

    def current(self, link: Link, inlet: Inlet[Any], readers: int) -> Shared:
        """The run to join; a new one, if there is none, which begins when so many `readers` have joined."""
        if self.joined is None:
            before, self.last = self.last, None
            shared = (PairedShare if inlet.source.tracked else Shared)(self, link)
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
        self._waiting: Shared | None = None
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
            TypeError: nobody would follow the deliveries of its source.
        """
        require_known(inlet, run)
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
