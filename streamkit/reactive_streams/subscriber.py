"""Subscribers: a publisher as the source of a stream, which requests only what it has places for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any, NoReturn, TypeVar, overload

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.errors import BufferOverflowError, noted
from streamkit._core.markers import EMPTY
from streamkit._core.places import written
from streamkit._core.reactive_streams import ForeignPublisher, Publisher, Subscription
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.rounds import popped
from streamkit._engine.buffer.threads import Offered, SharedChannel
from streamkit._engine.compile.key import Kind
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Opened, Source

__all__ = ["Intake", "IntakeSource", "from_publisher"]

T = TypeVar("T")


@overload
def from_publisher(publisher: Publisher[T], *, lookahead: int = 1) -> Stream[T]: ...
@overload
def from_publisher(  # pyright: ignore[reportOverlappingOverload] - it is used for what fits no other type
    publisher: ForeignPublisher, *, lookahead: int = 1
) -> Stream[Any]: ...
@answering
def from_publisher(publisher: Publisher[Any] | ForeignPublisher, *, lookahead: int = 1) -> Stream[Any]:
    """A stream of what a Reactive Streams publisher sends; each run subscribes, at its first pull.

    The run requests `lookahead` items, and more when half of them are taken, so that at most `lookahead`
    items are under way or held. Signals may come from any thread. If the stream ends early, the
    subscription is cancelled, once. If the publisher has a method ``initial_request_n``, as those of
    ``rsocket`` clients do, that is called with the first demand.

    >>> import asyncio
    >>> from streamkit import Stream, ops
    >>> from streamkit.reactive_streams import from_publisher, to_publisher
    >>> async def main():
    ...     return await (from_publisher(to_publisher(Stream("abc")), lookahead=2) | ops.to_list())
    >>> asyncio.run(main())
    ['a', 'b', 'c']

    Args:
        publisher: what to subscribe to.
        lookahead: how many items may be under way or held; at least 1. Over a network, choose at least as
            many as arrive in one round trip.

    Raises:
        TypeError: `publisher` is not a publisher, or `lookahead` no whole number.
        ValueError: `lookahead` is less than 1.
        BufferOverflowError: (when run) the publisher sent more than was requested, against rule 1.1.
    """
    if not isinstance(publisher, Publisher):
        raise TypeError(f"publisher must be a Publisher, not {shown(publisher)}")
    places = whole("lookahead", lookahead, least=1)
    name = f"from_publisher({shown(publisher)}{'' if places == 1 else f', lookahead={places}'})"
    place = written(sys._getframe(1))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`
    return Stream(IntakeSource(lambda: Intake(places, publisher), places, name, place))


class IntakeSource(Source):
    """The source of a stream that makes an `Intake` for each run."""

    __slots__ = ("_name", "_written", "strategy")

    def __init__(
        self, make: Callable[[], Intake], places: int, name: str, written: tuple[str, int] | None = None
    ) -> None:
        self._written = written
        self.value = make
        self._consumed = False
        self._name = name
        self.strategy: Strategy | None = Suspend(places)

    def open(self, *, blocking: bool = False) -> Opened:
        intake: Intake = self.value()
        intake.name, intake.written = self._name, self._written
        return Opened(Kind.CHANNEL, intake.begin, None, intake.leave, intake)

    @property
    def blocking(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self._name


class Intake(SharedChannel):
    """The subscriber of one run: it holds items for the reader, and requests as many as the reader has taken.

    It calls ``request`` and ``cancel`` in the reader's thread only, so never two at once (rule 2.7).
    """

    def __init__(
        self, places: int, publisher: Publisher[Any] | None = None, ended: Callable[[], None] | None = None
    ) -> None:
        super().__init__(Suspend(places))
        self._places = places
        self._publisher = publisher
        self._ended = ended
        """Called once, from any thread, when the publisher has ended or broken a rule."""
        self._subscription: Subscription | None = None
        self._over = False
        """Whether the subscription was cancelled, or ended by the publisher."""
        self._requested = self._received = self._taken = 0

    # the signals, from any thread ----------------------------------------------------------------

    def on_subscribe(self, subscription: Subscription) -> None:
        """Take the subscription. If there is one, or the consumer has left, cancel it instead (rule 2.5)."""
        if subscription is None:  # pyright: ignore[reportUnnecessaryComparison]
            self._reject("subscription", subscription)
        with self.lock:
            spare = self._subscription is not None or self._over
            if not spare:
                self._subscription = subscription
        self.released()
        if spare:
            subscription.cancel()
        elif self.loop is not None:
            self._in_loop(self._ask)

    def on_next(self, value: Any, is_complete: bool = False) -> None:
        """Hold `value`; with `is_complete`, as ``reactivestreams`` has it, it is the last."""
        if value is None:
            self._reject("value", value)
        with self.lock:
            self._received += 1
            welcome = self._received <= self._requested or not self.open
            if not welcome:
                self._refused(Offered.FULL)
        if welcome:
            self.offer(value)
        if not welcome:
            count = self._requested
            self._fail(
                BufferOverflowError(
                    f"rule 1.1: only {count} items were requested, but {shown(value)} came too"
                )
            )
        elif is_complete:
            self.on_complete()

    def on_error(self, exception: BaseException) -> None:
        """End the stream with `exception`, after what is held."""
        if not isinstance(exception, BaseException):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            self._reject("exception", exception)
        self._over = True
        self.end(exception)

    def on_complete(self) -> None:
        """End the stream, after what is held."""
        self._over = True
        self.end()

    # what happens then ---------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether items are still taken in."""
        return self.lanes[0].open

    def end(self, error: BaseException | None = None) -> bool:
        first = super().end(error)
        if first and self._ended is not None:
            self._ended()
        return first

    def _reject(self, name: str, value: object) -> NoReturn:
        """Fail the stream over an invalid argument of a signal, and raise to the publisher (rule 2.13)."""
        error = TypeError(f"rule 2.13: {name} may not be {shown(value)}")
        self._fail(error)
        raise error

    def _fail(self, error: Exception) -> None:
        """End the stream with `error`, and the subscription, because the publisher broke a rule."""
        self.end(error)
        self._in_loop(self._cancel)

    def _in_loop(self, function: Callable[[], None]) -> None:
        """Call `function` in the reader's thread; if this is that thread, at once."""
        if self.loop is None or get_ident() == self.thread:
            function()
            return
        try:
            self.loop.call_soon_threadsafe(function)
        except RuntimeError:  # the reader's loop was closed before the stream: nobody will read
            self._cancel()

    # the reader ----------------------------------------------------------------------------

    def begin(self) -> SharedChannel:
        super().begin()
        publisher = self._publisher
        if publisher is None:
            if self._subscription is not None:
                self._ask()
            return self
        first_demand: Callable[[int], Any] | None = getattr(publisher, "initial_request_n", None)
        if first_demand is not None:
            self._requested = self._places
            first_demand(self._places)
        publisher.subscribe(self)
        return self

    def drained(self, most: int) -> Iterator[Any]:
        return popped(self, most)  # which counts them

    def pop(self) -> Any:
        item = super().pop()
        if item is not EMPTY:
            self._taken += 1
            if self._taken * 2 >= self._places:
                count, self._taken = self._taken, 0
                self._request(count)
        return item

    def leave(self) -> None:
        try:
            super().leave()
        finally:
            self._cancel()

    def _ask(self) -> None:
        if not self._requested:
            self._request(self._places)

    def _request(self, count: int) -> None:
        if self._over or self._subscription is None:
            return
        self._requested += count
        try:
            self._subscription.request(count)
        except Exception as error:
            noted(error, "rule 3.16: request may not raise")
            self._fail(error)

    def _cancel(self) -> None:
        with self.lock:
            subscription = None if self._over else self._subscription
            self._over = True
        self.released()
        if subscription is not None:
            subscription.cancel()
