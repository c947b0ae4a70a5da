"""A small publisher and a small subscriber that keep all rules but, if they are told so, one."""

import asyncio
import threading
from collections import deque
from typing import Any

from streamkit.reactive_streams import StreamProcessor
from streamkit.testing.reactive_streams import Case, Consumer, ProcessorCase, PublisherCase, SubscriberCase

__all__ = ["case"]


class Sender:
    """A publisher that sends within ``request``, and breaks the rule `flaw`."""

    def __init__(self, flaw: str, count: int, error: Exception | None = None) -> None:
        self.flaw, self.count, self.error = flaw, count, error
        self.sendings: list[Sending] = []
        self.used = self.cancelled = False

    def subscribe(self, subscriber: Any) -> None:
        if subscriber is None:
            if self.flaw == "1.9":
                return
            raise TypeError("subscriber may not be None")
        if self.flaw == "3.14" and self.cancelled:
            return
        sending = Sending(self, subscriber)
        if self.flaw in ("1.11", "3.13"):
            self.sendings.append(sending)
        again, self.used = self.used, True
        subscriber.on_subscribe(sending)
        sending.busy = False
        if self.flaw == "1.10" and again:
            sending.end()
        sending.work()


class Sending:
    """One subscription of a `Sender`."""

    def __init__(self, sender: Sender, subscriber: Any) -> None:
        self.sender, self.flaw, self.subscriber = sender, sender.flaw, subscriber
        self.kept = subscriber if self.flaw in ("3.6", "3.7", "3.12", "3.13", "1.6", "1.7") else None
        self.thread = threading.get_ident()
        self.sent = self.requested = 0
        self.busy = True
        self.over = False

    def request(self, n: int) -> None:
        if self.over:
            if self.flaw == "3.15" and n > 3:
                raise RuntimeError("too late")
            if (self.flaw == "1.6" and n < 0) or (self.flaw == "1.7" and n > 0):
                self.kept.on_complete()
            if self.flaw not in ("3.6", "3.12") or self.sent == self.sender.count:
                return
            self.over, self.subscriber = False, self.kept
        if n < 1:
            if self.flaw == "3.16":
                raise ValueError("n must be at least 1")
            if self.flaw != "3.9":
                self.finish("on_error", ValueError("rule 3.9: n must be at least 1"))
            return
        if self.flaw == "3.2" and self.busy and not self.sent:
            return
        self.requested = n if self.flaw == "3.8" else self.requested + n
        if self.flaw == "3.17" and self.requested >= 2**63:
            self.requested -= 2**64
        if self.flaw == "1.3":
            sender = threading.Thread(target=self.work)
            sender.start()
            sender.join()
        elif self.flaw == "1.11":
            for sending in self.sender.sendings:
                sending.requested = self.requested
                sending.work()
        elif not self.busy or self.flaw == "3.3":
            self.work()

    def cancel(self) -> None:
        if self.flaw == "3.5" and threading.get_ident() != self.thread:
            raise RuntimeError("another thread")
        if self.over:
            if self.flaw == "3.7" and self.kept is not None:
                self.kept.on_complete()
            if self.flaw == "3.15":
                raise RuntimeError("cancelled before")
        if self.flaw == "1.8" and self.busy:
            return
        self.sender.cancelled = True
        self.end()

    def work(self) -> None:
        self.busy = True
        count, more = self.sender.count, self.flaw == "1.1"
        while not self.over and self.sent < min(self.requested + more, count):
            self.sent += 1
            self.subscriber.on_next(self.sent)
        self.busy = False
        if self.over or self.sent < count or self.flaw == "1.5":
            return
        if self.flaw == "1.2" and self.requested > count:
            return
        if self.sender.error is None or self.flaw == "1.4":
            self.finish("on_complete")
        else:
            self.finish("on_error", self.sender.error)

    def finish(self, signal: str, *arguments: Any) -> None:
        subscriber = self.subscriber
        self.end()
        getattr(subscriber, signal)(*arguments)

    def end(self) -> None:
        self.over, self.subscriber = True, None


