"""Our publishers, subscribers and processors, as the suite of rules wants them described."""

from collections.abc import Iterator
from typing import Any

from streamkit import Stream
from streamkit.reactive_streams import from_publisher, to_processor, to_publisher
from streamkit.testing.reactive_streams import Case, Consumer, ProcessorCase, PublisherCase, SubscriberCase

__all__ = ["CASES", "OurProcessor", "OurPublisher", "OurSubscriber"]


class OurPublisher(PublisherCase):
    """``to_publisher`` of a stream."""

    def publisher(self, count: int) -> Any:
        return to_publisher(Stream(range(count)))

    def failing(self, count: int, error: Exception) -> Any:
        def source() -> Iterator[int]:
            yield from range(count)
            raise error

        return to_publisher(Stream(source))


class Reader:
    """A stream that is read item by item."""

    def __init__(self, stream: Stream[Any]) -> None:
        self._open = stream.open()
        self._left = False

    async def take(self) -> Any:
        if self._left:
            raise StopAsyncIteration
        if not hasattr(self, "_items"):
            self._items = await self._open.__aenter__()
        return await anext(aiter(self._items))

    async def cancel(self) -> None:
        self._left = True
        if hasattr(self, "_items"):
            await self._open.aclose()


class OurSubscriber(SubscriberCase):
    """``from_publisher``, read item by item."""

    lookahead = 1

    def subscribe(self, publisher: Any) -> Consumer:
        return Reader(from_publisher(publisher, lookahead=self.lookahead))


class OurProcessor(ProcessorCase):
    """``to_processor`` without operators."""

    def processor(self) -> Any:
        return to_processor()


CASES: dict[type[Case], type[Case]] = {
    PublisherCase: OurPublisher,
    SubscriberCase: OurSubscriber,
    ProcessorCase: OurProcessor,
}
