"""Publishers: each subscriber of a stream gets a run of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from streamkit._core.calls import answering
from streamkit._core.reactive_streams import Subscriber
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit.reactive_streams.subscription import StreamSubscription

__all__ = ["StreamPublisher", "to_publisher"]

T = TypeVar("T")


@answering
def to_publisher(stream: Stream[T], *, loop: asyncio.AbstractEventLoop | None = None) -> StreamPublisher[T]:
    """A Reactive Streams publisher of `stream`: cold, with a run of the stream for each subscriber.

    Each run pulls only what its subscriber has requested, and sends all signals from one task.
    ``request`` and ``cancel`` may be called from any thread. Only a pull shows that a stream has ended, so
    ``on_complete`` comes after a request for one item more than there are.

    >>> import asyncio
    >>> from streamkit import Stream
    >>> from streamkit.reactive_streams import to_publisher
    >>> class Printer:
    ...     def on_subscribe(self, subscription):
    ...         subscription.request(10)
    ...     def on_next(self, value):
    ...         print(value)
    ...     def on_error(self, exception):
    ...         print("failed:", exception)
    ...     def on_complete(self):
    ...         print("complete")
    >>> async def main():
    ...     publisher = to_publisher(Stream(["a", "b"]))
    ...     publisher.subscribe(Printer())
    ...     await publisher.wait_closed()
    >>> asyncio.run(main())
    a
    b
    complete

    Args:
        stream: what to publish. It may not contain ``None``, which no subscriber accepts (rule 2.13).
        loop: the event loop of the runs; the one that runs where ``subscribe`` is called, if not given.

    Raises:
        TypeError: `stream` is not a stream.
    """
    if not isinstance(stream, Stream):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"stream must be a Stream, not {shown(stream)}")
    return StreamPublisher(stream, loop)


class StreamPublisher(Generic[T]):
    """What `to_publisher` returns: ``subscribe(subscriber)`` begins a run of the stream."""

    def __init__(
        self,
        stream: Stream[T],
        loop: asyncio.AbstractEventLoop | None = None,
        ahead: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stream = stream
        self._loop = loop
        self._ahead = ahead
        """Whether a run may pull before there is demand, to see whether the stream has ended."""
        self._subscriptions: set[StreamSubscription] = set()

    def subscribe(self, subscriber: Subscriber[T]) -> None:
        """Give `subscriber` a subscription and a run of the stream, which waits for its first request.

        Raises:
            TypeError: `subscriber` is None, or lacks one of the four methods (rule 1.9).
        """
        if not isinstance(subscriber, Subscriber):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"subscriber must be a Subscriber, not {shown(subscriber)} (rule 1.9)")
        subscription = StreamSubscription(
            self._stream, subscriber, self._loop or _loop_here(), self._ahead, self._subscriptions.discard
        )
        self._subscriptions.add(subscription)
        subscription.begin()

    def nudge(self) -> None:
        """Let runs ask again whether they may pull without demand (`ahead`)."""
        for subscription in tuple(self._subscriptions):
            subscription.nudge()

    async def wait_closed(self) -> None:
        """Wait, in the event loop of the runs, until each run so far has ended and is cleaned up."""
        for subscription in tuple(self._subscriptions):
            await subscription.wait_closed()

    def __repr__(self) -> str:
        return f"to_publisher({self._stream!r})"


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
