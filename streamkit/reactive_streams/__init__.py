"""Reactive Streams 1.0.4: streams as publishers, publishers as streams, pipes as processors.

    to_publisher(stream)        stream    -> Publisher    each subscriber gets a run of its own
    from_publisher(publisher)   Publisher -> Stream       each run subscribes, at its first pull
    to_processor(*operators)    a pipe    -> Processor    for one subscriber

A publisher made here pulls its stream only for an item that was requested, and a stream made here requests
only as many items as it has places for. ``Publisher``,
``Subscriber``, ``Subscription`` and ``Processor`` are protocols, which the classes of the package
``reactivestreams`` (used by ``rsocket``) fit.
"""

from streamkit._core.reactive_streams import (
    UNBOUNDED_DEMAND,
    Processor,
    Publisher,
    Subscriber,
    Subscription,
)
from streamkit.reactive_streams.processor import StreamProcessor, to_processor
from streamkit.reactive_streams.publisher import StreamPublisher, to_publisher
from streamkit.reactive_streams.subscriber import from_publisher
from streamkit.reactive_streams.subscription import StreamSubscription

__all__ = [
    "UNBOUNDED_DEMAND",
    "Processor",
    "Publisher",
    "StreamProcessor",
    "StreamPublisher",
    "StreamSubscription",
    "Subscriber",
    "Subscription",
    "from_publisher",
    "to_processor",
    "to_publisher",
]
