"""How ``map`` runs where it is concurrent: a pool, and the kind of supply that suits what is before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from streamkit._core.limit import Limit
from streamkit._core.markers import ABSENT, EMPTY
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit._stages.governed import governed
from streamkit._stages.pool import Pool
from streamkit._stages.pull import PullLoop
from streamkit._stages.spread import SpreadSupply, spreads
from streamkit._stages.supply import Supply

__all__ = ["pooled"]

MORE = 4
"""How many others a worker calls if it leaves items behind.

Few, because one worker alone does all items whose callback does not wait; not fewer, or it would take too
long until all are in flight: `test_all_are_in_flight_within_a_few_steps`.
"""


def pooled(
    run: Run,
    source: Inlet[Any],
    *,
    function: Callable[[Any], Any],
    concurrency: int | Limit,
    ordered: bool,
    lookahead: int,
    key: Any = ABSENT,
) -> Channel:
    """The channel that the results of `function` come out of."""
    if isinstance(concurrency, Limit) or key is not ABSENT:
        return governed(
            run,
            source,
            function=function,
            concurrency=concurrency,
            ordered=ordered,
            lookahead=lookahead,
            key=key,
        )
    channel = run.channel()
    source, strategy, buffer = fused(source, Suspend(lookahead) if lookahead else None)
    supply: Supply
    if strategy is not None:
        supply = BufferedSupply(channel, concurrency, run.adopt(Inbox()), strategy, buffer)
    elif source.native is not None:
        supply = SlicedSupply(channel, concurrency)
    elif not run.tracked and (index := spreads(source)) is not None:
        supply = SpreadSupply(channel, concurrency, PullLoop(source.links[index:]))
        source = Inlet(source.source, source.links[:index])
    else:
        supply = Supply(channel, concurrency)
    Pool(run, channel, function, supply, ordered=ordered)
    supply.begin(run, source)
    return channel


class SlicedSupply(Supply):
    """A range, list or tuple: the workers take from it themselves, without a pump."""

    def begin(self, run: Run, inlet: Inlet[Any]) -> None:
        self._items: Iterator[Any] = iter(inlet.native)
        self.pull = partial(next, self._items, EMPTY)
        self.crew.call(1)

    def more(self) -> Iterator[Any]:
        return self._items

    def wanted(self) -> bool:
        return not self.ended and self.free > 0 and not self.gone

    def call_others(self) -> None:
        self.crew.call(MORE)

    def ran_dry(self) -> None:
        self.close()


class BufferedSupply(Supply):
    """A buffer, which holds what comes while there is no place."""

    def __init__(
        self, channel: Channel, concurrency: int, inbox: Inbox, strategy: Strategy, buffer: Link | None
    ) -> None:
        super().__init__(channel, concurrency)
        self._buffer = buffer
        self.inbox, inbox.look = inbox, self._look
        self.pull = inbox.pop
        self._lane = inbox.lane(strategy)

    def begin(self, run: Run, inlet: Inlet[Any]) -> None:
        run.pump(inlet, into=self._lane, blamed=self._buffer)

    def _look(self) -> None:
        """Something has happened in the buffer."""
        if not self.crew.called:
            self.crew.call(max(1, len(self._lane.held)))

    def call_others(self) -> None:
        self.crew.call(MORE)

    def wanted(self) -> bool:
        there = self.inbox.ready or (self.inbox.over and not self.ended)
        return there and self.free > 0 and not self.gone

    def ran_dry(self) -> None:
        inbox = self.inbox
        if inbox.error is not None:
            self.channel.fail(inbox.error)
        elif inbox.over:
            self.close()


class Inbox(Channel):
    """The buffer before a pool, which takes out of it whenever there is something and a place for it."""

    look: Callable[[], None]

    def wake(self) -> None:
        self.look()
