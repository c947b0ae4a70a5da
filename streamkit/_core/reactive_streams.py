"""The four interfaces of Reactive Streams 1.0.4, as protocols: any class with these methods fits.

A ``Publisher`` sends at most as many items as its ``Subscriber`` has requested through the
``Subscription`` that joins the two. The classes of the package ``reactivestreams``, which comes with
``rsocket``, fit: `ForeignPublisher` is for those whose annotations name types of their own.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

__all__ = ["UNBOUNDED_DEMAND", "ForeignPublisher", "Processor", "Publisher", "Subscriber", "Subscription"]

A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)

UNBOUNDED_DEMAND = 2**63 - 1
"""A demand of this many items, or more, is unbounded (rule 3.17)."""


@runtime_checkable
class Subscription(Protocol):
    """What joins one subscriber to one publisher."""

    def request(self, n: int, /) -> None:
        """Ask for `n` more items, from any thread."""
        ...

    def cancel(self) -> None:
        """Ask for no more; may be called any number of times, from any thread."""
        ...


@runtime_checkable
class Subscriber(Protocol[A_contra]):
    """Receives ``on_subscribe on_next* (on_error | on_complete)?``, one signal after the other."""

    def on_subscribe(self, subscription: Any, /) -> None:
        """The first signal. Items are requested through `subscription`."""
        ...

    def on_next(self, value: A_contra, /) -> None:
        """One item that was requested."""
        ...

    def on_error(self, exception: Any, /) -> None:
        """The publisher has failed; no signal follows."""
        ...

    def on_complete(self) -> None:
        """There are no more items; no signal follows."""
        ...


@runtime_checkable
class Publisher(Protocol[B_co]):
    """Sends each subscriber the items that it requests."""

    def subscribe(self, subscriber: Subscriber[B_co], /) -> None:
        """Begin to serve `subscriber`, which was never subscribed before."""
        ...


class ForeignPublisher(Protocol):
    """A publisher whose annotations name a subscriber class of its own, without the type of the items."""

    def subscribe(self, subscriber: Any, /) -> None:
        """Begin to serve `subscriber`, which was never subscribed before."""
        ...


@runtime_checkable
class Processor(Subscriber[A_contra], Publisher[B_co], Protocol[A_contra, B_co]):
    """A stage in between: a subscriber to what is before it, a publisher to what is after it."""
