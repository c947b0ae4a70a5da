"""The rules of section 2: what a subscriber keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

from streamkit._core.reactive_streams import Subscriber
from streamkit.testing.reactive_streams.cases import SubscriberCase
from streamkit.testing.reactive_streams.probes import Link, Upstream
from streamkit.testing.reactive_streams.rules import Registry

__all__ = ["SUBSCRIBER"]

SUBSCRIBER = Registry(SubscriberCase)


def complete(subscriber: Subscriber[Any]) -> None:
    subscriber.on_complete()


def fail(subscriber: Subscriber[Any]) -> None:
    subscriber.on_error(ArithmeticError("as the check wants it"))


@SUBSCRIBER.rule("2.1", "demand is signalled by request")
async def asks(case: SubscriberCase) -> None:
    upstream = Upstream()
    _, taking = await case.meet(upstream)
    await case.demand(upstream)
    assert all(n > 0 for n in upstream.links[0].requests), f"requests of {upstream.links[0].requests}"
    upstream.subscriber.on_next("item")
    assert await case.taken(taking) == "item", "another item arrived than was sent"


@SUBSCRIBER.rule("2.2", "the publisher is not held up by what becomes of its items")
async def holds_nobody(case: SubscriberCase) -> None:
    upstream = Upstream()
    await case.meet(upstream)
    await case.demand(upstream)
    count = min(upstream.links[0].requested, 100)
    # A daemon, so that a subscriber that holds it fails this check and not the whole run.
    sender = Thread(target=_send, args=(upstream.subscriber, count), daemon=True)
    sender.start()
    await asyncio.to_thread(sender.join, case.seconds)
    assert not sender.is_alive(), f"on_next holds its caller for more than {case.seconds} s"


def _send(subscriber: Subscriber[Any], count: int) -> None:
    for number in range(count):
        subscriber.on_next(number)


@SUBSCRIBER.rule("2.3", "on_complete and on_error call neither subscription nor publisher")
async def terminal_calls_nobody(case: SubscriberCase) -> None:
    for end in (complete, fail):
        upstream = Upstream()
        await case.meet(upstream)
        await case.demand(upstream)
        link, before = upstream.links[0], upstream.links[0].calls
        end(upstream.subscriber)
        assert link.calls == before, f"{end.__name__}: the subscription was called within the signal"
        assert len(upstream.subscribers) == 1, f"{end.__name__}: the publisher was called within the signal"


@SUBSCRIBER.rule("2.4", "after a terminal signal the subscription counts as cancelled")
async def terminal_is_cancelled(case: SubscriberCase) -> None:
    for end in (complete, fail):
        upstream = Upstream()
        consumer, _ = await case.meet(upstream)
        await case.demand(upstream)
        upstream.subscriber.on_next("item")
        await case.silence()
        before = upstream.links[0].calls
        end(upstream.subscriber)
        await case.silence()
        await consumer.cancel()
        await case.silence()
        assert upstream.links[0].calls == before, f"{end.__name__}: the subscription was called after its end"


@SUBSCRIBER.rule("2.5", "a second subscription is cancelled")
async def one_subscription(case: SubscriberCase) -> None:
    upstream, spare = Upstream(), Link()
    _, taking = await case.meet(upstream)
    await case.demand(upstream)
    upstream.subscriber.on_subscribe(spare)
    await case.eventually(lambda: spare.cancels == 1, "cancel of the second subscription")
    assert not spare.requests, "items were requested of the second subscription"
    assert not upstream.links[0].cancels, "the first subscription was cancelled for the second"
    upstream.subscriber.on_next("item")
    assert await case.taken(taking) == "item", "the first subscription works no more"


@SUBSCRIBER.rule("2.6", "a subscription that is not needed any more is cancelled")
async def leaves(case: SubscriberCase) -> None:
    upstream = Upstream()
    consumer, _ = await case.meet(upstream)
    await case.demand(upstream)
    await consumer.cancel()
    await case.eventually(lambda: upstream.links[0].cancels >= 1, "cancel by a consumer that has left")


@SUBSCRIBER.rule("2.7", "request and cancel are called one after the other")
async def calls_are_serial(case: SubscriberCase) -> None:
    upstream = Upstream()
    consumer, taking = await case.meet(upstream)
    link = upstream.links[0]

    def send(number: int) -> None:
        upstream.subscriber.on_next(number)

    for number in range(20):
        await case.demand(upstream, number + 1)
        await asyncio.to_thread(send, number)
        await case.taken(taking)
        taking = case.take(consumer)
    await asyncio.gather(consumer.cancel(), asyncio.to_thread(upstream.subscriber.on_complete))
    await case.silence()
    assert not link.watch.overlapped, "the subscription was called from two threads at once"


@SUBSCRIBER.rule("2.8", "on_next may come after cancel")
async def items_after_cancel(case: SubscriberCase) -> None:
    upstream = Upstream()
    consumer, _ = await case.meet(upstream)
    await case.demand(upstream)
    await consumer.cancel()
    await case.eventually(lambda: upstream.links[0].cancels >= 1, "cancel by a consumer that has left")
    before = upstream.links[0].calls
    _returns(lambda: upstream.subscriber.on_next("late"), "on_next after cancel")
    await case.silence()
    assert upstream.links[0].calls == before, "an item after cancel was answered on the subscription"


@SUBSCRIBER.rule("2.9", "on_complete may come with or without a request before")
async def complete_any_time(case: SubscriberCase) -> None:
    await _ends_any_time(case, complete, StopAsyncIteration)


@SUBSCRIBER.rule("2.10", "on_error may come with or without a request before")
async def error_any_time(case: SubscriberCase) -> None:
    await _ends_any_time(case, fail, ArithmeticError)


async def _ends_any_time(
    case: SubscriberCase, end: Callable[[Subscriber[Any]], None], expected: type[BaseException]
) -> None:
    _, taking = await case.meet(Upstream(at_once=end))
    await case.eventually(taking.done, "an end that was signalled within subscribe")
    assert isinstance(taking.exception(), expected), f"the consumer got {taking}"
    upstream = Upstream()
    _, taking = await case.meet(upstream)
    await case.demand(upstream)
    end(upstream.subscriber)
    await case.eventually(taking.done, "an end that was signalled after a request")
    assert isinstance(taking.exception(), expected), f"the consumer got {taking}"


@SUBSCRIBER.rule("2.11", "a signal is passed on safely to whoever deals with it")
async def signals_are_passed_on(case: SubscriberCase) -> None:
    upstream = Upstream()
    consumer, taking = await case.meet(upstream)

    def send(number: int) -> None:
        upstream.subscriber.on_next([number])

    for number in range(20):
        await case.demand(upstream, number + 1)
        await asyncio.to_thread(send, number)
        item = await case.taken(taking)
        assert item == [number], f"item {number} arrived as {item!r}"
        taking = case.take(consumer)
    await asyncio.to_thread(upstream.subscriber.on_complete)
    await case.eventually(taking.done, "on_complete from another thread does not arrive")
    assert isinstance(taking.exception(), StopAsyncIteration), f"the consumer got {taking}"


@SUBSCRIBER.rule("2.12", "no subscriber is subscribed twice")
async def fresh_subscribers(case: SubscriberCase) -> None:
    upstream = Upstream()
    await case.meet(upstream)
    await case.meet(upstream)
    await case.eventually(lambda: len(upstream.subscribers) == 2, "a second subscriber")
    first, other = upstream.subscribers
    assert first != other, "the same subscriber, or one that is equal to it, was subscribed twice"


@SUBSCRIBER.rule("2.13", "no signal raises, but for None, which raises TypeError")
async def signals_return(case: SubscriberCase) -> None:
    nothing: Any = None
    for signal in ("on_subscribe", "on_next", "on_error"):
        upstream = Upstream()
        await case.meet(upstream)
        await case.demand(upstream)
        try:
            getattr(upstream.subscriber, signal)(nothing)
        except TypeError:
            continue
        raise AssertionError(f"{signal}(None) did not raise TypeError")
    upstream = Upstream()
    await case.meet(upstream)
    await case.demand(upstream)
    subscriber = upstream.subscriber
    _returns(lambda: subscriber.on_next("item"), "on_next")
    for end in (complete, fail, complete):
        _returns(partial(end, subscriber), end.__name__)
    _returns(lambda: subscriber.on_next("late"), "on_next after the end")
    _returns(lambda: subscriber.on_subscribe(Link()), "on_subscribe after the end")


def _returns(call: Callable[[], object], what: str) -> None:
    try:
        call()
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}") from error
