"""`to_publisher`: what it adds to the rules, which have tests of their own."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import SourceConsumedError, StoppedError, Stream, attached, ops
from streamkit.reactive_streams import (
    UNBOUNDED_DEMAND,
    Processor,
    Publisher,
    Subscription,
    to_processor,
    to_publisher,
)
from streamkit.testing import run
from streamkit.testing.reactive_streams import Probe
from tests.reactive_streams.asking import Source, asking, reports, rest


@given(st.lists(st.integers(1, 7), max_size=12), st.integers(0, 20))
def test_whatever_is_requested_the_source_is_pulled_so_far_and_no_further(
    requests: list[int], count: int
) -> None:
    async def main() -> None:
        pulled: list[int] = []

        def source() -> Iterator[int]:
            for number in range(count):
                pulled.append(number)
                yield number

        probe = Probe()
        to_publisher(Stream(source)).subscribe(probe)
        total = 0
        for n in requests:
            probe.link.request(n)
            await rest()
            total += n
            assert probe.items == pulled == [*range(min(total, count))]
            assert probe.ended == (total > count)
        probe.link.cancel()
        await rest()

    run(main)


def test_each_subscriber_gets_a_run_of_its_own() -> None:
    async def main() -> None:
        source = Source()
        publisher = to_publisher(Stream(source))
        probes = [Probe(asking(n)) for n in (1, 3)]
        for probe in probes:
            publisher.subscribe(probe)
        await rest()
        assert [probe.items for probe in probes] == [[0], [0, 1, 2]]
        for probe in probes:
            probe.link.cancel()
        await publisher.wait_closed()
        assert source.opened == source.closed == 2

    run(main)


def test_a_cancelled_run_is_closed_and_that_can_be_awaited() -> None:
    async def main() -> None:
        source, probe = Source(closing=5.0), Probe(asking(2))
        publisher = to_publisher(Stream(source))
        publisher.subscribe(probe)
        await rest()
        probe.link.cancel()
        probe.link.cancel()
        assert not source.closed
        await publisher.wait_closed()
        assert source.closed == 1
        assert asyncio.get_running_loop().time() > 5.0
        assert probe.signals == ["on_subscribe", "on_next", "on_next"]

    run(main)


def test_cancel_interrupts_a_pull_that_is_pending() -> None:
    async def main() -> None:
        source, probe = Source(1), Probe(asking(2))
        publisher = to_publisher(Stream(source))
        publisher.subscribe(probe)
        await asyncio.sleep(60.0)
        probe.link.cancel()
        await publisher.wait_closed()
        assert source.closed == 1
        assert not probe.ended

    run(main)


def test_cancel_within_on_next_sends_nothing_more_and_closes() -> None:
    async def main() -> None:
        source, probe = Source(), Probe(asking(9), lambda probe: probe.link.cancel())
        publisher = to_publisher(Stream(source))
        publisher.subscribe(probe)
        await publisher.wait_closed()
        assert probe.items == [0]
        assert source.pulled == [0]
        assert source.closed == 1

    run(main)


def test_a_cancel_before_the_run_begins_opens_nothing() -> None:
    async def main() -> None:
        source, probe = Source(), Probe(lambda probe: probe.link.cancel())
        publisher = to_publisher(Stream(source))
        publisher.subscribe(probe)
        await publisher.wait_closed()
        assert not source.opened

    run(main)


def test_clean_up_that_fails_after_a_cancel_is_reported() -> None:
    async def main() -> None:
        found, late = reports(), OSError("late")
        probe = Probe(asking(2))
        publisher = to_publisher(Stream(Source(1, late=late)))
        publisher.subscribe(probe)
        await rest()
        probe.link.cancel()
        await publisher.wait_closed()
        assert [each["exception"] for each in found] == [late]
        assert not probe.ended

    run(main)


def test_the_terminal_signal_comes_when_the_run_is_closed() -> None:
    async def main() -> None:
        source = Source(1, closing=3.0)
        probe = Probe(asking(2))
        to_publisher(Stream(source) | ops.take(1)).subscribe(probe)
        await asyncio.sleep(2.0)
        assert not probe.ended
        await asyncio.sleep(2.0)
        assert probe.signals[-1] == "on_complete"
        assert source.closed == 1

    run(main)


@pytest.mark.parametrize("n", [0, -1, 1.5, None, "3"])
def test_a_bad_request_ends_the_run_with_an_error_that_names_the_rule(n: Any) -> None:
    async def main() -> None:
        late = OSError("late")
        probe = Probe(asking(2))
        publisher = to_publisher(Stream(Source(1, late=late)))
        publisher.subscribe(probe)
        await rest()
        probe.link.request(n)
        await publisher.wait_closed()
        assert isinstance(probe.error, ValueError)
        assert "3.9" in str(probe.error)
        assert repr(n) in str(probe.error)
        assert probe.signals.count("on_error") == 1
        assert late in (attached(probe.error) or attached(attached(probe.error)[0]))

    run(main)


def test_demand_saturates() -> None:
    async def main() -> None:
        probe = Probe(asking(UNBOUNDED_DEMAND), asking(UNBOUNDED_DEMAND))
        publisher = to_publisher(Stream(range(100)))
        publisher.subscribe(probe)
        await publisher.wait_closed()
        assert probe.items == [*range(100)]
        assert probe.deepest == 1

    run(main)


@pytest.mark.parametrize("signal", ["on_subscribe", "on_next", "on_error", "on_complete"])
def test_a_subscriber_that_raises_is_cancelled_and_reported(signal: str) -> None:
    class Bad(Probe):
        def raising(self, *_: Any) -> None:
            raise LookupError("the subscriber's own")

    async def main() -> None:
        found = reports()
        bad = Bad(asking(9))
        setattr(bad, signal, bad.raising)
        stream = Stream(Source(2)) | ops.take(2)
        if signal == "on_error":
            stream = Stream([1, 0]) | ops.map(lambda number: 1 // number)
        publisher = to_publisher(stream)
        publisher.subscribe(bad)
        await publisher.wait_closed()
        assert [type(each["exception"]) for each in found] == [LookupError]
        assert "2.13" in found[0]["message"]
        assert signal in found[0]["message"]
        assert "on_complete" not in bad.signals

    run(main)


def test_an_item_of_none_is_an_error_that_names_the_rule() -> None:
    async def main() -> None:
        probe = Probe(asking(9))
        publisher = to_publisher(Stream([1, None, 2]))
        publisher.subscribe(probe)
        await publisher.wait_closed()
        assert probe.items == [1]
        assert isinstance(probe.error, TypeError)
        assert "2.13" in str(probe.error)

    run(main)


def test_a_stream_that_cannot_be_opened_fails_without_demand() -> None:
    async def main() -> None:
        stream = Stream(iter([1]))
        assert await (stream | ops.to_list()) == [1]
        probe = Probe()
        publisher = to_publisher(stream)
        publisher.subscribe(probe)
        await publisher.wait_closed()
        assert isinstance(probe.error, SourceConsumedError)

    run(main)


@pytest.mark.parametrize("begun", [True, False])
def test_a_run_cancelled_from_outside_tells_its_subscriber(begun: bool) -> None:
    probe = Probe(asking(9))

    async def main() -> None:
        to_publisher(Stream(Source(1))).subscribe(probe)
        if begun:
            await rest()

    run(main, leaks=False)
    assert isinstance(probe.error, StoppedError)
    assert isinstance(probe.error.__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("subscriber", [None, 5, object()])
def test_only_what_is_no_subscriber_raises(subscriber: Any) -> None:
    with pytest.raises(TypeError, match=r"subscriber must be a Subscriber, not .*1\.9"):
        to_publisher(Stream([1])).subscribe(subscriber)


def test_without_an_event_loop_the_subscriber_is_told(caplog: pytest.LogCaptureFixture) -> None:
    probe = Probe()
    to_publisher(Stream([1])).subscribe(probe)
    assert probe.signals == ["on_subscribe", "on_error"]
    assert "loop=" in str(probe.error)
    probe.link.request(1)
    probe.link.cancel()
    assert len(probe.signals) == 2
    with caplog.at_level(logging.ERROR):
        to_publisher(Stream([1])).subscribe(Probe(lambda _: 1 // 0))
    assert "2.13" in caplog.text


def test_a_closed_event_loop_is_told_to_the_subscriber() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    probe = Probe()
    to_publisher(Stream([1]), loop=loop).subscribe(probe)
    assert probe.signals == ["on_subscribe", "on_error"]


def test_subscribers_live_in_any_thread() -> None:
    async def main() -> None:
        publisher = to_publisher(Stream(range(100)), loop=asyncio.get_running_loop())
        probe = Probe(asking(1))
        await asyncio.to_thread(publisher.subscribe, probe)
        while not probe.ended:
            await asyncio.to_thread(probe.link.request, 1)
        assert probe.items == [*range(100)]
        assert not probe.watch.overlapped
        other = Probe()
        await asyncio.to_thread(publisher.subscribe, other)
        threads = [threading.Thread(target=other.link.cancel) for _ in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
        await publisher.wait_closed()
        assert other.signals == ["on_subscribe"]

    run(main, threads=True)


@pytest.mark.usefixtures("real_clock")
def test_cancel_reaches_a_run_that_never_waits() -> None:
    async def main() -> None:
        begun = asyncio.Event()
        probe = Probe(asking(UNBOUNDED_DEMAND), lambda _: begun.set())
        publisher = to_publisher(Stream(count()) | ops.map(lambda number: number + 1))
        publisher.subscribe(probe)
        await begun.wait()
        probe.link.cancel()
        await publisher.wait_closed()
        assert not probe.ended

    run(main)


def test_a_run_that_waits_for_demand_is_not_collected() -> None:
    async def main() -> None:
        source = Source()
        links: list[Subscription] = []
        to_publisher(Stream(source)).subscribe(Probe(lambda probe: links.append(probe.link)))
        await rest()
        gc.collect()
        await rest()
        links[0].request(1)
        await rest()
        assert source.pulled == [0]
        links[0].cancel()
        await rest()
        assert source.closed == 1

    run(main)


def test_arguments_are_checked_at_the_call() -> None:
    wrong: Any = [1]
    with pytest.raises(TypeError, match="stream must be a Stream"):
        to_publisher(wrong)
    with pytest.raises(TypeError, match="operators must be operators"):
        to_processor(ops.map(str), ops.to_list())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="operators must be operators"):
        to_processor(wrong)
    with pytest.raises(ValueError, match="lookahead must be a whole number of at least 1, not 0"):
        to_processor(lookahead=0)


def test_the_front_door_opens_on_the_neighbour() -> None:
    assert streamkit.reactive_streams.to_publisher is to_publisher


def test_what_is_made_are_publishers_and_processors() -> None:
    assert isinstance(to_publisher(Stream([1])), Publisher)
    assert isinstance(to_processor(ops.map(str)), Processor)
    assert repr(to_publisher(Stream([1]) | ops.take(1))) == "to_publisher(Stream([1]) | take(1))"
    assert repr(to_processor(ops.take(1))) == "to_processor(take(1))"


@pytest.mark.parametrize("closed", [False, True])
def test_a_subscription_can_be_used_while_no_loop_runs(closed: bool) -> None:
    loop, ended = asyncio.new_event_loop(), list[bool]()
    subscriptions: list[Any] = []

    class Slow:
        def on_subscribe(self, subscription: Any) -> None:
            subscriptions.append(subscription)

        def on_next(self, value: Any) -> None: ...

        def on_error(self, exception: Exception) -> None: ...

        def on_complete(self) -> None: ...

    async def forever() -> AsyncIterator[int]:
        try:
            for number in count():
                yield number
                await asyncio.sleep(3600.0)
        finally:
            ended.append(True)

    async def subscribed() -> Any:
        publisher = to_publisher(Stream(forever))
        publisher.subscribe(Slow())
        subscriptions[0].request(2)
        await asyncio.sleep(0.01)
        return publisher

    publisher = loop.run_until_complete(subscribed())
    if closed:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        loop.close()
    subscriptions[0].request(1)
    subscriptions[0].cancel()
    if not closed:
        loop.run_until_complete(publisher.wait_closed())
        loop.close()
    assert ended == [True]
