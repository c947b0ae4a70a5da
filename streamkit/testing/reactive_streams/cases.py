"""Cases: they make what is to be tested, for the suite."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from streamkit._core.reactive_streams import Processor, Publisher
from streamkit.testing.reactive_streams.probes import Probe, Supply, Upstream

__all__ = ["Case", "Consumer", "ProcessorCase", "PublisherCase", "SubscriberCase"]


class Consumer(Protocol):
    """Takes items from a subscriber under test, or cancels."""

    async def take(self) -> Any:
        """The next item; `StopAsyncIteration` at the end, or the error that the publisher signalled."""
        ...

    async def cancel(self) -> None:
        """Take no more. A `take` may be pending in another task."""
        ...


class Case:
    """What all cases share: how long to wait, and how to end what the checks have begun."""

    seconds: float = 1.0
    """How long a check waits for a signal that must come."""
    quiet: float = 0.05
    """How long a check waits for a signal that must not come. In virtual time neither takes real time."""

    async def eventually(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` is true; after `seconds`, fail with what was expected."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.seconds
        while not condition():
            assert loop.time() < until, f"{what}: not within {self.seconds} s"
            await asyncio.sleep(self.seconds / 100)

    async def silence(self) -> None:
        """Wait long enough for a signal that must not come."""
        await asyncio.sleep(self.quiet)

    async def close(self) -> None:
        """End what the checks have begun."""


class PublisherCase(Case, ABC):
    """Makes the publishers that the checks ask for."""

    recursion: int = 1
    """How deeply calls of ``on_next`` may nest."""

    @abstractmethod
    def publisher(self, count: int) -> Publisher[Any]:
        """A publisher of `count` items, none of them None, and then ``on_complete``."""

    @abstractmethod
    def failing(self, count: int, error: Exception) -> Publisher[Any]:
        """A publisher of `count` items, and then ``on_error`` with `error`."""

    @cached_property
    def _probes(self) -> list[Probe]:
        return []

    async def attach(
        self,
        publisher: Publisher[Any],
        on_subscribe: Callable[[Probe], object] | None = None,
        on_next: Callable[[Probe], object] | None = None,
    ) -> Probe:
        """A probe that has subscribed to `publisher`, and got its subscription."""
        probe = Probe(on_subscribe, on_next)
        self._probes.append(probe)
        publisher.subscribe(probe)
        await self.eventually(lambda: probe.subscription is not None, "on_subscribe was not signalled")
        return probe

    async def ends(self, probe: Probe, what: str) -> None:
        """Wait for a terminal signal."""
        await self.eventually(lambda: probe.ended, what)

    async def arrive(self, probe: Probe, count: int, what: str = "items") -> None:
        """Wait until there are at least `count` items."""
        await self.eventually(lambda: len(probe.items) >= count, f"{count} {what}")

    async def close(self) -> None:
        for probe in self._probes:
            if probe.subscription is not None:
                probe.subscription.cancel()
        self._probes.clear()
        await self.silence()


class SubscriberCase(Case, ABC):
    """Subscribes fresh subscribers to the publishers of the checks."""

    @abstractmethod
    def subscribe(self, publisher: Publisher[Any]) -> Consumer:
        """Subscribe a fresh subscriber to `publisher`, now or when the consumer first takes."""

    @cached_property
    def _begun(self) -> list[tuple[Consumer, asyncio.Future[Any]]]:
        return []

    async def meet(self, upstream: Upstream) -> tuple[Consumer, asyncio.Future[Any]]:
        """A consumer behind `upstream`, and its first `take`, pending until an item is sent."""
        consumer = self.subscribe(upstream)
        taking = self.take(consumer)
        await self.eventually(lambda: bool(upstream.subscribers), "nobody has subscribed")
        return consumer, taking

    def take(self, consumer: Consumer) -> asyncio.Future[Any]:
        """Another `take`, pending until an item is there."""
        taking = asyncio.ensure_future(consumer.take())
        self._begun.append((consumer, taking))
        return taking

    async def taken(self, taking: asyncio.Future[Any]) -> Any:
        """What `taking` got."""
        await self.eventually(taking.done, "an item that was sent does not arrive")
        return taking.result()

    async def demand(self, upstream: Upstream, count: int = 1) -> None:
        """Wait until at least `count` items are requested in all."""
        link = upstream.links[0]
        await self.eventually(lambda: link.requested >= count, f"{count} items were not requested")

    async def close(self) -> None:
        for consumer, taking in self._begun:
            await consumer.cancel()
            await asyncio.wait([taking], timeout=self.seconds)
            if not taking.done():
                taking.cancel()
            elif not taking.cancelled():
                taking.exception()  # so that asyncio does not report an exception that the check ignored
        self._begun.clear()
        await self.silence()


class ProcessorCase(Case, ABC):
    """Makes processors that pass each item on as it is."""

    recursion: int = 1

    @abstractmethod
    def processor(self) -> Processor[Any, Any]:
        """A fresh processor that changes nothing."""

    def as_publisher(self) -> PublisherCase:
        """Its publisher's side, fed by a supply of the suite."""
        return _PublisherSide(self)

    def as_subscriber(self) -> SubscriberCase:
        """Its subscriber's side, read by a probe of the suite."""
        return _SubscriberSide(self)


class _PublisherSide(PublisherCase):
    def __init__(self, case: ProcessorCase) -> None:
        self._case = case
        self.seconds, self.quiet, self.recursion = case.seconds, case.quiet, case.recursion

    def publisher(self, count: int) -> Publisher[Any]:
        return self._fed(Supply(count))

    def failing(self, count: int, error: Exception) -> Publisher[Any]:
        return self._fed(Supply(count, error))

    def _fed(self, supply: Supply) -> Publisher[Any]:
        processor = self._case.processor()
        supply.subscribe(processor)
        return processor


class _SubscriberSide(SubscriberCase):
    def __init__(self, case: ProcessorCase) -> None:
        self._case = case
        self.seconds, self.quiet = case.seconds, case.quiet

    def subscribe(self, publisher: Publisher[Any]) -> Consumer:
        processor = self._case.processor()
        publisher.subscribe(processor)
        probe = Probe()
        processor.subscribe(probe)
        return _Reader(self, probe)


class _Reader:
    """Takes items through a probe, one request each."""

    def __init__(self, case: Case, probe: Probe) -> None:
        self._case = case
        self._probe = probe
        self._taken = 0
        self._left = False

    async def take(self) -> Any:
        probe = self._probe
        await self._case.eventually(lambda: probe.subscription is not None, "on_subscribe was not signalled")
        assert probe.subscription is not None
        probe.subscription.request(1)
        while len(probe.items) <= self._taken:
            if probe.error is not None:
                raise probe.error
            if probe.ended or self._left:
                raise StopAsyncIteration
            await asyncio.sleep(self._case.seconds / 100)
        self._taken += 1
        return probe.items[self._taken - 1]

    async def cancel(self) -> None:
        self._left = True
        if self._probe.subscription is not None:
            self._probe.subscription.cancel()