class Senders(PublisherCase):
    """`Sender` as the suite wants it."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw

    def publisher(self, count: int) -> Any:
        return Sender(self.flaw, count)

    def failing(self, count: int, error: Exception) -> Any:
        return Sender(self.flaw, count, error)


class Receiver:
    """A subscriber, and its consumer, that breaks the rule `flaw`."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw
        self.link: Any = None
        self.asked = self.asking = self.over = self.left = False
        self.held: deque[Any] = deque()
        self.end: BaseException | None = None
        self.free = threading.Event()
        self.thread = threading.get_ident()

    def on_subscribe(self, subscription: Any) -> None:
        if subscription is None:
            raise TypeError("subscription may not be None")
        if self.link is None or self.flaw == "2.5":
            self.link = subscription
        else:
            subscription.cancel()

    def on_next(self, value: Any) -> None:
        if value is None and self.flaw != "2.13":
            raise TypeError("value may not be None")
        if self.flaw == "2.8" and self.left:
            raise RuntimeError("too late")
        if self.flaw == "2.2":
            self.free.wait()
        unsafe = self.flaw == "2.11" and threading.get_ident() != self.thread
        if not (unsafe or self.over or self.left or (self.flaw == "3.10" and self.asking)):
            self.held.append(value)

    def on_error(self, exception: Any) -> None:
        if exception is None:
            raise TypeError("exception may not be None")
        self.finish(exception, deaf=self.flaw == "2.10" and not self.asked)

    def on_complete(self) -> None:
        self.finish(StopAsyncIteration(), deaf=self.flaw == "2.9" and not self.asked)

    def finish(self, end: BaseException, *, deaf: bool) -> None:
        if deaf or (self.flaw == "3.11" and self.asking):
            return
        if self.flaw == "2.3":
            self.link.cancel()
        self.end, self.over = self.end or end, True

    async def take(self) -> Any:
        if not self.over and self.flaw != "2.1":
            self.asked = self.asking = True
            self.request()
            self.asking = False
        while not self.held:
            if self.end is not None or self.left:
                raise self.end or StopAsyncIteration
            await asyncio.sleep(0.001)
        return self.held.popleft()

    def request(self) -> None:
        self.link.request(1)
        if self.flaw == "2.7":
            others = [threading.Thread(target=self.insist) for _ in range(2)]
            for other in others:
                other.start()
            for other in others:
                other.join()

    def insist(self) -> None:
        """Request until another thread was seen to do so at the same time."""
        while not self.link.watch.overlapped:
            self.link.request(1)

    async def cancel(self) -> None:
        self.left = True
        self.free.set()
        if (not self.over or self.flaw == "2.4") and self.link is not None and self.flaw != "2.6":
            self.link.cancel()


class Receivers(SubscriberCase):
    """`Receiver` as the suite wants it."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw
        self.only = Receiver(flaw)
        if flaw == "2.2":
            self.seconds = 0.05  # which a thread that is held spends in real time

    def subscribe(self, publisher: Any) -> Consumer:
        receiver = self.only if self.flaw == "2.12" else Receiver(self.flaw)
        publisher.subscribe(receiver)
        return receiver


class Flawed(StreamProcessor):
    """A processor that breaks the rule `flaw`."""

    def __init__(self, flaw: str) -> None:
        super().__init__((), 1, None)
        self.flaw = flaw

    def on_error(self, exception: BaseException) -> None:
        self.on_complete() if self.flaw == "4.2" else super().on_error(exception)

    def subscribe(self, subscriber: Any) -> None:
        if subscriber is not None or self.flaw != "4.1":
            super().subscribe(subscriber)


class Processors(ProcessorCase):
    """`Flawed` as the suite wants it."""

    def __init__(self, flaw: str) -> None:
        self.flaw = flaw

    def processor(self) -> Any:
        return Flawed(self.flaw)


def case(kind: type[Case], flaw: str = "") -> Case:
    """A case of that kind which breaks the rule `flaw`, or none."""
    return next(made(flaw) for made in (Senders, Receivers, Processors) if issubclass(made, kind))
