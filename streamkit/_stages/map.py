"""The kinds of pools: where their workers take items from, and which of them a concurrent ``map`` is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.pool import MORE, Pool
from streamkit._stages.spread import SpreadPool, spreads

__all__ = ["pooled"]


def pooled(
    run: Run,
    source: Inlet[Any],
    *,
    function: Callable[[Any], Any],
    concurrency: int,
    ordered: bool,
    lookahead: int,
) -> Channel:
    """The channel that the results of `function` come out of; how ``map`` runs where it is concurrent."""
    channel = run.channel()
    source, strategy = fused(source, Suspend(lookahead) if lookahead else None)
    if strategy is not None:
        buffered = BufferedPool(run, channel, function, concurrency, ordered)
        run.pump(source, into=buffered.behind(run.adopt(Inbox()), strategy))
    elif (items := source.native) is not None:
        SlicedPool(run, channel, function, concurrency, ordered).begin(items)
    elif (place := spreads(source)) is not None:
        SpreadPool(run, channel, function, concurrency, ordered).begin(source, place)
    else:
        run.pump(source, into=Pool(run, channel, function, concurrency, ordered))
    return channel


class SlicedPool(Pool):
    """A pool over a range, list or tuple: the workers take from it themselves, without a pump."""

    def begin(self, items: Iterable[Any]) -> None:
        """Start the first worker."""
        self.pull = partial(next, iter(items), EMPTY)
        self._call(1)

    def _more(self) -> bool:
        return not self.ended

    def _others(self) -> None:
        self._call(MORE)

    def _dry(self) -> None:
        self.close()


class BufferedPool(Pool):
    """A pool behind a buffer, which holds what comes while there is no place."""

    inbox: Inbox

    def behind(self, inbox: Inbox, strategy: Strategy) -> Lane:
        """The lane of `inbox` to write into."""
        self.inbox, inbox.pool = inbox, self
        self.pull = inbox.pop
        return inbox.lane(strategy)

    def look(self) -> None:
        """Something has happened in the buffer."""
        if not self.called:
            self._call(max(1, len(self.inbox.lanes[0].held)))

    def _others(self) -> None:
        self._call(MORE)

    def _more(self) -> bool:
        return self.inbox.ready or (self.inbox.over and not self.ended)

    def _dry(self) -> None:
        inbox = self.inbox
        if inbox.error is not None:
            self.channel.fail(inbox.error)
        elif inbox.over:
            self.close()


class Inbox(Channel):
    """The buffer before a pool, which takes out of it whenever there is something and a place for it."""

    pool: BufferedPool

    def wake(self) -> None:
        self.pool.look()
