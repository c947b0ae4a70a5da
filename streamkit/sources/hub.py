"""Hubs: where streams meet whose producers and consumers come and go."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamkit._core.arguments import flag
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.places import written
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.buffer.account import BufferStats
from streamkit._engine.buffer.meanwhile import Offered
from streamkit._engine.face.mistakes import OF_HUBS, attribute
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Sink, Stream
from streamkit._engine.run.blocking import require_loop
from streamkit._stages.consumers import Balancing, Broadcasting
from streamkit._stages.hub import Exchange, HubSource, fill

__all__ = ["Hub"]

T = TypeVar("T")


class Hub(Generic[T]):
    """Joins producers and consumers that come and go, in one event loop.

        producer       --1--2--|
        producer, late ---------3--4--|
        consumer       --1--2---3--4----close()
        consumer, late -----2---3--4----|

    >>> import asyncio
    >>> from streamkit import Hub, Stream, Suspend, ops
    >>> async def main():
    ...     hub: Hub[int] = Hub(Suspend(8))
    ...     consumer = (hub.stream() | ops.to_list()).start()
    ...     await asyncio.sleep(0)
    ...     print(await (Stream([1, 2]) | hub.sink()), await (Stream([3]) | hub.sink()))
    ...     hub.close()
    ...     print(await consumer)
    >>> asyncio.run(main())
    2 1
    [1, 2, 3]

    A producer is any stream that ends in `sink`; a consumer, each run of `stream`. Producers take turns.
    Every consumer gets every item that comes while it is there, into a buffer of its own. While there is
    no consumer, producers wait: no item is lost. With `balance`, each item goes to one consumer, the first
    that asks for it; until then, the hub holds it in its one buffer, whether there are consumers or not.

    The hub goes on when the last producer has ended, or the last consumer has left; it ends by `close` or
    `fail`. An error of a producer or a consumer is its own: the others go on.

    Code that is no stream sends with ``await hub.send(item)``, or ``hub.offer(item)``, which does not wait.

    Args:
        strategy: how many items are held, for each consumer, or (with `balance`) by the hub, and what
            happens to one more. For another one, let the consumer begin with ``ops.buffer(strategy)``.
            Without one, nothing is held: an item goes to all consumers when all of them ask, and who has sent
            it goes on when they ask again.
        balance: give each item to one consumer.

    Raises:
        TypeError: `strategy` is not a strategy, or `balance` not True or False.
        ValueError: `strategy` makes other items, as ``Collect`` does and ``gaps=True``; or there is none, and
            `balance` is true.
        RuntimeError: (when run) a producer or consumer comes in one event loop, and others are in another.
        BufferOverflowError: (when run) one item too many came under ``Fail``: raised to the consumer whose
            buffer it is. With `balance`, the hub fails with it, and the producer of the item does.
    """

    __slots__ = ("_exchange",)

    @answering
    def __init__(self, strategy: Strategy | None = None, *, balance: bool = False) -> None:
        if strategy is not None:
            strategy = strategy_argument("strategy", strategy)
        elif balance:
            raise ValueError(
                "strategy must be given where balance=True: the hub holds what nobody has asked for"
            )
        if strategy is not None and (strategy.collects or strategy.marks_gaps):
            raise ValueError(
                f"strategy must be one that passes items on as they are, not {strategy!r}: write "
                "hub.stream() | ops.buffer(...) for that"
            )
        kind = Balancing if flag("balance", balance) else Broadcasting
        name = f"Hub({'' if strategy is None else repr(strategy)}{', balance=True' if balance else ''})"
        self._exchange: Exchange = kind(strategy, name, written(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`

    def stream(self) -> Stream[T]:
        """A stream of what comes; each run of it is a consumer, from when it begins, or is opened."""
        own = None if isinstance(self._exchange, Balancing) else self._exchange.strategy
        return Stream(HubSource(self._exchange, own))

    def sink(self) -> Sink[T, int]:
        """A sink that sends items into the hub; its result is how many the hub has taken in.

        When the hub is closed, the source is closed. If the producer then has an item in hand, its job fails
        with `EmitterClosedError`; so does one that begins when the hub is closed.
        """
        return _sink(self)

    def offer(self, item: T) -> Offered:
        """Offer `item` without waiting, in the event loop of the hub, and say what became of it.

        ``ACCEPTED``: each consumer has it, or its buffer has done with it as the strategy says. ``FULL``: it
        was refused, for there is no consumer, or one has no room; with ``Fail`` and `balance`, the hub then
        fails. ``CLOSED``: the hub has ended. What is refused is counted nowhere but in the answer.

        Raises:
            RuntimeError: no event loop runs in this thread, or others are there, in another loop.
        """
        require_loop("hub.offer(item)", "push(strategy), whose stream ends in hub.sink()")
        return self._exchange.offer(item)

    async def send(self, item: T) -> None:
        """Send `item`: wait, in turn with producers, for a consumer, and for room with each.

        In a hub without a strategy, also until each consumer has done with it: it asks for the next, or has
        left. If it is cancelled while it waits for room, the item is not sent.

        Raises:
            EmitterClosedError: the hub takes no more: it was closed, or has failed.
        """
        await self._exchange.send(item)

    @property
    def consumers(self) -> int:
        """How many consumers are there now, and get the next item."""
        return self._exchange.consumers

    def close(self) -> bool:
        """End the hub: consumers get what is held, and the end. False if it had ended before."""
        return self._exchange.close()

    def fail(self, error: BaseException) -> bool:
        """End the hub with `error`, which consumers get after what is held. False if it had ended before.

        Raises:
            TypeError: `error` is not an exception.
        """
        if not isinstance(error, BaseException):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"error must be an exception, not {shown(error)}")
        return self._exchange.close(error)

    @property
    def closed(self) -> bool:
        """Whether the hub was closed, or has failed."""
        return self._exchange.over

    def buffers(self) -> tuple[BufferStats, ...]:
        """What became of the items in each buffer so far; of consumers that have gone, the sums."""
        return tuple(self._exchange.stats())

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, name, OF_HUBS)

    def __repr__(self) -> str:
        return f"<{self._exchange.name} {'closed' if self.closed else 'open'}>"


@stage(fill, name="sink", contract=Contract(holds="1", lookahead="1", result="what the hub holds"))
def _sink(hub: Any) -> Sink[Any, int]:
    return Sink(_sink, hub=hub)
