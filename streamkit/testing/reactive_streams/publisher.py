"""The rules of section 1: what a publisher keeps to."""

from __future__ import annotations

from typing import Any

from streamkit.testing.reactive_streams.cases import PublisherCase
from streamkit.testing.reactive_streams.probes import Probe
from streamkit.testing.reactive_streams.rules import Registry

__all__ = ["PUBLISHER"]

PUBLISHER = Registry(PublisherCase)


@PUBLISHER.rule("1.1", "never more on_next than were requested")
async def no_more_than_requested(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(5))
    await case.silence()
    assert not probe.items, "items came before any was requested"
    for more, total in ((1, 1), (2, 3)):
        probe.link.request(more)
        await case.arrive(probe, total, "items that were requested")
        await case.silence()
        assert len(probe.items) == total, f"{len(probe.items)} items came, and {total} were requested"


@PUBLISHER.rule("1.2", "may send fewer than requested, and end")
async def may_send_fewer(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(3))
    probe.link.request(10)
    await case.ends(probe, "the end of 3 items, with 10 requested,")
    assert probe.signals == ["on_subscribe", *["on_next"] * 3, "on_complete"], probe.signals


@PUBLISHER.rule("1.3", "signals come one after the other")
async def serial(case: PublisherCase) -> None:
    def ask(probe: Probe) -> None:
        for _ in range(3):
            probe.link.request(1)

    probe = await case.attach(case.publisher(50), ask, ask)
    await case.ends(probe, "the end of 50 items")
    assert not probe.watch.overlapped, "a signal came from one thread while another was inside a signal"
    assert probe.signals == ["on_subscribe", *["on_next"] * 50, "on_complete"], probe.signals


@PUBLISHER.rule("1.4", "a failure is signalled by on_error")
async def failure(case: PublisherCase) -> None:
    error = ArithmeticError("as the check wants it")
    for count in (0, 2):
        probe = await case.attach(case.failing(count, error))
        probe.link.request(count + 1)
        await case.ends(probe, "on_error")
        assert probe.signals == ["on_subscribe", *["on_next"] * count, "on_error"], probe.signals
        assert probe.error is error, f"on_error was given {probe.error!r}, and the failure was {error!r}"


@PUBLISHER.rule("1.5", "a regular end is signalled by on_complete")
async def regular_end(case: PublisherCase) -> None:
    for count in (0, 3):
        probe = await case.attach(case.publisher(count))
        for number in range(count):
            probe.link.request(1)
            await case.arrive(probe, number + 1)
        probe.link.request(1)
        await case.ends(probe, f"the end of {count} items")
        assert probe.signals[-1] == "on_complete", probe.signals


@PUBLISHER.rule("1.6", "a terminal signal cancels the subscription")
async def terminal_cancels(case: PublisherCase) -> None:
    for publisher in (case.publisher(1), case.failing(1, ArithmeticError())):
        probe = await case.attach(publisher)
        probe.link.request(2)
        await case.ends(probe, "the end of 1 item")
        before = list(probe.signals)
        probe.link.request(-1)  # an error on a subscription that is not cancelled, by rule 3.9
        probe.link.cancel()
        await case.silence()
        assert probe.signals == before, "the subscription reacts after its end, as if it were not cancelled"


@PUBLISHER.rule("1.7", "no signal follows a terminal one")
async def nothing_follows(case: PublisherCase) -> None:
    for publisher in (case.publisher(2), case.failing(2, ArithmeticError())):
        probe = await case.attach(publisher)
        probe.link.request(10)
        await case.ends(probe, "the end of 2 items")
        probe.link.request(10)
        await case.silence()
        assert len(probe.signals) == 4, f"signals after the end: {probe.signals}"


@PUBLISHER.rule("1.8", "after a cancel the signals come to an end")
async def cancel_ends(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(1_000), None, lambda probe: probe.link.cancel())
    probe.link.request(1_000)
    await case.arrive(probe, 1)
    await case.silence()
    heard = len(probe.signals)
    await case.silence()
    assert len(probe.signals) == heard, "signals go on long after the cancel"
    assert len(probe.items) < 1_000, "all items came, although the first of them was answered by cancel"


@PUBLISHER.rule("1.9", "on_subscribe comes first, once; only None is refused by raising")
async def on_subscribe_first(case: PublisherCase) -> None:
    probe = await case.attach(case.publisher(1))
    probe.link.request(2)
    await case.ends(probe, "the end of 1 item")
    assert probe.signals[0] == "on_subscribe", probe.signals
    assert probe.signals.count("on_subscribe") == 1, probe.signals
    nobody: Any = None
    try:
        case.publisher(1).subscribe(nobody)
    except TypeError:
        return
    raise AssertionError("subscribe(None) did not raise TypeError")


@PUBLISHER.rule("1.10", "serves subscribe as often as it is called, or turns away by on_error")
async def subscribe_again(case: PublisherCase) -> None:
    publisher = case.publisher(2)
    for _ in range(3):
        probe = await case.attach(publisher)
        probe.link.request(3)
        await case.ends(probe, "an end, or a refusal,")
        assert probe.signals.count("on_subscribe") == 1, probe.signals


@PUBLISHER.rule("1.11", "subscribers may be several, each with a demand of its own")
async def demand_is_apart(case: PublisherCase) -> None:
    publisher = case.publisher(5)
    first, second = await case.attach(publisher), await case.attach(publisher)
    first.link.request(2)
    await case.arrive(first, 2, "items for the first of two subscribers")
    await case.silence()
    assert not second.items, "one subscriber got what the other had requested"
    if not second.ended:
        second.link.request(1)
        await case.arrive(second, 1, "item for the second of two subscribers")
        await case.silence()
    assert len(first.items) == 2, "one subscriber got what the other had requested"
