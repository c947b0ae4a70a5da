"""Processors: a pipe of operators between a publisher and a subscriber."""

from __future__ import annotations

import asyncio
from typing import Any

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.errors import SourceConsumedError
from streamkit._core.reactive_streams import Subscriber, Subscription
from streamkit._core.show import shown
from streamkit._engine.face.stream import Pipe, Stream
from streamkit.reactive_streams.publisher import StreamPublisher
from streamkit.reactive_streams.subscriber import Intake, IntakeSource

__all__ = ["StreamProcessor", "to_processor"]


@answering
def to_processor(
    *operators: Pipe, lookahead: int = 1, loop: asyncio.AbstractEventLoop | None = None
) -> StreamProcessor:
    """A Reactive Streams processor that passes items through `operators`, for one subscriber.

    It requests from its publisher when its subscriber requests from it, `lookahead` items at first. When
    the subscriber cancels, so does the processor; a second subscriber gets ``on_error``.

    >>> import asyncio
    >>> from streamkit import Stream, ops
    >>> from streamkit.reactive_streams import from_publisher, to_processor, to_publisher
    >>> async def main():
    ...     processor = to_processor(ops.map(str.upper), ops.take(2))
    ...     to_publisher(Stream("abc")).subscribe(processor)
    ...     return await (from_publisher(processor) | ops.to_list())
    >>> asyncio.run(main())
    ['A', 'B']

    Args:
        operators: what items go through, in order; without any, items are passed on as they are.
        lookahead: how many items may be on their way to the processor, or held; at least 1.
        loop: the event loop of the run; the one that runs where ``subscribe`` is called, if not given.

    Raises:
        TypeError: an argument is no operator, or is a sink.
        ValueError: `lookahead` is less than 1.
    """
    for operator in operators:
        links = getattr(operator, "links", ())
        if not links or links[-1].declaration.sink:
            raise TypeError(f"operators must be operators, and no sinks, not {shown(operator)}")
    return StreamProcessor(operators, whole("lookahead", lookahead, least=1), loop)


class StreamProcessor:
    """What `to_processor` returns: a subscriber on one side, a publisher on the other."""

    def __init__(
        self, operators: tuple[Pipe, ...], places: int, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self._operators = operators
        self._intake = intake = Intake(places, ended=self._nudge)
        self._run = False
        stream: Stream[Any] = Stream(IntakeSource(self._once, places, repr(self)))
        # After the publisher's end the run pulls without demand, so that the subscriber gets an error or the
        # end at once (rule 4.2).
        self._publisher = StreamPublisher(stream.pipe(*operators), loop, lambda: not intake.open)

    def on_subscribe(self, subscription: Subscription) -> None:
        """Take the subscription. Its items are requested when this processor's own subscriber requests."""
        self._intake.on_subscribe(subscription)

    def on_next(self, value: Any, is_complete: bool = False) -> None:
        """Pass an item through the operators."""
        self._intake.on_next(value, is_complete)

    def on_error(self, exception: BaseException) -> None:
        """Pass the error through the operators: one of them may recover from it."""
        self._intake.on_error(exception)

    def on_complete(self) -> None:
        """Complete, after what is held."""
        self._intake.on_complete()

    def subscribe(self, subscriber: Subscriber[Any]) -> None:
        """Give `subscriber` what comes out; a second one gets ``on_error``.

        Raises:
            TypeError: `subscriber` is None, or lacks one of the four methods (rule 1.9).
        """
        self._publisher.subscribe(subscriber)

    async def wait_closed(self) -> None:
        """Wait, in the event loop of the run, until it has ended and is cleaned up."""
        await self._publisher.wait_closed()

    def _once(self) -> Intake:
        if self._run:
            raise SourceConsumedError(f"{self!r} serves one subscriber, and has had it: make another")
        self._run = True
        return self._intake

    def _nudge(self) -> None:
        self._publisher.nudge()

    def __repr__(self) -> str:
        return f"to_processor({', '.join(map(repr, self._operators))})"
