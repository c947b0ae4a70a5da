"""Probes: the other side of what is tested. They record what it does."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any

from streamkit._core.reactive_streams import Subscriber, Subscription

__all__ = ["Link", "Probe", "Supply", "Upstream"]


class _Watch:
    """Records whether calls overlap in different threads, and how deeply they nest in one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside: dict[int, int] = {}
        self.overlapped: bool = False

    @contextmanager
    def call(self) -> Generator[None, None, None]:
        here = get_ident()
        with self._lock:
            self.overlapped = self.overlapped or any(other != here for other in self._inside)
            self._inside[here] = self._inside.get(here, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[here] -= 1
                if not self._inside[here]:
                    del self._inside[here]


class Probe:
    """A subscriber that records its signals. It requests nothing, unless a callback does."""

    def __init__(
        self,
        on_subscribe: Callable[[Probe], object] | None = None,
        on_next: Callable[[Probe], object] | None = None,
    ) -> None:
        self.subscription: Subscription | None = None
        self.signals: list[str] = []
        """The names of the signals, in the order in which they came."""
        self.items: list[Any] = []
        self.error: BaseException | None = None
        self.watch: _Watch = _Watch()
        self.deepest: int = 0
        """How many calls of ``on_next`` were nested at most."""
        self._depth = 0
        self._when_subscribed = on_subscribe
        self._when_next = on_next

    @property
    def ended(self) -> bool:
        """Whether a terminal signal came."""
        return "on_error" in self.signals or "on_complete" in self.signals

    @property
    def link(self) -> Subscription:
        """The subscription, which must have come."""
        assert self.subscription is not None, "on_subscribe was not signalled"
        return self.subscription

    def on_subscribe(self, subscription: Subscription) -> None:
        with self.watch.call():
            self.signals.append("on_subscribe")
            self.subscription = subscription
            if self._when_subscribed is not None:
                self._when_subscribed(self)

    def on_next(self, value: Any, is_complete: bool = False) -> None:
        with self.watch.call():
            self.signals.append("on_next")
            self.items.append(value)
            self._depth += 1
            self.deepest = max(self.deepest, self._depth)
            try:
                if self._when_next is not None:
                    self._when_next(self)
            finally:
                self._depth -= 1
        if is_complete:
            self.on_complete()

    def on_error(self, exception: BaseException) -> None:
        with self.watch.call():
            self.signals.append("on_error")
            self.error = exception

    def on_complete(self) -> None:
        with self.watch.call():
            self.signals.append("on_complete")


class Link:
    """A subscription that records its calls; `on_request` answers them."""

    def __init__(self, on_request: Callable[[int], object] | None = None) -> None:
        self.requests: list[int] = []
        self.cancels: int = 0
        self.watch: _Watch = _Watch()
        self._when_requested = on_request

    @property
    def requested(self) -> int:
        """How many items were requested in all."""
        return sum(self.requests)

    @property
    def calls(self) -> int:
        """How often either method was called."""
        return len(self.requests) + self.cancels

    def request(self, n: int) -> None:
        with self.watch.call():
            self.requests.append(n)
            if self._when_requested is not None:
                self._when_requested(n)

    def cancel(self) -> None:
        with self.watch.call():
            self.cancels += 1


class Upstream:
    """A publisher without items of its own: the check sends them to its subscribers."""

    def __init__(
        self,
        on_request: Callable[[Subscriber[Any], int], object] | None = None,
        at_once: Callable[[Subscriber[Any]], object] | None = None,
    ) -> None:
        self.subscribers: list[Subscriber[Any]] = []
        self.links: list[Link] = []
        self._answer = on_request
        self._at_once = at_once
        """Called within ``subscribe``, after ``on_subscribe``."""

    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        answer = self._answer
        link = Link(None if answer is None else lambda n: answer(subscriber, n))
        self.links.append(link)
        self.subscribers.append(subscriber)
        subscriber.on_subscribe(link)
        if self._at_once is not None:
            self._at_once(subscriber)

    @property
    def subscriber(self) -> Subscriber[Any]:
        """The first who subscribed."""
        return self.subscribers[0]


class Supply:
    """A publisher that sends the numbers below `count` within ``request``, and then ends, or fails."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self._count = count
        self._error = error

    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        delivery = _Delivery(self._count, self._error, subscriber)
        subscriber.on_subscribe(delivery)
        delivery.work()


class _Delivery:
    def __init__(self, count: int, error: Exception | None, subscriber: Subscriber[Any]) -> None:
        self._count = count
        self._error = error
        self._subscriber: Subscriber[Any] | None = subscriber
        self._sent = self._requested = 0
        self._busy = True
        """Whether a call of `request` is sending. A nested one leaves the sending to that (rule 3.3)."""

    def request(self, n: int) -> None:
        self._requested += n
        if not self._busy:
            self.work()

    def cancel(self) -> None:
        self._subscriber = None

    def work(self) -> None:
        self._busy = True
        while self._subscriber is not None and self._sent < min(self._requested, self._count):
            self._sent += 1
            self._subscriber.on_next(self._sent - 1)
        self._busy = False
        if self._subscriber is not None and self._sent == self._count:
            subscriber, self._subscriber = self._subscriber, None
            subscriber.on_complete() if self._error is None else subscriber.on_error(self._error)
