"""What mypy and pyright infer across the border to Reactive Streams; run by pytest too."""

from typing import Any, assert_type

from streamkit import Stream, ops
from streamkit.reactive_streams import (
    Processor,
    Publisher,
    StreamPublisher,
    Subscriber,
    Subscription,
    from_publisher,
    to_processor,
    to_publisher,
)


class Words:
    """A publisher that names the protocols."""

    def subscribe(self, subscriber: Subscriber[str]) -> None:
        raise NotImplementedError


class Own:
    """A subscriber in the form of the package ``reactivestreams``."""

    def on_subscribe(self, subscription: Subscription) -> None:
        raise NotImplementedError

    def on_next(self, value: int, is_complete: bool = False) -> None:
        raise NotImplementedError

    def on_error(self, exception: Exception) -> None:
        raise NotImplementedError

    def on_complete(self) -> None:
        raise NotImplementedError


class Foreign:
    """A publisher that names a subscriber's type of its own."""

    def subscribe(self, subscriber: Own) -> None:
        raise NotImplementedError


def length(word: str) -> int:
    return len(word)


def test_items_keep_their_type() -> None:
    publisher = to_publisher(Stream([1, 2]))
    assert_type(publisher, StreamPublisher[int])
    assert_type(from_publisher(publisher), Stream[int])
    assert_type(from_publisher(Words(), lookahead=2), Stream[str])
    assert_type(from_publisher(Words()) | ops.map(length), Stream[int])
    assert_type(from_publisher(Foreign()), Stream[Any])


def test_what_fits_where() -> None:
    numbers: Publisher[int] = to_publisher(Stream([1, 2]))
    own: Subscriber[int] = Own()
    processor: Processor[int, str] = to_processor(ops.map(str))
    assert all((numbers, own, processor))
