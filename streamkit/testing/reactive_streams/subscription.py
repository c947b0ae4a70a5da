"""The rules of section 3: what a publisher's subscription keeps to, and what it may do to a subscriber."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

from streamkit._core.reactive_streams import UNBOUNDED_DEMAND, Publisher, Subscriber
from streamkit.testing.reactive_streams.cases import PublisherCase, SubscriberCase
from streamkit.testing.reactive_streams.probes import Probe, Upstream
from streamkit.testing.reactive_streams.rules import Registry

__all__ = ["CARE", "SUBSCRIPTION"]

SUBSCRIPTION = Registry(PublisherCase)
CARE = Registry(SubscriberCase)

SUBSCRIPTION.untested(
    "3.1",
    "request and cancel are called by their subscriber only",
    because="a call does not show who made it",
)
SUBSCRIPTION.untested(
    "3.4",
    "request returns soon",
    because="the specification names no time, and lets items be made and sent within the call (3.10)",
)


def one_more(probe: Probe) -> None:
    probe.link.request(1)


@SUBSCRIPTION.rule("3.2", "request may be called within on_subscribe and on_next")
async def request_within_signals(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(5), one_more, one_more)
    await case.ends(probe, "the end of 5 items, each requested from within a signal,")
    assert len(probe.items) == 5, probe.signals


@SUBSCRIPTION.rule("3.3", "request within on_next does not nest without bound")
async def bounded_recursion(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(200), None, one_more)
    probe.link.request(1)
    await case.ends(probe, "the end of 200 items, each requested in the one before,")
    assert len(probe.items) == 200, f"{len(probe.items)} of 200 items came"
    assert probe.deepest <= case.recursion, f"{probe.deepest} calls of on_next were nested"


@SUBSCRIPTION.rule("3.5", "cancel may be called again, and from any thread")
async def cancel_anywhere(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(1_000), None, one_more)
    probe.link.request(1)
    calls = [asyncio.to_thread(probe.link.cancel) for _ in range(4)]
    await asyncio.wait_for(asyncio.gather(*calls), case.seconds)
    await case.silence()
    heard = len(probe.signals)
    await case.silence()
    assert len(probe.signals) == heard, "signals go on long after the cancel"
    assert "on_error" not in probe.signals, probe.signals


@SUBSCRIPTION.rule("3.6", "after a cancel, request does nothing")
async def request_after_cancel(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(3))
    probe.link.cancel()
    for n in (1, 1, 0, -1, UNBOUNDED_DEMAND):
        probe.link.request(n)
    await case.silence()
    assert probe.signals == ["on_subscribe"], probe.signals


@SUBSCRIPTION.rule("3.7", "after a cancel, cancel does nothing")
async def cancel_after_cancel(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(3))
    for _ in range(3):
        probe.link.cancel()
    await case.silence()
    assert probe.signals == ["on_subscribe"], probe.signals


@SUBSCRIPTION.rule("3.8", "requests add up")
async def requests_add_up(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(20))
    for n in (3, 2, 4):
        probe.link.request(n)
    await case.arrive(probe, 9, "items, requested as 3, 2 and 4,")
    await case.silence()
    assert len(probe.items) == 9, f"{len(probe.items)} items came, and 9 were requested"


@SUBSCRIPTION.rule("3.9", "request of less than 1 is answered by on_error with a ValueError")
async def request_of_nothing(case: PublisherCase) -> None:
    for n in (0, -1, -(2**63)):
        probe = await case.attach(case.publisher(10))
        probe.link.request(n)
        await case.ends(probe, f"on_error in answer to request({n})")
        assert probe.signals == ["on_subscribe", "on_error"], probe.signals
        assert isinstance(probe.error, ValueError), f"on_error was given {probe.error!r}, and no ValueError"
        assert str(probe.error), "the ValueError does not say what is wrong"


@CARE.rule("3.10", "on_next may come within request")
async def items_within_request(case: SubscriberCase) -> None:
    sent = iter(range(100))

    def answer(subscriber: Subscriber[int], n: int) -> None:
        for _ in range(n):
            subscriber.on_next(next(sent))

    consumer, taking = await case.meet(Upstream(answer))
    taken = [await case.taken(taking)]
    taken += [await case.taken(case.take(consumer)) for _ in range(9)]
    assert taken == [*range(10)], f"items sent within request arrived as {taken}"


@CARE.rule("3.11", "on_complete or on_error may come within request")
async def end_within_request(case: SubscriberCase) -> None:
    failure = ArithmeticError("as the check wants it")
    answers: list[Callable[[Subscriber[int], int], object]] = [
        lambda subscriber, _: subscriber.on_complete(),
        lambda subscriber, _: subscriber.on_error(failure),
    ]
    for answer, expected in zip(answers, (StopAsyncIteration, ArithmeticError), strict=True):
        _, taking = await case.meet(Upstream(answer))
        await case.eventually(taking.done, "the end that was signalled within request")
        assert isinstance(taking.exception(), expected), f"the consumer got {taking}"


@SUBSCRIPTION.rule("3.12", "a cancel from outside ends the signals")
async def cancel_from_outside(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(10))
    probe.link.request(3)
    await case.arrive(probe, 3)
    probe.link.cancel()
    probe.link.request(7)
    await case.silence()
    assert len(probe.signals) == 4, f"signals after the cancel: {probe.signals}"


@SUBSCRIPTION.rule("3.13", "after a cancel the publisher lets go of the subscriber")
async def lets_go(case: PublisherCase) -> None:
    publisher = case.publisher(10)
    gone = await _cancelled(case, publisher)

    for _ in range(5):
        await case.silence()
        gc.collect()
        if gone() is None:
            return
    raise AssertionError("the publisher still holds the subscriber long after its cancel")


async def _cancelled(case: PublisherCase, publisher: Publisher[int]) -> weakref.ref[Probe]:
    probe = Probe()
    publisher.subscribe(probe)
    await case.eventually(lambda: probe.subscription is not None, "on_subscribe was not signalled")
    probe.link.request(1)
    await case.arrive(probe, 1)
    probe.link.cancel()
    return weakref.ref(probe)


@SUBSCRIPTION.rule("3.14", "a cancel may shut the publisher down, which then tells new subscribers")
async def after_the_last_cancel(case: PublisherCase) -> None:
    publisher = case.publisher(1)
    (await case.attach(publisher)).link.cancel()
    await case.silence()
    probe = await case.attach(publisher)
    probe.link.request(2)
    await case.ends(probe, "items and an end, or a refusal,")
    assert probe.signals[0] == "on_subscribe", probe.signals


@SUBSCRIPTION.rule("3.15", "cancel never raises")
async def cancel_returns(case: PublisherCase) -> None:
    def cancel(probe: Probe) -> None:
        try:
            probe.link.cancel()
        except Exception as error:
            raised.append(error)

    raised: list[Exception] = []
    await case.attach(case.publisher(3), cancel)
    within = await case.attach(case.publisher(3), None, cancel)
    ended = await case.attach(case.publisher(0))
    within.link.request(1)
    ended.link.request(1)
    await case.eventually(lambda: bool(within.items) and ended.ended, "an item, and an end")
    cancel(within)
    cancel(ended)
    assert not raised, f"cancel raised {raised}"


@SUBSCRIPTION.rule("3.16", "request never raises")
async def request_returns(case: PublisherCase) -> None:
    for n in (1, UNBOUNDED_DEMAND, 2**80, 0, -1):
        probe = await case.attach(case.publisher(2))
        try:
            probe.link.request(n)
            await case.silence()
            probe.link.request(n)
            probe.link.cancel()
            probe.link.request(n)
        except Exception as error:
            raise AssertionError(f"request({n}) raised {error!r}") from error


@SUBSCRIPTION.rule("3.17", "any number of requests, up to a demand of 2**63-1 and more")
async def unbounded_demand(case: PublisherCase) -> None:
    for requests in ([UNBOUNDED_DEMAND] * 2, [UNBOUNDED_DEMAND - 1, 1, 1], [1] * 1_000):
        probe = await case.attach(case.publisher(10), None, one_more)
        for n in requests:
            probe.link.request(n)
        await case.ends(probe, "the end of 10 items")
        assert probe.signals == ["on_subscribe", *["on_next"] * 10, "on_complete"], probe.signals
